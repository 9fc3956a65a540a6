"""Ids made here: 41 bits of milliseconds since 2024, 10 bits of node, 12 bits of counter. Never given twice.

The clock only pushes ids forward. When it goes back, or more than 4,096 ids are wanted in one millisecond, ids run
ahead of it. What was given survives a kill through a mark in the database that is always ahead of the newest committed
id and moves in steps, so that it costs one small write every ten seconds.
"""

from threading import Lock

EPOCH = 1_704_067_200_000  # 2024-01-01, so that 41 bits last until 2093
STEP = 10_000
MAX_NODE = 1023
_COUNTER = 0xFFF


class Ids:
    """Used by all writer threads. `mark` is ms since EPOCH, as stored."""

    def __init__(self, node: int) -> None:
        if not 0 <= node <= MAX_NODE:
            raise ValueError(f"node must be between 0 and {MAX_NODE}")
        self.node = node
        self._node_bits = node << 12
        self._ms = 0
        self._counter = _COUNTER
        self._mark = -1
        self._lock = Lock()

    def resume(self, mark: int) -> None:
        """Start after everything given under this mark."""
        with self._lock:
            self._ms, self._counter, self._mark = max(self._ms, mark), _COUNTER, mark

    def new(self, now: int) -> int:
        """The next id; `now` in ms UTC."""
        with self._lock:
            ms = now - EPOCH
            if ms > self._ms:
                self._ms, self._counter = ms, 0
            elif self._counter < _COUNTER:
                self._counter += 1
            else:
                self._ms, self._counter = self._ms + 1, 0
            return self._ms << 22 | self._node_bits | self._counter

    def mark_needed(self) -> int | None:
        """The mark to write in this transaction before it commits, if ids went past the one that is stored."""
        return self._ms + STEP if self._ms > self._mark else None

    def mark_stored(self, mark: int) -> None:
        """The transaction with the mark is durable."""
        with self._lock:
            self._mark = max(self._mark, mark)

    @property
    def last(self) -> int:
        """The exact mark, for a clean stop."""
        return self._ms
