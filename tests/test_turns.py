"""Turns that no message causes."""

from app import connecting, handoff, turns
from app.bot.scene import Event, GivenBack, TimerFired
from app.runtime import Runtime
from tests.shop import change, open_shop, rows, said, take_in

HEARD = "select heard_at, unread, closed_at, last_at, last_id, snippet from conversation"


async def resume(rt: Runtime, conversation_id: int, event: Event, name: str = "job.1") -> int | None:
    return await rt.db.write(turns.resume, rt.channels.intake, conversation_id, event, name)


async def missed(rt: Runtime) -> int:
    """A conversation whose bot remembers that it did not understand."""
    live = await open_shop(rt)
    return (await take_in(rt, live, said(rt, "what?"))).conversation_id


async def test_a_turn_without_a_message_has_an_id_of_its_own_and_nobody_was_heard(rt: Runtime) -> None:
    conversation_id = await missed(rt)
    await change(rt, "update conversation set closed_at = 5")
    before = await rows(rt, HEARD)
    assert "missed" in str(await rows(rt, "select state from conversation"))
    turn_id = await resume(rt, conversation_id, GivenBack())
    [(id_, message_id, code)] = await rows(rt, "select id, message_id, code from turn where message_id is null")
    assert (id_, message_id, code) == (turn_id, None, "given_back")
    assert "missed" not in str(await rows(rt, "select state from conversation"))
    assert await rows(rt, HEARD) == before


async def test_what_is_not_waited_for_leaves_no_turn(rt: Runtime) -> None:
    conversation_id = await missed(rt)
    assert await resume(rt, conversation_id, TimerFired("t1.0")) is None
    assert await rows(rt, "select count(*) from turn") == [(1,)]


async def test_while_a_person_has_the_conversation_there_is_no_turn(rt: Runtime) -> None:
    conversation_id = await missed(rt)
    state = await rows(rt, "select state from conversation")
    await handoff.take(rt, conversation_id, 7)
    assert await resume(rt, conversation_id, GivenBack()) is None
    assert await rows(rt, "select state from conversation") == state
    await handoff.close(rt, conversation_id)
    assert await resume(rt, conversation_id, GivenBack()) is not None


async def test_a_conversation_or_a_channel_that_is_gone_gets_no_turn(rt: Runtime) -> None:
    conversation_id = await missed(rt)
    [(channel_id,)] = await rows(rt, "select id from channel")
    await connecting.remove(rt.channels, channel_id)
    assert await resume(rt, conversation_id, GivenBack()) is None
    assert await resume(rt, 12345, GivenBack()) is None


async def test_P13_an_event_that_ended_the_process_twice_is_left_and_shown(rt: Runtime) -> None:
    conversation_id = await missed(rt)
    rt.channels.intake.guard.judge({"job.9": 2})
    await resume(rt, conversation_id, GivenBack(), "job.9")
    [(error,)] = await rows(rt, "select error from turn where message_id is null")
    assert "ended twice" in error
    assert "missed" in str(await rows(rt, "select state from conversation"))
