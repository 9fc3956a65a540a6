"""Migrations: numbered `.sql` files, each applied with its record in one transaction."""

import re
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

NAME = re.compile(r"(\d{4})_(\w+)\.sql")


class Migration(msgspec.Struct, frozen=True):
    number: int
    name: str
    sql: str

    def statements(self) -> list[str]:
        """One by one: a script run as a whole would commit first."""
        lines = (line for line in self.sql.splitlines() if not line.lstrip().startswith("--"))
        return [text for part in "\n".join(lines).split(";") if (text := part.strip())]


def known(folder: Traversable | None = None) -> list[Migration]:
    """All migrations in order."""
    folder = folder or files("app.db") / "migrations"
    found = ((NAME.fullmatch(file.name), file) for file in folder.iterdir())
    return sorted(
        (Migration(int(match[1]), match[2], file.read_text("utf-8")) for match, file in found if match),
        key=lambda migration: migration.number,
    )


def pending(migrations: Iterable[Migration], applied: set[int]) -> list[Migration]:
    return [migration for migration in migrations if migration.number not in applied]
