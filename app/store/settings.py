"""Settings of the installation that people change in the dashboard: business name, language, time zone and the like.

One row each, name to text. What is needed before the database opens is in `app/settings.py` instead.
"""

from app.db import Query, Reader, Statement, Tx

ONE = Query("select value from setting where name = :name", str)
ALL = Query("select name, value from setting", lambda name, value: (str(name), str(value)))
SAVE = Statement(
    "insert into setting (name, value) values (:name, :value) on conflict (name) do update set value = excluded.value"
)
DELETE = Statement("delete from setting where name = :name")

# What holds where no row stands.
DEFAULTS = {"business": "Parley", "language": "en", "zone": "UTC", "bot_language": "en"}


async def read_all(db: Reader) -> dict[str, str]:
    """Every setting, defaults filled in."""
    return DEFAULTS | dict(await db.all(ALL))


def read(tx: Tx, name: str) -> str:
    """One setting inside a unit of work; '' where neither a row nor a default stands."""
    found = tx.one(ONE, name=name)
    return DEFAULTS.get(name, "") if found is None else found


def save(tx: Tx, **values: str) -> None:
    tx.many(SAVE, [{"name": name, "value": value} for name, value in values.items()])


def remove(tx: Tx, name: str) -> None:
    tx.run(DELETE, name=name)
