"""Migrations: all or nothing, a copy first, the same text for both databases."""

import asyncio
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.db import migrate, open_database
from app.db.sqlite_file import connect, keep_copy, look, prepare
from tests.clock import ManualClock
from tests.db.items import NAMES, add

SECOND = """-- 0002: a second table, with rows; and a trigger
create table label (id bigint primary key, text text not null default ';'); -- the end ; of it
insert into label (id) values (1);
alter table item add column colour text not null default 'red';
update item set colour = 'blue';
"""


@pytest.fixture
def longer(tmp_path: Path, migrations: Path) -> Path:
    """The small schema, and one migration more."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations, folder)
    (folder / "0002_label.sql").write_text(SECOND)
    return folder


def schema(path: Path) -> list[tuple[object, ...]]:
    with closing(connect(path, write=False)) as connection:
        rows = connection.execute("select name, sql from sqlite_master order by name").fetchall()
        rows += connection.execute("select number, name from migration order by number").fetchall()
    return rows


def run_and_die(path: Path, folder: Path, number: int, step: int) -> int:
    command = [sys.executable, "-m", "tests.db.migrate_and_die", str(path), str(folder), str(number), str(step)]
    return subprocess.run(command, cwd=Path(__file__).parents[2], timeout=60, check=False).returncode


def test_P35_a_kill_at_any_statement_leaves_old_or_new(tmp_path: Path, migrations: Path, longer: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    prepare(old, 0, migrations)
    prepare(new, 0, longer)
    steps = len(migrate.statements(SECOND, "sqlite")) + 2  # the record and the commit
    assert steps == 6
    for step in range(steps):
        path = tmp_path / f"killed-{step}.db"
        shutil.copyfile(old, path)
        assert run_and_die(path, longer, 2, step) == -signal.SIGKILL
        assert schema(path) == schema(old)
        prepare(path, 0, longer)
        assert schema(path) == schema(new)


def test_P35_a_kill_during_the_first_migrations_is_made_good(tmp_path: Path, migrations: Path) -> None:
    new = tmp_path / "new.db"
    prepare(new, 0, migrations)
    for number, step in [(0, 0), (0, 2), (0, 4), (1, 0), (1, 2)]:
        path = tmp_path / f"killed-{number}-{step}.db"
        assert run_and_die(path, migrations, number, step) == -signal.SIGKILL
        prepare(path, 0, migrations)
        assert schema(path) == schema(new)


def test_P35_a_copy_is_taken_before_a_migration(tmp_path: Path, migrations: Path, longer: Path) -> None:
    path = tmp_path / "parley.db"
    prepare(path, 0, migrations)
    assert not list(tmp_path.glob("*.before-*"))
    before = schema(path)
    prepare(path, 0, longer)
    copy = tmp_path / "parley.db.before-0002"
    assert schema(copy) == before and look(copy) == {0, 1}
    assert copy.stat().st_mode & 0o077 == 0


def test_a_copy_left_by_a_killed_attempt_is_replaced(tmp_path: Path, migrations: Path) -> None:
    path, copy = tmp_path / "parley.db", tmp_path / "copy.db"
    prepare(path, 0, migrations)
    copy.write_bytes(b"half")
    (tmp_path / "copy.db.partial").write_bytes(b"half")
    keep_copy(path, copy)
    assert schema(copy) == schema(path) and not (tmp_path / "copy.db.partial").exists()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, migrations: Path, longer: Path) -> None:
    path = tmp_path / "parley.db"
    prepare(path, 0, migrations)
    before = schema(path)
    (longer / "0002_label.sql").write_text(SECOND + "insert into nowhere values (1);\n")
    with pytest.raises(Exception, match="nowhere"):
        prepare(path, 0, longer)
    assert schema(path) == before


async def test_P35_an_older_database_is_brought_up_to_date_with_its_rows(
    database_url: str, clock: ManualClock, migrations: Path, longer: Path
) -> None:
    for folder in (migrations, longer, longer):
        database = open_database(database_url, clock=clock, migrations=folder)
        await database.start()
        if folder == migrations:
            await database.write(add, "a")
        assert await database.reader.all(NAMES) == ["a"]
        await database.stop()
    await asyncio.sleep(0)


def test_the_migrations_of_the_product_are_numbered_and_explained() -> None:
    known = migrate.known()
    assert [migration.number for migration in known] == list(range(len(known)))
    assert all(migration.why for migration in known)


@pytest.mark.parametrize("text", ["create table a (b);", "-- 0003: why\n", "-- 0002:why\n", "-- 0002: \n"])
def test_a_wrong_first_line_is_refused(longer: Path, text: str) -> None:
    (longer / "0002_label.sql").write_text(text)
    with pytest.raises(ValueError, match="first line"):
        migrate.known(longer)


def test_a_gap_in_the_numbers_is_refused(longer: Path) -> None:
    (longer / "0002_label.sql").rename(longer / "0003_label.sql")
    (longer / "0003_label.sql").write_text(SECOND.replace("0002", "0003"))
    with pytest.raises(ValueError, match="gaps"):
        migrate.known(longer)


def test_semicolons_in_quotes_comments_and_triggers_do_not_end_a_statement() -> None:
    text = """-- heading; with a semicolon
    insert into a values ('x;y', ";"); /* one; two */
    create trigger t after insert on a begin delete from b; delete from c; end;
    """
    parts = migrate.statements(text, "sqlite")
    assert len(parts) == 2 and parts[1].endswith("end;")


def test_a_statement_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="does not end"):
        migrate.split("create table a (b);\nselect 1")


def test_type_words_are_translated_outside_of_quotes() -> None:
    text = "create table a (id bigint primary key, b blob default 'bigint blob', c double precision);"
    assert migrate.translate(text, "sqlite") == (
        "create table a (id integer primary key, b blob default 'bigint blob', c real) strict"
    )
    assert migrate.translate(text, "postgres") == (
        "create table a (id bigint primary key, b bytea default 'bigint blob', c double precision);"
    )


def test_a_statement_for_one_database_is_left_out_on_the_other() -> None:
    text = "select 1;\n-- only postgres\nselect 2;\n-- why\n-- only sqlite\nselect 3;"
    assert migrate.statements(text, "sqlite") == ["select 1;", "select 3;"]
    assert migrate.statements(text, "postgres") == ["select 1;", "select 2;"]
