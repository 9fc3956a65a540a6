"""What came while a channel was away, on the channel's page and on Home."""

from pathlib import Path

import pytest

from app.db import Statement
from tests.routes.visiting import visiting
from tests.shop import said, take_in

pytestmark = pytest.mark.anyio
LATE = 30 * 60_000
LEFT = "select count(*) from away"


async def test_list_is_on_the_page_and_on_home_and_each_line_is_decided(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        rt = visit.rt
        live = next(live for live in rt.channels.by_id.values() if live.row.connector == "whatsapp_cloud")
        for who, name in (("16505550001", "<b>Ann"), ("16505550002", "Bob"), ("16505550003", "Cid")):
            late = said(rt, "Open today?", who, name=name, at=rt.clock.now() - LATE, away=True)
            await take_in(rt, live, late)
        page = f"/channels/{live.row.id}"
        html = (await visit.get(page)).text
        assert html.count("Open today?") == 3 and "&lt;b&gt;Ann" in html and "The bot answers all" in html
        assert "3 messages came while “⁨Shop⁩” was away" in (await visit.get("/home/attention")).text
        one = await visit.one("select min(conversation_id) from away")
        answer = await visit.post(f"{page}/away", {"decision": "skip", "conversation": one}, hx=True)
        assert answer.text.count("Open today?") == 2
        assert (await visit.post(f"{page}/away", {"decision": "hand_over"})).status_code == 303
        assert await visit.one(LEFT) == 0
        assert "hidden" in (await visit.get(f"{page}/away")).text
        assert "came while" not in (await visit.get("/home/attention")).text


async def test_what_a_linked_phone_sent_is_changed_and_taken_back_from_the_thread(tmp_path: Path) -> None:
    """Only where the network can do it; there the change waits in the outbox like any message."""
    async with visiting(tmp_path) as visit:
        mine = await visit.one(
            "select max(id) from message where direction = 'out' and provider_id is not null and kind = 'text'"
        )
        chat = await visit.one("select conversation_id from message where id = :id", id=mine)
        place = f"/inbox/messages/{mine}"
        assert "take-back" not in (await visit.get(f"/inbox/{chat}/thread")).text
        assert (await visit.post(f"{place}/take-back")).status_code == 409
        await visit.rt.db.write(lambda tx: tx.run(LINKED, id=chat))
        await visit.rt.db.write(lambda tx: tx.run(FRESH, id=mine, now=visit.rt.clock.now()))
        html = (await visit.get(f"/inbox/{chat}/thread")).text
        assert f'action="{place}/correct"' in html and f'action="{place}/take-back"' in html


LINKED = Statement(
    "update channel set connector = 'whatsapp_web' where id = (select channel_id from conversation where id = :id)"
)
FRESH = Statement("update message set at = :now, sent_at = :now, status = 'delivered' where id = :id")
