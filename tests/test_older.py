"""Conversations that finish a flow on an older version: counted, and moved by the stated rule."""

import pytest

from app import bots, older
from app.runtime import Runtime
from app.store import older as store
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in
from tests.test_flows import ORDER, SECOND, publish

WAITS = """
bot: Shop
rules: [{name: order, when: {says: order}, do: [{start: order}]}]
flows: {order: [{say: One moment.}, {wait: 10m}, {say: Here we are.}]}
"""


async def answers(rt: Runtime) -> list[str]:
    return [text for (text,) in await rows(rt, "select text from message where direction = 'out' order by id")]


async def test_they_are_counted_and_leave_their_flow_when_they_are_moved(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await open_shop(rt, ORDER)
    bot = await bots.find(rt.db.reader, "Shop")
    for who in ("16505550001", "16505550002", "16505550003"):
        await take_in(rt, live, said(rt, "order", who))
    assert await rt.db.read(store.list_older, bot.id) == [], "on the version that is live"
    await publish(rt, SECOND)
    await take_in(rt, live, said(rt, "order", "16505550009"))
    [one] = await rt.db.read(store.list_older, bot.id)
    assert (one.channel, one.number, one.now, one.count) == ("Shop", 1, 2, 3)
    spoken = len(await answers(rt))
    monkeypatch.setattr(older, "AT_ONCE", 2)  # several units
    assert await older.move(rt, bot.id, live.row.id, 1) == 3
    assert await rt.db.read(store.list_older, bot.id) == []
    assert len(await answers(rt)) == spoken, "nothing is sent"
    await take_in(rt, live, said(rt, "bread", "16505550001"))
    assert (await answers(rt))[spoken:] == ["Sorry."], "answered by the rules of the new version, not by the question"
    await take_in(rt, live, said(rt, "order", "16505550001"))
    await take_in(rt, live, said(rt, "bread", "16505550001"))
    assert (await answers(rt))[-1] == "What number?"
    await take_in(rt, live, said(rt, "cake", "16505550009"))
    assert (await answers(rt))[-1] == "What number?", "whoever began on the new version goes on"


async def test_what_a_flow_waited_for_goes_with_it(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WAITS)
    bot = await bots.find(rt.db.reader, "Shop")
    await take_in(rt, live, said(rt, "order"))
    await publish(rt, SECOND)
    assert len(await rows(rt, "select id from job")) == 1
    assert await older.move(rt, bot.id, live.row.id, 1) == 1
    assert await rows(rt, "select id from job") == []
    clock.advance(3600)
    await take_in(rt, live, said(rt, "bread"))
    assert await answers(rt) == ["One moment.", "Sorry."]


async def test_the_version_that_is_live_is_nothing_to_move_from(rt: Runtime) -> None:
    live = await open_shop(rt, ORDER)
    bot = await bots.find(rt.db.reader, "Shop")
    await take_in(rt, live, said(rt, "order"))
    assert await older.move(rt, bot.id, live.row.id, 1) == 0
    await take_in(rt, live, said(rt, "bread"))
    assert (await answers(rt))[-1] == "How many?"
