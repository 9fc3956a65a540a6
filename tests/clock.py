"""Time in tests: it stands still until a test moves it."""

START = 1_750_000_000_000  # 2025-06-15


class ManualClock:
    """Both clocks move together, but for `jump`, which is somebody setting the wall clock."""

    def __init__(self, now: int = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * 1000)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        self._now += round(seconds * 1000)
