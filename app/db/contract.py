"""The interface of the database: statements as data, a transaction that writes, a reader that reads.

A unit of work is a plain function `def unit(tx, …)` on a writer thread; **it may run more than once and has no effect
but through `tx`**. A read is `async def read(db, …)`. Both dialects behave alike; only `db/` knows which one runs.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, TypeVarTuple

from app.db.fulltext import Wanted
from app.events import Event, Listener

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

Done = Callable[[Any, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class Query(Generic[T_co]):
    """A read, or a write with `returning`. `row(*columns)` makes a result: columns stand in the order of its fields."""

    sql: str
    row: Callable[..., T_co]


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A write without result. `alone` does the same for one row, where a list with one row in it takes twice as
    long."""

    sql: str
    alone: str = ""


@dataclass(frozen=True, slots=True)
class Together(Generic[*Ts, R]):
    """A unit of work that can be done for several callers at once: `one(tx, *args)`, or `several(tx, [args, …])` with a
    result for each. Where several fail, each is done alone, so `several` may leave to that what is unusual."""

    one: "Callable[[Tx, *Ts], R]"
    several: "Callable[[Tx, Sequence[tuple[*Ts]]], Sequence[R]]"

    def __call__(self, tx: "Tx", *args: *Ts) -> R:
        return self.one(tx, *args)


class Tx(Protocol):
    """One unit of work, on a writer thread. Commits when the function returns, rolls back when it raises."""

    now: int  # ms UTC, the same for the whole unit

    def one(self, query: Query[T], /, **params: Any) -> T | None:
        """The first row, or None."""

    def all(self, query: Query[T], /, **params: Any) -> list[T]: ...

    def run(self, statement: Statement, /, **params: Any) -> int:
        """Number of changed rows."""

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None: ...

    def each(self, query: Query[T], rows: Sequence[Mapping[str, Any]]) -> list[T]:
        """The rows that the query finds for each of `rows`, of which none need be in order. Its text holds one
        `(values (:a, :b))`, which may be repeated, and no other parameter."""

    def later(self, statement: Statement, /, **params: Any) -> dict[str, Any]:
        """Write before the next statement of whatever unit, at the latest before the commit, with others of its kind.
        Statements are then in the order in which each was first asked for. Its text holds one `values (:a, :b)`, which
        may be repeated, and no other parameter. Returns the row: it may be changed until it is written, and is empty
        from then on."""

    def new_id(self) -> int:
        """A 63-bit id that was never given before, whatever the clock did."""

    def publish(self, event: Event) -> None:
        """Store the event; listeners get it after the commit, in `seq` order. Dropped on rollback."""

    def after_commit(self, fn: Callable[..., Any], *args: Any) -> None:
        """Call `fn` on the event loop's thread once the commit is durable. Dropped on rollback. Must not raise."""

    def lock(self, table: str, id: int) -> bool:
        """Keep the row from other units until the commit. True if it may have changed since this unit read it."""

    def claim(self, query: Query[T], /, **params: Any) -> list[T]:
        """A select whose rows this unit will update; rows that another unit works on are left out."""


class Reader(Protocol):
    """Read-only. Each call sees what was committed before it."""

    async def one(self, query: Query[T], /, **params: Any) -> T | None: ...

    async def all(self, query: Query[T], /, **params: Any) -> list[T]: ...


class Database(Protocol):
    """Everything but `start` must be called on the thread of the event loop that started it."""

    dialect: str  # "sqlite" or "postgres"

    @property
    def reader(self) -> Reader: ...

    async def start(self) -> None:
        """Migrate and open. Raises NewerSchema, NotOurs, InUse, or another DatabaseError."""

    async def stop(self) -> None:
        """Finish what waits, then close."""

    async def write(self, fn: Callable[[Tx, *Ts], R], *args: *Ts, key: int = 0, first: bool = False) -> R:
        """Run the unit and return its result once it is durable. `key`: units of one key keep their order. `first`:
        before everything that waits; for few and short units that others wait for."""

    async def bulk(self, fn: Callable[[Tx, *Ts], R], *args: *Ts) -> R:
        """Like `write`, behind everything that waits there; for upkeep in small units."""

    def submit(self, fn: Callable[[Tx, *Ts], R], *args: *Ts, done: Done, key: int = 0, first: bool = False) -> None:
        """Like `write` without a future, for the hot path: `done(result, error)` runs on the loop's thread."""

    async def read(self, fn: Callable[Concatenate[Reader, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function on one connection."""

    def listen(self, callback: Listener) -> None:
        """Called on the loop's thread with the events of each commit, in `seq` order, once a batch."""

    def indexed(self, words: Sequence[str]) -> str:
        """The words of a text, in their order, as `message_word` takes them."""

    def wanted(self, all_of: Wanted) -> str:
        """What `message_word match :wanted` asks for."""

    async def settled(self) -> None:
        """Wait until everything given so far is committed or refused and listeners have heard it."""

    async def truncate(self) -> None:
        """After erasing: empty the log beside the main file, so that deleted text is in neither. Raises Locked."""

    async def own_place(self, name: str) -> str:
        """A schema for tables of another program, made if it is missing: the URL under which that program reaches it,
        with what it takes to log in; '' where the database is a file, beside which the program can have one. Raises
        DatabaseError."""

    async def drop_place(self, name: str) -> None:
        """With all that is in it."""

    async def health(self) -> None:
        """A small write, at most one a second. Raises DatabaseError if nothing can be written."""

    def stats(self) -> dict[str, int | float | str]: ...
