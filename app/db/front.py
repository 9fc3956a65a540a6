"""What both databases share on the side of the event loop: handing units over and hearing how they ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, TypeVarTuple

from app.clock import Clock
from app.db import fulltext
from app.db.contract import Done, Reader, Statement, Tx
from app.db.errors import Stopped
from app.db.ids import Ids
from app.db.pool import L, Pool, PooledReader
from app.db.units import Unit, UnitQueue, call_logged
from app.events import Listener, StoredEvent

R = TypeVar("R")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

_PROBE = Statement(
    "insert into mark (name, value) values ('probe', :at) on conflict (name) do update set value = excluded.value"
)
PROBE_AGE = 1.0  # a health answer serves this long (s)


class Front(Generic[L]):
    """Subclasses open connections and writers; they name the queue a key belongs to."""

    dialect: str

    def __init__(self, clock: Clock, node: int, queues: list[UnitQueue], pool: Pool[L]) -> None:
        self._clock = clock
        self._ids = Ids(node)
        self._queues = queues
        self._pool = pool
        self._reader = PooledReader(pool)
        self._listeners: list[Listener] = []
        self._open = False
        self._probed_at = float("-inf")

    @property
    def reader(self) -> Reader:
        return self._reader

    async def write(self, fn: Callable[[Tx, *Ts], R], *args: *Ts, key: int = 0, first: bool = False) -> R:
        queue = self._queue(key)
        return await self._ask(queue.put_first if first else queue.put, fn, args)

    async def bulk(self, fn: Callable[[Tx, *Ts], R], *args: *Ts) -> R:
        return await self._ask(self._queues[0].put_bulk, fn, args)

    def submit(self, fn: Callable[[Tx, *Ts], R], *args: *Ts, done: Done, key: int = 0, first: bool = False) -> None:
        if not self._open:
            raise Stopped()
        queue = self._queue(key)
        (queue.put_first if first else queue.put)(Unit(fn, args, done))

    async def read(self, fn: Callable[Concatenate[Any, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        async with self._pool.lend() as reader:
            return await fn(reader, *args, **kwargs)

    def listen(self, callback: Listener) -> None:
        self._listeners.append(callback)

    def indexed(self, words: Sequence[str]) -> str:
        return fulltext.indexed(self.dialect, words)

    def wanted(self, all_of: fulltext.Wanted) -> str:
        return fulltext.wanted(self.dialect, all_of)

    async def settled(self) -> None:
        await asyncio.gather(*(self._ask(queue.put, _nothing, ()) for queue in self._queues))

    async def health(self) -> None:
        if self._clock.monotonic() - self._probed_at >= PROBE_AGE:
            await self.write(_probe)
            self._probed_at = self._clock.monotonic()

    async def _ask(self, put: Callable[[Unit], None], fn: Callable[..., R], args: tuple[Any, ...]) -> R:
        if not self._open:
            raise Stopped()
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def done(result: R, error: BaseException | None) -> None:
            if answer.done():  # its task was cancelled; the unit ran all the same, whole
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        put(Unit(fn, args, done))
        return await answer

    def _queue(self, key: int) -> UnitQueue:
        return self._queues[key % len(self._queues)]

    def _tell(self, events: list[StoredEvent]) -> None:
        """On the loop's thread."""
        for listener in self._listeners:
            call_logged(listener, events)


def _nothing(tx: Tx) -> None:
    """Passing through the queue is all."""


def _probe(tx: Tx) -> None:
    tx.run(_PROBE, at=tx.now)
