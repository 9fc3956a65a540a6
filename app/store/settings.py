"""Settings of the installation that people change in the dashboard: business name, language, time zone and the like.

One row each, name to text. What is needed before the database opens is in `app/settings.py` instead.
"""

from collections.abc import Mapping

import msgspec

from app.db import Query, Reader, Statement, Tx

VALUE = Query("select value from setting where name = :name", str)
ALL = Query("select name, value from setting", lambda name, value: (str(name), str(value)))
PUT = Statement(
    "insert into setting (name, value) values (:name, :value) on conflict (name) do update set value = excluded.value"
)
DELETE = Statement("delete from setting where name = :name")

# What holds where no row stands.
DEFAULTS = {"business": "Parley", "language": "en", "zone": "UTC"}


class Policy(msgspec.Struct, frozen=True):
    """The settings that the machinery reads. `answer_hours`: a message older than this is stored but not answered by
    the bot; `raw_days`: how long updates are kept as the network sent them;
    `media_days`: how long files are kept, 0 for ever."""

    answer_hours: int = 24
    raw_days: int = 30
    media_days: int = 0


def policy(values: Mapping[str, str]) -> Policy:
    """From settings as text; a value that is no number counts as not set."""
    given = {name: int(values[name]) for name in Policy.__struct_fields__ if values.get(name, "").isdecimal()}
    return Policy(**given)


async def load(db: Reader) -> Policy:
    return policy(await read_all(db))


async def read_all(db: Reader) -> dict[str, str]:
    """Every setting, defaults filled in."""
    return DEFAULTS | dict(await db.all(ALL))


def read(tx: Tx, name: str) -> str:
    """One setting inside a unit of work; '' where neither a row nor a default stands."""
    found = tx.one(VALUE, name=name)
    return DEFAULTS.get(name, "") if found is None else found


def save(tx: Tx, **values: str) -> None:
    tx.many(PUT, [{"name": name, "value": value} for name, value in values.items()])


def save_all(tx: Tx, values: Mapping[str, str]) -> None:
    save(tx, **values)


def remove(tx: Tx, name: str) -> None:
    tx.run(DELETE, name=name)
