"""Units of work waiting for a writer, in three queues, and the one call that tells the event loop how a batch ended."""

import logging
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, Final

from app.db.contract import Done, Together

log = logging.getLogger(__name__)

SLOW = 0.020  # a unit that holds the writer longer is named in the log (s)
BULK_SHARE = 10  # one unit in ten comes from the second queue even when the first is never empty


class Unit:
    """A function waiting to run, then its outcome."""

    __slots__ = ("args", "done", "error", "fn", "result")

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], done: Done) -> None:
        self.fn = fn
        self.args = args
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None

    @property
    def name(self) -> str:
        fn = self.fn.one if isinstance(self.fn, Together) else self.fn
        return f"{fn.__module__}.{getattr(fn, '__qualname__', fn)}"


def warn_if_slow(units: Sequence[Unit], started: float) -> None:
    """Of units that ran together."""
    took = perf_counter() - started
    if took > SLOW:
        log.warning("slow unit=%s together=%d took_ms=%.1f", units[0].name, len(units), took * 1000)


class _Signal:
    """Not a unit: wakes a writer that waits."""


_LOOK: Final = _Signal()
_STOP: Final = _Signal()


class UnitQueue:
    """Filled by the event loop's thread, emptied by one writer thread."""

    def __init__(self) -> None:
        self._main: SimpleQueue[Unit | _Signal] = SimpleQueue()
        self._first: deque[Unit] = deque()
        self._bulk: deque[Unit] = deque()
        self._since_bulk = 0
        self.stopping = False
        self.put: Callable[[Unit], None] = self._main.put

    def put_first(self, unit: Unit) -> None:
        self._first.append(unit)
        self._main.put(_LOOK)

    def put_bulk(self, unit: Unit) -> None:
        self._bulk.append(unit)
        self._main.put(_LOOK)

    def stop(self) -> None:
        """What was put before is still served."""
        self._main.put(_STOP)

    def __len__(self) -> int:
        return len(self._first) + self._main.qsize() + len(self._bulk)

    def take(self, timeout: float | None = None) -> Unit | None:
        """Wait for a unit. None when stopped and empty, or after `timeout` seconds."""
        while (unit := self.take_waiting()) is None and not self.stopping:
            try:
                item = self._main.get(timeout=timeout)
            except Empty:
                return None
            if isinstance(item, Unit):
                return self._main_unit(item)
            self.stopping = self.stopping or item is _STOP
        return unit

    def take_waiting(self) -> Unit | None:
        """A unit that waits already, or None."""
        if self._first:
            return self._first.popleft()
        if self._since_bulk >= BULK_SHARE - 1 and self._bulk:
            return self._bulk_unit()
        while not self._main.empty():
            item = self._main.get_nowait()
            if isinstance(item, Unit):
                return self._main_unit(item)
            self.stopping = self.stopping or item is _STOP
        return self._bulk_unit() if self._bulk else None

    def only_bulk(self) -> bool:
        """Nothing waits but what may."""
        return not self._first and self._main.empty() and bool(self._bulk)

    def take_all(self) -> list[Unit]:
        """Everything that waits."""
        return list(iter(self.take_waiting, None))

    def _main_unit(self, unit: Unit) -> Unit:
        self._since_bulk += 1
        return unit

    def _bulk_unit(self) -> Unit:
        self._since_bulk = 0
        return self._bulk.popleft()


Call = tuple[Callable[..., None], tuple[Any, ...]]


def settle(loop: AbstractEventLoop, units: Sequence[Unit], calls: Sequence[Call] = ()) -> None:
    """From a writer thread: one hop to the loop for a whole batch; first the outcomes, then the calls."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(_settle, units, calls)


def _settle(units: Sequence[Unit], calls: Sequence[Call]) -> None:
    for unit in units:
        call_logged(unit.done, unit.result, unit.error)
    for fn, args in calls:
        call_logged(fn, *args)


def call_logged(fn: Callable[..., None], *args: Any) -> None:
    """A callback that raises must not keep the others from hearing."""
    try:
        fn(*args)
    except Exception:
        log.exception("callback failed name=%s", getattr(fn, "__qualname__", fn))
