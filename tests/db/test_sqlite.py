"""What only SQLite does: locks of other programs, a full disk, a file that goes away, the log beside the file."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import apsw
import pytest

from app.db import (
    Broken,
    Database,
    DatabaseError,
    Full,
    Locked,
    Moved,
    NewerSchema,
    NotOurs,
    Statement,
    Together,
    Tx,
    checkpoints,
    sqlite_writer,
)
from app.db.library import VERSION, describe_sqlite
from app.db.sqlite import PATIENCE, Sqlite
from app.db.sqlite_file import connect
from tests.clock import ManualClock
from tests.databases import Templates
from tests.db.items import COUNT, INSERT, NAMES, Refused, add, add_and_fail


@pytest.fixture
def path(tmp_path: Path, sqlite_templates: Templates, clock: ManualClock, migrations: Path) -> Path:
    return sqlite_templates.copy(tmp_path / "parley.db", clock.now(), migrations)


@pytest.fixture
async def database(path: Path, clock: ManualClock, migrations: Path) -> AsyncIterator[Sqlite]:
    database = Sqlite(path, clock=clock, migrations=migrations)
    await database.start()
    yield database
    await database.stop()


def writer_connection(database: Sqlite) -> Any:
    return database._writer._connection


def test_the_library_is_above_the_fault_of_the_log_and_says_which_it_is() -> None:
    assert tuple(map(int, VERSION.split("."))) >= (3, 51, 3)
    assert describe_sqlite() == f"SQLite {VERSION} (apsw)"


async def test_a_read_that_is_cancelled_while_its_connection_opens_leaves_nothing_open(
    database: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[aiosqlite.Connection] = []
    fetch = aiosqlite.Connection.execute_fetchall

    async def cancelled(self: aiosqlite.Connection, *given: Any) -> Any:
        opened.append(self)
        reading.cancel()
        return await fetch(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "execute_fetchall", cancelled)
        reading = asyncio.create_task(database.reader.one(COUNT))
        with pytest.raises(asyncio.CancelledError):
            await reading
    with pytest.raises(ValueError, match="no active connection"):
        _ = opened[0].in_transaction
    assert await database.reader.one(COUNT) == 0


async def test_a_read_that_is_cancelled_while_its_file_opens_ends_when_that_is_over(
    database: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, made, connect = threading.Event(), [], apsw.Connection

    def slow(*given: Any, **more: Any) -> Any:
        opening.set()
        time.sleep(0.05)
        made.append(connect(*given, **more))
        return made[0]

    with monkeypatch.context() as patch:
        patch.setattr(apsw, "Connection", slow)
        reading = asyncio.create_task(database.reader.one(COUNT))
        await asyncio.to_thread(opening.wait, 5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert made, "its thread would have outlived a loop that ends now"
    assert await database.reader.one(COUNT) == 0


async def test_the_writer_runs_with_the_settings_that_keep_data(database: Sqlite) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "mmap_size": 0}
    found = {name: await database.write(lambda tx, name=name: pragma(database, name)) for name in wanted}
    assert found == wanted


def pragma(database: Sqlite, name: str) -> object:
    return writer_connection(database).execute(f"pragma {name}").fetchone()[0]


async def test_P28_a_locked_database_answers_within_its_time_and_heals(database: Sqlite, path: Path) -> None:
    assert await database.write(lambda tx: pragma(database, "busy_timeout")) == 2400  # ms; here it is half of that
    writer_connection(database).execute("pragma busy_timeout = 1200")
    other = connect(path, write=True)
    other.execute("begin exclusive")
    started = time.monotonic()
    first = asyncio.create_task(database.write(add, "a"))
    await asyncio.sleep(0.5)  # these wait behind the first, and must not wait twice as long
    others = [asyncio.create_task(database.write(add, f"b{n}")) for n in range(5)]
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)
    assert time.monotonic() - started < 1.4
    assert all(isinstance(outcome, Locked) for outcome in outcomes)
    other.execute("rollback")
    other.close()
    await database.write(add, "c")
    assert await database.reader.all(NAMES) == ["c"]


async def test_P26_a_full_disk_refuses_the_batch_and_heals(database: Sqlite) -> None:
    def fill(tx: Tx, n: int) -> None:
        tx.run(Statement("insert into item (id, name, body) values (:id, :name, zeroblob(100000))"), id=n, name=f"{n}")

    await database.write(add, "a")
    pages = await database.write(lambda tx: pragma(database, "page_count"))
    await database.write(lambda tx: pragma(database, f"max_page_count = {pages}"))
    outcomes = await asyncio.gather(*(database.write(fill, n) for n in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, Full) for outcome in outcomes)
    assert await database.reader.all(NAMES) == ["a"]
    writer_connection(database).execute("pragma max_page_count = 1000000")
    await database.write(fill, 1)
    assert await database.reader.one(COUNT) == 2


async def test_when_sqlite_drops_the_transaction_nothing_of_the_batch_is_acknowledged(database: Sqlite) -> None:
    """`raise(rollback)` ends the whole transaction inside SQLite, as a failing disk does."""
    await database.write(
        lambda tx: tx.run(
            Statement(
                "create trigger fatal before insert on item when new.name = 'fatal' "
                "begin select raise(rollback, 'gone'); end"
            )
        )
    )
    first, fatal, next_batch = await asyncio.gather(
        *(database.write(add, name) for name in ("a", "fatal", "b")), return_exceptions=True
    )
    assert isinstance(first, DatabaseError) and isinstance(fatal, DatabaseError)
    assert isinstance(next_batch, int)
    assert await database.reader.all(NAMES) == ["b"]


async def test_a_unit_that_hides_a_dropped_transaction_is_refused(database: Sqlite) -> None:
    def unit(tx: Tx) -> None:
        writer_connection(database).execute("rollback")

    outcomes = await asyncio.gather(database.write(add, "a"), database.write(unit), return_exceptions=True)
    assert all(isinstance(outcome, DatabaseError) for outcome in outcomes)
    await database.write(add, "b")
    assert await database.reader.all(NAMES) == ["b"]


async def test_a_batch_runs_again_only_when_a_unit_failed(database: Sqlite) -> None:
    runs: list[str] = []

    def unit(tx: Tx, name: str) -> None:
        runs.append(name)
        add(tx, name)

    await asyncio.gather(*(database.write(unit, f"{n}") for n in range(5)))
    assert len(runs) == 5 and database.stats()["repeated"] == 0
    await asyncio.gather(database.write(unit, "a"), database.write(add_and_fail, "b"), return_exceptions=True)
    assert runs[5:] == ["a", "a"] and database.stats()["repeated"] == 1


async def test_many_waiting_units_share_a_commit(database: Sqlite) -> None:
    await asyncio.gather(*(database.write(add, f"{n}") for n in range(500)))
    stats = database.stats()
    assert stats["units"] == 500 and int(stats["batches"]) < 250


async def test_what_can_be_done_together_is_given_a_moment_to_grow_and_nothing_else_is(
    database: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(sqlite_writer, "sleep", pauses.append)
    monkeypatch.setattr(sqlite_writer, "CLOSE", 60.0)

    def several(tx: Tx, calls: Sequence[tuple[str]]) -> list[int]:
        return [add(tx, name) for (name,) in calls]

    together = Together(add, several)

    async def after(fn: Any, *names: str) -> int:
        """How often the writer waited after a batch of these."""
        pauses.clear()
        await asyncio.gather(*(database.write(fn, name) for name in names))
        await database.settled()
        return len(pauses)

    assert await after(add, "a") == 0
    assert await after(together, "b") == 1
    assert await after(together, *"cdefghijkl") <= 1, "at most a first one, which was taken alone"
    monkeypatch.setattr(sqlite_writer, "CLOSE", 0.0)
    assert await after(together, "m") == 0


async def test_P30_a_moved_file_is_noticed(path: Path, clock: ManualClock, migrations: Path) -> None:
    database = Sqlite(path, clock=clock, migrations=migrations)
    await database.start()
    elsewhere = path.with_name("elsewhere.db")
    path.rename(elsewhere)
    database._checkpoints._look_at_file()
    with pytest.raises(Moved):
        await database.write(add, "a")
    elsewhere.rename(path)
    database._checkpoints._look_at_file()
    await database.write(add, "b")
    await database.stop()


async def test_the_log_is_written_back_and_does_not_grow_for_ever(
    database: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TOO_LONG": 100, "PAGES": 20, "EVERY": 0.005}.items():
        monkeypatch.setattr(checkpoints, name, value)

    def grow(tx: Tx, n: int) -> None:
        tx.run(Statement("insert into item (id, name, body) values (:id, :name, zeroblob(20000))"), id=n, name=f"{n}")

    async def keep_busy(first: int, until: float) -> int:
        written = 0
        while written < 240 * 100 * 4096 // 20000 and time.monotonic() < until:
            await asyncio.gather(*(database.write(grow, first + written + n) for n in range(20)))
            written += 20
        return written

    # Two take turns, so that something always waits and a checkpoint beside the writer never catches up with it.
    # Enough of it that one checkpoint which has to wait for a core does not see half of it go by.
    until = time.monotonic() + 20
    written = sum(await asyncio.gather(keep_busy(1, until), keep_busy(1_000_000, until)))
    assert int(database.stats()["log_bytes"]) < written * 20000 // 2


async def test_erased_text_is_in_no_file_after_truncate(database: Sqlite, path: Path) -> None:
    secret = "a-text-that-must-go" * 20

    await database.write(lambda tx: [add(tx, f"{secret}{n}") for n in range(50)] and None)
    await database.write(lambda tx: tx.run(Statement("delete from item")))
    await database.truncate()
    assert int(database.stats()["log_bytes"]) == 0
    await database.stop()  # only now may the file be opened by other means
    assert secret.encode() not in path.read_bytes()


async def test_emptying_the_log_waits_for_readers_and_gives_up(
    database: Sqlite, path: Path, clock: ManualClock
) -> None:
    await database.write(add, "a")
    reader = connect(path, write=False)
    reader.execute("begin")
    reader.execute("select * from item").fetchall()
    await database.write(add, "b")
    emptying = asyncio.ensure_future(database.truncate())
    await asyncio.sleep(0.1)
    assert not emptying.done(), "it waits for the reader"
    clock.advance(PATIENCE + 1)
    with pytest.raises(Locked):
        await emptying
    reader.close()
    await database.truncate()


async def test_stop_leaves_one_file(database: Sqlite, path: Path) -> None:
    await database.write(add, "a")
    await database.stop()
    assert [file.name for file in path.parent.iterdir()] == ["parley.db"]


async def test_the_file_is_private(tmp_path: Path, clock: ManualClock, migrations: Path) -> None:
    path = tmp_path / "new" / "parley.db"
    database = Sqlite(path, clock=clock, migrations=migrations)
    await database.start()
    assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}
    await database.stop()


async def test_a_file_of_another_program_is_not_touched(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "parley.db"
    path.touch()
    with closing(connect(path, write=True)) as other:
        other.execute("create table theirs (a)")
    before = path.read_bytes()
    with pytest.raises(NotOurs):
        await Sqlite(path, clock=clock).start()
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "parley.db"
    path.write_bytes(b"a letter to a friend" * 500)
    with pytest.raises(NotOurs):
        await Sqlite(path, clock=clock).start()
    assert path.read_bytes() == b"a letter to a friend" * 500


async def test_P35_a_newer_schema_is_refused_and_not_touched(path: Path, clock: ManualClock, migrations: Path) -> None:
    with closing(connect(path, write=True)) as newer:
        newer.execute("insert into migration values (9, 'later', 0)")
    before = path.read_bytes()
    with pytest.raises(NewerSchema, match="0009"):
        await Sqlite(path, clock=clock, migrations=migrations).start()
    assert path.read_bytes() == before


async def test_a_failed_unit_gets_its_own_exception_even_alone(database: Database) -> None:
    with pytest.raises(Refused):
        await database.write(add_and_fail, "a")
    assert await database.write(lambda tx: tx.run(INSERT, id=1, name="a")) == 1


async def test_a_lost_connection_is_opened_again(database: Sqlite) -> None:
    await database.write(add, "a")
    writer_connection(database).close()
    with pytest.raises(Broken):
        await database.write(add, "b")
    await database.write(add, "c")
    assert await database.reader.all(NAMES) == ["a", "c"]


async def test_units_hold_up_under_a_file_with_signs_in_its_name(
    tmp_path: Path, clock: ManualClock, migrations: Path
) -> None:
    path = tmp_path / "a folder? with #signs% é" / "parley.db"
    database = Sqlite(path, clock=clock, migrations=migrations)
    await database.start()
    await database.write(add, "a")
    assert await database.reader.all(NAMES) == ["a"]
    await database.stop()
    assert path.stat().st_size > 0
