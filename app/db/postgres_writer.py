"""A thread that writes to Postgres: one unit, one transaction; the server groups the commits of all connections.

A unit that lost a race (serialisation, deadlock) or its connection runs again, up to three times; also when the
connection went during COMMIT: if that commit took place after all, its unique keys make the second run find the rows.
"""

import logging
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic, perf_counter, sleep
from typing import Any

import psycopg

from app.clock import Clock
from app.db.contract import Query, Statement, T
from app.db.errors import Broken, UnknownOutcome
from app.db.ids import Ids
from app.db.journal import SET_MARK, event_row
from app.db.postgres_link import REPEATABLE, Address, explain, translate
from app.db.units import Call, Unit, UnitQueue, settle, warn_if_slow
from app.events import Event

log = logging.getLogger(__name__)

REPEATS = 3
PATIENCE = 2.0  # how long the first unit of an outage waits for the server; the following are refused at once (s)
INSERT_ARRIVAL = "insert into event_arrival (id, at, type, topics, data) values (:id, :at, :type, :topics, :data)"


class PostgresTx:
    """What a unit sees of its transaction."""

    def __init__(self, connection: psycopg.Connection[Any], ids: Ids, now: int) -> None:
        self._cursor = connection.cursor()
        self._ids = ids
        self.now = now
        self.events: list[Event] = []
        self.calls: list[Call] = []

    def one(self, query: Query[T], /, **params: Any) -> T | None:
        row = self._cursor.execute(translate(query.sql), params).fetchone()
        return None if row is None else query.row(*row)

    def all(self, query: Query[T], /, **params: Any) -> list[T]:
        row = query.row
        return [row(*columns) for columns in self._cursor.execute(translate(query.sql), params).fetchall()]

    def run(self, statement: Statement, /, **params: Any) -> int:
        return self._cursor.execute(translate(statement.alone or statement.sql), params).rowcount

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        self._cursor.executemany(translate(statement.sql), rows)

    def each(self, query: Query[T], rows: Sequence[Mapping[str, Any]]) -> list[T]:
        return [found for row in rows for found in self.all(query, **row)]

    def later(self, statement: Statement, /, **params: Any) -> dict[str, Any]:
        self.run(statement, **params)
        return {}

    def new_id(self) -> int:
        return self._ids.new(self.now)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        self.calls.append((fn, args))

    def lock(self, table: str, id: int) -> bool:
        if not table.isidentifier():
            raise ValueError(f"not a table: {table}")
        self._cursor.execute(translate(f"select 1 from {table} where id = :id for update"), {"id": id})
        return True

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        return self.all(Query(f"{query.sql.rstrip().rstrip(';')} for update skip locked", query.row), **params)

    def finish(self) -> int | None:
        """The last writes of the transaction. The mark that was written, if it was due."""
        if self.events:
            rows = [{"id": self.new_id(), **event_row(event, self.now)} for event in self.events]
            self._cursor.executemany(translate(INSERT_ARRIVAL), rows)
        # Last, because all writers may want this one row: whoever has it only commits.
        mark = self._ids.mark_needed()
        if mark is not None:
            self._cursor.execute(translate(SET_MARK), {"name": f"id.{self._ids.node}", "value": mark})
        return mark


class PostgresWriter:
    """Serves one queue over one connection, which it opens when needed and again when lost."""

    def __init__(self, address: Address, clock: Clock, ids: Ids, queue: UnitQueue, rang: Callable[[], None]) -> None:
        self._address, self._clock, self._ids, self._rang = address, clock, ids, rang
        self.queue = queue
        self.units = self.failed = self.repeated = 0
        self.last_commit = 0.0
        self._connection: psycopg.Connection[Any] | None = None
        self._down = False
        self._committing = False

    def start(self, loop: AbstractEventLoop, number: int) -> threading.Thread:
        self._loop = loop
        thread = threading.Thread(target=self._serve, name=f"db-writer-{number}", daemon=True)
        thread.start()
        return thread

    def _serve(self) -> None:
        while (unit := self.queue.take()) is not None:
            self._run(unit)
        self._drop()

    def _run(self, unit: Unit) -> None:
        unknown = False
        for left in reversed(range(REPEATS + 1)):
            try:
                calls = self._attempt(unit)
            except psycopg.Error as error:
                lost = self._clean(error)
                unknown = unknown or (lost and self._committing)
                if left and not self._down and (lost or isinstance(error, REPEATABLE)):
                    self.repeated += 1
                    continue
                unit.error = UnknownOutcome() if unknown else explain(error)
            except BaseException as error:
                self._clean(error)
                unit.error = error
            else:
                self.units += 1
                settle(self._loop, [unit], calls)
                return
            break
        self._refuse(unit)

    def _attempt(self, unit: Unit) -> list[Call]:
        self._committing = False
        connection = self._connect()
        tx, started = PostgresTx(connection, self._ids, self._clock.now()), perf_counter()
        unit.result = unit.fn(tx, *unit.args)
        mark = tx.finish()
        warn_if_slow([unit], started)
        self._committing, started = True, perf_counter()
        connection.commit()
        self.last_commit = perf_counter() - started
        if mark is not None:
            self._ids.mark_stored(mark)
        if tx.events:
            self._rang()
        return tx.calls

    def _refuse(self, unit: Unit) -> None:
        unit.result = None
        refused = [unit]
        if self._down:  # the others would only wait for the same answer
            refused += self.queue.take_all()
            for other in refused[1:]:
                other.error = Broken()
        self.failed += len(refused)
        settle(self._loop, refused)

    def _connect(self) -> psycopg.Connection[Any]:
        """The connection, opened if need be. In an outage only its first unit waits."""
        if self._connection is not None:
            return self._connection
        until = monotonic() + (0 if self._down else PATIENCE)
        while True:
            try:
                self._connection = self._address.connect()
            except psycopg.Error:
                if monotonic() >= until:
                    self._down = True
                    raise
                sleep(0.1)
            else:
                self._down = False
                return self._connection

    def _clean(self, error: BaseException) -> bool:
        """After an error: roll back, or drop the connection. True if it was lost."""
        if self._connection is None:
            return True
        # Without the server's code it came from our side of a connection that ended, which may not call itself closed.
        suspect = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
        try:
            self._connection.rollback()
        except psycopg.Error:
            suspect = True
        if suspect or self._connection.closed:
            self._drop()
            return True
        return False

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
