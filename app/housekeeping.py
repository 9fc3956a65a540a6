"""What has to happen from time to time: unknown sends whose time is up, expired raw updates, old tombstones and
receipts, files that are kept no longer.

Deletions are small units in the second queue, so that nobody waits behind them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from app import audit, claims, deliveries, erase, retention, tokens, troubles
from app.ballast import Ballast
from app.channels import Channels
from app.db import Database, DatabaseError, Full, Tx
from app.storage import Store
from app.store import early, events, raws, receipts

EVERY = 5.0
CLEAN_EVERY = 60  # rounds of EVERY seconds
TOMBSTONE_AGE = 30 * 86_400_000
ORPHAN_AGE = 7 * 86_400_000
EVENT_AGE = 7 * 86_400_000
EVENTS_KEPT = 1_000_000

log = logging.getLogger(__name__)


async def run(
    db: Database, channels: Channels, ballast: Ballast, media: Store, files: Callable[[], Awaitable[None]]
) -> None:
    """For ever. A failing database only makes a round fail; a full disk gets its ballast back. `files` cleans away
    what else lies in the data folder."""
    rounds = 0
    while True:
        try:
            await asyncio.to_thread(ballast.keep)
            if await db.write(claims.hold_overdue):
                channels.wake_all()
            await erase.disappeared(db, media)
            if rounds % CLEAN_EVERY == 0:
                await clean(db)
                await files()
        except (DatabaseError, OSError) as error:
            log.warning("housekeeping waits: %s", error)
            if isinstance(error, Full) and ballast.give_up():
                log.error("the disk is full; the ballast was given up so that old data can be cleaned away")
                continue
        rounds += 1
        await asyncio.sleep(EVERY)


async def clean(db: Database) -> None:
    """Drop everything that is past its time."""
    for unit in UNITS:
        await _until_empty(db, unit)


async def _until_empty(db: Database, unit: Callable[[Tx], int]) -> None:
    while await db.bulk(unit):
        await asyncio.sleep(0)


def expire_raw(tx: Tx) -> int:
    rows = tx.all(raws.EXPIRED, now=tx.now)
    tx.many(raws.DROP, [{"id": row} for row in rows])
    return len(rows)


def expire_quarantine(tx: Tx) -> int:
    rows = tx.all(raws.EXPIRED_QUARANTINE, now=tx.now)
    tx.many(raws.DROP_QUARANTINE, [{"id": row} for row in rows])
    return len(rows)


def expire_tombstones(tx: Tx) -> int:
    rows = tx.all(raws.EXPIRED_TOMBSTONES, before=tx.now - TOMBSTONE_AGE)
    tx.many(raws.DROP_TOMBSTONE, [{"channel_id": channel, "provider_id": provider} for channel, provider in rows])
    return len(rows)


def expire_receipts(tx: Tx) -> int:
    rows = tx.all(receipts.OLD_ORPHANS, before=tx.now - ORPHAN_AGE)
    keys = ("channel_id", "provider_id", "status")
    tx.many(receipts.DROP, [dict(zip(keys, row, strict=True)) for row in rows])
    return len(rows)


def expire_early_changes(tx: Tx) -> int:
    rows = tx.all(early.OLD, before=tx.now - ORPHAN_AGE)
    tx.many(early.DROP, rows)
    return len(rows)


def expire_events(tx: Tx) -> int:
    rows = tx.all(events.OLD, before=tx.now - EVENT_AGE)
    tx.many(events.DROP, [{"seq": seq} for seq in rows])
    return len(rows)


def surplus_events(tx: Tx) -> int:
    rows = tx.all(events.SURPLUS, last=(tx.one(events.NEWEST) or 0) - EVENTS_KEPT)
    tx.many(events.DROP, [{"seq": seq} for seq in rows])
    return len(rows)


UNITS: Final = (
    expire_raw,
    expire_quarantine,
    expire_tombstones,
    expire_receipts,
    expire_early_changes,
    expire_events,
    surplus_events,
    tokens.sweep,
    deliveries.sweep,
    audit.sweep,
    retention.expire,
    troubles.sweep,
)
