"""SQLite: one writer thread with group commit, read-only readers, checkpoints off the commit path.

The writer takes all waiting units and runs them in one transaction. It first runs them without savepoints; if one of them
fails, everything is rolled back and run again one by one, each under its own savepoint, which is sound because a unit has no
effect but through its `tx`. Nothing is acknowledged before COMMIT has returned with `synchronous=FULL`.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

import aiosqlite

from app.clock import Clock
from app.db import library
from app.db.base import Query, Statement
from app.db.errors import Broken, Stopped, DatabaseError, Full, Locked, NewerSchema, NotOurs
from app.db.ids import Ids
from app.db.migrate import Migration, known, pending
from app.events import Event, Listener, StoredEvent

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")
Done = Callable[[Any, BaseException | None], None]

APPLICATION_ID = 0x50524C59  # "PRLY"
BATCH = 64
BATCH_TIME = 0.005
SLOW = 0.020
BUSY_MS = 2500
READERS = 4
CHECKPOINT_EVERY = 0.25
LOG_GUARD = 64 * 1024 * 1024
INSERT_EVENT = "insert into event (seq, at, type, topics, data) values (?, ?, ?, ?, ?)"

log = logging.getLogger(__name__)


class Unit:
    """One waiting function with its arguments and who wants to know."""

    __slots__ = ("args", "done", "error", "fn", "result")

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], done: Done) -> None:
        self.fn = fn
        self.args = args
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None


class SqliteTx:
    """A unit's view of the writer's connection."""

    __slots__ = ("_execute", "_ids", "after", "connection", "events", "now")

    def __init__(self, connection: sqlite3.Connection, ids: Ids) -> None:
        self.connection = connection
        self._execute = connection.execute
        self._ids = ids
        self.now = 0
        self.events: list[Event] = []
        self.after: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def one(self, query: Query[T], /, **params: Any) -> T | None:
        cursor = self._execute(query.sql, params)
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.fetchone()  # runs a `returning` to its end
        return query.row(*row)

    def all(self, query: Query[T], /, **params: Any) -> list[T]:
        make = query.row
        return [make(*row) for row in self._execute(query.sql, params)]

    def run(self, statement: Statement, /, **params: Any) -> int:
        return self._execute(statement.sql, params).rowcount

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        self.connection.executemany(statement.sql, rows)

    def new_id(self) -> int:
        return self._ids.new(self.now)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        self.after.append((fn, args))

    def lock(self, table: str, id: int) -> bool:
        return False

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        return self.all(query, **params)


class SqliteReader:
    """One read-only connection."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def one(self, query: Query[T], /, **params: Any) -> T | None:
        rows = await self.all(query, **params)
        return rows[0] if rows else None

    async def all(self, query: Query[T], /, **params: Any) -> list[T]:
        try:
            rows = await self._connection.execute_fetchall(query.sql, params)
        except sqlite3.DatabaseError as error:
            raise translate(error) from error
        make = query.row
        return [make(*row) for row in rows]


class PooledReader:
    """Whichever reader is free."""

    def __init__(self, database: "Sqlite") -> None:
        self._database = database

    async def one(self, query: Query[T], /, **params: Any) -> T | None:
        return await self._database.read(SqliteReader.one, query, **params)

    async def all(self, query: Query[T], /, **params: Any) -> list[T]:
        return await self._database.read(SqliteReader.all, query, **params)


class Sqlite:
    """The whole database in one file. `synchronous` is an argument only so that a test can show what NORMAL loses."""

    dialect = "sqlite"

    def __init__(self, path: Path, clock: Clock, node: int = 0, synchronous: str = "FULL") -> None:
        self.path = path
        self._clock = clock
        self._synchronous = synchronous
        self._ids = Ids(node)
        self._waiting: deque[Unit] = deque()
        self._bulk: deque[Unit] = deque()
        self._signal = threading.Semaphore(0)
        self._since_bulk = 0
        self._listeners: list[Listener] = []
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._open_readers: list[aiosqlite.Connection] = []
        self._closing = False
        self._closed = threading.Event()
        self._seq = 0
        self._counts = {"units": 0, "batches": 0, "failed": 0, "slow": 0, "commit_us": 0}
        self.reader = PooledReader(self)

    # ---- start and stop --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open, migrate, start the writer and the readers. Raises `NewerSchema`, `NotOurs`, `DatabaseError`."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._open)
        threading.Thread(target=self._write_forever, name="db-writer", daemon=True).start()
        if library.may_checkpoint_elsewhere():
            threading.Thread(target=self._checkpoint_forever, name="db-checkpoint", daemon=True).start()
        for _ in range(READERS):
            reader = await aiosqlite.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True, isolation_level=None)
            await reader.execute(f"pragma busy_timeout = {BUSY_MS}")
            await reader.execute("pragma query_only = on")
            self._open_readers.append(reader)
            self._readers.put_nowait(reader)

    async def stop(self) -> None:
        """What waits is written; then everything is closed."""
        self._closing = True
        self._signal.release()
        await asyncio.to_thread(self._closed.wait, 15)
        for reader in self._open_readers:
            await reader.close()

    def _open(self) -> None:
        try:
            self._connection = connect(self.path, self._synchronous)
            migrate(self._connection, self.path, self._clock.now())
            self._seq = self._connection.execute("select coalesce(max(seq), 0) from event").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise translate(error) from error
        self._tx = SqliteTx(self._connection, self._ids)

    # ---- asking ----------------------------------------------------------------------------------------------------------

    async def write(self, fn: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        kwargs.pop("key", None)
        return await self._ask(self._waiting, fn, args)

    async def bulk(self, fn: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._ask(self._bulk, fn, args)

    async def _ask(self, queue: deque[Unit], fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        future: asyncio.Future[R] = self._loop.create_future()

        def done(result: Any, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self._put(queue, Unit(fn, args, done))
        return await future

    def submit(
        self, fn: Callable[..., R], *args: Any, done: Callable[[R | None, BaseException | None], None], key: int = 0
    ) -> None:
        self._put(self._waiting, Unit(fn, args, done))

    def _put(self, queue: deque[Unit], unit: Unit) -> None:
        if self._closed.is_set():
            self._loop.call_soon(unit.done, None, Stopped("The database is closed."))
            return
        queue.append(unit)
        self._signal.release()

    async def read(self, fn: Callable[Concatenate[Any, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        connection = await self._readers.get()
        try:
            return await fn(SqliteReader(connection), *args, **kwargs)
        finally:
            self._readers.put_nowait(connection)

    def listen(self, callback: Listener) -> None:
        self._listeners.append(callback)

    async def truncate(self) -> None:
        await asyncio.to_thread(self._checkpoint, "truncate")

    async def health(self) -> None:
        await self.write(lambda tx: tx.connection.execute("update migration set number = number where number = 0"))

    def stats(self) -> dict[str, Any]:
        wal = self.path.with_name(self.path.name + "-wal")
        return {
            **self._counts, "waiting": len(self._waiting), "bulk": len(self._bulk), "seq": self._seq,
            "log_bytes": wal.stat().st_size if wal.exists() else 0, "version": sqlite3.sqlite_version,
        }  # fmt: skip

    # ---- the writer's thread ---------------------------------------------------------------------------------------------

    def _write_forever(self) -> None:
        while True:
            self._signal.acquire()
            batch = self._take()
            if batch:
                self._commit(batch)
            elif self._closing:
                break
        try:
            self._connection.execute("pragma wal_checkpoint(truncate)").fetchall()
            self._connection.close()
        except sqlite3.Error as error:
            log.warning("closing the database: %s", error)
        self._closed.set()

    def _take(self) -> list[Unit]:
        """What waits now, up to a batch. Bulk units go when nothing else waits, and at least once in ten batches."""
        batch: list[Unit] = []
        bulk_turn = bool(self._bulk) and (not self._waiting or self._since_bulk >= 10)
        self._since_bulk = 0 if bulk_turn else self._since_bulk + 1
        if bulk_turn:
            return [self._bulk.popleft()]
        waiting = self._waiting
        while waiting and len(batch) < BATCH:
            batch.append(waiting.popleft())
        for _ in range(len(batch) - 1):
            self._signal.acquire(blocking=False)
        return batch

    def _commit(self, batch: list[Unit]) -> None:
        """One transaction for the batch, then everybody is told, in one call to the loop."""
        tx = self._tx
        tx.now = self._clock.now()
        tx.events, tx.after = [], []
        self._counts["batches"] += 1
        stored: list[StoredEvent] = []
        try:
            left = self._run_together(batch) if len(batch) > 1 else self._run_apart(batch)
            stored = self._store_events(tx)
            began = time.perf_counter_ns()
            self._connection.execute("commit")
            self._counts["commit_us"] = (time.perf_counter_ns() - began) // 1000
        except Exception as error:
            left = []
            self._abandon()
            failure = translate(error) if isinstance(error, sqlite3.Error) else error
            for unit in batch:
                unit.error = failure
            tx.after, stored = [], []
            self._counts["failed"] += len(batch)
        if left:
            self._waiting.extendleft(reversed(left))
            self._signal.release()
        finished = batch[: len(batch) - len(left)]
        self._counts["units"] += len(finished)
        self._loop.call_soon_threadsafe(self._tell, finished, tx.after, stored)

    def _run_together(self, batch: list[Unit]) -> list[Unit]:
        """Without savepoints. If one raises, the whole batch is rolled back and run apart. Returns what is left for later."""
        tx = self._tx
        deadline = time.perf_counter() + BATCH_TIME
        self._connection.execute("begin immediate")
        try:
            for position, unit in enumerate(batch):
                unit.result = unit.fn(tx, *unit.args)
                if time.perf_counter() > deadline:
                    self._slow(unit, deadline - BATCH_TIME)
                    return batch[position + 1 :]
            return []
        except Exception:
            if not self._connection.in_transaction:
                raise
            self._connection.execute("rollback")
        tx.events, tx.after = [], []
        return self._run_apart(batch)

    def _run_apart(self, batch: list[Unit]) -> list[Unit]:
        """Each unit under its own savepoint; a failing one rolls back only itself."""
        tx = self._tx
        execute = self._connection.execute
        execute("begin immediate")
        for unit in batch:
            events, after = len(tx.events), len(tx.after)
            began = time.perf_counter()
            execute("savepoint unit")
            try:
                unit.result = unit.fn(tx, *unit.args)
            except Exception as error:
                if not self._connection.in_transaction:
                    raise
                execute("rollback to unit")
                unit.error = translate(error) if isinstance(error, sqlite3.OperationalError) else error
                del tx.events[events:], tx.after[after:]
            execute("release unit")
            self._slow(unit, began)
        return []

    def _slow(self, unit: Unit, began: float) -> None:
        took = time.perf_counter() - began
        if took > SLOW:
            self._counts["slow"] += 1
            log.info("unit %s took %.0f ms", getattr(unit.fn, "__qualname__", unit.fn), took * 1000)

    def _store_events(self, tx: SqliteTx) -> list[StoredEvent]:
        if not tx.events:
            return []
        now, seq = tx.now, self._seq
        stored = [StoredEvent(seq + n, now, e.type, e.topics, e.data) for n, e in enumerate(tx.events, 1)]
        self._connection.executemany(
            INSERT_EVENT, [(e.seq, e.at, e.type, " ".join(e.topics), e.data.decode()) for e in stored]
        )
        return stored

    def _abandon(self) -> None:
        """A database error may have ended the transaction already; if not, end it."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
        except sqlite3.Error as error:
            log.warning("rolling back: %s", error)

    def _tell(
        self, units: list[Unit], after: list[tuple[Callable[..., Any], tuple[Any, ...]]], stored: list[StoredEvent]
    ) -> None:
        """On the loop's thread, after the commit."""
        if stored:
            self._seq = max(self._seq, stored[-1].seq)
        for fn, args in after:
            fn(*args)
        for unit in units:
            unit.done(None if unit.error else unit.result, unit.error)
        if stored:
            for listener in self._listeners:
                listener(stored)

    # ---- checkpoints -----------------------------------------------------------------------------------------------------

    def _checkpoint_forever(self) -> None:
        """Write the log back little by little; when it has grown large all the same, make the writer pause once."""
        own: sqlite3.Connection | None = None
        while not self._closed.wait(CHECKPOINT_EVERY):
            try:
                own = own or connect(self.path, self._synchronous)
                own.execute("pragma wal_checkpoint(passive)").fetchall()
                if self.stats()["log_bytes"] > LOG_GUARD:
                    own.execute("pragma wal_checkpoint(truncate)").fetchall()
            except sqlite3.Error as error:
                log.warning("checkpoint: %s", error)
        if own:
            own.close()

    def _checkpoint(self, mode: str) -> None:
        own = connect(self.path, self._synchronous)
        try:
            own.execute(f"pragma wal_checkpoint({mode})").fetchall()
        finally:
            own.close()


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """A writing connection. The order of the pragmas matters: the time-out first."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in (
        f"busy_timeout = {BUSY_MS}", "journal_mode = wal", f"synchronous = {synchronous}", "foreign_keys = on",
        "mmap_size = 0", "secure_delete = on", "wal_autocheckpoint = 0", "cache_size = -32768", "temp_store = memory",
    ):  # fmt: skip
        connection.execute(f"pragma {pragma}").fetchall()
    return connection


def migrate(connection: sqlite3.Connection, path: Path, now: int) -> None:
    """Bring the schema up to date, one transaction a migration, after a copy of what was there."""
    owner = connection.execute("pragma application_id").fetchone()[0]
    tables = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    if owner != APPLICATION_ID and tables:
        raise NotOurs(f"{path.name} is a database of another program.")
    applied = {row[0] for row in connection.execute("select number from migration")} if "migration" in tables else set()
    todo, newest = pending(known(), applied), max((migration.number for migration in known()), default=0)
    if applied and max(applied) > newest:
        raise NewerSchema(max(applied), newest)
    if todo and applied:
        connection.execute("vacuum into ?", (str(path.with_name(f"{path.name}.before-{todo[0].number:04}")),))
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    for migration in todo:
        apply(connection, migration, now)


def apply(connection: sqlite3.Connection, migration: Migration, now: int) -> None:
    connection.execute("begin immediate")
    try:
        for statement in migration.statements():
            connection.execute(statement)
        connection.execute("insert into migration values (?, ?, ?)", (migration.number, migration.name, now))
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def translate(error: BaseException) -> DatabaseError:
    """The database's own code in the product's words."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = (code or 0) & 0xFF
    if primary == 13:
        return Full("The disk is full.")
    if primary in (5, 6):
        return Locked("Another program holds the database.")
    return Broken(f"The database does not work: {error}.")
