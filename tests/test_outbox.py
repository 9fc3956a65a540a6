"""What goes out: states, order, retries, unknown outcomes, pace."""

import asyncio
import threading
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from app import claims, connecting, handoff, outbox, settle
from app.channels import Live
from app.connectors import CONNECTORS
from app.connectors.base import Address, PairLimit, Problem, Receipt, Scope, SendFailed, Sent, Status
from app.content import Text
from app.db import Tx
from app.errors import Conflict, Invalid
from app.pace import Pace
from app.runtime import Runtime
from tests.shop import change, network, open_shop, rows, said, take_in

STATUS = "select status from message where direction = 'out' order by at, id"


async def until(rt: Runtime, holds: Callable[[], Any], live: Live | None = None) -> None:
    """Wait for what other tasks do; the clock under test stands still."""
    for _ in range(2000):
        await rt.db.settled()
        found = holds()
        if await found if hasattr(found, "__await__") else found:
            return
        if live:
            live.sender.wake()
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


async def statuses(rt: Runtime) -> list[str]:
    return [status for (status,) in await rows(rt, STATUS)]


def receipt(status: str, provider_id: str = "", opaque: str = "") -> Receipt:
    return Receipt("106540352242922", provider_id, Status(status), 1, b"{}", opaque)


async def test_a_reply_is_committed_as_sending_before_the_network_sees_it(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    edge = network(live)
    seen: list[Any] = []

    async def look(message: Any) -> Sent:
        seen.extend(await rows(rt, "select state from outbox"))
        return Sent("wamid.1")

    edge.answer = look
    assert live.sender.reserve()
    await take_in(rt, live, said(rt, "hi"), slot=True)
    await until(rt, lambda: rows(rt, "select 1 from message where status = 'accepted'"))
    assert seen == [("sending",)]
    assert await rows(rt, "select provider_id from message where direction = 'out'") == [("wamid.1",)]
    assert await rows(rt, "select count(*) from outbox") == [(0,)]
    assert edge.sent[0].opaque.startswith(rt.install + ".")


async def test_P21_one_conversation_is_sent_in_order_one_at_a_time(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    for _ in range(4):
        await take_in(rt, live, said(rt, "twice"))
    under_way = 0

    async def slow(message: Any) -> Sent:
        nonlocal under_way
        under_way += 1
        assert under_way == 1, "two messages of one conversation at the same time"
        await asyncio.sleep(0)
        under_way -= 1
        return Sent(f"wamid.{len(edge.sent)}")

    edge.answer = slow
    live.sender.start()
    await until(rt, lambda: len(edge.sent) == 6)
    assert [message.content.text for message in edge.sent] == ["One.", "Two."] * 3  # the fourth is over the budget
    order = await rows(rt, "select id from message where direction = 'out' order by turn_id, step")
    assert [int(message.opaque.partition(".")[2]) for message in edge.sent] == [number for (number,) in order]


async def test_P18_a_refusal_that_may_pass_is_tried_again_later(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    edge.answer = lambda message: SendFailed(Problem("131016", "Service unavailable"), certain=True, temporary=True)
    await take_in(rt, live, said(rt, "hi"))
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 from outbox where state = 'queued' and attempts = 1"))
    assert len(edge.sent) == 1
    edge.answer = lambda message: Sent("wamid.1")
    rt.clock.advance(3)
    await until(rt, lambda: rows(rt, "select 1 from message where status = 'accepted'"), live)
    assert len(edge.sent) == 2


async def test_P18_a_refusal_that_may_pass_is_tried_again_by_itself(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    refused = SendFailed(Problem("131016", "Service unavailable"), certain=True, temporary=True, retry_after=0.02)
    edge.answer = lambda message: refused if len(edge.sent) == 1 else Sent("wamid.1")
    live.sender.start()
    await until(rt, lambda: not live.sender._waiting)
    assert live.sender.reserve()
    await take_in(rt, live, said(rt, "hi"), slot=True)
    await until(rt, lambda: rows(rt, "select 1 from outbox where state = 'queued' and attempts = 1"))
    rt.clock.advance(1)
    await until(rt, lambda: len(edge.sent) == 2)


async def test_P18_a_refusal_written_behind_a_claim_is_tried_again(rt: Runtime) -> None:
    """The claim saw nothing that waits, and rests only after the refusal is on the disk."""
    live = await open_shop(rt)
    edge = network(live)
    refused = SendFailed(Problem("131016", "Service unavailable"), certain=True, temporary=True, retry_after=0.02)
    answered, holding, held = asyncio.Event(), threading.Event(), threading.Event()

    async def answer(message: Any) -> Sent:
        if len(edge.sent) > 1:
            return Sent("wamid.1")
        await answered.wait()
        raise refused

    def hold(tx: Tx) -> None:
        holding.set()
        held.wait(5)

    edge.answer = answer
    live.sender.start()
    await until(rt, lambda: not live.sender._claiming)
    assert live.sender.reserve()
    await take_in(rt, live, said(rt, "hi"), slot=True)
    await until(rt, lambda: len(edge.sent) == 1)
    writing = asyncio.create_task(rt.db.write(hold))
    await asyncio.to_thread(holding.wait)
    live.sender.wake()
    await asyncio.sleep(0.01)  # the claim is on its way
    answered.set()
    await asyncio.sleep(0.01)  # and the refusal behind it
    held.set()
    await writing
    await rt.db.settled()
    rt.clock.advance(1)
    await until(rt, lambda: len(edge.sent) == 2)


async def test_P18_a_message_that_cannot_be_read_fails_and_keeps_nobody(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    for who in range(9):
        await take_in(rt, live, said(rt, "hi", who=f"1650{who}"))
    [(first,)] = await rows(rt, "select message_id from outbox order by due_at, place limit 1")
    later = '{"type": "of a later release"}'
    await change(rt, "update message set content = :content where id = :id", id=first, content=later)
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 where not exists (select 1 from outbox)"))
    assert len(edge.sent) == 8
    assert await rows(rt, "select id from message where status = 'failed'") == [(first,)]
    await until(rt, lambda: live.sender._free == outbox.SLOTS)


async def test_P22_those_whose_chat_must_wait_do_not_hide_who_is_due_behind_them(rt: Runtime) -> None:
    live = await open_shop(rt, rate=16)  # a burst of four, and half of it for a claim
    edge = network(live)
    live.sender._pace = Pace(16, pairs=PairLimit(every=6.0, burst=1), now=rt.clock.monotonic())
    for who in range(5):
        await take_in(rt, live, said(rt, "hi", who=f"1650{who}"))
    for (chat,) in (await rows(rt, "select conversation_id from outbox order by due_at, place"))[:2]:
        live.sender._pace.took_pair(chat, rt.clock.monotonic())
    live.sender.start()
    async with asyncio.timeout(3):  # before the chats may be written to again
        await until(rt, lambda: len(edge.sent) == 3)


async def test_who_came_later_does_not_take_every_slot_before_a_claim(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    edge, sender = network(live), live.sender
    while sender._free > 1:
        assert sender.reserve()
    await take_in(rt, live, said(rt, "hi"))  # queued: a claim is about to begin
    for _ in range(20):
        late = sender.reserve()
        await asyncio.sleep(0.005)
        if late:
            sender.release()
    assert len(edge.sent) == 1


async def test_the_next_look_is_when_the_first_of_a_conversation_is_due_not_who_stands_behind_it(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "twice"))

    async def look() -> tuple[int, int | None]:
        taken, next_in = await rt.db.write(claims.claim, live.row.id, 8, lambda _: 0.0)
        return len(taken), next_in

    assert await look() == (1, None)
    assert await look() == (0, 0), "the second waits for what becomes of the first"
    [(first,)] = await rows(rt, "select message_id from outbox where state = 'sending'")
    problem = Problem("131056", "Too fast")
    await rt.db.write(settle.again, first, 1, rt.clock.now() + 700, problem)
    assert await look() == (0, 700)
    rt.clock.advance(1)
    assert await look() == (1, None)


async def test_a_slot_that_a_turn_did_not_use_lets_a_waiting_message_go(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    edge = network(live)
    while live.sender.reserve():
        pass
    outcome = await take_in(rt, live, said(rt, "hi"))
    await rt.db.settled()
    assert outcome.message_id and not edge.sent
    for _ in range(outbox.SLOTS):
        live.sender.release()
    await until(rt, lambda: len(edge.sent) == 1)


async def test_while_more_is_due_than_may_go_a_new_reply_does_not_overtake_it(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    edge = network(live)
    while live.sender.reserve():
        pass
    for who in ("111", "222"):
        await take_in(rt, live, said(rt, "hi", who=who))  # queued, and the sender is told
    live.sender.release()
    assert not live.sender.reserve(), "the free slot is for what waits"
    for _ in range(outbox.SLOTS):
        live.sender.release()
    await until(rt, lambda: len(edge.sent) == 2)
    await until(rt, live.sender.reserve)


async def test_a_reply_that_waits_to_be_claimed_keeps_no_other_one_waiting(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    edge = network(live)
    await take_in(rt, live, said(rt, "hi", who="111"))  # queued, and the sender is told
    assert live.sender.reserve()
    outcome = await take_in(rt, live, said(rt, "hi", who="222"), slot=True)
    assert outcome.slot_used
    await until(rt, lambda: len(edge.sent) == 2)


async def test_what_a_claim_keeps_for_itself_comes_back(rt: Runtime) -> None:
    """Slots and tokens of pace, all but what it sends. The clock stands still, so no token grows."""
    live = await open_shop(rt, sending=True, rate=16)
    edge = network(live)
    live.sender.wake()
    await until(rt, lambda: not live.sender._claiming)
    await take_in(rt, live, said(rt, "hi"))
    await until(rt, lambda: len(edge.sent) == 1)
    await until(rt, lambda: not live.sender._claiming and not live.sender.busy())
    assert [live.sender.reserve() for _ in range(4)] == [True, True, True, False]
    for _ in range(3):
        live.sender.release()
    assert live.sender._free == outbox.SLOTS


async def test_what_was_claimed_while_the_channel_closed_waits_again(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    await take_in(rt, live, said(rt, "hi"))
    live.sender.start()
    await asyncio.sleep(0)  # the claim is on its way to the database
    await live.sender.stop(0)
    await rt.db.settled()
    assert await rows(rt, "select state, attempts from outbox") == [("queued", 0)]
    assert not edge.sent


FIVE_HUNDRED = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 500)"
MORE_MESSAGES = f"""
{FIVE_HUNDRED} insert into message
  (id, conversation_id, channel_id, direction, author, kind, text, content, status, at, sent_at)
select id + i, conversation_id, channel_id, direction, author, kind, text, content, status, at, sent_at
from message cross join n where direction = 'out'
"""
MORE_SENDS = f"""
{FIVE_HUNDRED} insert into outbox (message_id, channel_id, conversation_id, place, state, due_at, changed_at)
select message_id + i, channel_id, conversation_id, place + i, state, due_at, changed_at from outbox cross join n
"""


async def test_every_interrupted_send_is_found_at_the_next_start(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    for sql in (MORE_MESSAGES, MORE_SENDS, "update outbox set state = 'sending'"):
        await change(rt, sql)
    await rt.db.write(claims.recover)
    assert await rows(rt, "select state, count(*) from outbox group by state") == [("unknown", 501)]


async def test_P18_an_accepted_message_whose_id_is_taken_is_accepted_all_the_same(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    edge.answer = lambda message: Sent("wamid.twin")
    for who in ("1", "2"):
        await take_in(rt, live, said(rt, "hi", who=who))
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 where not exists (select 1 from outbox)"))
    assert await statuses(rt) == ["accepted", "accepted"]


async def test_P18_an_outcome_that_cannot_be_written_is_shown_as_unknown(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    odd = Problem("1", "half a pair: \ud83d")
    edge.answer = lambda message: SendFailed(odd, certain=True, temporary=False)
    await take_in(rt, live, said(rt, "hi"))
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 from outbox where state = 'unknown'"))


async def test_P18_an_outcome_written_late_does_not_send_again_what_is_being_sent(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    [(message_id,)] = await rows(rt, "select message_id from outbox")
    await change(rt, "update outbox set state = 'sending', attempts = 2")
    await rt.db.write(settle.again, message_id, 1, rt.clock.now(), Problem("131016"))
    assert await rows(rt, "select state from outbox") == [("sending",)]
    await rt.db.write(settle.again, message_id, 2, rt.clock.now(), Problem("131016"))
    assert await rows(rt, "select state from outbox") == [("queued",)]


async def test_P18_a_final_refusal_fails_with_its_reason_and_the_next_message_goes(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    first = SendFailed(Problem("131009", "Parameter value is not valid"), certain=True, temporary=False)
    edge.answer = lambda message: first if message.content.text == "One." else Sent("wamid.2")
    await take_in(rt, live, said(rt, "twice"))
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 from message where status = 'accepted'"))
    assert sorted(await statuses(rt)) == ["accepted", "failed"]
    assert "131009" in (await rows(rt, "select problem from message where status = 'failed'"))[0][0]


async def test_P18_an_unknown_outcome_is_never_repeated_by_itself(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    edge.answer = lambda message: SendFailed(Problem("send.timeout"), certain=False, temporary=True)
    await take_in(rt, live, said(rt, "hi"))
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 from outbox where state = 'unknown'"))
    rt.clock.advance(60)
    live.sender.wake()
    await rt.db.settled()
    assert len(edge.sent) == 1
    assert await statuses(rt) == ["unknown"]


async def test_P19_a_receipt_that_carries_our_word_resolves_the_unknown(rt: Runtime) -> None:
    live = await open_shop(rt)
    [message_id] = await _unknown(rt, live)
    word = f"{rt.install}.{message_id}"
    settled = await rt.db.write(settle.receipt, live.row.id, rt.install, receipt("sent", "wamid.late", word))
    assert settled is not None
    assert await rows(rt, "select status, provider_id from message where direction = 'out'") == [("sent", "wamid.late")]
    assert await rows(rt, "select count(*) from outbox") == [(0,)]


async def _unknown(rt: Runtime, live: Live) -> list[int]:
    await take_in(rt, live, said(rt, "hi"))
    await change(rt, "update outbox set state = 'sending'")
    await rt.db.write(claims.recover)
    return [number for (number,) in await rows(rt, "select message_id from outbox where state = 'unknown'")]


async def test_P19_without_a_receipt_it_is_held_after_two_minutes_and_a_person_decides(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    [message_id] = await _unknown(rt, live)
    rt.clock.advance(119)
    assert not await rt.db.write(claims.hold_overdue)
    rt.clock.advance(2)
    assert await rt.db.write(claims.hold_overdue)
    assert await rows(rt, "select state from outbox") == [("held",)]
    live.sender.start()
    await handoff.resend(rt, message_id)
    await until(rt, lambda: len(edge.sent) == 1)
    await until(rt, lambda: rows(rt, "select 1 from message where status = 'accepted'"))
    with pytest.raises(Conflict):
        await handoff.discard(rt, message_id)


async def test_P19_a_held_message_can_be_given_up(rt: Runtime) -> None:
    live = await open_shop(rt)
    [message_id] = await _unknown(rt, live)
    rt.clock.advance(121)
    await rt.db.write(claims.hold_overdue)
    await handoff.discard(rt, message_id)
    assert await statuses(rt) == ["discarded"]
    assert await rows(rt, "select count(*) from outbox") == [(0,)]


async def test_P21_a_held_message_does_not_block_those_behind_it(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    await _unknown(rt, live)
    await take_in(rt, live, said(rt, "hello"))
    live.sender.start()
    await rt.db.settled()
    assert not edge.sent, "behind an unknown outcome the conversation waits"
    rt.clock.advance(121)
    await rt.db.write(claims.hold_overdue)
    await until(rt, lambda: len(edge.sent) == 1, live)


async def test_P23_statuses_only_go_forward_in_whatever_order_they_come(rt: Runtime) -> None:
    live = await open_shop(rt)
    for number, order in enumerate(permutations(("sent", "delivered", "read", "delivered"))):
        await take_in(rt, live, said(rt, "hi", who=str(1000 + number)))
        [(message_id, conversation_id)] = await rows(
            rt, "select message_id, conversation_id from outbox order by message_id desc limit 1"
        )
        wamid = f"wamid.{number}"
        early, late = order[: number % 4], order[number % 4 :]
        for status in early:
            await rt.db.write(settle.receipt, live.row.id, rt.install, receipt(status, wamid))
        await rt.db.write(settle.accepted, live.row.id, message_id, conversation_id, wamid, None)
        for status in late:
            await rt.db.write(settle.receipt, live.row.id, rt.install, receipt(status, wamid))
        [(found,)] = await rows(rt, "select status from message where id = :id", id=message_id)
        assert found == "read", order


def test_P23_a_failure_does_not_undo_what_arrived() -> None:
    assert settle.advances("accepted", "failed") and settle.advances("sent", "failed")
    assert not settle.advances("delivered", "failed") and not settle.advances("read", "failed")
    assert settle.advances("failed", "delivered") and not settle.advances("failed", "sent")


async def test_P22_a_channel_is_paused_when_the_network_says_so(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    failure = SendFailed(Problem("130429", "Rate limit"), certain=True, temporary=True, scope=Scope.CHANNEL)
    edge.answer = lambda message: failure
    for who in range(40):
        await take_in(rt, live, said(rt, "hi", who=str(who)))
    live.sender.start()
    await until(rt, lambda: len(edge.sent) >= 1)
    await rt.db.settled()
    probes = len(edge.sent)
    assert probes <= outbox.SLOTS
    live.sender.wake()
    await rt.db.settled()
    assert len(edge.sent) == probes, "no further probe while paused"


async def test_a_refused_account_halts_the_channel_and_keeps_its_messages(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    edge.answer = lambda message: SendFailed(Problem("190", "Token expired"), certain=True, temporary=False, halt=True)
    await take_in(rt, live, said(rt, "hi"))
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 from channel where halted_at is not null"))
    assert await rows(rt, "select state from outbox") == [("queued",)]
    assert not live.sender.reserve()
    await connecting.change(rt.channels, live.row.id, {"access_token": "EAA-new"})
    assert rt.channels.by_id[live.row.id].sender.open


def test_P22_a_pair_may_burst_and_then_waits_six_seconds() -> None:
    limit = CONNECTORS["whatsapp_cloud"].pair_limit
    assert limit == PairLimit(burst=45, every=6)
    pace = Pace(80, pairs=limit, now=0)
    for _ in range(limit.burst):
        assert pace.pair_wait(7, 0) == 0
        pace.took_pair(7, 0)
    assert pace.pair_wait(7, 0) == pytest.approx(6)
    assert pace.pair_wait(8, 0) == 0
    assert pace.pair_wait(7, 6.001) == 0


def test_P22_the_channel_keeps_its_rate() -> None:
    pace, now, sent = Pace(20, pairs=None, now=0), 0.0, 0
    while now < 10:
        if pace.wait(now) <= 0:
            pace.take(now)
            sent += 1
        else:
            now += 0.001
    assert 200 <= sent <= 206


async def test_a_person_s_word_takes_the_conversation_and_silences_the_bot(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    live.sender.start()
    outcome = await take_in(rt, live, said(rt, "what"))
    await handoff.reply(rt, outcome.conversation_id, Text("Rosa here"), 5)
    await take_in(rt, live, said(rt, "hi"))
    await until(rt, lambda: len(edge.sent) == 2)
    assert [message.content.text for message in edge.sent] == ["Sorry, I did not get that.", "Rosa here"]
    assert await rows(rt, "select mode, taken_by from conversation") == [("person", 5)]
    await handoff.give_back(rt, outcome.conversation_id)
    await take_in(rt, live, said(rt, "hi"))
    await until(rt, lambda: len(edge.sent) == 3)


async def test_a_reply_over_a_limit_of_the_network_is_refused_before_it_is_queued(rt: Runtime) -> None:
    live = await open_shop(rt)
    outcome = await take_in(rt, live, said(rt, "hi"))
    with pytest.raises(Invalid):
        await handoff.reply(rt, outcome.conversation_id, Text("x" * 4097), 5)
    assert await rows(rt, "select count(*) from message where author = 'user'") == [(0,)]


async def test_a_bot_s_message_over_a_limit_fails_without_being_sent(rt: Runtime) -> None:
    live = await open_shop(rt)
    edge = network(live)
    await take_in(rt, live, said(rt, "hi"))
    long = '{"kind":"text","text":"' + "x" * 5000 + '"}'
    await change(rt, "update message set content = :content where direction = 'out'", content=long)
    live.sender.start()
    await until(rt, lambda: rows(rt, "select 1 from message where status = 'failed'"))
    assert not edge.sent


async def test_a_new_name_of_the_recipient_is_kept(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    [(message_id, conversation_id)] = await rows(rt, "select message_id, conversation_id from outbox")
    learned = Address(wa_id="551100000000")
    await rt.db.write(settle.accepted, live.row.id, message_id, conversation_id, "wamid.9", learned)
    assert ("551100000000",) in await rows(rt, "select value from identity where kind = 'wa_id'")


async def test_P22_a_chat_of_several_is_one_chat_whoever_is_answered(rt: Runtime) -> None:
    live = await open_shop(rt, rate=80)
    edge = network(live)
    live.sender._pace = Pace(80, pairs=PairLimit(burst=1, every=60.0), now=rt.clock.monotonic())
    live.sender.start()
    for who in ("1", "2", "3"):
        there = Address(phone=who, wa_id=who, chat="-100" if who != "3" else "")
        group = there.chat
        await take_in(rt, live, said(rt, "hi", who=who, sender=there, group=group, addressed=True))
        live.sender.wake()
        await until(rt, lambda: edge.sent)
        await rt.db.settled()
    await until(rt, lambda: len(edge.sent) == 2)
    assert sorted(message.to.phone for message in edge.sent) == ["1", "3"], "the second of the group waits"
