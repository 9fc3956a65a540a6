"""What every test may ask for: a clock that stands still, and a database of its own, on SQLite and on Postgres."""

import asyncio
import gc
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import uvicorn.server

from app.db import Database, open_database, sequencer
from app.runtime import Runtime, start, stop
from app.security import passwords
from app.settings import Settings, load
from tests.again import again
from tests.canaries import Watch, plant_what_passes
from tests.clock import ManualClock
from tests.connections import Connections
from tests.databases import Schemas, Templates, chosen, postgres_server

MEMORY = Path("/dev/shm")
ROOM = 4_000_000_000
# `--hypothesis-profile=hostile` asks more of everything.
hypothesis.settings.register_profile("hostile", max_examples=100)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(again, "parley-again")
    # A program's second start finds its modules compiled; where Python is told to write nothing, each compiles all.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not measures(config) and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def measures(config: pytest.Config) -> bool:
    """Whether figures come out of this run. The rest does not wait for the disk: what a test can kill is a process,
    never the machine, and a file in memory outlives it as one in the disk's cache does."""
    return bool(config.getoption("--full", False)) or any("bench" in each for each in config.args)


def pytest_collection_finish() -> None:
    """Everything imported stays for good: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def quick_hashing() -> Iterator[None]:
    """The least that argon2 takes: nearly every test logs somebody in, and the product's own parameters are made to
    cost. What those prove is shown in `tests/security/test_passwords.py`, which uses them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "MEMORY", 8)
        patch.setattr(passwords, "TARGET", 0)
        patch.setattr(passwords, "HASHER", passwords.hasher(1))
        yield


class Hurried:
    """`asyncio` where a sleep takes a tenth of its time."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@pytest.fixture(scope="session", autouse=True)
def quick_server() -> Iterator[None]:
    """uvicorn sleeps a tenth of a second until it sees that it is to stop, and another until its connections are gone:
    longer than most tests with a server take. Its own pace is in `tests/test_server.py`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", Hurried())
        yield


@pytest.fixture(scope="session", autouse=True)
def no_planted_secret_is_logged() -> Iterator[Watch]:
    """At DEBUG, over the whole session (of this worker)."""
    product, watch = logging.getLogger("app"), Watch()
    before = product.level
    product.addHandler(watch)
    product.setLevel(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        plant_what_passes(patch)
        yield watch
    product.removeHandler(watch)
    product.setLevel(before)
    assert not watch.shown, f"planted secrets were logged: {watch.shown}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One server a test session (and worker). Events get their places a moment after the last ones, not 20 ms: that is
    what most tests here wait for."""
    with pytest.MonkeyPatch.context() as patch, postgres_server() as url:
        patch.setattr(sequencer, "APART", 0.002)
        yield url


@pytest.fixture(scope="session")
def postgres_schemas(postgres_url: str) -> Iterator[Schemas]:
    connections = Connections()
    with connections.in_place():
        schemas = Schemas(postgres_url, connections)
        yield schemas
        schemas.close()


@pytest.fixture
def migrations() -> Path | None:
    """The product's schema; a module with a small schema of its own overrides this."""
    return None


@pytest.fixture(params=chosen())
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock, migrations: Path | None
) -> Iterator[str]:
    """Where a test's own database is: migrated and without rows, or not made yet."""
    if request.param == "sqlite":
        templates: Templates = request.getfixturevalue("sqlite_templates")
        yield str(templates.copy(tmp_path / "parley.db", clock.now(), migrations))
    else:
        schemas: Schemas = request.getfixturevalue("postgres_schemas")
        with schemas.lend(migrations) as url:
            yield url


@pytest.fixture
async def database(database_url: str, clock: ManualClock, migrations: Path | None) -> AsyncIterator[Database]:
    """Started, and stopped afterwards."""
    opened = open_database(database_url, clock=clock, migrations=migrations)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """An installation in a folder of its own, deaf to the machine's environment. It does not write 16 MB of ballast."""
    (tmp_path / "ballast").touch()
    where = database_url if database_url.startswith("postgres") else f"sqlite:///{database_url}"
    return load({"data": str(tmp_path), "database_url": where}, {}, tmp_path)


@pytest.fixture
async def rt(settings: Settings, clock: ManualClock) -> AsyncIterator[Runtime]:
    """A running installation without a web server. What its bots decided is decided again afterwards."""
    runtime = await start(settings, clock)
    yield runtime
    try:
        if not runtime.stopping:
            await again.decide(runtime)
    finally:
        await stop(runtime)
