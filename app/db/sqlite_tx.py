"""What a unit sees of SQLite: statements by name, and rows that are written together with those of other units."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import apsw

from app.db.contract import Query, Statement, T
from app.db.ids import Ids
from app.db.units import Call
from app.events import Event

MOST_ROWS = 32
# A name, or a text in quotes, which may hold a colon.
PARAMETER = re.compile(r"'[^']*'|:([A-Za-z_]\w*)")
VALUES = re.compile(r"\bvalues\s*\(")


class SqliteTx:
    """What a unit sees of the writer's connection. One for all units: their order is the order of its lists."""

    __slots__ = ("_changes", "_execute", "_executemany", "_later", "_new_id", "calls", "events", "now")

    def __init__(self, connection: apsw.Connection, ids: Ids) -> None:
        # One cursor for all: making one a statement costs a fifth of a small unit.
        cursor = connection.cursor()
        self._execute = cursor.execute
        self._executemany = cursor.executemany
        self._changes = connection.changes
        self._new_id = ids.new
        self.clear(0)

    def clear(self, now: int) -> None:
        self.now = now
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self._later: dict[Statement, list[dict[str, Any]]] = {}

    def one(self, query: Query[T], /, **params: Any) -> T | None:
        if self._later:
            self.flush()
        # To its end: an unfinished statement would keep its snapshot and hold back checkpoints.
        sql, values = positional(query.sql)
        rows = self._execute(sql, values(params)).fetchall()
        return query.row(*rows[0]) if rows else None

    def all(self, query: Query[T], /, **params: Any) -> list[T]:
        if self._later:
            self.flush()
        sql, values = positional(query.sql)
        row = query.row
        return [row(*columns) for columns in self._execute(sql, values(params)).fetchall()]

    def run(self, statement: Statement, /, **params: Any) -> int:
        if self._later:
            self.flush()
        sql, values = positional(statement.alone or statement.sql)
        self._execute(sql, values(params))
        return self._changes()

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        if self._later:
            self.flush()
        if is_repeatable(statement.sql):
            for _ in self._repeated(statement.sql, list(rows)):
                """Nothing comes back from a write."""
        else:
            self._executemany(statement.sql, rows)

    def each(self, query: Query[T], rows: Sequence[Mapping[str, Any]]) -> list[T]:
        if self._later:
            self.flush()
        row = query.row
        return [row(*columns) for found in self._repeated(query.sql, rows) for columns in found]

    def later(self, statement: Statement, /, **params: Any) -> dict[str, Any]:
        rows = self._later.get(statement)
        if rows is None:
            self._later[statement] = [params]
        else:
            rows.append(params)
        return params

    def drop_later(self) -> None:
        self._later = {}

    def flush(self) -> None:
        """Write what was to be written later."""
        later, self._later = self._later, {}
        for statement, rows in later.items():
            if len(rows) == 1 and statement.alone:
                self.run(statement, **rows[0])
            else:
                for _ in self._repeated(statement.sql, rows):
                    """Nothing comes back from a write."""
            for row in rows:
                row.clear()

    def _repeated(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[list[tuple[Any, ...]]]:
        """Run a statement for all rows, at most 32 at once; each length is a text of its own, prepared once. Every
        statement gives the interpreter away to the event loop's thread and has to get it back, which costs more than a
        row."""
        values = positional(sql)[1]
        for at in range(0, len(rows), MOST_ROWS):
            piece = rows[at : at + MOST_ROWS]
            given = list(chain.from_iterable(map(values, piece)))
            yield self._execute(repeated(sql, len(piece)), given).fetchall()

    def new_id(self) -> int:
        return self._new_id(self.now)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        self.calls.append((fn, args))

    def lock(self, table: str, id: int) -> bool:
        return False  # no other unit runs meanwhile

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        return self.all(query, **params)


@cache
def positional(sql: str) -> tuple[str, Callable[[Mapping[str, Any]], Sequence[Any]]]:
    """The statement with `?` for its names, and what puts values in their order: the library looks names up slowly,
    which costs a fifth of a small statement."""
    names = [name for name in PARAMETER.findall(sql) if name]
    text = PARAMETER.sub(lambda found: "?" if found[1] else found[0], sql)
    return text, itemgetter(*names) if len(names) > 1 else lambda params: [params[name] for name in names]


@cache
def is_repeatable(sql: str) -> bool:
    """Are all of its parameters in one list of values."""
    text = positional(sql)[0]
    return len(VALUES.findall(text)) == 1 and repeated(sql, 2).count("?") == 2 * text.count("?")


@cache
def repeated(sql: str, size: int) -> str:
    """The positional statement with its one list of values so many times."""
    text = positional(sql)[0]
    start = found.end() if (found := VALUES.search(text)) else len(text)
    depth = 1
    for end in range(start, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if depth == 0:
            row = text[start - 1 : end + 1]
            return f"{text[: start - 1]}{', '.join([row] * size)}{text[end + 1 :]}"
    raise ValueError(f"no list of values in {sql}")
