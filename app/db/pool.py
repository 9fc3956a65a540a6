"""A few read-only connections, lent one reader at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from app.db.contract import Query, Reader, T
from app.db.errors import Stopped


class Lent(Reader, Protocol):
    """A reader on a connection of its own. `usable`: the next may have it."""

    @property
    def usable(self) -> bool: ...

    async def close(self) -> None: ...


L = TypeVar("L", bound=Lent)


class Pool(Generic[L]):
    """Opens connections when they are needed, at most `size`; the one used last is lent first."""

    def __init__(self, connect: Callable[[], Awaitable[L]], size: int) -> None:
        self._connect = connect
        self._free = asyncio.Semaphore(size)
        self._size = size
        self._idle: list[L] = []
        self._closed = False

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[L]:
        async with self._free:
            if self._closed:
                raise Stopped()
            reader = self._idle.pop() if self._idle else await self._connect()
            try:
                yield reader
            finally:
                if reader.usable:
                    self._idle.append(reader)
                else:
                    await asyncio.shield(reader.close())

    async def close(self) -> None:
        """Waits for what is lent."""
        self._closed = True
        for _ in range(self._size):
            await self._free.acquire()
        for reader in self._idle:
            await reader.close()
        self._idle.clear()
        for _ in range(self._size):
            self._free.release()


class PooledReader(Generic[L]):
    """A reader that takes whichever connection is free, for one query."""

    def __init__(self, pool: Pool[L]) -> None:
        self._pool = pool

    async def one(self, query: Query[T], /, **params: Any) -> T | None:
        async with self._pool.lend() as reader:
            return await reader.one(query, **params)

    async def all(self, query: Query[T], /, **params: Any) -> list[T]:
        async with self._pool.lend() as reader:
            return await reader.all(query, **params)
