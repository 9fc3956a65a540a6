"""Statistics are counted once and kept: hour by hour of storing, in small units behind everything else.

New slices are counted as they come. This hour and the one before are counted again every minute; of the last week the
slice that waited longest is, because receipts come late; and so is what somebody was erased from. A message that
changes after a week is not counted again.
"""

import asyncio
import logging
from typing import Final

import msgspec

from app.connectors.base import Problem
from app.db import Database, DatabaseError, Tx
from app.db.ids import EPOCH
from app.store import statistics as store
from app.store.overview import first_id

EVERY: Final = 60.0
HOUR: Final = store.HOUR
WEEK: Final = 7 * 24
NOBODY_KNOWS: Final = Problem("")

log = logging.getLogger(__name__)
_problem: msgspec.json.Decoder[Problem] = msgspec.json.Decoder(Problem)


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
    while await db.bulk(catch_up):
        await asyncio.sleep(0)
    for slice in await db.bulk(stale):
        await db.bulk(count, slice)
    while touched := await db.bulk(erased_from):
        for slice in touched:
            await db.bulk(count, slice)


def catch_up(tx: Tx) -> bool:
    """Count the next slice that has messages. False: there is none."""
    newest = tx.one(store.NEWEST)
    first = 0 if newest is None else first_id((newest + 1) * HOUR)
    found = tx.one(store.NEXT_MESSAGE, first=first)
    if found is None:
        return False
    count(tx, slice_of(found))
    return True


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
    """Everything of one slice, in place of what was counted before."""
    within = {"first": first_id(slice * HOUR), "last": first_id((slice + 1) * HOUR)}
    found = [row for query in store.COUNTS for row in tx.all(query, **within)]
    for name, query in (("bot", store.BOT_WAITS), ("person", store.PERSON_WAITS)):
        for waits in tx.all(query, **within):
            found.append(store.Counted(waits.hour, waits.channel_id, f"{name}_ms", "", waits.ms))
            found.append(store.Counted(waits.hour, waits.channel_id, f"{name}_n", "", waits.count))
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
