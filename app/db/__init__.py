"""The database: units of work on a writer thread, read-only readers, events in commit order, on SQLite or Postgres."""

from pathlib import Path

from app.clock import Clock
from app.db.base import Database, Query, Reader, Statement, Tx
from app.db.errors import Broken, DatabaseError, Full, Locked, NewerSchema, NotOurs, Stopped, UnknownOutcome


def open_database(where: str | Path, *, clock: Clock, node: int = 0) -> Database:
    """SQLite for a path, Postgres for an address. `start` opens it."""
    if isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        from app.db.postgres import Postgres

        return Postgres(where, clock=clock, node=node)
    from app.db.sqlite import Sqlite

    return Sqlite(Path(str(where).removeprefix("sqlite:///")), clock, node)


__all__ = [
    "Broken", "Database", "DatabaseError", "Full", "Locked", "NewerSchema", "NotOurs", "Query", "Reader",
    "Statement", "Stopped", "Tx", "UnknownOutcome", "open_database",
]  # fmt: skip
