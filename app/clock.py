"""Time as the product sees it: wall-clock milliseconds for data, a monotonic clock for waiting and limits."""

import time
from typing import Protocol


class Clock(Protocol):
    """`now()` is data (milliseconds UTC, may jump); `monotonic()` is for leases and limits (seconds, never jumps)."""

    def now(self) -> int: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
