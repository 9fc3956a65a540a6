"""A transaction that lies in the past: units write history with it as they write the present with their own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from app.db import Query, Statement, Tx
from app.events import Event

T = TypeVar("T")


class Past:
    """`now` is given (ms UTC), all else is the transaction's. Nobody is told of what happened long ago, and nothing is
    started after the commit: whoever fills tells once, at the end, that everything changed."""

    def __init__(self, tx: Tx, now: int) -> None:
        self._tx, self.now = tx, now

    def one(self, query: Query[T], /, **params: Any) -> T | None:
        return self._tx.one(query, **params)

    def all(self, query: Query[T], /, **params: Any) -> list[T]:
        return self._tx.all(query, **params)

    def run(self, statement: Statement, /, **params: Any) -> int:
        return self._tx.run(statement, **params)

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        self._tx.many(statement, rows)

    def each(self, query: Query[T], rows: Sequence[Mapping[str, Any]]) -> list[T]:
        return self._tx.each(query, rows)

    def later(self, statement: Statement, /, **params: Any) -> dict[str, Any]:
        return self._tx.later(statement, **params)

    def new_id(self) -> int:
        return self._tx.new_id()

    def publish(self, event: Event) -> None:
        pass

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        pass

    def lock(self, table: str, id: int) -> bool:
        return self._tx.lock(table, id)

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        return self._tx.claim(query, **params)
