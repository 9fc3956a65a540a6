"""Rows of the outbox that change hands, as units of work: claimed by a sender, put back, left over by a process that is
gone, held for a person."""

from collections.abc import Callable

from app import settle
from app.connectors.base import Problem
from app.db import Tx
from app.models import Queued
from app.store import outbox


def claim(tx: Tx, channel_id: int, limit: int, blocked: Callable[[Queued], float]) -> tuple[list[Queued], int | None]:
    """Take due rows, the first of each conversation only. If none was taken, also in how many ms another one is due: 0
    where all that wait are due and stand behind others, None where none waits.

    Read without locks: `SENDING` takes a row only as it was read, and a conversation that hears something is not passed
    over."""
    due = tx.all(outbox.DUE, channel_id=channel_id, now=tx.now, limit=limit)
    ready = []
    for row in due:
        wait = blocked(row)
        if wait > 0:
            tx.run(
                outbox.SET_STATE, message_id=row.message_id, state="queued", due_at=tx.now + int(wait * 1000) + 1,
                problem="", now=tx.now,
            )  # fmt: skip
        else:
            ready.append({"message_id": row.message_id, "now": tx.now})
    sending = set(tx.each(outbox.SENDING, ready))
    taken = [row for row in due if row.message_id in sending]
    if not taken and len(due) == limit:
        return taken, 1  # all of them wait for their chat, and behind them others may be due
    return taken, None if taken else _next(tx, channel_id)


def _next(tx: Tx, channel_id: int) -> int | None:
    due_at = tx.one(outbox.NEXT_DUE, channel_id=channel_id, now=tx.now)
    if due_at is not None:
        return due_at - tx.now
    return 0 if tx.one(outbox.WAITING, channel_id=channel_id) else None


def put_back(tx: Tx, rows: list[Queued]) -> None:
    """What was claimed while the channel closed: no byte of it left, so it waits again as it did."""
    for row in rows:
        tx.run(outbox.PUT_BACK, message_id=row.message_id, now=tx.now)


def recover(tx: Tx) -> int:
    """At start: rows that a killed process left in `sending` have an unknown outcome."""
    rows = tx.all(outbox.ORPHANS)
    for message_id, conversation_id in rows:
        settle.unsure(
            tx, message_id, conversation_id, Problem("send.interrupted", "Parley was stopped during the send.")
        )
    return len(rows)


def hold_overdue(tx: Tx) -> list[int]:
    """Unknown outcomes whose time is up. Returns the channels' conversations that may go on."""
    rows = tx.all(outbox.OVERDUE, now=tx.now)
    for message_id, conversation_id in rows:
        settle.held(tx, message_id, conversation_id)
    return [conversation_id for _, conversation_id in rows]
