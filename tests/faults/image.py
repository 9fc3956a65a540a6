"""Disk images that a power cut could have left, built from the recorder's log (`disk.c`).

What was synced is there. Of what was written after a file's last sync, any subset of 512-byte sectors may be there;
the newest write of a sector may be missing while an older one is not.
"""

import random
import struct
from collections.abc import Iterator
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
    """Durable bytes a file, and the writes since its last sync."""

    def __init__(self) -> None:
        self.durable: dict[str, bytearray] = {}
        self.pending: dict[str, list[tuple[str, int, bytes]]] = {}

    def apply(self, op: str, name: str, offset: int, data: bytes) -> None:
        if op == "S":
            body = self.durable.setdefault(name, bytearray())
            for kind, at, part in self.pending.pop(name, []):
                change(body, kind, at, part)
        elif op == "U":
            self.durable.pop(name, None)
            self.pending.pop(name, None)
        else:
            self.pending.setdefault(name, []).append((op, offset, data))

    def image(self, folder: Path, dice: random.Random) -> None:
        """Write one possible image into a folder."""
        for name in {*self.durable, *self.pending}:
            body = bytearray(self.durable.get(name, b""))
            for kind, at, part in self.pending.get(name, []):
                if kind == "T":
                    if dice.random() < 0.5:
                        change(body, kind, at, part)
                    continue
                for start in range(0, len(part), SECTOR):
                    if dice.random() < 0.5:
                        change(body, "W", at + start, part[start : start + SECTOR])
            (folder / name).write_bytes(body)


def change(body: bytearray, kind: str, at: int, part: bytes) -> None:
    if kind == "T":
        if len(body) > at:
            del body[at:]
        else:
            body.extend(bytes(at - len(body)))
        return
    if len(body) < at + len(part):
        body.extend(bytes(at + len(part) - len(body)))
    body[at : at + len(part)] = part
