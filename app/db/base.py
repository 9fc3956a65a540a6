"""The words of the database: queries, statements, units of work and events."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from app.events import Event, Listener

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


@dataclass(frozen=True, eq=False)
class Query(Generic[T]):
    """A read, or a write with `returning`. `row` gets the columns by position."""

    sql: str
    row: Callable[..., T]


@dataclass(frozen=True, eq=False)
class Statement:
    """A write without result."""

    sql: str


class Tx(Protocol):
    """One unit of work, on a writer thread. It has no effect but through these calls, because it may run twice."""

    now: int

    def one(self, query: Query[T], /, **params: Any) -> T | None: ...

    def all(self, query: Query[T], /, **params: Any) -> list[T]: ...

    def run(self, statement: Statement, /, **params: Any) -> int:
        """Changed rows."""

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None: ...

    def new_id(self) -> int: ...

    def publish(self, event: Event) -> None:
        """Stored with a place in commit order, told to listeners after the commit, dropped with the unit."""

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        """Called on the event loop's thread once the unit is on disk; dropped with the unit."""

    def lock(self, table: str, id: int) -> bool:
        """Nobody else changes this row until the commit. True if it may have changed since it was read."""

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        """Rows that this unit will change; those that another node is claiming are left out."""


class Reader(Protocol):
    """Read only."""

    async def one(self, query: Query[T], /, **params: Any) -> T | None: ...

    async def all(self, query: Query[T], /, **params: Any) -> list[T]: ...


class Database(Protocol):
    """One database with its writer, its readers and its events."""

    dialect: str

    @property
    def reader(self) -> Reader: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    async def bulk(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    async def read(self, fn: Callable[Concatenate[Reader, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R: ...

    def submit(
        self, fn: Callable[..., R], *args: Any, done: Callable[[R | None, BaseException | None], None], key: int = 0
    ) -> None: ...

    def listen(self, callback: Listener) -> None: ...

    async def truncate(self) -> None:
        """Write everything into the main file and empty the log beside it."""

    async def health(self) -> None:
        """Raises `DatabaseError` if nothing can be written."""

    def stats(self) -> dict[str, Any]: ...
