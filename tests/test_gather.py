"""Quick messages of one person are answered together."""

import json

from app import due, erase, handoff, jobs
from app.content import Delete, Edit, Pressed, Text
from app.runtime import Runtime
from tests.acting import WORDS, claimed, come_due, gathering, still
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in

QUIET = 2_000


async def test_they_are_stored_at_once_and_answered_when_nobody_wrote_for_long_enough(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    for words in ("well", "what about", "one"):
        last = await take_in(rt, live, said(rt, words))
        assert await come_due(rt) == 0
        clock.advance(1.5)
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(3,)]
    assert await rows(rt, "select count(*) from turn") == [(0,)]
    clock.advance(0.5)
    assert (await come_due(rt), await come_due(rt)) == (1, 0)
    [(id_, message_id, given)] = await rows(rt, "select id, message_id, input from turn")
    assert id_ == message_id == last.message_id
    turn = json.loads(given)
    assert turn["event"]["text"] == "well\nwhat about\none"
    assert [one["text"] for one in turn["event"]["burst"]] == ["well", "what about"]
    assert turn["event"]["content"]["text"] == "one"
    assert turn["scene"]["last_heard"] == 0
    assert await rows(rt, "select text from message where direction = 'out'") == [("One.",)]
    assert await rows(rt, "select unread from conversation") == [(0,)]
    assert await rows(rt, "select count(*) from gathered") == [(0,)]


async def test_one_alone_is_as_if_nothing_was_gathered(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    await take_in(rt, live, said(rt, "hi"))
    [(before,)] = await rows(rt, "select input from turn")
    gathering(rt, live, QUIET)
    first = clock.now() - 1000
    await take_in(rt, live, said(rt, "hi"))
    clock.advance(2)
    await come_due(rt)
    [(after,)] = await rows(rt, "select input from turn order by at desc limit 1")
    assert json.loads(after)["event"] == json.loads(before)["event"]
    assert json.loads(after)["scene"]["last_heard"] == first


async def test_whoever_never_stops_is_answered_all_the_same(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    for _ in range(21):
        await take_in(rt, live, said(rt, "one"))
        clock.advance(1)
    assert await come_due(rt) == 1
    assert await rows(rt, "select count(*) from turn") == [(1,)]


async def test_a_pressed_button_waits_for_nothing(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    await take_in(rt, live, said(rt, "one"))
    pressed = await take_in(rt, live, said(rt, Pressed("two", "Two")))
    assert await rows(rt, "select text from message where direction = 'out' order by id") == [("One.",), ("Two.",)]
    assert (await rows(rt, "select id from turn order by id"))[-1] == (pressed.message_id,)
    assert await rows(rt, "select count(*) from job") == [(0,)]
    places = await rows(rt, "select o.place, m.text from outbox o join message m on m.id = o.message_id order by 1")
    assert places == [(1, "One."), (2, "Two.")]


async def test_what_is_changed_or_deleted_meanwhile_is_read_as_it_is_then(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    first, second = said(rt, "one"), said(rt, "more")
    await take_in(rt, live, first)
    await take_in(rt, live, second)
    await take_in(rt, live, said(rt, Delete(first.provider_id)))
    await take_in(rt, live, said(rt, Edit(second.provider_id, Text("two"))))
    clock.advance(2)
    await come_due(rt)
    assert await rows(rt, "select text from message where direction = 'out'") == [("Two.",)]


async def test_a_message_that_comes_while_the_turn_is_claimed_is_in_it_or_waits_anew(
    rt: Runtime, clock: ManualClock
) -> None:
    """The run that was claimed before the message came ends without effect."""
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    await take_in(rt, live, said(rt, "well"))
    clock.advance(2)
    [job] = await claimed(rt)
    await take_in(rt, live, said(rt, "one"))
    handle = due.handlers(rt.db.reader, rt.versions, lambda: rt.channels.intake)[job.kind]
    await rt.db.write(jobs.done, job, await handle(job))
    assert await rows(rt, "select count(*) from turn") == [(0,)]
    clock.advance(2)
    assert await come_due(rt) == 1
    assert await rows(rt, "select count(*) from turn") == [(1,)]
    assert await rows(rt, "select text from message where direction = 'out'") == [("One.",)]


async def test_whoever_takes_the_conversation_answers_it_and_the_bot_does_not(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    outcome = await take_in(rt, live, said(rt, "one"))
    await handoff.take(rt, outcome.conversation_id, 7)
    clock.advance(2)
    assert await come_due(rt) == 0
    assert await rows(rt, "select count(*) from gathered") == [(0,)]
    await handoff.give_back(rt, outcome.conversation_id)
    await take_in(rt, live, said(rt, "two"))
    clock.advance(2)
    await come_due(rt)
    assert await rows(rt, "select text from message where direction = 'out'") == [("Two.",)]


async def test_an_erased_person_leaves_neither_gathered_messages_nor_jobs(rt: Runtime) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, QUIET)
    await take_in(rt, live, said(rt, "one"))
    [(contact_id,)] = await rows(rt, "select id from contact")
    await erase.contact(rt, contact_id)
    assert await rows(rt, "select count(*) from gathered") == [(0,)]
    assert await rows(rt, "select count(*) from job") == [(0,)]
