"""The interface of the database: statements as data, a transaction that writes, a reader that reads.

A unit of work is a plain function `def unit(tx, …)` on a writer thread; **it may run more than once and has no effect but
through `tx`**. A read is `async def read(db, …)`. Both dialects behave alike; only `db/` knows which one runs.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from app.db.errors import DatabaseError
from app.events import Event, Listener

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")

Done = Callable[[Any, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A read, or a write with `returning`. `row(*columns)` makes one result, so columns stand in the order of its fields."""

    sql: str
    row: Callable[..., T]


@dataclass(frozen=True, slots=True)
class Statement:
    """A write without result."""

    sql: str


class Tx(Protocol):
    """One unit of work, on a writer thread. Commits when the function returns, rolls back when it raises."""

    now: int  # ms UTC, the same for the whole unit

    def one(self, query: Query[T], /, **params: object) -> T | None:
        """The first row, or None."""

    def all(self, query: Query[T], /, **params: object) -> list[T]: ...

    def run(self, statement: Statement, /, **params: object) -> int:
        """Number of changed rows."""

    def many(self, statement: Statement, rows: Iterable[Mapping[str, object]]) -> None: ...

    def new_id(self) -> int:
        """A 63-bit id that was never given before, whatever the clock did."""

    def publish(self, event: Event) -> None:
        """Store the event; listeners get it after the commit, in `seq` order. Dropped on rollback."""

    def after_commit(self, fn: Callable[..., None], *args: object) -> None:
        """Call `fn` on the event loop's thread once the commit is durable. Dropped on rollback. Must not raise."""

    def lock(self, table: str, id: int) -> None:
        """Keep the row from other units until the commit."""

    def claim(self, query: Query[T], /, **params: object) -> list[T]:
        """A select whose rows this unit will update; rows that another unit works on are left out."""


class Reader(Protocol):
    """Read-only. Each call sees what was committed before it."""

    async def one(self, query: Query[T], /, **params: object) -> T | None: ...

    async def all(self, query: Query[T], /, **params: object) -> list[T]: ...


class Database(Protocol):
    """Everything but `start` must be called on the thread of the event loop that started it."""

    dialect: str  # "sqlite" or "postgres"

    @property
    def reader(self) -> Reader: ...

    async def start(self) -> None:
        """Migrate and open. Raises NewerSchema, NotOurs, InUse, or another DatabaseError."""

    async def stop(self) -> None:
        """Finish what waits, then close."""

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, key: int = 0) -> R:
        """Run the unit and return its result once it is durable. `key`: units of one key keep their order."""

    async def bulk(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args) -> R:
        """Like `write`, behind everything that waits there; for upkeep in small units."""

    def submit(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, done: Done, key: int = 0) -> None:
        """Like `write` without a future, for the hot path: `done(result, error)` runs on the loop's thread."""

    async def read(self, fn: Callable[Concatenate[Reader, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function on one connection."""

    def listen(self, callback: Listener) -> None:
        """Called on the loop's thread with the events of each commit, in `seq` order, once a batch."""

    async def settled(self) -> None:
        """Wait until everything given so far is committed or refused and listeners have heard it."""

    async def purge(self) -> None:
        """After erasing: see to it that deleted text is in no file any more."""

    async def health(self) -> DatabaseError | None:
        """A small write. None if it went through, else why not."""

    def stats(self) -> dict[str, int | float | str]: ...
