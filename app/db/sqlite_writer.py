"""The one thread that writes to SQLite: group commit.

It takes all waiting units (at most 64, or 5 ms of its own processor time: waiting for the interpreter is no work) into
one `BEGIN IMMEDIATE … COMMIT` and tells nobody before COMMIT has returned with `synchronous=FULL`. A batch first runs
without savepoints, which cost a fifth of a small unit. When a unit fails, everything is rolled back and the same units
run again, each under its own savepoint; sound because a unit has no effect but through its `tx`. When the database
itself fails, every unit of the batch fails: SQLite may have dropped the whole transaction already (`in_transaction`
tells), so nothing of it may be acknowledged.
"""

import logging
import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep, thread_time
from typing import Any

import apsw

from app.clock import Clock
from app.db.contract import Together
from app.db.errors import Broken, DatabaseError, Locked, UnknownOutcome, Violation
from app.db.ids import Ids
from app.db.journal import INSERT_EVENT, SET_MARK, place
from app.db.sqlite_file import explain, failure, open_writer
from app.db.sqlite_tx import MOST_ROWS, SqliteTx
from app.db.units import Unit, UnitQueue, settle, warn_if_slow
from app.events import StoredEvent

log = logging.getLogger(__name__)

BATCH = 64
WORK = 0.005
BULK_WORK = 0.05  # while nothing waits but upkeep, of which nobody waits for the commit
# What can be done together costs three times as much alone. So while small batches of it follow each other closely, the
# next one is given a moment to grow; nobody waits for it who was committed already.
CLOSE, FEW, PAUSE = 0.003, 24, 0.001  # s, units, s


class Writer:
    """`moved` is set by the checkpoint thread, the counts are read by anyone."""

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
        self.between: deque[Callable[[apsw.Connection], object]] = deque()
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
        rows: Any = self._execute("select name, value from mark").fetchall()
        marks: dict[str, int] = dict(rows)
        newest = self._execute("select coalesce(max(seq), 0) from event").get
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
        except apsw.Error as error:
            log.warning("closing without checkpoint reason=%s", error)
        finally:
            self._connection.close()

    def _serve(self) -> None:
        ended = 0.0
        while (unit := self.queue.take()) is not None:
            close = perf_counter() - ended < CLOSE
            units = self._batch(unit)
            while self.between:
                self._run_between(self.between.popleft())
            if close and len(units) < FEW and any(isinstance(unit.fn, Together) for unit in units):
                sleep(PAUSE)
            ended = perf_counter()

    def _run_between(self, errand: Callable[[apsw.Connection], object]) -> None:
        try:
            errand(self._connection)
        except Exception:
            log.exception("work between batches failed")

    def _batch(self, first: Unit) -> list[Unit]:
        """Returns what was in it."""
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
        except (apsw.Error, DatabaseError) as error:
            self._refuse(units, error, committing)
        except BaseException as error:
            log.exception("the writer failed")
            self._refuse(units, error, committing)
        else:
            self.last_commit = perf_counter() - started
            self._acknowledge(units, stored)
        return units

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
            self._tx.many(INSERT_EVENT, rows)
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
        reason = explain(error) if isinstance(error, apsw.Error) else error
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
        except apsw.Error:
            self._broken = True


def run_same(tx: SqliteTx, units: list[Unit]) -> None:
    fn = units[0].fn
    if isinstance(fn, Together):  # also one: what is done together needs fewer statements
        for unit, result in zip(units, fn.several(tx, [unit.args for unit in units]), strict=True):
            unit.result = result
    else:
        units[0].result = fn(tx, *units[0].args)


def own_error(error: BaseException) -> BaseException:
    """What a unit that failed by itself gets: its exception, but broken constraints alike on both databases."""
    if isinstance(error, apsw.ConstraintError):
        violation = Violation(str(error))
        violation.__cause__ = error
        return violation
    return error
