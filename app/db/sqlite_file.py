"""The SQLite file: how it is opened, recognised, migrated, and what its errors mean.

No other code of the process may `open()` the file while it is in use: closing any descriptor of it would drop SQLite's
locks.
"""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from app.db import migrate
from app.db.errors import Broken, Corrupt, DatabaseError, Full, Locked, NotOurs
from app.db.migrate import Migration
from app.system import make_private, make_private_folder, open_private, sync_file, sync_folder

APPLICATION_ID = 0x50524C59  # "PRLY"
# A little under the 2.5 s in which a caller is promised an answer.
BUSY_MS = 2400
WAL_LIMIT = 64 * 1024 * 1024
STATEMENTS = 512  # prepared and kept, the most that apsw keeps

_FAILURES: dict[int, type[DatabaseError]] = {
    apsw.SQLITE_BUSY: Locked,
    apsw.SQLITE_LOCKED: Locked,
    apsw.SQLITE_PROTOCOL: Locked,
    apsw.SQLITE_FULL: Full,
    apsw.SQLITE_NOMEM: Broken,
    apsw.SQLITE_READONLY: Broken,
    apsw.SQLITE_INTERRUPT: Broken,
    apsw.SQLITE_IOERR: Broken,
    apsw.SQLITE_CANTOPEN: Broken,
    apsw.SQLITE_CORRUPT: Corrupt,
    apsw.SQLITE_NOTADB: NotOurs,
}


def failure(error: BaseException) -> DatabaseError | None:
    """What a storage error means for everyone; None if it is the statement's own fault."""
    kind = _FAILURES.get(getattr(error, "result", 0)) if isinstance(error, apsw.Error) else None
    return kind() if kind else None


def explain(error: apsw.Error) -> DatabaseError:
    """Like `failure`, when any error means that the database does not work."""
    return failure(error) or Broken(f"The database does not work: {error}.")


def connect(path: Path, *, write: bool) -> apsw.Connection:
    """To a file that is there. As an address, in which a name that is no UTF-8 is written in its bytes."""
    mode = apsw.SQLITE_OPEN_READWRITE if write else apsw.SQLITE_OPEN_READONLY
    address = path.absolute().as_uri()
    connection = apsw.Connection(address, flags=mode | apsw.SQLITE_OPEN_URI, statementcachesize=STATEMENTS)
    connection.set_busy_timeout(BUSY_MS)
    return connection


def open_writer(path: Path, synchronous: str) -> apsw.Connection:
    """For the writer's thread, and for closing it from another."""
    connection = connect(path, write=True)
    # secure_delete: erased text is overwritten in the file, and FAST would leave it in pages that become free.
    for pragma in (
        "journal_mode = wal",
        f"synchronous = {synchronous}",
        "foreign_keys = on",
        "mmap_size = 0",
        "secure_delete = on",
        "cache_size = -32768",
        "temp_store = memory",
        f"journal_size_limit = {WAL_LIMIT}",
        "wal_autocheckpoint = 0",
    ):
        connection.execute(f"pragma {pragma}").fetchall()
    return connection


def prepare(
    path: Path,
    now: int,
    folder: Path | None = None,
    on_statement: Callable[[Migration, int], None] | None = None,
) -> None:
    """Bring the file to the newest schema, creating it if missing. Raises DatabaseError; then nothing was touched."""
    migrations = migrate.known(folder)
    try:
        applied = look(path)
        todo = migrate.pending(migrations, applied)
        if todo and applied:
            keep_copy(path, path.with_name(f"{path.name}.before-{todo[0].number:04}"))
        elif todo:
            make_private_folder(path.parent)
            os.close(open_private(path))
        if todo:
            _migrate(path, todo, now, on_statement)
    except apsw.Error as error:
        raise explain(error) from error


def look(path: Path) -> set[int]:
    """Numbers of the applied migrations, read without changing the file. Empty if there is no database yet."""
    if not path.exists() or path.stat().st_size == 0:
        return set()
    connection = connect(path, write=False)
    try:
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        if connection.execute("pragma application_id").get != APPLICATION_ID:
            if tables:
                raise NotOurs()
            return set()
        return {number for (number,) in connection.execute("select number from migration")}
    finally:
        connection.close()


def keep_copy(path: Path, target: Path) -> None:
    """A whole, durable copy of the database; an older one of that name is replaced."""
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    connection = connect(path, write=True)
    try:
        connection.execute("vacuum into ?", (str(partial),))
    finally:
        connection.close()
    make_private(partial)
    sync_file(partial)
    partial.replace(target)
    sync_folder(target.parent)


def _migrate(
    path: Path, todo: list[Migration], now: int, on_statement: Callable[[Migration, int], None] | None
) -> None:
    connection = open_writer(path, "FULL")
    try:
        target = _Target(connection)
        for migration in todo:
            migrate.apply(target, migration, now, on_statement)
    finally:
        connection.close()


class _Target:
    """A connection on which tables may be rebuilt: references are checked at the end of each migration instead."""

    dialect = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        connection.execute("pragma foreign_keys = off")

    def begin(self) -> None:
        self._connection.execute("begin immediate")

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def record(self, migration: Migration, now: int) -> None:
        self._connection.execute(f"pragma application_id = {APPLICATION_ID}")
        self._connection.execute("insert into migration values (?, ?, ?)", (migration.number, migration.name, now))

    def commit(self) -> None:
        if self._connection.execute("pragma foreign_key_check").fetchone():
            raise Corrupt("A row refers to one that does not exist; the database was not changed.")
        self._connection.execute("commit")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("rollback")
