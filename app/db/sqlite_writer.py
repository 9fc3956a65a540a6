"""The one thread that writes to SQLite: group commit.

It takes all waiting units (at most 64, or 5 ms of its own processor time: waiting for the interpreter is no work) into
one `BEGIN IMMEDIATE … COMMIT` and tells nobody before COMMIT has returned with `synchronous=FULL`. A batch first runs
without savepoints, which cost a fifth of a small unit. When a unit fails, everything is rolled back and the same units
run again, each under its own savepoint; sound because a unit has no effect but through its `tx`. When the database
itself fails, every unit of the batch fails: SQLite may have dropped the whole transaction already (`in_transaction`
tells), so nothing of it may be acknowledged.
"""

import logging
import re
import sqlite3
import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from app.clock import Clock
from app.db.contract import Query, Statement, T, Together
from app.db.errors import Broken, DatabaseError, Locked, UnknownOutcome, Violation
from app.db.ids import Ids
from app.db.journal import INSERT_EVENT, SET_MARK, place
from app.db.sqlite_file import explain, failure, open_writer
from app.db.units import Call, Unit, UnitQueue, settle, warn_if_slow
from app.events import Event, StoredEvent

log = logging.getLogger(__name__)

BATCH = 64
MOST_ROWS = 32
# A name, or a text in quotes, which may hold a colon.
PARAMETER = re.compile(r"'[^']*'|:([A-Za-z_]\w*)")
VALUES = re.compile(r"\bvalues\s*\(")
WORK = 0.005
BULK_WORK = 0.05  # while nothing waits but upkeep, of which nobody waits for the commit


class SqliteTx:
    """What a unit sees of the writer's connection. One for all units: their order is the order of its lists."""

    __slots__ = ("_execute", "_executemany", "_later", "_new_id", "calls", "events", "now")

    def __init__(self, connection: sqlite3.Connection, ids: Ids) -> None:
        # One cursor for all: making one a statement costs a fifth of a small unit.
        cursor = connection.cursor()
        self._execute = cursor.execute
        self._executemany = cursor.executemany
        self._new_id = ids.new
        self.clear(0)

    def clear(self, now: int) -> None:
        self.now = now
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self._later: dict[str, list[dict[str, Any]]] = {}

    def one(self, query: Query[T], /, **params: Any) -> T | None:
        if self._later:
            self.flush()
        # To its end: an unfinished statement would keep its snapshot and hold back checkpoints.
        sql, values = positional(query.sql)
        rows = self._execute(sql, values(params)).fetchall()
        return query.row(*rows[0]) if rows else None

    def all(self, query: Query[T], /, **params: Any) -> list[T]:
        if self._later:
            self.flush()
        sql, values = positional(query.sql)
        row = query.row
        return [row(*columns) for columns in self._execute(sql, values(params)).fetchall()]

    def run(self, statement: Statement, /, **params: Any) -> int:
        if self._later:
            self.flush()
        sql, values = positional(statement.sql)
        return self._execute(sql, values(params)).rowcount

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        if self._later:
            self.flush()
        if is_repeatable(statement.sql):
            for _ in self._repeated(statement.sql, list(rows)):
                """Nothing comes back from a write."""
        else:
            self._executemany(statement.sql, rows)

    def each(self, query: Query[T], rows: Sequence[Mapping[str, Any]]) -> list[T]:
        if self._later:
            self.flush()
        row = query.row
        return [row(*columns) for found in self._repeated(query.sql, rows) for columns in found]

    def later(self, statement: Statement, /, **params: Any) -> dict[str, Any]:
        rows = self._later.get(statement.sql)
        if rows is None:
            self._later[statement.sql] = [params]
        else:
            rows.append(params)
        return params

    def drop_later(self) -> None:
        self._later = {}

    def flush(self) -> None:
        """Write what was to be written later."""
        later, self._later = self._later, {}
        for sql, rows in later.items():
            for _ in self._repeated(sql, rows):
                """Nothing comes back from a write."""
            for row in rows:
                row.clear()

    def _repeated(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[list[tuple[Any, ...]]]:
        """Run a statement for all rows in pieces of 32, 16, … 1: few texts, each prepared once. Every statement gives
        the interpreter away to the event loop's thread and has to get it back, which costs more than a row."""
        values, at = positional(sql)[1], 0
        while at < len(rows):
            size = 1 << min(len(rows) - at, MOST_ROWS).bit_length() - 1
            given = list(chain.from_iterable(map(values, rows[at : at + size])))
            yield self._execute(repeated(sql, size), given).fetchall()
            at += size

    def new_id(self) -> int:
        return self._new_id(self.now)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        self.calls.append((fn, args))

    def lock(self, table: str, id: int) -> bool:
        return False  # no other unit runs meanwhile

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        return self.all(query, **params)


@cache
def positional(sql: str) -> tuple[str, Callable[[Mapping[str, Any]], Sequence[Any]]]:
    """The statement with `?` for its names, and what puts values in their order: the library looks names up slowly,
    which costs a fifth of a small statement."""
    names = [name for name in PARAMETER.findall(sql) if name]
    text = PARAMETER.sub(lambda found: "?" if found[1] else found[0], sql)
    return text, itemgetter(*names) if len(names) > 1 else lambda params: [params[name] for name in names]


@cache
def is_repeatable(sql: str) -> bool:
    """Are all of its parameters in one list of values."""
    text = positional(sql)[0]
    return len(VALUES.findall(text)) == 1 and repeated(sql, 2).count("?") == 2 * text.count("?")


@cache
def repeated(sql: str, size: int) -> str:
    """The positional statement with its one list of values so many times."""
    text = positional(sql)[0]
    start = found.end() if (found := VALUES.search(text)) else len(text)
    depth = 1
    for end in range(start, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if depth == 0:
            row = text[start - 1 : end + 1]
            return f"{text[: start - 1]}{', '.join([row] * size)}{text[end + 1 :]}"
    raise ValueError(f"no list of values in {sql}")


class Writer:
    """`moved` and `checkpoint_wanted` are set by the checkpoint thread, the counts are read by anyone."""

    def __init__(
        self,
        path: Path,
        synchronous: str,
        clock: Clock,
        ids: Ids,
        queue: UnitQueue,
        tell: Callable[[list[StoredEvent]], None],
    ) -> None:
        self.path, self._synchronous = path, synchronous
        self._clock, self._ids, self._tell = clock, ids, tell
        self.queue = queue
        self.between: deque[Callable[[sqlite3.Connection], object]] = deque()
        self.moved: DatabaseError | None = None
        self.seq = 0
        self.units = self.batches = self.failed = self.repeated = 0
        self.last_commit = 0.0
        self._broken = False
        self._mark: int | None = None
        self._connect()

    def _connect(self) -> None:
        self._connection = open_writer(self.path, self._synchronous)
        self._execute = self._connection.execute
        self._tx = SqliteTx(self._connection, self._ids)
        marks = dict(self._execute("select name, value from mark").fetchall())
        newest = self._execute("select coalesce(max(seq), 0) from event").fetchone()[0]
        self._ids.resume(marks.get(self._id_mark, 0))
        self.seq = max(self.seq, newest, marks.get("event.seq", 0))

    @property
    def _id_mark(self) -> str:
        return f"id.{self._ids.node}"

    def start(self, loop: AbstractEventLoop) -> threading.Thread:
        self._loop = loop
        thread = threading.Thread(target=self._serve, name="db-writer", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """After the thread has ended and the readers are closed: exact marks, an empty log."""
        try:
            for name, value in ((self._id_mark, self._ids.last), ("event.seq", self.seq)):
                self._execute(SET_MARK, {"name": name, "value": value})
            self._execute("pragma wal_checkpoint(truncate)").fetchall()
        except sqlite3.Error as error:
            log.warning("closing without checkpoint reason=%s", error)
        finally:
            self._connection.close()

    def _serve(self) -> None:
        while (unit := self.queue.take()) is not None:
            self._batch(unit)
            while self.between:
                self._run_between(self.between.popleft())

    def _run_between(self, errand: Callable[[sqlite3.Connection], object]) -> None:
        try:
            errand(self._connection)
        except Exception:
            log.exception("work between batches failed")

    def _batch(self, first: Unit) -> None:
        units = [first]
        committing = False
        try:
            self._check_file()
            self._begin()
            if not self._run_together(units):
                self._run_apart(units)
            stored = self._finish()
            started = perf_counter()
            committing = True
            self._execute("commit")
        except (sqlite3.Error, DatabaseError) as error:
            self._refuse(units, error, committing)
        except BaseException as error:
            log.exception("the writer failed")
            self._refuse(units, error, committing)
        else:
            self.last_commit = perf_counter() - started
            self._acknowledge(units, stored)

    def _check_file(self) -> None:
        if self.moved:
            raise self.moved
        if self._broken:
            self._connection.close()
            self._connect()
            self._broken = False

    def _begin(self) -> None:
        self._execute("begin immediate")
        self._tx.clear(self._clock.now())

    def _run_together(self, units: list[Unit]) -> bool:
        """Run what waits, adding to `units`. False if a unit failed by itself; raises when the database did."""
        begun = thread_time()
        unit: Unit | None = units[0]
        while unit is not None:
            same, following = self._gather(unit, units)
            started, self._tx.now = perf_counter(), self._clock.now()
            try:
                run_same(self._tx, same)
            except BaseException as error:
                self._raise_if_storage(error)
                return False
            warn_if_slow(same, started)
            if following is None and len(units) < BATCH and self._goes_on(thread_time() - begun):
                following = self.queue.take_waiting()
                units += [following] if following else []
            unit = following
        return self._flushed()

    def _goes_on(self, worked: float) -> bool:
        return worked < WORK or (worked < BULK_WORK and self.queue.only_bulk())

    def _gather(self, unit: Unit, units: list[Unit]) -> tuple[list[Unit], Unit | None]:
        """Those that wait and can be done together with this one, and the one behind them if it was taken, too."""
        same = [unit]
        while isinstance(unit.fn, Together) and len(same) < MOST_ROWS and len(units) < BATCH:
            if (other := self.queue.take_waiting()) is None:
                break
            units.append(other)
            if other.fn is not unit.fn:
                return same, other
            same.append(other)
        return same, None

    def _flushed(self) -> bool:
        try:
            self._tx.flush()
        except BaseException as error:
            self._raise_if_storage(error)
            return False
        return True

    def _run_apart(self, units: list[Unit]) -> None:
        """The same units from a clean state, each rolled back alone if it fails."""
        self.repeated += 1
        self._execute("rollback")
        self._begin()
        for unit in units:
            self._run_guarded(unit)

    def _run_guarded(self, unit: Unit) -> None:
        tx, started = self._tx, perf_counter()
        tx.now = self._clock.now()
        events, calls = len(tx.events), len(tx.calls)
        self._execute("savepoint unit")
        try:
            unit.result = unit.fn(tx, *unit.args)
            tx.flush()
        except BaseException as error:
            tx.drop_later()
            self._raise_if_storage(error)
            unit.result, unit.error = None, own_error(error)
            self.failed += 1
            del tx.events[events:], tx.calls[calls:]
            self._execute("rollback to unit")
        self._execute("release unit")
        warn_if_slow([unit], started)

    def _raise_if_storage(self, error: BaseException) -> None:
        if failure(error) or not self._connection.in_transaction:
            raise error

    def _finish(self) -> list[StoredEvent]:
        """The last writes of the transaction: events in their places, and the mark of the ids if it is due."""
        if not self._connection.in_transaction:
            raise Broken("A unit went on after the database had dropped its transaction.")
        stored: list[StoredEvent] = []
        if self._tx.events:
            stored, rows = place(self._tx.events, self._tx.now, self.seq)
            for row in rows:
                self._tx.later(INSERT_EVENT, **row)
            self._tx.flush()
        self._mark = self._ids.mark_needed()
        if self._mark is not None:
            self._execute(SET_MARK, {"name": self._id_mark, "value": self._mark})
            self._execute(SET_MARK, {"name": "event.seq", "value": self.seq + len(stored)})
        return stored

    def _acknowledge(self, units: list[Unit], stored: list[StoredEvent]) -> None:
        self.units += len(units)
        self.batches += 1
        self.seq += len(stored)
        if self._mark is not None:
            self._ids.mark_stored(self._mark)
        calls = self._tx.calls
        if stored:
            calls.append((self._tell, (stored,)))
        settle(self._loop, units, calls)

    def _refuse(self, units: list[Unit], error: BaseException, committing: bool) -> None:
        """Nothing of the batch is acknowledged. The next batch tries again, on a new connection if need be."""
        reason = explain(error) if isinstance(error, sqlite3.Error) else error
        self._roll_back()
        if isinstance(reason, Broken):
            self._broken = True
            reason = UnknownOutcome() if committing else reason
        if isinstance(reason, Locked):
            # They waited as long as this batch did, and would now wait as long again.
            units += self.queue.take_all()
        self.failed += len(units)
        log.warning("batch refused units=%d reason=%s cause=%s", len(units), getattr(reason, "code", reason), error)
        for unit in units:
            unit.result, unit.error = None, reason
        settle(self._loop, units)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._execute("rollback")
        except sqlite3.Error:
            self._broken = True


def run_same(tx: SqliteTx, units: list[Unit]) -> None:
    fn = units[0].fn
    if isinstance(fn, Together) and len(units) > 1:
        for unit, result in zip(units, fn.several(tx, [unit.args for unit in units]), strict=True):
            unit.result = result
    else:
        units[0].result = fn(tx, *units[0].args)


def own_error(error: BaseException) -> BaseException:
    """What a unit that failed by itself gets: its exception, but broken constraints alike on both databases."""
    if isinstance(error, sqlite3.IntegrityError):
        violation = Violation(str(error))
        violation.__cause__ = error
        return violation
    return error
