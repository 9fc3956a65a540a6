"""Against a decision that kills the process: the name of the message being decided lies in a small mapped file.

The mapping outlives a killed process. A name found there at the next start gets a strike; after two strikes the
message is stored unanswered instead of being decided again. One strike is not enough: a kill from outside can fall
into any decision.
"""

import hashlib
import itertools
import mmap
import os
import threading
from pathlib import Path

SLOT = 256
SLOTS = 16
STRIKES = 2
NOTHING = bytes(SLOT)


class Guard:
    """Names being decided, one slot a writer thread. `strikes` come from the database at start."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        if path.stat().st_size != SLOT * SLOTS:
            path.write_bytes(bytes(SLOT * SLOTS))
        self._file = os.open(path, os.O_RDWR)
        self._map = mmap.mmap(self._file, SLOT * SLOTS)
        self._slots: dict[int, int] = {}
        self._numbers = itertools.count()
        self._poison: frozenset[str] = frozenset()

    def found(self) -> list[str]:
        """Names that a killed process left behind; they are wiped."""
        slots = (self._map[at : at + SLOT].rstrip(b"\0") for at in range(0, SLOT * SLOTS, SLOT))
        names = [slot.decode("utf-8", "replace") for slot in slots if slot]
        self._map[:] = bytes(SLOT * SLOTS)
        return names

    def judge(self, strikes: dict[str, int]) -> None:
        """From now on, names with two strikes are not decided."""
        self._poison = frozenset(name for name, count in strikes.items() if count >= STRIKES)

    def is_poison(self, name: str) -> bool:
        return bool(self._poison) and _short(name) in self._poison

    def begin(self, name: str) -> int:
        """From now until `end` with the answer, a killed process leaves the name behind."""
        at = self._slot()
        self._map[at : at + SLOT] = _short(name).encode().ljust(SLOT, b"\0")
        return at

    def end(self, at: int) -> None:
        self._map[at] = 0
        self._map[at : at + SLOT] = NOTHING

    def _slot(self) -> int:
        thread = threading.get_ident()
        if thread not in self._slots:
            self._slots[thread] = next(self._numbers) % SLOTS * SLOT
        return self._slots[thread]

    def close(self) -> None:
        self._map.close()
        os.close(self._file)


def _short(name: str) -> str:
    """The name itself if it fits, else its digest."""
    if len(name) <= SLOT and name.isascii():
        return name
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
