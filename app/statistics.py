"""Statistics are counted once and kept: hour by hour of storing, in small units behind everything else.

New slices are counted as they come. This hour and the one before are counted again every minute; of the last week the
slice that waited longest is, because receipts come late; and so is what somebody was erased from. A message that
changes after a week is not counted again.
"""

import asyncio
import logging
from collections import Counter
from typing import Final

import msgspec

from app.connectors.base import Problem
from app.db import Database, DatabaseError, Reader, Tx
from app.db.ids import EPOCH
from app.store import statistics as store
from app.store.overview import first_id

EVERY: Final = 60.0
HOUR: Final = store.HOUR
WEEK: Final = 7 * 24
NOBODY_KNOWS: Final = Problem("")
PAGE: Final = 1000  # answers that are read at a time
WAITS: Final = (("bot", store.BOT_WAITS), ("person", store.PERSON_WAITS))

log = logging.getLogger(__name__)
_problem: msgspec.json.Decoder[Problem] = msgspec.json.Decoder(Problem)


class _Trace(msgspec.Struct, frozen=True):
    rule: str = ""


class _Output(msgspec.Struct, frozen=True):
    """Of a decision, what was answered."""

    trace: _Trace = _Trace()


_output: msgspec.json.Decoder[_Output] = msgspec.json.Decoder(_Output)


async def run(db: Database) -> None:
    """For ever. A failing database only makes a round fail."""
    while True:
        try:
            await keep(db)
        except DatabaseError as error:
            log.warning("statistics wait: %s", error)
        await asyncio.sleep(EVERY)


async def keep(db: Database) -> None:
    """Count what is new, then what may have changed."""
    while (new := await db.read(uncounted)) is not None:
        await count_beside(db, new)
    for slice in await db.bulk(stale):
        await count_beside(db, slice)
    while touched := await db.bulk(erased_from):
        for slice in touched:
            await db.bulk(count, slice)


async def count_beside(db: Database, slice: int) -> None:
    """Count on a reader, so that nothing that comes in waits for a busy hour, and write what was found."""
    await db.bulk(put, slice, await db.read(counted_at, slice), await db.read(counted, slice))


async def uncounted(db: Reader) -> int | None:
    """The next slice that has messages and was never counted."""
    newest = await db.one(store.NEWEST)
    found = await db.one(store.NEXT_MESSAGE, first=0 if newest is None else first_id((newest + 1) * HOUR))
    return None if found is None else slice_of(found)


def stale(tx: Tx) -> list[int]:
    """The newest slices, and the one of the last week that was counted longest ago."""
    now = tx.now // HOUR
    found = tx.all(store.RECENT, since=now - 1)
    oldest = tx.one(store.STALEST, since=now - WEEK)
    return found if oldest is None or oldest in found else [*found, oldest]


def erased_from(tx: Tx) -> list[int]:
    return tx.all(store.TOUCHED)


def touched(tx: Tx, message_id: int) -> None:
    """A message goes: its slice is counted again."""
    tx.run(store.TOUCH, slice=slice_of(message_id))


def slice_of(id: int) -> int:
    """The hour in which this id was given."""
    return ((id >> 22) + EPOCH) // HOUR


def count(tx: Tx, slice: int) -> None:
    """A slice of which something was erased, in the unit itself: more may be erased at any moment."""
    found = [row for query in store.COUNTS for row in tx.all(query, **within(slice))]
    waits = [(name, row) for name, query in WAITS for row in tx.all(query, **within(slice))]
    answers, span = Answers(), within(slice)
    while rows := tx.all(store.ANSWERS, **span, limit=PAGE):
        span["first"] = answers.add(rows)
    _put(tx, slice, found + _waits(waits) + answers.counted())


async def counted(db: Reader, slice: int) -> list[store.Counted]:
    found = [row for query in store.COUNTS for row in await db.all(query, **within(slice))]
    waits = [(name, row) for name, query in WAITS for row in await db.all(query, **within(slice))]
    answers, span = Answers(), within(slice)
    while rows := await db.all(store.ANSWERS, **span, limit=PAGE):
        span["first"] = answers.add(rows)
    return found + _waits(waits) + answers.counted()


class Answers:
    """Chats in which a question of a flow was answered, once an hour, from pages of turns."""

    def __init__(self) -> None:
        self._chats: set[tuple[int, int, str, int]] = set()

    def add(self, rows: list[store.Answer]) -> int:
        """Returns the id from which the next page begins."""
        for row in rows:
            self._chats.add((row.hour, row.channel_id, _output.decode(row.output).trace.rule, row.conversation_id))
        return rows[-1].id + 1

    def counted(self) -> list[store.Counted]:
        counts = Counter((hour, channel_id, rule) for hour, channel_id, rule, _chat in self._chats)
        return [store.Counted(hour, channel_id, "answered", rule, n) for (hour, channel_id, rule), n in counts.items()]


async def counted_at(db: Reader, slice: int) -> int | None:
    return await db.one(store.COUNTED_AT, slice=slice)


def put(tx: Tx, slice: int, before: int | None, found: list[store.Counted]) -> None:
    """What a reader counted, unless something was erased since: then the slice is counted again."""
    if tx.one(store.COUNTED_AT, slice=slice) == before:
        _put(tx, slice, found)


def within(slice: int) -> dict[str, int]:
    return {"first": first_id(slice * HOUR), "last": first_id((slice + 1) * HOUR)}


def _waits(found: list[tuple[str, store.Waits]]) -> list[store.Counted]:
    return [
        store.Counted(waits.hour, waits.channel_id, f"{name}_{what}", "", value)
        for name, waits in found
        for what, value in (("ms", waits.ms), ("n", waits.count))
    ]


def _put(tx: Tx, slice: int, found: list[store.Counted]) -> None:
    """In place of what was counted before."""
    tx.run(store.CLEAR, slice=slice)
    for row in found:
        label = reason(row.label) if row.metric == "failed" else row.label
        tx.run(
            store.PUT, slice=slice, hour=row.hour, channel_id=row.channel_id, metric=row.metric, label=label,
            value=row.value,
        )  # fmt: skip
    tx.run(store.COUNTED, slice=slice, now=tx.now)


def reason(problem: str) -> str:
    """A problem without what is of this one message alone: its code and title, as JSON."""
    found = _problem.decode(problem) if problem else NOBODY_KNOWS
    return msgspec.json.encode(Problem(found.code, found.title)).decode()
