"""Migrations: numbered `.sql` files, each applied with its record in one transaction, statement by statement.

The text is the same for both databases. Five type words are used and translated: `bigint`, `integer`, `text`, `blob`
and `double precision`. Tables are strict on SQLite, so that a wrong type fails there too; `bigint primary key` becomes
the row id, and a table with another key is kept in the order of that key, in one tree instead of two. A statement under
the comment `-- only sqlite` or `-- only postgres` runs on that one alone. A file that was released is never edited.
`0000_core.sql` of this package always comes first.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import apsw
import msgspec

from app.db.errors import NewerSchema

FOLDER: Final = Path(__file__).parent / "migrations"

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_ONLY = re.compile(r"^\s*-- only (sqlite|postgres)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"\s*--[^\n]*\n?")
_QUOTED = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/)", re.DOTALL)
_TABLE = re.compile(r"create\s+table\b", re.IGNORECASE)
# The key of a table that no single number names.
_OTHER_KEY = re.compile(r"\bprimary\s+key\s*\(|\btext\s+primary\s+key\b", re.IGNORECASE)
_TYPES = {
    "sqlite": {"bigint": "integer", "double precision": "real"},
    "postgres": {"blob": "bytea"},
}


class Migration(msgspec.Struct, frozen=True):
    """One file. `why` is its first line: `-- 0007: why`."""

    number: int
    name: str
    why: str
    sql: str


class Target(Protocol):
    """A connection to migrate. Table `migration` need not exist yet."""

    dialect: str

    def begin(self) -> None: ...

    def execute(self, sql: str) -> None: ...

    def record(self, migration: Migration, now: int) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


def known(folder: Path | None = None) -> list[Migration]:
    """The core's own migration, then those of the folder, in order. A wrong first line is a ValueError."""
    named = [(_NAME.fullmatch(file.name), file) for file in (folder or FOLDER).iterdir()]
    own = [read(match, file) for match, file in named if match and int(match[1]) > 0]
    core = FOLDER / "0000_core.sql"
    first = _NAME.fullmatch(core.name)
    assert first
    found = [read(first, core), *sorted(own, key=lambda migration: migration.number)]
    if [migration.number for migration in found] != list(range(len(found))):
        raise ValueError("migrations are numbered without gaps or doubles")
    return found


def read(match: re.Match[str], file: Path) -> Migration:
    sql = file.read_text("utf-8")
    number, _, why = sql.partition("\n")[0].partition(": ")
    if number != f"-- {match[1]}" or not why:
        raise ValueError(f"{file.name}: the first line must be -- {match[1]}: why")
    return Migration(int(match[1]), match[2], why, sql)


def pending(migrations: list[Migration], applied: Iterable[int]) -> list[Migration]:
    """What is left to apply. Raises NewerSchema."""
    done = set(applied)
    newest, found = migrations[-1].number, max(done, default=0)
    if found > newest:
        raise NewerSchema(found, newest)
    return [migration for migration in migrations if migration.number not in done]


def apply(
    target: Target, migration: Migration, now: int, on_statement: Callable[[Migration, int], None] | None = None
) -> None:
    """All or nothing. `on_statement(migration, n)` is told before each statement, the record and the commit."""
    steps: list[Callable[[], None]] = [
        partial(target.execute, sql) for sql in statements(migration.sql, target.dialect)
    ]
    steps += [partial(target.record, migration, now), target.commit]
    target.begin()
    try:
        for number, step in enumerate(steps):
            if on_statement:
                on_statement(migration, number)
            step()
    except BaseException:
        target.rollback()
        raise


def statements(sql: str, dialect: str) -> list[str]:
    """The statements of a script for one database, without the comments before them."""
    return [
        translate(text, dialect)
        for part in split(sql)
        if (only := _ONLY.search(part)) is None or only[1] == dialect
        if (text := _without_heading(part))
    ]


def split(sql: str) -> list[str]:
    """At each semicolon that ends a statement; those in quotes, comments and triggers do not."""
    parts, part = [], ""
    for piece in re.split(r"(?<=;)", sql):
        part += piece
        if apsw.complete(part):
            parts.append(part)
            part = ""
    if _without_heading(part):
        raise ValueError(f"a statement does not end: {part.strip()[:60]}")
    return parts


def _without_heading(part: str) -> str:
    while match := _COMMENT.match(part):
        part = part[match.end() :]
    return part.strip()


def translate(statement: str, dialect: str) -> str:
    """One statement of a migration in the words of one database. Quotes and comments stay as they are."""
    words = _TYPES[dialect]
    wanted = re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)
    pieces = _QUOTED.split(statement)
    pieces[::2] = [wanted.sub(lambda match: words[match[1].lower()], piece) for piece in pieces[::2]]
    text = "".join(pieces)
    if dialect == "sqlite" and _TABLE.match(text):
        kind = "strict, without rowid" if _OTHER_KEY.search(text) else "strict"
        text = f"{text.rstrip().rstrip(';')} {kind}"
    return text
