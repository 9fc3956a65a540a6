"""What a bot promised for later comes due once, by the stated rules."""

import asyncio

from app import connecting, due, handoff, jobs
from app.bot.scene import Later, Send, StartTimer, WatchQuiet
from app.content import Text
from app.db import Query
from app.promises import LANE, MOST
from app.runtime import Runtime
from tests.acting import LEASE, WORDS, act, claimed, come_due, still
from tests.clock import ManualClock
from tests.shop import change, open_shop, plain, rows, said, take_in

SAID = "select content, status from message where direction = 'out' order by id"
HOUR = 3_600_000
QUEUED = Query("select count(*) from job", int)


async def sent(rt: Runtime) -> list[tuple[str, str]]:
    return [(plain(content), status) for content, status in await rows(rt, SAID)]


async def test_P15_a_message_at_a_time_is_sent_then_and_once(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", Send(Text("Now."), "one"), Send(Text("Later."), "one", at=clock.now() + HOUR))
    await take_in(rt, live, said(rt, "one"))
    await take_in(rt, live, said(rt, "hi"))
    assert await come_due(rt) == 0
    clock.advance(HOUR / 1000)
    assert (await come_due(rt), await come_due(rt)) == (1, 0)
    assert await sent(rt) == [("Now.", "queued"), ("Hi!", "queued"), ("Later.", "queued")]
    places = await rows(rt, "select o.place, m.text from outbox o join message m on m.id = o.message_id order by 1")
    assert places == [(1, "Now."), (2, "Hi!"), (3, "Later.")]
    [(heard_at, unread, snippet)] = await rows(rt, "select heard_at, unread, snippet from conversation")
    assert (heard_at, unread, snippet) == (clock.now() - HOUR - 1000, 0, "Later.")


async def test_P15_an_hour_late_is_too_late_for_a_message_and_shown(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", Send(Text("Later."), "one", at=clock.now() + HOUR))
    await take_in(rt, live, said(rt, "one"))
    clock.advance(2 * HOUR / 1000 + 1)
    await come_due(rt)
    assert await sent(rt) == [("Later.", "failed")]
    assert "bot.missed" in str(await rows(rt, "select problem from message where direction = 'out'"))
    assert await rows(rt, "select count(*) from outbox") == [(0,)]


async def test_while_a_person_has_the_conversation_a_message_at_a_time_is_not_sent(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", Send(Text("Later."), "one", at=clock.now() + HOUR), Later("order", clock.now() + HOUR))
    outcome = await take_in(rt, live, said(rt, "one"))
    await handoff.take(rt, outcome.conversation_id, 7)
    clock.advance(HOUR / 1000)
    assert await come_due(rt) == 2
    problem, system = await rows(rt, "select problem, content from message where direction = 'out' order by kind desc")
    assert "bot.taken" in problem[0]
    assert "bot.taken.flow" in system[1]
    assert "order" in system[1]


async def test_P15_a_run_that_lost_its_lease_says_nothing(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", Send(Text("Later."), "one", at=clock.now() + 1000))
    await take_in(rt, live, said(rt, "one"))
    clock.advance(1)
    [first] = await claimed(rt)
    clock.advance(LEASE / 1000 + 1)
    [second] = await claimed(rt)
    handle = due.handlers(rt.db.reader, rt.versions, lambda: rt.channels.intake)[first.kind]
    for job in (second, first, second):
        await rt.db.write(jobs.done, job, await handle(job))
    assert await sent(rt) == [("Later.", "queued")]


async def test_P15_a_killed_run_comes_first_at_the_next_start(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    for minutes, word in enumerate(("one", "two", "three"), 1):
        act(rt, live, word, Send(Text(word), word, at=clock.now() + minutes * 60_000))
        await take_in(rt, live, said(rt, word))
    clock.advance(600)
    assert [job.kind for job in (await rt.db.write(jobs.claim, LANE, 1, LEASE))[0]] == ["send"]
    await rt.db.write(jobs.recover, LANE, {})
    assert await come_due(rt) == 3
    assert [words for words, _ in await sent(rt)] == ["one", "two", "three"]


async def test_a_watch_is_one_begins_anew_with_each_message_and_ends_when_closed(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", WatchQuiet(600, "one"))
    act(rt, live, "two", WatchQuiet(60, "two"))
    outcome = await take_in(rt, live, said(rt, "one"))
    await take_in(rt, live, said(rt, "two"))
    assert await rows(rt, "select due_at from job") == [(clock.now() + 60_000,)]
    clock.advance(50)
    written = said(rt, "hi")
    await take_in(rt, live, written)
    clock.advance(10)
    assert await come_due(rt) == 1
    assert await rows(rt, "select kind, due_at from job") == [("quiet", written.at + 60_000)]
    await handoff.close(rt, outcome.conversation_id)
    assert await rows(rt, "select count(*) from job") == [(0,)]


async def test_whoever_takes_or_closes_ends_what_is_waited_for_and_not_what_was_promised(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    at = clock.now() + HOUR
    everything = (StartTimer("t0.0", at), WatchQuiet(60), Later("order", at), Send(Text("x"), at=at))
    act(rt, live, "one", *everything)
    for end in (handoff.close, lambda rt, id: handoff.take(rt, id, 7)):
        await change(rt, "delete from job")
        await change(rt, "update conversation set mode = 'bot'")
        outcome = await take_in(rt, live, said(rt, "one"))
        assert len(await rows(rt, "select id from job")) == 4
        await end(rt, outcome.conversation_id)
        assert await rows(rt, "select kind from job order by kind") == [("later",), ("send",)]


async def test_a_timer_that_nothing_waits_for_leaves_no_turn(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", StartTimer("t7.0", clock.now() + 1000))
    await take_in(rt, live, said(rt, "one"))
    clock.advance(1)
    assert await come_due(rt) == 1
    assert await rows(rt, "select count(*) from turn") == [(1,)]


async def test_more_than_a_conversation_may_keep_is_told(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", *(Later("order", clock.now() + HOUR) for _ in range(20)))
    for _ in range(3):
        await take_in(rt, live, said(rt, "one"))
    assert await rows(rt, "select count(*) from job") == [(MOST,)]
    assert await rows(rt, "select count(*) from message where content like '%bot.too_many%'") == [(1,)]


async def test_hundreds_that_are_due_at_once_hold_up_nobody_who_writes(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", *(Send(Text(f"{number}"), at=clock.now() + 1000) for number in range(10)))
    for who in range(30):
        await take_in(rt, live, said(rt, "one", who=f"1650555{who:04}"))
    clock.advance(1)
    worker = jobs.Worker(rt.db, clock, LANE, due.handlers(rt.db.reader, rt.versions, lambda: rt.channels.intake))
    running = asyncio.create_task(worker.run())
    while await rt.db.reader.one(QUEUED) == 300:
        await asyncio.sleep(0)
    await take_in(rt, live, said(rt, "hi", who="16505559999"))
    left = await rt.db.reader.one(QUEUED)
    assert left is not None and left > 200, "whoever writes waits for a few at most"
    while await rt.db.reader.one(QUEUED):
        await asyncio.sleep(0.01)
    worker._open = False
    worker.wake()
    await running
    sent = await rows(rt, "select count(distinct text), count(*) from message where direction = 'out' and rule = ''")
    assert sent == [(10, 300)]


async def test_a_promise_of_a_removed_channel_ends_without_a_word(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", Send(Text("Later."), "one", at=clock.now() + 1000))
    await take_in(rt, live, said(rt, "one"))
    await connecting.remove(rt.channels, live.row.id)
    clock.advance(1)
    assert await come_due(rt) == 1
    assert await sent(rt) == []
