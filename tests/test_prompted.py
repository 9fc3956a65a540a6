"""What no message begins, in the product: a flow begun later, silence, a program that asks."""

import json

import pytest

from app import due, handoff, noted
from app.errors import Invalid, NotFound
from app.runtime import Runtime
from tests.acting import come_due, still
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in

PARCELS = """
bot: Parcels
language: en
rules:
  - name: feedback
    when: {says: bought}
    do: [{later: feedback, after: 1d, with: {what: "{{ message.text }}"}}]
  - name: shipped
    when: {trigger: {name: shipped, data: [number]}}
    do: [{say: "Order {{ number }} is on its way."}]
  - name: hello
    when: {says: hello}
    do: [{say: Hello.}]
  - name: quiet
    when: {inactivity: 10m}
    do: [{say: Are you still there?}]
  - name: gone
    when: {inactivity: 1h}
    do: [{say: I close our chat.}, {close: }]
flows:
  feedback:
    - say: "How was it? ({{ what }})"
"""
SAID = "select text, status from message where direction = 'out' order by at, id"


async def spoken(rt: Runtime) -> list[str]:
    return [text for text, _ in await rows(rt, SAID)]


async def test_P15_a_flow_begins_later_once_with_what_it_was_given(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, PARCELS.replace("inactivity: 10m", "says: x").replace("inactivity: 1h", "says: y"))
    still(rt)
    await take_in(rt, live, said(rt, "I bought bread"))
    clock.advance(86_400)
    assert (await come_due(rt), await come_due(rt)) == (1, 0)
    assert await spoken(rt) == ["How was it? (I bought bread)"]
    [(message_id, given)] = await rows(rt, "select message_id, input from turn order by at desc limit 1")
    assert message_id is None
    assert json.loads(given)["event"]["name"] == "flow:feedback"


async def test_a_flow_that_comes_due_a_day_late_is_left_out_and_told(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, PARCELS.replace("inactivity: 10m", "says: x").replace("inactivity: 1h", "says: y"))
    still(rt)
    await take_in(rt, live, said(rt, "bought"))
    clock.advance(2 * 86_400)
    assert await come_due(rt) == 1
    assert "bot.missed.flow" in str(await rows(rt, "select content from message where direction = 'out'"))
    assert await rows(rt, "select count(*) from turn") == [(1,)]


async def test_silence_is_noticed_step_by_step_and_each_message_begins_it_anew(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, PARCELS)
    still(rt)
    await take_in(rt, live, said(rt, "hello"))
    clock.advance(599)
    assert await come_due(rt) == 0
    await take_in(rt, live, said(rt, "hello"))
    clock.advance(599)
    assert await come_due(rt) == 0
    clock.advance(1)
    assert await come_due(rt) == 1
    assert await spoken(rt) == ["Hello.", "Hello.", "Are you still there?"]
    clock.advance(3000)
    assert await come_due(rt) == 1
    assert (await spoken(rt))[3:] == ["I close our chat."]
    [(closed_at, heard_at)] = await rows(rt, "select closed_at, heard_at from conversation")
    assert (closed_at, heard_at) == (clock.now(), clock.now() - 3_601_000)
    assert await rows(rt, "select count(*) from job") == [(0,)]


async def test_silence_where_a_person_has_the_conversation_is_theirs(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, PARCELS)
    still(rt)
    outcome = await take_in(rt, live, said(rt, "hello"))
    await handoff.take(rt, outcome.conversation_id, 7)
    clock.advance(7200)
    assert await come_due(rt) == 0
    assert await spoken(rt) == ["Hello."]


async def test_a_program_asks_for_a_rule_or_a_flow_by_name(rt: Runtime) -> None:
    live = await open_shop(rt, PARCELS)
    still(rt)
    outcome = await take_in(rt, live, said(rt, "hello"))
    chat = outcome.conversation_id
    turn_id = await due.trigger(rt, chat, "shipped", {"number": 17})
    assert await rows(rt, "select id from turn where message_id is null") == [(turn_id,)]
    assert await due.trigger(rt, chat, "flow:feedback", {"what": "a call"}) is not None
    assert await spoken(rt) == ["Hello.", "Order 17 is on its way.", "How was it? (a call)"]
    assert await due.trigger(rt, chat, "nobody listens", {}) is None
    await handoff.take(rt, chat, 7)
    assert await due.trigger(rt, chat, "shipped", {"number": 18}) is None
    assert len(await spoken(rt)) == 3


async def test_a_program_is_told_what_is_wrong_with_its_trigger(rt: Runtime) -> None:
    live = await open_shop(rt, PARCELS)
    outcome = await take_in(rt, live, said(rt, "hello"))
    with pytest.raises(NotFound):
        await due.trigger(rt, 12, "shipped", {})
    for name, data in (("", {}), ("x" * 101, {}), ("shipped", {"number": "x" * 70_000})):
        with pytest.raises(Invalid):
            await due.trigger(rt, outcome.conversation_id, name, data)


async def test_who_opted_out_is_not_asked_whether_they_are_there(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, PARCELS)
    still(rt)
    await take_in(rt, live, said(rt, "hello"))
    [(contact_id,)] = await rows(rt, "select id from contact")
    await rt.db.write(lambda tx: noted.consent(tx, contact_id, given=False))
    clock.advance(600)
    assert await come_due(rt) == 1
    assert await rows(rt, SAID) == [("Hello.", "queued"), ("Are you still there?", "failed")]
