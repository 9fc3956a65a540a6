"""The database: units of work on a writer thread, read-only readers, events in commit order, on SQLite or Postgres."""

from pathlib import Path

from app.clock import Clock
from app.db.contract import Database, Query, Reader, Statement, Together, Tx
from app.db.errors import (
    Broken,
    Corrupt,
    DatabaseError,
    Full,
    InUse,
    Locked,
    Moved,
    NewerSchema,
    NotOurs,
    Stopped,
    UnknownOutcome,
    Violation,
)
from app.db.journal import EVENTS_AFTER


def open_database(where: str | Path, *, clock: Clock, node: int = 0, migrations: Path | None = None) -> Database:
    """Postgres for a `postgresql://` address, else SQLite for the path of a file. `start` opens it."""
    if isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        from app.db.postgres import Postgres

        return Postgres(where, clock=clock, node=node, migrations=migrations)
    from app.db.sqlite import Sqlite

    path = Path(str(where).removeprefix("sqlite:///"))
    return Sqlite(path, clock=clock, node=node, migrations=migrations)


__all__ = [
    "EVENTS_AFTER",
    "Broken",
    "Corrupt",
    "Database",
    "DatabaseError",
    "Full",
    "InUse",
    "Locked",
    "Moved",
    "NewerSchema",
    "NotOurs",
    "Query",
    "Reader",
    "Statement",
    "Stopped",
    "Together",
    "Tx",
    "UnknownOutcome",
    "Violation",
    "open_database",
]
