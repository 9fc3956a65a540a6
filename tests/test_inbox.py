"""One message, one transaction: what is stored, what is decided, what is not answered."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import claims, content, erase, handoff, housekeeping, inbox, search, settle
from app.channels import Live
from app.connectors.base import Address, Inbound, Malformed, Problem, SendFailed
from app.content import Delete, Edit, Image, Pressed, Reaction, Text
from app.db import Tx
from app.poison import Guard
from app.runtime import Runtime
from app.store.joining import Thread, joined
from tests.clock import ManualClock
from tests.shop import change, network, open_shop, rows, said, take_in

MESSAGES = "select direction, author, kind, text, status from message order by at, id"


async def test_a_text_is_stored_decided_and_answered_in_one_unit(rt: Runtime) -> None:
    live = await open_shop(rt)
    outcome = await take_in(rt, live, said(rt, "hi"))
    assert await rows(rt, MESSAGES) == [
        ("in", "contact", "text", "hi", "received"),
        ("out", "bot", "buttons", "Hi Ana!", "queued"),
    ]
    assert await rows(rt, "select state, place from outbox") == [("queued", 1)]
    assert await rows(rt, "select mode, places, unread from conversation") == [("bot", 1, 0)]
    [(version, error)] = await rows(rt, "select version_id, error from turn where id = :id", id=outcome.message_id)
    assert version == live.here.version_id and error == ""


async def test_P3_the_same_message_is_stored_and_answered_once(rt: Runtime) -> None:
    live = await open_shop(rt)
    message = said(rt, "hi")
    outcomes = await asyncio.gather(*(take_in(rt, live, message) for _ in range(10)))
    assert sum(not outcome.duplicate for outcome in outcomes) == 1
    assert len(await rows(rt, "select id from message")) == 2


async def test_P10_one_person_known_by_number_and_by_user_id_is_one_contact(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", sender=Address(wa_id="551199990000")))
    await take_in(rt, live, said(rt, "hi", sender=Address(user_id="BR.77")))
    assert len(await rows(rt, "select id from contact where merged_into is null")) == 2
    await take_in(rt, live, said(rt, "hello", sender=Address(wa_id="551199990000", user_id="BR.77")))
    assert len(await rows(rt, "select id from contact where merged_into is null")) == 1
    assert len(await rows(rt, "select id from conversation")) == 1
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(3,)]
    places = [place for (place,) in await rows(rt, "select place from outbox order by place")]
    assert len(set(places)) == len(places) == 3


PHONE, NAME = Address(wa_id="551199990000"), Address(user_id="BR.77")
BOTH = Address(wa_id="551199990000", user_id="BR.77")


@pytest.mark.parametrize("taken", [PHONE, NAME], ids=["kept", "gone"])
async def test_a_persons_take_over_survives_that_two_contacts_become_one(rt: Runtime, taken: Address) -> None:
    """Whichever of the two conversations goes: the bot stays silent, and the person still has it."""
    live = await open_shop(rt)
    outcomes = {who: await take_in(rt, live, said(rt, "hi", sender=who)) for who in (PHONE, NAME)}
    await handoff.take(rt, outcomes[taken].conversation_id, 5)
    await take_in(rt, live, said(rt, "hello", sender=BOTH))
    assert await rows(rt, "select mode, taken_by, unread, closed_at from conversation") == [("person", 5, 1, None)]
    assert await rows(rt, "select count(*) from message where direction = 'out'") == [(2,)]


@pytest.mark.parametrize("asks", [PHONE, NAME], ids=["kept", "gone"])
async def test_who_waits_for_a_person_still_waits_when_two_contacts_become_one(rt: Runtime, asks: Address) -> None:
    live = await open_shop(rt)
    for who in (PHONE, NAME):
        await take_in(rt, live, said(rt, "person" if who is asks else "hi", sender=who))
    [(since,)] = await rows(rt, "select waiting_since from conversation where mode = 'waiting'")
    await take_in(rt, live, said(rt, "hello", sender=BOTH))
    found = await rows(rt, "select mode, waiting_since, waiting_for, unread from conversation")
    assert found == [("waiting", since, "Asked for a person", 2)]


THREAD = Thread("{}", "{}", None, "", "bot", None, None, None, "", None, 0, 0, 0, 0, None, "")


def test_of_two_conversations_the_newer_word_and_the_stronger_hold_stay() -> None:
    replace = msgspec.structs.replace
    old = replace(THREAD, state='{"a":1}', heard_at=5, last_at=9, snippet="late", unread=1, places=2, closed_at=7)
    new = replace(THREAD, state='{"b":1}', heard_at=6, last_at=8, snippet="early", unread=2, places=3)
    for one in (joined(old, new), joined(new, old)):
        assert (one.state, one.heard_at, one.snippet, one.unread, one.places) == ('{"b":1}', 6, "late", 3, 5)
        assert one.closed_at is None
    assert joined(old, replace(old, closed_at=8)).closed_at == 8
    rosa = replace(THREAD, mode="person", taken_by=1, taken_at=10)
    paul = replace(THREAD, mode="person", taken_by=2, taken_at=20)
    early, late = (replace(THREAD, mode="waiting", waiting_since=since) for since in (30, 40))
    for one, other, stays in ((rosa, paul, paul), (early, late, early), (rosa, early, rosa), (early, THREAD, early)):
        assert joined(one, other) == joined(other, one) == stays


async def test_P14_two_first_messages_under_different_names_make_one_contact(rt: Runtime) -> None:
    """On Postgres they run at the same time."""
    live = await open_shop(rt)
    intake = rt.channels.intake
    for number in range(20):
        number_only, both = Address(wa_id=f"55{number}"), Address(wa_id=f"55{number}", user_id=f"BR.{number}")
        await asyncio.gather(
            rt.db.write(inbox.receive, intake, live.here, said(rt, "hi", sender=number_only), False, key=1),
            rt.db.write(inbox.receive, intake, live.here, said(rt, "hello", sender=both), False, key=2),
        )
    assert await rows(rt, "select count(*) from contact where merged_into is null") == [(20,)]
    assert await rows(rt, "select count(*) from conversation") == [(20,)]
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(40,)]


async def test_P14_messages_replies_and_outcomes_of_one_conversation_at_once(rt: Runtime) -> None:
    """On Postgres they run on several writers: no place twice, no unit lost."""
    live = await open_shop(rt)
    first = await take_in(rt, live, said(rt, "hi"))
    [(number,)] = await rows(rt, "select message_id from outbox")
    work: list[Any] = []
    for n in range(12):
        work += [
            rt.db.write(inbox.receive, rt.channels.intake, live.here, said(rt, f"x{n}"), False, key=n),
            rt.db.write(handoff.say, first.conversation_id, Text(f"Rosa {n}"), 5, key=n + 1),
            rt.db.write(settle.accepted, live.row.id, number, first.conversation_id, "wamid.1", None),
        ]
    await asyncio.gather(*work)
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(13,)]
    assert await rows(rt, "select count(*) from message where author = 'user'") == [(12,)]
    [(places,)] = await rows(rt, "select places from conversation")
    [(replies,)] = await rows(rt, "select count(*) from message where direction = 'out'")
    assert places == replies
    assert await rows(rt, "select mode from conversation") == [("person",)]


async def test_P10_a_sender_without_a_number_is_answered(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", sender=Address(user_id="US.1", username="ana"), name=""))
    assert (await rows(rt, MESSAGES))[1][3] == "Hi there!"
    assert await rows(rt, "select phone, username from contact") == [("", "ana")]


async def test_a_contact_is_found_by_the_number_dialled_and_by_the_one_the_network_writes(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", sender=Address(phone="5511999990000", wa_id="551199990000")))
    await take_in(rt, live, said(rt, "hi", sender=Address(wa_id="551199990000")))
    await take_in(rt, live, said(rt, "hi", sender=Address(phone="5511999990000")))
    assert len(await rows(rt, "select id from contact")) == 1
    kinds = {kind for (kind,) in await rows(rt, "select kind from identity")}
    assert kinds == {"phone", "wa_id"}


async def test_a_changed_number_moves_the_contact(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", sender=Address(wa_id="1111")))
    moved = said(
        rt, content.System("user_changed_number"), sender=Address(wa_id="2222"), previous=Address(wa_id="1111")
    )
    await take_in(rt, live, moved)
    await take_in(rt, live, said(rt, "hi", sender=Address(wa_id="2222")))
    assert len(await rows(rt, "select id from contact")) == 1
    assert await rows(rt, "select value from identity where retired_at is not null") == [("1111",)]


@pytest.mark.parametrize("kind", [{"echo": True}, {"history": True}, {"standby": True}])
async def test_echoes_history_and_standby_are_recorded_but_not_answered(rt: Runtime, kind: dict[str, bool]) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", **kind))
    assert len(await rows(rt, "select id from message")) == 1
    assert await rows(rt, "select count(*) from turn") == [(0,)]


async def test_an_old_message_is_recorded_but_not_answered(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", at=rt.clock.now() - 25 * 3_600_000))
    await take_in(rt, live, said(rt, "hi", at=rt.clock.now() - 23 * 3_600_000))
    assert await rows(rt, "select count(*) from message where direction = 'out'") == [(1,)]


async def test_the_bot_is_silent_while_a_person_has_the_conversation(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "person"))
    assert await rows(rt, "select mode, waiting_for from conversation") == [("waiting", "Asked for a person")]
    await take_in(rt, live, said(rt, "hi"))
    assert await rows(rt, "select count(*) from message where direction = 'out'") == [(1,)]
    assert await rows(rt, "select unread from conversation") == [(2,)]


async def test_P16_two_bots_talking_to_each_other_stop(rt: Runtime) -> None:
    live = await open_shop(rt)
    for number in range(60):
        await take_in(rt, live, said(rt, f"nonsense {number}" if number % 2 else "hi"))
    [(replies,)] = await rows(rt, "select count(*) from message where direction = 'out'")
    assert replies == 20
    assert await rows(rt, "select mode from conversation") == [("waiting",)]


async def test_P16_the_same_answer_four_times_goes_to_a_person(rt: Runtime) -> None:
    live = await open_shop(rt)
    for _ in range(6):
        await take_in(rt, live, said(rt, "hi"))
    assert await rows(rt, "select count(*) from message where direction = 'out'") == [(3,)]


async def test_P13_a_decision_that_raises_is_stored_unanswered_and_shown(rt: Runtime) -> None:
    live = await open_shop(rt)
    broken = msgspec.structs.replace(live.here, version_id=await _foreign_version(rt))
    outcome = await rt.db.write(inbox.receive, rt.channels.intake, broken, said(rt, "hi"), False)
    [(error,)] = await rows(rt, "select error from turn where id = :id", id=outcome.message_id)
    assert "KeyError" in error
    assert len(await rows(rt, "select id from message")) == 1
    await take_in(rt, live, said(rt, "hi"))
    assert await rows(rt, "select count(*) from message where direction = 'out'") == [(1,)]


async def _foreign_version(rt: Runtime) -> int:
    """A version that is in the database but was never compiled."""
    [(bot_id,)] = await rows(rt, "select id from bot")
    await change(
        rt,
        "insert into version (id, bot_id, digest, document, created_at) values (7, :bot_id, '', '', 0)",
        bot_id=bot_id,
    )
    return 7


async def test_P13_a_message_that_ended_the_process_twice_is_left_unanswered(rt: Runtime) -> None:
    live = await open_shop(rt)
    message = said(rt, "hi")
    guard = rt.channels.intake.guard
    guard.begin(message.provider_id)
    assert guard.found() == [message.provider_id]
    guard.judge({message.provider_id: 1})
    assert not guard.is_poison(message.provider_id)
    guard.judge({message.provider_id: 2})
    await take_in(rt, live, message)
    [(error,)] = await rows(rt, "select error from turn")
    assert "twice" in error


async def test_edits_deletions_and_reactions_change_what_they_name_and_are_not_answered(rt: Runtime) -> None:
    live = await open_shop(rt)
    first = said(rt, "helo")
    await take_in(rt, live, first)
    await take_in(rt, live, said(rt, Edit(first.provider_id, Text("hello, corrected"))))
    await take_in(rt, live, said(rt, Reaction(first.provider_id, "❤️")))
    await take_in(rt, live, said(rt, Delete(first.provider_id)))
    [(text, edited, deleted)] = await rows(
        rt, "select text, edited_at, deleted_at from message where provider_id = :id", id=first.provider_id
    )
    assert text == "hello, corrected" and edited and deleted
    assert await rows(rt, "select count(*) from turn") == [(1,)]


CHANGED = "select text, edited_at is not null, deleted_at is not null from message where provider_id = :id"


async def bring(rt: Runtime, live: Live, messages: list[Inbound], together: bool) -> None:
    calls = [(rt.channels.intake, live.here, message, False) for message in messages]
    if together:
        await rt.db.write(inbox.receive_all, calls)
    else:
        for call in calls:
            await rt.db.write(inbox.receive, *call)


@pytest.mark.parametrize("together", [False, True])
async def test_P23_an_edit_that_comes_before_its_message_is_what_is_read_and_answered(
    rt: Runtime, together: bool
) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "nothing"))
    late = said(rt, "hi", at=rt.clock.now() - 9000)
    first, second = (said(rt, Edit(late.provider_id, Text(words))) for words in ("something", "twice"))
    await bring(rt, live, [first, second, late], together)
    assert await rows(rt, CHANGED, id=late.provider_id) == [("twice", True, False)]
    replies = await rows(rt, "select text from message where author = 'bot' order by turn_id, step")
    assert replies[-2:] == [("One.",), ("Two.",)]
    assert await rows(rt, "select snippet from conversation") == [("Two.",)]
    assert await rows(rt, "select 1 from early_change") == []


@pytest.mark.parametrize("together", [False, True])
async def test_P23_what_was_deleted_before_it_came_is_kept_as_deleted_and_not_answered(
    rt: Runtime, together: bool
) -> None:
    live = await open_shop(rt)
    late = said(rt, "hi")
    changes = [said(rt, Delete(late.provider_id)), said(rt, Edit(late.provider_id, Text("hello")))]
    await bring(rt, live, [*changes, late], together)
    assert await rows(rt, CHANGED, id=late.provider_id) == [("hi", False, True)]
    assert await rows(rt, "select 1 from turn") == []
    assert await rows(rt, "select unread, snippet from conversation") == [(0, "")]


async def test_an_edit_from_another_conversation_does_not_wait_for_a_message(rt: Runtime) -> None:
    live = await open_shop(rt)
    mine = said(rt, "hi", who="1111")
    await take_in(rt, live, said(rt, Edit(mine.provider_id, Text("forged")), who="2222"))
    await take_in(rt, live, said(rt, Delete(mine.provider_id), who="1111", echo=True))
    await take_in(rt, live, mine)
    assert await rows(rt, CHANGED, id=mine.provider_id) == [("hi", False, False)]


async def test_changes_whose_message_never_comes_are_dropped_after_a_week_and_with_their_contact(rt: Runtime) -> None:
    live = await open_shop(rt)
    for who in ("1111", "2222"):
        await take_in(rt, live, said(rt, Delete(f"never.{who}"), who=who))
    [(contact_id,)] = await rows(rt, "select distinct contact_id from identity where value = '2222'")
    await erase.contact(rt, contact_id)
    assert await rows(rt, "select provider_id from early_change") == [("never.1111",)]
    rt.clock.advance(8 * 86_400)
    await housekeeping.clean(rt.db)
    assert await rows(rt, "select 1 from early_change") == []


async def test_an_edit_cannot_reach_into_another_conversation(rt: Runtime) -> None:
    live = await open_shop(rt)
    mine = said(rt, "hi", who="1111")
    await take_in(rt, live, mine)
    await take_in(rt, live, said(rt, Edit(mine.provider_id, Text("forged")), who="2222"))
    assert await rows(rt, "select text from message where provider_id = :id", id=mine.provider_id) == [("hi",)]


async def test_an_edit_cannot_change_what_the_business_said(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    await change(rt, "update message set provider_id = 'ours' where direction = 'out'")
    for forged in (Edit("ours", Text("forged")), Delete("ours")):
        await take_in(rt, live, said(rt, forged))
    ours = "select text, deleted_at from message where provider_id = 'ours'"
    assert await rows(rt, ours) == [("Hi Ana!", None)]
    await take_in(rt, live, said(rt, Edit("ours", Text("put right on the phone")), echo=True))
    assert await rows(rt, ours) == [("put right on the phone", None)]


async def test_P9_a_file_is_wanted_in_the_same_unit(rt: Runtime) -> None:
    live = await open_shop(rt)
    woken: list[tuple[str, int]] = []
    intake = msgspec.structs.replace(rt.channels.intake, due=lambda lane, at: woken.append((lane, at)))
    picture = said(rt, Image(provider_id="99", mime="image/jpeg", caption="hi"))
    await rt.db.write(inbox.receive, intake, live.here, picture, False)
    assert await rows(rt, "select provider_id, state from media") == [("99", "wanted")]
    assert await rows(rt, "select kind from job") == [("media.fetch",)]
    assert woken == [("net", rt.clock.now())]


async def test_a_pressed_button_is_read_by_its_title(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, Pressed("x", "hello")))
    assert (await rows(rt, MESSAGES))[1][3] == "Hi Ana!"


async def test_P11_the_replies_of_a_turn_have_one_place_each(rt: Runtime) -> None:
    live = await open_shop(rt, sending=True)
    answered = asyncio.get_running_loop().create_future()
    network(live).answer = lambda message: answered
    outcome = await take_in(rt, live, said(rt, "twice"), slot=True)
    assert outcome.slot_used
    assert await rows(rt, "select state, place, attempts from outbox order by place") == [
        ("sending", 1, 1),
        ("queued", 2, 0),
    ]
    outcome = await take_in(rt, live, said(rt, "hi"), slot=True)
    assert not outcome.slot_used, "a reply never overtakes what is still in the outbox"
    answered.set_exception(SendFailed(Problem("test.over"), certain=True, temporary=False))


async def test_erasing_a_contact_leaves_no_text_anywhere_but_remembers_the_message(rt: Runtime) -> None:
    live = await open_shop(rt)
    secret = "xylophone-kept-nowhere"
    message = said(rt, secret, who="777000777", name="Zebulon Quist", raw=secret.encode())
    await take_in(rt, live, message)
    await take_in(rt, live, said(rt, "hi", who="1111"))
    [(contact_id,)] = await rows(rt, "select id from contact where name = 'Zebulon Quist'")
    assert await erase.contact(rt, contact_id) == 2
    for path in rt.settings.data.rglob("parley.db*"):
        found = path.read_bytes()
        assert secret.encode() not in found and b"Zebulon" not in found, path.name
    assert await rows(rt, "select count(*) from message where text = :text", text=secret) == [(0,)]
    assert (await take_in(rt, live, message)).duplicate, "a late repeat is not a new message"
    assert await rows(rt, "select count(*) from contact") == [(1,)]


async def test_erasing_removes_what_arrived_meanwhile_with_its_tombstone(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi"))
    [(contact_id,)] = await rows(rt, "select id from contact")
    await rt.db.write(erase.messages, contact_id)
    late = said(rt, "late")
    await take_in(rt, live, late)
    await rt.db.write(erase.remains, contact_id)
    assert await rows(rt, "select 1 from tombstone where provider_id = :id", id=late.provider_id) == [(1,)]


async def test_erasing_takes_quarantined_updates_that_name_the_person(rt: Runtime) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", who="777000777"))
    for body in (b'{"from":"777000777","text":"odd"}', b'{"from":"1111"}'):
        await rt.db.write(inbox.quarantine, rt.channels.intake, live.row.id, "x", Malformed("", "odd", body))
    [(contact_id,)] = await rows(rt, "select id from contact")
    await erase.contact(rt, contact_id)
    assert [bytes(body) for (body,) in await rows(rt, "select body from quarantine")] == [b'{"from":"1111"}']


async def test_a_reply_is_claimed_while_its_conversation_hears_something(rt: Runtime) -> None:
    """On Postgres the conversation is locked then."""
    live = await open_shop(rt)
    outcome = await take_in(rt, live, said(rt, "hi"))
    gate = threading.Event()

    def hold(tx: Tx) -> None:
        tx.lock("conversation", outcome.conversation_id)
        gate.wait(0.5)

    holding = asyncio.ensure_future(rt.db.write(hold, key=1))
    await asyncio.sleep(0.2)
    taken, _ = await rt.db.write(claims.claim, live.row.id, 8, lambda _: 0.0)
    gate.set()
    await holding
    assert len(taken) == 1


def test_P13_names_of_any_length_and_script_are_recognised(tmp_path: Path) -> None:
    guard = Guard(tmp_path / "deciding")
    for name in ("wamid.1", "é" * 300, "x" * 10_000, "\ud83d"):
        at = guard.begin(name)
        [left] = guard.found()
        guard.end(at)
        assert guard.found() == []
        guard.judge({left: 2})
        assert guard.is_poison(name), name


@pytest.mark.parametrize(("addressed", "answers"), [(True, 1), (False, 0)])
async def test_in_a_group_only_what_is_meant_for_the_business_is_answered(
    rt: Runtime, addressed: bool, answers: int
) -> None:
    live = await open_shop(rt)
    await take_in(rt, live, said(rt, "hi", group="-100", addressed=addressed))
    assert await rows(rt, "select thread from conversation") == [("-100",)]
    assert await rows(rt, "select count(*) from outbox") == [(answers,)]


async def test_what_disappears_on_the_phones_disappears_here(rt: Runtime, clock: ManualClock) -> None:
    """Messages both ways, the file, the update as it came and the turn; a late repeat is not new."""
    await rt.jobs.close(5)
    live = await open_shop(rt)
    fading = Address(wa_id="16505551234", lasts="60")
    picture = said(rt, Image(provider_id="M1", caption="my secret"), sender=fading, lasts=60)
    outcome = await take_in(rt, live, picture)
    [(reply,)] = await rows(rt, "select id from message where direction = 'out'")
    await rt.db.write(settle.taken, live.row.id, reply, outcome.conversation_id, "w1", None, 60, Text("Hi"))
    await take_in(rt, live, said(rt, "stays", sender=fading))
    sha256 = await rt.media.add(b"file")
    await change(rt, "update media set state = 'stored', sha256 = :sha256", sha256=sha256)
    await search.keep(rt.db)
    assert await rows(rt, "select count(*) from message_word") == [(4,)]
    assert await erase.disappeared(rt.db, rt.media) == 0
    clock.advance(61)
    assert await erase.disappeared(rt.db, rt.media) == 2
    assert await rows(rt, "select count(*) from message_word") == [(2,)]
    assert not rt.media.path(sha256).exists()
    assert await rows(rt, "select count(*) from media") == [(0,)]
    for table in ("turn where id", "raw_update where message_id"):
        assert await rows(rt, f"select count(*) from {table} = :id", id=outcome.message_id) == [(0,)]
    assert (await take_in(rt, live, picture)).duplicate
    assert await rows(rt, "select text from message where direction = 'in'") == [("stays",)]


NOTES = """
bot: Notes
language: en
rules:
  - name: note
    when: {says: note}
    do: [{set: {note: "{{ message.text }}", kind: kept}}, {say: Noted.}]
fallback: {do: [{set: {kind: changed}}, {say: "Sorry?"}]}
"""


async def test_what_disappears_is_forgotten_by_the_bot_and_not_kept_for_programs(
    rt: Runtime, clock: ManualClock, tmp_path: Path
) -> None:
    """No word of it is left in the files of the database; what later messages set stays."""
    live = await open_shop(rt, NOTES)
    await rt.webhooks.create("https://example.com/in", [], None, None)
    told = said(rt, "note my zanzibar secret", sender=Address(wa_id="16505551234", lasts="60"), lasts=60)
    outcome = await take_in(rt, live, told)
    await take_in(rt, live, said(rt, "more", sender=Address(wa_id="16505551234")))
    await rt.db.settled()
    await rt.webhooks._spool_once()
    await change(rt, "update delivery set state = 'delivered'")
    assert "zanzibar" in str(await rows(rt, "select body from delivery"))
    [(state,)] = await rows(rt, "select state from conversation")
    assert msgspec.json.decode(state)["variables"] == {"note": "note my zanzibar secret", "kind": "changed"}
    await search.keep(rt.db)
    clock.advance(61)
    # The turn of what was said afterwards knew it, too, and goes with its own message.
    await change(rt, "delete from turn where id <> :id", id=outcome.message_id)
    assert await erase.disappeared(rt.db, rt.media) == 1
    await search.keep(rt.db)
    [(state,)] = await rows(rt, "select state from conversation")
    assert msgspec.json.decode(state)["variables"] == {"kind": "changed"}
    assert "more" in str(await rows(rt, "select body from delivery"))
    for path in tmp_path.rglob("*.db*"):
        assert b"zanzibar" not in path.read_bytes(), path.name


async def test_every_message_of_a_conversation_is_told_as_made_once_and_in_its_order(
    rt: Runtime, clock: ManualClock
) -> None:
    """Of the customer, the bot, a person and the phone: whoever hears `message.created` misses none."""
    live = await open_shop(rt)
    who = Address(wa_id="16505551234")
    outcome = await take_in(rt, live, said(rt, "twice", sender=who))
    await handoff.reply(rt, outcome.conversation_id, Text("Rosa here"), 5)
    await take_in(rt, live, said(rt, "from the phone", sender=who, echo=True))
    await rt.db.settled()
    told = await rows(rt, "select data from event where type = 'message.created' order by seq")
    ids = [int(msgspec.json.decode(data)["id"]) for (data,) in told]
    assert ids == [id for (id,) in await rows(rt, "select id from message order by id")] and len(ids) == 5
