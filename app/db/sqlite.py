"""SQLite: one writer thread, read-only readers on aiosqlite, checkpoints on a thread of their own."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import apsw

from app.clock import Clock
from app.db import library
from app.db.checkpoints import Checkpoints, empty_log
from app.db.contract import Query, T
from app.db.errors import DatabaseError, Locked
from app.db.front import Front
from app.db.pool import Pool
from app.db.rows import narrowed
from app.db.sqlite_file import connect, explain, failure, prepare
from app.db.sqlite_writer import Writer
from app.db.units import UnitQueue

log = logging.getLogger(__name__)

READERS = 4
CHUNK = 64  # rows that an iteration takes at once; nothing here iterates
PATIENCE = 5.0  # how long emptying the log waits for readers (s)


class SqliteReader:
    """One read-only connection."""

    usable = True

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def one(self, query: Query[T], /, **params: Any) -> T | None:
        rows = await self.all(query, **params)
        return rows[0] if rows else None

    async def all(self, query: Query[T], /, **params: Any) -> list[T]:
        try:
            rows = await self._connection.execute_fetchall(narrowed(query.sql), params)
        except apsw.Error as error:
            raise failure(error) or error from error
        except asyncio.CancelledError:
            await self._connection.interrupt()  # nobody waits for it; the next reader should not have to
            raise
        row = query.row
        return [row(*columns) for columns in rows]

    async def close(self) -> None:
        await self._connection.close()


class Sqlite(Front[SqliteReader]):
    """The whole database in one file. `synchronous` is an argument only so that a test can show what NORMAL loses."""

    dialect = "sqlite"

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        node: int = 0,
        migrations: Path | None = None,
        synchronous: str = "FULL",
    ) -> None:
        self.path = path
        self._migrations = migrations
        self._synchronous = synchronous
        super().__init__(clock, node, [UnitQueue()], Pool(self._connect_reader, READERS))

    async def start(self) -> None:
        await asyncio.to_thread(prepare, self.path, self._clock.now(), self._migrations)
        try:
            self._writer = Writer(self.path, self._synchronous, self._clock, self._ids, self._queues[0], self._tell)
        except apsw.Error as error:
            raise explain(error) from error
        self._thread = self._writer.start(asyncio.get_running_loop())
        self._checkpoints = Checkpoints(self._writer)
        self._checkpoints.start()
        self._open = True
        log.info("database=%s library=%s", self.path.name, library.describe_sqlite())

    async def stop(self) -> None:
        if not self._open:
            return
        self._open = False
        self._queues[0].stop()
        await asyncio.to_thread(self._thread.join)
        await self._pool.close()
        await asyncio.to_thread(self._checkpoints.stop)
        await asyncio.to_thread(self._writer.close)

    async def own_place(self, name: str) -> str:
        return ""

    async def drop_place(self, name: str) -> None:
        """The program's file is its own."""

    async def truncate(self) -> None:
        until = self._clock.monotonic() + PATIENCE
        while not await self._between(empty_log):
            if self._clock.monotonic() > until:
                raise Locked("Someone has been reading for long; the log beside the database was not emptied.")
            await asyncio.sleep(0.05)

    async def _between(self, errand: Callable[[apsw.Connection], bool]) -> bool:
        """Run something on the writer's connection outside of any transaction."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def run(connection: apsw.Connection) -> None:
            try:
                loop.call_soon_threadsafe(answer.set_result, errand(connection))
            except apsw.Error as error:
                loop.call_soon_threadsafe(answer.set_exception, explain(error))

        self._writer.between.append(run)
        await self.settled()
        return await answer

    def stats(self) -> dict[str, int | float | str]:
        writer, queue = self._writer, self._queues[0]
        return {
            "version": library.VERSION,
            "waiting": len(queue),
            "batches": writer.batches,
            "units": writer.units,
            "failed": writer.failed,
            "repeated": writer.repeated,
            "commit_ms": round(writer.last_commit * 1000, 3),
            "seq": writer.seq,
            "log_bytes": _size(self.path.with_name(self.path.name + "-wal")),
            "file_bytes": _size(self.path),
        }

    async def _connect_reader(self) -> SqliteReader:
        opening = asyncio.ensure_future(self._open_reader())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A thread opens it, which would go on behind whoever stops: the connection would be nobody's.
            with contextlib.suppress(DatabaseError):
                await (await opening).close()
            raise

    async def _open_reader(self) -> SqliteReader:
        try:
            opener: Any = partial(connect, self.path, write=False)  # as sqlite3's, as far as aiosqlite is used here
            connection = await aiosqlite.Connection(opener, CHUNK)
            try:
                for pragma in ("query_only = on", "mmap_size = 0"):
                    await connection.execute_fetchall(f"pragma {pragma}")
            except BaseException:  # of a task that was cancelled, too
                await connection.close()
                raise
        except apsw.Error as error:
            raise explain(error) from error
        return SqliteReader(connection)


def _size(path: Path) -> int:
    """`stat` opens nothing."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
