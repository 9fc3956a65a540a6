"""Documents that wait, in the product: from the message through the row to what is said when its time has come."""

import json
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from app import bots, due, erase, handoff, jobs, noted, simulator
from app.bot.scene import Send, StartTimer, WatchQuiet
from app.connectors.base import Address, Inbound
from app.content import Text, encode
from app.promises import LANE
from app.runtime import Runtime
from app.store import overview
from app.store.turns import CAPABILITIES, GIVEN
from tests.acting import WORDS, act, come_due, gathering, still
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in

CAKE = """
bot: Cake
language: en
rules:
  - name: cake
    when: {says: cake}
    do: [{start: cake}]
  - name: hours
    when: {says: hours}
    do: [{say: From 8 to 18.}]
flows:
  cake:
    - say: One moment.
    - wait: 20s
    - say: Your cake is ready.
    - schedule: "Was it good, {{ contact.first_name }}?"
      after: 2h
    - wait: 3h
    - handoff: Has the cake
"""
PHONE, NAME = Address(wa_id="551199990000"), Address(user_id="BR.77")
BOTH = Address(wa_id="551199990000", user_id="BR.77")
GIVEN_IN_ORDER = f"select {GIVEN} from turn t {CAPABILITIES} order by t.at"
SAID = "select text from message where direction = 'out' order by at, id"


async def spoken(rt: Runtime) -> list[str]:
    return [text for (text,) in await rows(rt, SAID)]


async def test_P15_a_flow_waits_holds_sends_later_and_ends(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, CAKE)
    still(rt)
    await take_in(rt, live, said(rt, "cake"))
    clock.advance(5)
    await take_in(rt, live, said(rt, "and your hours?"))
    assert await spoken(rt) == ["One moment."]
    assert await rows(rt, "select unread from conversation") == [(0,)], "what is held is answered after the wait"
    clock.advance(15)
    assert await come_due(rt) == 1
    assert await spoken(rt) == ["One moment.", "Your cake is ready.", "From 8 to 18."]
    clock.advance(3 * 3600)
    assert await come_due(rt) == 2
    assert (await spoken(rt))[-1] == "Was it good, Ana?"
    assert await rows(rt, "select mode, waiting_for, unread from conversation") == [("waiting", "Has the cake", 1)]
    assert await rows(rt, "select count(*) from job") == [(0,)]
    hours = await rt.db.read(overview.count_hours, clock.now() - 86_400_000, clock.now() + 1)
    assert (sum(hour.asked for hour in hours), sum(hour.answered for hour in hours)) == (2, 1)
    [(turns_without,)] = await rows(rt, "select count(*) from turn where message_id is null")
    assert turns_without == 2


@pytest.mark.parametrize("end", [lambda rt, id: handoff.take(rt, id, 7), handoff.close], ids=["taken", "closed"])
async def test_a_wait_ends_when_a_person_takes_or_closes_the_conversation(
    rt: Runtime, clock: ManualClock, end: Callable[[Runtime, int], Awaitable[None]]
) -> None:
    live = await open_shop(rt, CAKE)
    still(rt)
    outcome = await take_in(rt, live, said(rt, "cake"))
    await end(rt, outcome.conversation_id)
    await handoff.give_back(rt, outcome.conversation_id)
    clock.advance(20)
    assert await come_due(rt) == 0
    assert await spoken(rt) == ["One moment."]


async def test_what_was_held_when_a_person_took_the_conversation_is_theirs(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, CAKE)
    still(rt)
    outcome = await take_in(rt, live, said(rt, "cake"))
    await take_in(rt, live, said(rt, "and your hours?"))
    await handoff.take(rt, outcome.conversation_id, 7)
    await handoff.give_back(rt, outcome.conversation_id)
    await take_in(rt, live, said(rt, "thanks"))
    assert await spoken(rt) == ["One moment."]


async def test_a_wait_goes_on_however_late(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, CAKE)
    still(rt)
    await take_in(rt, live, said(rt, "cake"))
    clock.advance(30 * 3600)
    await come_due(rt)
    assert (await spoken(rt))[1] == "Your cake is ready."


@pytest.mark.parametrize("first", [PHONE, NAME], ids=["kept", "gone"])
async def test_when_two_contacts_become_one_the_wait_of_whoever_was_heard_last_stays(
    rt: Runtime, clock: ManualClock, first: Address
) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    act(rt, live, "one", StartTimer("t0.0", clock.now() + 60_000), WatchQuiet(600))
    act(rt, live, "two", Send(Text("Later."), at=clock.now() + 60_000))
    other = NAME if first is PHONE else PHONE
    for who in (first, other):
        await take_in(rt, live, said(rt, "one", sender=who))
        await take_in(rt, live, said(rt, "two", sender=who))
        clock.advance(2)
    kept = await rows(rt, "select id from job where kind in ('timer', 'quiet') order by created_at desc, kind limit 2")
    await take_in(rt, live, said(rt, "hi", sender=BOTH))
    [(conversation_id,)] = await rows(rt, "select id from conversation")
    waits = await rows(rt, "select id, conversation_id from job where kind in ('timer', 'quiet')")
    assert sorted(waits) == sorted((id_, conversation_id) for (id_,) in kept)
    assert await rows(rt, "select subject from job where kind = 'quiet'") == [(str(conversation_id),)]
    assert await rows(rt, "select count(*) from job where kind = 'send'") == [(2,)]


async def test_gathered_messages_of_two_contacts_that_become_one_are_answered_once(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await open_shop(rt, WORDS)
    still(rt)
    gathering(rt, live, 2_000)
    for who, words in ((PHONE, "well"), (NAME, "then"), (BOTH, "one")):
        await take_in(rt, live, said(rt, words, sender=who))
    clock.advance(20)
    assert await come_due(rt) == 1
    [(given,)] = await rows(rt, "select input from turn")
    assert json.loads(given)["event"]["text"] == "well\nthen\none"
    assert await spoken(rt) == ["One."]


async def test_an_opt_out_stays_when_two_contacts_become_one(rt: Runtime) -> None:
    live = await open_shop(rt, WORDS)
    for who in (PHONE, NAME):
        await take_in(rt, live, said(rt, "hi", sender=who))
    [*_, (last,)] = await rows(rt, "select id from contact order by id")
    await rt.db.write(lambda tx: noted.consent(tx, last, given=False))
    await take_in(rt, live, said(rt, "hi", sender=BOTH))
    assert await rows(rt, "select opted_out_at from contact where merged_into is null") == [(rt.clock.now(),)]


async def test_an_erased_person_leaves_no_word_of_what_was_planned(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, CAKE)
    still(rt)
    await take_in(rt, live, said(rt, "cake"))
    clock.advance(20)
    await come_due(rt)
    assert "Was it good, Ana?" in str(await rows(rt, "select payload from job"))
    [(contact_id,)] = await rows(rt, "select id from contact")
    await erase.contact(rt, contact_id)
    assert await rows(rt, "select count(*) from job") == [(0,)]


async def test_a_simulated_customer_is_answered_later_as_on_the_network_that_is_tried(
    rt: Runtime, clock: ManualClock
) -> None:
    live = await simulator.channel(rt)
    live.sender.open = False
    still(rt)
    bot_id = await bots.create(rt, "", CAKE.replace("language: en", "language: en\ngather: 2s"), None)
    version_id = await simulator.prepare(rt, simulator.Trial(bot_id))
    here = msgspec.structs.replace(live.here, network="telegram", capabilities=simulator.AS_ON["telegram"])
    what = Text("cake")
    inbound = Inbound(live.row.account, "said.1", Address(simulated="1.new"), clock.now(), what, encode(what).encode())
    await rt.db.write(simulator.receive, rt.channels.intake, here, inbound, version_id)
    for seconds in (2, 20):
        clock.advance(seconds)
        assert await come_due(rt) == 1
    scenes = [json.loads(given)["scene"] for (given,) in await rows(rt, GIVEN_IN_ORDER)]
    assert [scene["network"] for scene in scenes] == ["telegram", "telegram"]
    assert [scene["capabilities"]["buttons"] for scene in scenes] == [100, 100]
    assert (await spoken(rt))[:2] == ["One moment.", "Your cake is ready."]


async def test_what_was_planned_and_failed_too_often_is_told(rt: Runtime, clock: ManualClock) -> None:
    live = await open_shop(rt, CAKE)
    still(rt)
    await take_in(rt, live, said(rt, "cake"))
    clock.advance(20)
    for _ in range(jobs.KILLS):
        await rt.db.write(jobs.claim, LANE, 8, 1)
        await rt.db.write(jobs.recover, LANE, dict.fromkeys(due.KINDS, due.given_up))
    assert await rows(rt, "select state from job") == [("dead",)]
    assert await rows(rt, "select count(*) from message where content like '%bot.gave_up%'") == [(1,)]
