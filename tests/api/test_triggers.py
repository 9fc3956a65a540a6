"""A program asks a bot for something by name."""

from typing import Any

import pytest

from app import bots
from tests.api.conftest import Program

pytestmark = pytest.mark.anyio
BOT = """bot: Orders
rules:
  - name: ready
    when: {trigger: {name: order_ready, data: [number]}}
    do: [{say: "Order {{ number }} is ready"}]
flows:
  thanks:
    - say: Thank you
"""


async def live(api: Program) -> dict[str, str]:
    bot = await bots.create(api.rt, "", BOT, None)
    await bots.publish(api.rt, bot, None, "", None)
    return await api.key("read", "send")


async def said(api: Program, head: dict[str, str], chat: str) -> list[str]:
    found = (await api.get(f"/api/v1/conversations/{chat}/messages", headers=head)).json()["items"]
    return [each["content"]["text"] for each in found][::-1]


async def ask(api: Program, head: dict[str, str], place: str, **body: Any) -> dict[str, Any]:
    answer = await api.post(f"/api/v1/{place}", json=body, headers=head)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_rule_and_a_flow_are_asked_for_by_name(api: Program) -> None:
    head = await live(api)
    somebody = {"channel": "Shop", "to": "+5511999990000"}
    told = await ask(api, head, "triggers", **somebody, name="order_ready", data={"number": 17})
    assert told["turn_id"]
    chat = told["conversation_id"]
    again = await ask(api, head, f"conversations/{chat}/triggers", name="flow:thanks")
    assert again["conversation_id"] == chat and again["turn_id"]
    assert await said(api, head, chat) == ["Order 17 is ready", "Thank you"]


async def test_a_person_who_has_the_conversation_is_not_talked_over(api: Program) -> None:
    await live(api)
    person = api.bearing((await api.log_in())["access_token"])
    somebody = {"channel": "Shop", "to": "+5511999990000"}
    chat = (await ask(api, person, "triggers", **somebody, name="flow:thanks"))["conversation_id"]
    await api.post(f"/api/v1/conversations/{chat}/take", headers=person)
    told = await ask(api, person, f"conversations/{chat}/triggers", name="flow:thanks")
    assert told["turn_id"] is None and await said(api, person, chat) == ["Thank you"]


async def test_what_nobody_listens_to_says_nothing(api: Program) -> None:
    head = await live(api)
    told = await ask(api, head, "triggers", channel="Shop", to="+5511999990000", name="nonsense")
    assert await said(api, head, told["conversation_id"]) == []
    for place, status in (("conversations/17/triggers", 404), ("triggers", 422)):
        answer = await api.post(f"/api/v1/{place}", json={"name": "x"}, headers=head)
        assert answer.status_code == status, place
