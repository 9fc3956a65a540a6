"""When files go: kept longer than the setting says, or of somebody who was erased; never while another message has the
same one.

A row that lets go of its file leaves a job in the same commit, so that a kill or a storage that is away leaves nothing
behind. A file whose row was never written is found by its age (P9).
"""

import asyncio
import logging
import time
from typing import Final

from app.db import Database, DatabaseError, Tx
from app.errors import Unavailable
from app.inbox import DAY
from app.jobs import Handler, Later
from app.models import Job
from app.storage import Store
from app.store import jobs as job_rows
from app.store import media as store
from app.store import settings

KIND: Final = "media.drop"
HOUR: Final = 3600.0
AWAY: Final = 300.0  # seconds until a storage that is away is asked again

log = logging.getLogger(__name__)


def expire(tx: Tx) -> int:
    """Up to a hundred files that were kept for as long as was asked. Their messages stay and say so."""
    days = settings.policy({"media_days": settings.read(tx, "media_days")}).media_days
    rows = tx.all(store.OLD, before=tx.now - days * DAY) if days else []
    for media_id, sha256 in rows:
        tx.run(store.EXPIRED, id=media_id)
        release(tx, sha256)
    return len(rows)


def release(tx: Tx, sha256: str) -> None:
    """A row has let go of this file: it is dropped, unless another has it."""
    tx.run(
        job_rows.REPLACE, id=tx.new_id(), kind=KIND, subject=sha256, payload="{}", due_at=tx.now, now=tx.now,
        conversation_id=None, lane="net",
    )  # fmt: skip


async def forget(db: Database, files: Store, sha256: str) -> bool:
    """Drop a file that no row has. Whether it was. Raises `Unavailable`."""
    async with files.lock(sha256):
        if await db.reader.one(store.KNOWN_FILE, sha256=sha256) is not None:
            return False
        await files.drop(sha256)
        return True


def handler(db: Database, files: Store) -> Handler:
    async def drop(job: Job) -> None:
        try:
            await forget(db, files, job.subject)
        except Unavailable as error:
            raise Later(AWAY, str(error), counts=False) from error

    return drop


async def run(db: Database, files: Store) -> None:
    """For ever: once an hour look for files without a row that came since the last look, and clear copies away."""
    since = 0.0
    while True:
        until = time.time() - HOUR
        try:
            for sha256 in await asyncio.to_thread(files.kept, since, until):
                if await forget(db, files, sha256):
                    log.warning("file %s belonged to nothing and was dropped", sha256)
            await asyncio.to_thread(files.trim)
            since = until
        except (DatabaseError, OSError, Unavailable) as error:
            log.warning("files wait: %s", error)
        await asyncio.sleep(HOUR)
