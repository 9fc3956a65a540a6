"""Bots over the API, from a document to a version that answers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import Program

pytestmark = pytest.mark.anyio
BOTS = "/api/v1/bots"
SHOP = """bot: Shop bot
rules:
  - name: greeting
    when: {says: hi}
    do: [{say: Hello}]
tests:
  - name: greets
    chat: [{user: hi}, {bot: Hello}]
"""


async def made(api: Program, head: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = await api.post(BOTS, json={"document": SHOP, **body}, headers=head)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_bot_goes_from_a_document_to_a_channel(api: Program) -> None:
    head = await api.key("read", "manage")
    bot = await made(api, head)
    assert bot["name"] == "Shop bot" and bot["version"] is None and bot["live"] == []
    place = f"{BOTS}/{bot['id']}"
    assert (await api.post(f"{place}/test", headers=head)).json() == {
        "passed": True,
        "tests": [{"name": "greets", "passed": True, "message": ""}],
    }
    told = await api.post(f"{place}/publish", json={"channels": ["shop"], "note": "first"}, headers=head)
    assert told.status_code == 200 and told.json()["version"] == 1
    assert told.json()["live"][0]["channel"] == "Shop"
    listed = (await api.get(BOTS, headers=head)).json()["items"]
    assert [each["name"] for each in listed] == ["Shop bot"]


async def test_a_draft_is_not_written_over(api: Program) -> None:
    head = await api.key("read", "manage")
    place = f"{BOTS}/{(await made(api, head))['id']}/draft"
    assert (await api.get(place, headers=head)).json() == {"document": SHOP, "revision": 1}
    first = await api.put(place, json={"document": SHOP + "# mine\n", "revision": 1}, headers=head)
    assert first.json()["revision"] == 2
    second = await api.put(place, json={"document": SHOP + "# yours\n", "revision": 1}, headers=head)
    assert second.status_code == 409 and second.json()["error"]["code"] == "conflict"


async def test_what_is_wrong_is_told_by_line_and_is_not_published(api: Program) -> None:
    head = await api.key("read", "manage")
    place = f"{BOTS}/{(await made(api, head))['id']}"
    wrong = SHOP.replace("{say: Hello}", "{shout: Hello}")
    found = (await api.post(f"{place}/lint", json={"document": wrong}, headers=head)).json()["problems"]
    assert found[0]["line"] == 5 and found[0]["severity"] == "error" and "shout" in found[0]["message"]
    await api.put(f"{place}/draft", json={"document": wrong, "revision": 1}, headers=head)
    answer = await api.post(f"{place}/publish", json={}, headers=head)
    assert answer.status_code == 422


async def test_a_failing_test_keeps_a_draft_from_being_published(api: Program) -> None:
    head = await api.key("read", "manage")
    place = f"{BOTS}/{(await made(api, head, document=SHOP.replace('bot: Hello', 'bot: Bye')))['id']}"
    told = (await api.post(f"{place}/test", headers=head)).json()
    assert not told["passed"] and told["tests"][0]["message"]
    assert (await api.post(f"{place}/publish", json={}, headers=head)).status_code == 422
    assert (await api.post(f"{place}/publish", json={"anyway": True}, headers=head)).status_code == 200


async def test_versions_stay_and_a_channel_can_go_back(api: Program) -> None:
    head = await api.key("read", "manage")
    place = f"{BOTS}/{(await made(api, head))['id']}"
    await api.post(f"{place}/publish", json={"channels": ["Shop"]}, headers=head)
    await api.put(f"{place}/draft", json={"document": SHOP + "# two\n", "revision": 1}, headers=head)
    await api.post(f"{place}/publish", json={"channels": ["Shop"], "note": "two"}, headers=head)
    found = (await api.get(f"{place}/versions?limit=1", headers=head)).json()
    assert [each["number"] for each in found["items"]] == [2] and found["next_cursor"]
    first = (await api.get(f"{place}/versions/1", headers=head)).json()
    assert first["document"] == SHOP
    channel = (await api.get("/api/v1/channels", headers=head)).json()["items"][0]["id"]
    back = await api.put(f"/api/v1/channels/{channel}/version", json={"version_id": first["id"]}, headers=head)
    assert back.json() == {"version": 1}
    assert (await api.get(place, headers=head)).json()["live"][0]["version"] == 1


async def test_a_version_can_be_planned(api: Program) -> None:
    head = await api.key("read", "manage")
    place = f"{BOTS}/{(await made(api, head))['id']}"
    tomorrow = datetime.fromtimestamp(api.rt.clock.now() / 1000 + 86_400, UTC)
    body = {"channels": ["Shop"], "at": tomorrow.strftime("%Y-%m-%d %H:%M")}
    told = await api.post(f"{place}/publish", json=body, headers=head)
    assert told.status_code == 200 and told.json() == {"version": 1, "live": []}
    past = await api.post(f"{place}/publish", json=body | {"at": "2001-12-01 08:00"}, headers=head)
    assert past.status_code == 422


async def test_a_bot_begins_with_a_starter(api: Program) -> None:
    head = await api.key("read", "manage")
    keys = [each["key"] for each in (await api.get(f"{BOTS}/starters", headers=head)).json()["starters"]]
    assert "bakery" in keys
    answer = await api.post(BOTS, json={"starter": "bakery", "name": "Luna"}, headers=head)
    assert answer.status_code == 201 and answer.json()["name"] == "Luna"
    again = await api.post(BOTS, json={"starter": "bakery", "name": "Luna"}, headers=head)
    assert again.status_code == 409
    for wrong in ({}, {"starter": "bakery", "document": SHOP}, {"starter": "nonsense"}):
        assert (await api.post(BOTS, json=wrong, headers=head)).status_code == 422


async def test_the_schema_of_a_document_is_open_to_editors(api: Program) -> None:
    found = (await api.get("/api/v1/bot.schema.json")).json()
    assert found["title"] == "Parley bot document"
