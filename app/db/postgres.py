"""Postgres: the same units and queries, on a few writer threads chosen by key, with asynchronous read-only readers."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from app.clock import Clock
from app.db import migrate
from app.db.contract import Query, T
from app.db.errors import DatabaseError, NotOurs, TooOld
from app.db.front import Front
from app.db.journal import SET_MARK
from app.db.migrate import Migration
from app.db.pool import Pool
from app.db.postgres_link import Address, explain, translate
from app.db.postgres_writer import PostgresWriter
from app.db.rows import narrowed
from app.db.sequencer import Sequencer
from app.db.units import UnitQueue

log = logging.getLogger(__name__)

WRITERS = 4
READERS = 4
FLOOR = 140000
MIGRATION_LOCK = 0x50524C59


class PostgresReader:
    """One read-only connection, opened again once when the server had closed it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: psycopg.AsyncConnection[Any] | None = None

    @property
    def usable(self) -> bool:
        idle = psycopg.pq.TransactionStatus.IDLE
        return self._connection is None or self._connection.info.transaction_status == idle

    async def one(self, query: Query[T], /, **params: Any) -> T | None:
        rows = await self.all(query, **params)
        return rows[0] if rows else None

    async def all(self, query: Query[T], /, **params: Any) -> list[T]:
        row = query.row
        return [row(*columns) for columns in await self._rows(narrowed(query.sql), params)]

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _rows(self, sql: str, params: dict[str, Any]) -> list[Any]:
        was_open = self._connection is not None
        try:
            return await self._fetch(sql, params)
        except psycopg.Error as error:
            if self._connection is not None and not self._connection.closed:
                raise explain(error) from error
            await self.close()
            if not was_open:
                raise explain(error) from error
        return await self._rows(sql, params)

    async def _fetch(self, sql: str, params: dict[str, Any]) -> list[Any]:
        if self._connection is None:
            self._connection = await self._address.connect_reader()
        cursor = await self._connection.execute(translate(sql), params)
        return await cursor.fetchall()


class Postgres(Front[PostgresReader]):
    """One schema of one database, used by one process a node number."""

    dialect = "postgres"

    def __init__(self, url: str, *, clock: Clock, node: int = 0, migrations: Path | None = None) -> None:
        self._address = Address(url)
        self._migrations = migrations
        self._node = node
        super().__init__(clock, node, [UnitQueue() for _ in range(WRITERS)], Pool(self._new_reader, READERS))

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._sequencer = Sequencer(self._address, self._node, loop, self._tell)
        try:
            await asyncio.to_thread(self._prepare)
        except BaseException:
            self._sequencer.close()
            raise
        self._sequencer.start()
        self._writers = [
            PostgresWriter(self._address, self._clock, self._ids, queue, self._sequencer.ring) for queue in self._queues
        ]
        self._threads = [writer.start(loop, number) for number, writer in enumerate(self._writers)]
        self._open = True
        log.info("database=%s server=%s", self._address.shown, self._version)

    async def stop(self) -> None:
        if not self._open:
            return
        self._open = False
        for queue in self._queues:
            queue.stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        await asyncio.to_thread(self._sequencer.stop)
        await self._pool.close()

    async def settled(self) -> None:
        await super().settled()
        told = asyncio.Event()
        self._sequencer.after_round(told.set)
        await told.wait()

    async def truncate(self) -> None:
        """The server's own business: it overwrites dead rows as it vacuums."""

    async def own_place(self, name: str) -> str:
        return await asyncio.to_thread(self._own_place, name)

    def _own_place(self, name: str) -> str:
        with self._alone() as connection:
            connection.execute(translate(f'create schema if not exists "{name}"'))
            return self._address.place(name, encrypted=connection.pgconn.ssl_in_use)

    async def drop_place(self, name: str) -> None:
        def drop() -> None:
            with self._alone() as connection:
                connection.execute(translate(f'drop schema if exists "{name}" cascade'))

        await asyncio.to_thread(drop)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection for this alone: what it does is no unit."""
        try:
            with self._address.connect(autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            meaning = explain(error)
            raise meaning if isinstance(meaning, DatabaseError) else DatabaseError(str(error)) from error

    def stats(self) -> dict[str, int | float | str]:
        writers = self._writers
        units = sum(writer.units for writer in writers)
        return {
            "version": self._version,
            "waiting": sum(len(queue) for queue in self._queues),
            "batches": units,
            "units": units,
            "failed": sum(writer.failed for writer in writers),
            "repeated": sum(writer.repeated for writer in writers),
            "commit_ms": round(max(writer.last_commit for writer in writers) * 1000, 3),
            "seq": self._sequencer.seq,
        }

    async def _new_reader(self) -> PostgresReader:
        return PostgresReader(self._address)

    def _prepare(self) -> None:
        with self._alone() as connection:
            self._check_server(connection)
            self._sequencer.connect()
            self._migrate(connection)
            self._resume(connection)

    def _check_server(self, connection: psycopg.Connection[Any]) -> None:
        self._version = f"Postgres {connection.info.parameter_status('server_version')}"
        if connection.info.server_version < FLOOR:
            raise TooOld(f"{self._version} is too old; {FLOOR // 10000} is needed.")
        if _value(connection, "show synchronous_commit") not in {"on", "remote_apply"}:
            raise DatabaseError("The server acknowledges before it has stored: synchronous_commit must be on.")
        if _value(connection, "show fsync") != "on":
            log.warning("the server runs with fsync=off and loses data when the power goes")
        if self._address.schema:
            connection.execute(translate(f'create schema if not exists "{self._address.schema}"'))

    def _migrate(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("select pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        known = migrate.known(self._migrations)
        todo = migrate.pending(known, _applied(connection))
        target = _Target(connection)
        for migration in todo:
            migrate.apply(target, migration, self._clock.now())
        connection.execute("select pg_advisory_unlock(%s)", (MIGRATION_LOCK,))

    def _resume(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(translate(SET_MARK), {"name": "event.seq", "value": 0})
        marks = dict(connection.execute("select name, value from mark").fetchall())
        self._ids.resume(marks.get(f"id.{self._node}", 0))
        self._sequencer.seq = marks["event.seq"]


class _Target:
    """A connection to migrate."""

    dialect = "postgres"

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def begin(self) -> None:
        self._connection.execute("begin")

    def execute(self, sql: str) -> None:
        self._connection.execute(translate(sql))

    def record(self, migration: Migration, now: int) -> None:
        values = (migration.number, migration.name, now)
        self._connection.execute("insert into migration values (%s, %s, %s)", values)

    def commit(self) -> None:
        self._connection.execute("commit")

    def rollback(self) -> None:
        self._connection.execute("rollback")


def _applied(connection: psycopg.Connection[Any]) -> set[int]:
    """Numbers of the applied migrations. Raises NotOurs for a schema with tables of another program."""
    tables = connection.execute("select tablename from pg_tables where schemaname = current_schema()").fetchall()
    if not tables:
        return set()
    if ("migration",) not in tables or ("mark",) not in tables:
        raise NotOurs("This schema belongs to another program. Name another one.")
    return {number for (number,) in connection.execute("select number from migration").fetchall()}


def _value(connection: psycopg.Connection[Any], sql: str) -> Any:
    row = connection.execute(translate(sql)).fetchone()
    return None if row is None else row[0]
