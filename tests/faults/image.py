"""Disk images that a power cut could have left, built from the recorder's log (`disk.c`).

What was synced is there. Of what was written after a file's last sync, any subset of 512-byte sectors may be there;
the newest write of a sector may be missing while an older one is not.
"""

import os
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HEAD = struct.Struct("<BBHIQ")
SECTOR = 512

Record = tuple[int, str, str, int, bytes]  # end of the record in the log, operation, file, offset, data


def records(log: Path) -> Iterator[Record]:
    """The log in order; an incomplete last record is left out."""
    data = log.read_bytes()
    at = 0
    while at + HEAD.size <= len(data):
        op, name_size, _, size, offset = HEAD.unpack_from(data, at)
        start = at + HEAD.size
        end = start + name_size + (size if op == ord("W") else 0)
        if end > len(data):
            return
        yield end, chr(op), data[start : start + name_size].decode(), offset, data[start + name_size : end]
        at = end


class Disk:
    """A folder of files as they are durable, and the writes since the last sync of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pending: dict[str, list[tuple[str, int, bytes]]] = {}

    def apply(self, op: str, name: str, offset: int, data: bytes) -> None:
        if op == "S":
            with opened(self.folder / name) as file:
                for kind, at, part in self.pending.pop(name, []):
                    change(file, kind, at, part)
        elif op == "U":
            (self.folder / name).unlink(missing_ok=True)
            self.pending.pop(name, None)
        else:
            self.pending.setdefault(name, []).append((op, offset, data))

    @contextmanager
    def image(self, dice: random.Random) -> Iterator[None]:
        """While inside, the folder is one possible image. It may be read, not written to."""
        were = {name: size(self.folder / name) for name in self.pending}
        instead = {name: self._lose(name, dice) for name in self.pending}
        yield
        for name, changes in instead.items():
            if were[name] is None:
                (self.folder / name).unlink()
                continue
            with opened(self.folder / name) as file:
                for at, part in reversed(changes):
                    os.pwrite(file, part, at)
                os.ftruncate(file, were[name])

    def cuts(self, log: Path, count: int, dice: random.Random) -> Iterator[int]:
        """Instants of the log, in order; at each the folder is an image that a cut there could have left."""
        position = iter(records(log))
        upcoming = next(position, None)
        for instant in sorted(dice.randrange(log.stat().st_size) for _ in range(count)):
            while upcoming is not None and upcoming[0] <= instant:
                self.apply(*upcoming[1:])
                upcoming = next(position, None)
            with self.image(dice):
                yield instant

    def _lose(self, name: str, dice: random.Random) -> list[tuple[int, bytes]]:
        """Part of what is pending comes, the rest is lost; tells what stood where it came."""
        with opened(self.folder / name) as file:
            return [
                change(file, kind, at + start, part[start : start + SECTOR])
                for kind, at, part in self.pending[name]
                for start in range(0, len(part) or 1, SECTOR)
                if dice.random() < 0.5
            ]


@contextmanager
def opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None


def change(file: int, kind: str, at: int, part: bytes) -> tuple[int, bytes]:
    """Write, or truncate; tells what stood there."""
    if kind == "T":
        gone = os.pread(file, max(os.fstat(file).st_size - at, 0), at)
        os.ftruncate(file, at)
        return at, gone
    gone = os.pread(file, len(part), at)
    os.pwrite(file, part, at)
    return at, gone
