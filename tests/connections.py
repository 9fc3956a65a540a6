"""Connections to the schemas that tests borrow, kept open from one test to the next.

A new connection of Postgres is a new process that reads the catalogue and plans every statement anew, which costs many
times what a test asks of it. What opens and loses connections is shown in `tests/db/test_postgres.py`, on schemas of
its own that nothing here touches.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from app.db.postgres_link import Address

CLEAN = "select pg_advisory_unlock_all(); unlisten *"


class _Writing(psycopg.Connection[Any]):
    kept: "list[_Writing] | None" = None

    def close(self) -> None:
        if self.kept is not None and self._cleaned():
            self.kept.append(self)
        else:
            super().close()

    def _cleaned(self) -> bool:
        if self.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return False
        try:
            self.set_autocommit(True)
            self.execute(CLEAN, prepare=False)
        except psycopg.Error:
            return False
        return True


class _Reading(psycopg.AsyncConnection[Any]):
    kept: "list[_Reading] | None" = None

    async def close(self) -> None:
        if self.kept is not None and self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            self.kept.append(self)
        else:
            await super().close()


class Connections:
    """Stands where the product opens its connections, for the schemas that are lent."""

    def __init__(self) -> None:
        self._writing: dict[str, list[_Writing]] = {}
        self._reading: dict[str, list[_Reading]] = {}

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        connect, connect_reader = Address.connect, Address.connect_reader

        def writing(address: Address, *, autocommit: bool = False) -> psycopg.Connection[Any]:
            kept = self._writing.get(address.schema or "")
            if kept is None:
                return connect(address, autocommit=autocommit)
            connection = _take(kept)
            if connection is None:
                connection = _Writing.connect(**address.arguments())
                connection.prepared_max, connection.kept = None, kept
            connection.set_autocommit(autocommit)
            return connection

        async def reading(address: Address) -> psycopg.AsyncConnection[Any]:
            kept = self._reading.get(address.schema or "")
            if kept is None:
                return await connect_reader(address)
            connection = _take(kept)
            if connection is None:
                connection = await _Reading.connect(**address.arguments(read_only=True), autocommit=True)
                connection.prepared_max, connection.kept = None, kept
            connection.lock = asyncio.Lock()  # the last one may belong to the loop of another test
            return connection

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Address, "connect", writing)
            patch.setattr(Address, "connect_reader", reading)
            yield

    def keep(self, schema: str) -> None:
        """From now on its connections stay open when they are closed."""
        self._writing.setdefault(schema, [])
        self._reading.setdefault(schema, [])

    def idle(self, schema: str) -> int:
        return len(self._writing[schema]) + len(self._reading[schema])

    def end(self, schema: str) -> None:
        for connection in (*self._writing.pop(schema), *self._reading.pop(schema)):
            connection.pgconn.finish()
            connection.kept = None


def _take(kept: list[Any]) -> Any:
    """The one put back last, if it still lives."""
    while kept:
        connection = kept.pop()
        if not connection.closed:
            return connection
    return None
