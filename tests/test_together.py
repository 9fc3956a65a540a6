"""Messages that wait together are done in a few statements; what comes of them is what comes of each alone."""

from typing import Any

from msgspec import structs

from app import inbox, settle
from app.case import Here, Intake
from app.channels import Live
from app.connectors.base import Address, Inbound
from app.content import Delete, Edit, Image, Text
from app.db import Statement, Tx
from app.runtime import Runtime
from app.store import conversations, messages
from tests.shop import change, open_shop, rows, said

Call = tuple[Intake, Here, Inbound, bool]

# Numbers are told apart by their third digit, which is left out here.
WHO = "substr({0}, 1, 2) || substr({0}, 4)"
LEFT = {
    "contact": f"select name, {WHO.format('phone')}, username, merged_into is null, opted_out_at from contact",
    "identity": f"select kind, {WHO.format('value')}, retired_at is null from identity",
    "conversation": "select thread, mode, places, unread, snippet, waiting_for, closed_at from conversation",
    "message": "select direction, author, kind, text, status, rule, step, deleted_at is null, edited_at is null"
    " from message",
    "turn": "select code, error, message_id is null from turn",
    "outbox": "select state, place, attempts, due_at > 0 from outbox",
    "media": "select mime from media",
    "raw": "select field, body is null, message_id is null from raw_update",
    "event": "select type from event where type = 'message.created'",
}


def nothing(*_: object) -> None:
    pass


def sent_by(rt: Runtime, tens: int) -> tuple[list[Inbound], list[Inbound]]:
    """What was there before, and what comes at once."""

    def phone(number: int) -> str:
        return f"55{tens}{number:05}"

    def by(number: int, words: Any = "hi", **more: Any) -> Inbound:
        return said(rt, words, phone(number), **{"sender": Address(phone(number), phone(number)), **more})

    before = [by(n, name=f"Known {n}") for n in range(4)]
    first, again = by(10), by(11, "twice")
    coming = [
        first, by(12, "person"), again, first, by(10, "twice"), again,
        by(0, name="Known 0"), by(1, "twice", name="Another name"), by(2, "hm", name="Known 2"), before[3],
        by(13, name="Moved", previous=Address(phone(3), phone(3))),
        by(14, sender=Address(phone(2), "", f"BR{tens}.1", username="kim"), name="Known 2"),
        by(0, Edit(first.provider_id, Text("hello"))), by(10, Delete(first.provider_id)), by(15, echo=True),
        by(16, group="club"), by(17, Image(provider_id="77", mime="image/png")), by(18, history=True),
        by(19, sender=Address(), group="nobody"),
    ]  # fmt: skip
    return before, coming + [by(n) for n in range(20, 36)]


async def left(rt: Runtime, live: Live) -> dict[str, list[tuple[Any, ...]]]:
    await rt.db.settled()
    found = {name: sorted(await rows(rt, sql), key=repr) for name, sql in LEFT.items()}
    await rt.db.write(_forget)
    return found


def _forget(tx: Tx) -> None:
    for table in ("outbox", "media", "turn", "message", "conversation", "identity", "contact", "raw_update", "event"):
        tx.run(Statement(f"delete from {table}"))


async def test_messages_together_leave_what_each_alone_leaves(rt: Runtime) -> None:
    live = await open_shop(rt)
    # Nothing is sent and nothing fetched meanwhile.
    intake = structs.replace(rt.channels.intake, send=nothing, wake=nothing, due=nothing)

    async def played(tens: int, together: bool) -> tuple[list[tuple[bool, bool]], dict[str, list[tuple[Any, ...]]]]:
        before, coming = sent_by(rt, tens)
        for message in before:
            await rt.db.write(inbox.receive, intake, live.here, message, False)
        calls: list[Call] = [(intake, live.here, message, place % 3 == 0) for place, message in enumerate(coming)]
        if together:
            outcomes = await rt.db.write(inbox.receive_all, calls)
        else:
            outcomes = [await rt.db.write(inbox.receive, *call) for call in calls]
        return [(outcome.duplicate, outcome.slot_used) for outcome in outcomes], await left(rt, live)

    alone, together = await played(1, False), await played(2, True)
    assert together == alone
    assert sum(duplicate for duplicate, _ in alone[0]) == 3
    assert len(alone[1]["turn"]) > 25


async def test_a_message_that_cannot_be_stored_leaves_its_neighbours_alone(rt: Runtime) -> None:
    """Together they fail, so each is done alone."""
    live = await open_shop(rt)
    heard: list[tuple[bool, BaseException | None]] = []
    for number in range(20):
        message = said(rt, "hi", f"16505550{number:03}", raw=7 if number == 7 else b"{}")
        rt.db.submit(
            inbox.RECEIVE, rt.channels.intake, live.here, message, False,
            done=lambda outcome, error: heard.append((outcome is not None, error)),
        )  # fmt: skip
    await rt.db.settled()
    assert sum(stored for stored, _ in heard) == 19
    assert await rows(rt, "select count(*) from message where direction = 'in'") == [(19,)]
    assert await rows(rt, "select count(*) from turn") == [(19,)]


async def test_outcomes_together_free_the_outbox_and_one_refused_is_done_alone(rt: Runtime) -> None:
    live = await open_shop(rt)
    for number in range(10):
        await rt.db.write(inbox.receive, rt.channels.intake, live.here, said(rt, "hi", f"16505550{number:03}"), True)
    sending = await rows(rt, "select message_id, conversation_id from outbox order by message_id")
    calls = [
        (live.row.id, message_id, conversation_id, f"wamid.{place}", Address(wa_id="551100") if place == 3 else None)
        for place, (message_id, conversation_id) in enumerate(sending)
    ]
    failed: list[BaseException] = []
    for place, call in enumerate(calls):
        twice = (*call[:3], "wamid.0", None) if place == 9 else call
        rt.db.submit(settle.ACCEPTED, *twice, done=lambda _, error: failed.append(error) if error else None)
    await rt.db.settled()
    assert len(failed) == 1
    assert await rows(rt, "select message_id from outbox") == [(sending[9][0],)]
    named = await rows(rt, "select provider_id from message where direction = 'out' and status = 'accepted'")
    assert sorted(named) == [(f"wamid.{place}",) for place in range(9)]
    assert await rows(rt, "select count(*) from identity where value = '551100'") == [(1,)]


async def test_a_row_alone_is_written_as_in_a_list(rt: Runtime) -> None:
    live = await open_shop(rt)
    live.sender.open = False
    for number in range(2):
        await rt.db.write(inbox.receive, rt.channels.intake, live.here, said(rt, "hi", f"1650555010{number}"), False)

    listed, alone = [id for (id,) in await rows(rt, "select id from conversation order by id")]
    turn: dict[str, Any] = {
        "state": '{"turns":2}', "version_id": live.row.version_id, "mode": "waiting", "budget": "[1]", "places": 4,
        "unread": 2, "waiting_since": 5, "waiting_for": "a person", "closed_at": 6, "heard_at": 7, "at": 8,
        "last_id": 9, "snippet": "hm",
    }  # fmt: skip
    for _ in range(2):  # what is counted is added
        await rt.db.write(_both, conversations.AFTER_TURN, {"id": listed, **turn}, {"id": alone, **turn})
    first, second = await rows(rt, f"select {CONVERSATION} from conversation order by id")
    assert first == second and (second[0], second[-1]) == (4, "hm")

    listed, alone = [id for (id,) in await rows(rt, "select id from message where direction = 'out' order by id")]
    for status, becomes in {"queued": "accepted", "unknown": "accepted", "sent": "sent", "failed": "failed"}.items():
        await change(rt, "update message set status = :status, provider_id = null", status=status)
        named, other = ({"id": id, "provider_id": f"wamid.{id}", "now": 77} for id in (listed, alone))
        await rt.db.write(_both, messages.ACCEPTED, named, other)
        first, second = await rows(rt, f"select {MESSAGE} from message where direction = 'out' order by id")
        assert first == second and second[0] == becomes


CONVERSATION = """
unread, state, version_id, mode, budget, places, waiting_since, waiting_for, closed_at, heard_at, last_at, last_id,
snippet
"""
MESSAGE = "status, problem, sent_at = 77, provider_id is null"


def _both(tx: Tx, statement: Statement, listed: dict[str, Any], alone: dict[str, Any]) -> None:
    tx.many(statement, [listed])
    tx.run(statement, **alone)
