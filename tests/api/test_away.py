"""What came while a channel was away, over the API."""

import pytest

from app import bots
from tests.api.conftest import Program
from tests.shop import BOT, said, take_in

pytestmark = pytest.mark.anyio
LATE = 30 * 60_000


async def test_a_program_lists_and_decides(api: Program) -> None:
    [live] = api.rt.channels.by_id.values()
    bot_id = await bots.create(api.rt, "", BOT, None)
    await bots.publish(api.rt, bot_id, [live.row.id], "", None)
    for who in ("16505550001", "16505550002"):
        await take_in(api.rt, live, said(api.rt, "hi", who, at=api.rt.clock.now() - LATE, away=True))
    head, place = await api.key("read", "send"), f"/api/v1/channels/{live.row.id}/away"
    first = (await api.get(f"{place}?limit=1", headers=head)).json()
    rest = (await api.get(f"{place}?cursor={first['next_cursor']}", headers=head)).json()
    assert [(chat["phone"], chat["text"], chat["count"]) for chat in first["items"] + rest["items"]] == [
        ("16505550001", "hi", 1),
        ("16505550002", "hi", 1),
    ]
    wish = {"decision": "answer", "conversation_id": first["items"][0]["conversation_id"]}
    assert (await api.post(place, json=wish, headers=head)).json() == {"conversations": 1}
    assert (await api.post(place, json={"decision": "burn"}, headers=head)).status_code == 422
    assert (await api.get(place, headers=head)).json()["items"] == rest["items"]
    assert (await api.get("/api/v1/channels/7/away", headers=head)).status_code == 404
