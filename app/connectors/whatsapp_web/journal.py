"""What the library told and the database does not have yet: a file of the account, written before anything else.

The library acknowledges a message to the network by itself, so nobody sends it again (contract §2.3). Here it outlives
the process, however that ends, a moment after the library told it. It outlives a power cut as well once it was synced:
what happens next to an entry is a synced commit of the database, and the file is synced for what waits longer.

An entry is four bytes of length, four of the CRC-32 of its bytes, two of the event's number, and its bytes. Once
everything is in the database the file is emptied. Used by threads of the library and by whoever says that it was kept.

What the library holds while it waits for an entry to be written it has acknowledged as well, so an entry costs one call
of the system and waits for the database only when very much does.
"""

import logging
import os
import struct
import threading
from collections import deque
from pathlib import Path
from typing import Final
from zlib import crc32

from app.system import lock_file, open_private

HEAD: Final = struct.Struct(">IIH")
WINDOW: Final = 32 * 1024 * 1024  # bytes that wait for the database; more waits in the library, then at the network
AGAIN: Final = 1.0  # seconds until a full disk is tried again
SOON: Final = 0.05  # seconds in which the database has an entry as a rule; after them the file is synced
ENDED: Final = 1.0  # seconds in which the thread that syncs ends

log = logging.getLogger(__name__)


class InUse(Exception):
    """Another process has this account's sessions: one that was left alone and is about to end."""


class Journal:
    """Raises `InUse`. Close it, or another process cannot have it."""

    def __init__(self, path: Path) -> None:
        self._file = open_private(path, append=True)
        if not lock_file(self._file):
            os.close(self._file)
            raise InUse
        self._changed = threading.Condition()
        self._waiting: deque[int] = deque()  # how long each entry is that the database does not have
        self._bytes = 0  # of those
        self._end = 0
        self._synced = True
        self._awaited = self._open = True
        self._syncing = threading.Thread(target=self._sync, daemon=True, name="whatsapp-web-journal")
        self._syncing.start()

    def left(self) -> list[tuple[int, bytes]]:
        """The entries that a process left behind, oldest first, each of which is then to be kept like a new one."""
        found = []
        with self._changed, open(self._file, "rb", closefd=False) as file:
            while len(head := file.read(HEAD.size)) == HEAD.size:
                length, crc, number = HEAD.unpack(head)
                data = file.read(length)
                if len(data) < length or not length or crc32(data) != crc:
                    break  # written as the process or the power ended
                found.append((number, data))
                self._add(HEAD.size + length)
            os.ftruncate(self._file, self._end)
        return found

    def append(self, number: int, data: bytes) -> None:
        """Written when it returns. Waits while too much waits already, or the disk is full: then the library waits, it
        acknowledges a hundred more and leaves the rest with the network."""
        with self._changed:
            if self._bytes > WINDOW:
                self._changed.wait_for(lambda: self._bytes <= WINDOW or not self._awaited)
            entry = HEAD.pack(len(data), crc32(data), number) + data
            while self._open and not self._written(entry) and self._awaited:
                self._changed.wait(AGAIN)
            self._add(len(entry))
            if self._synced:
                self._synced = False
                self._changed.notify_all()

    def _add(self, length: int) -> None:
        self._waiting.append(length)
        self._bytes += length
        self._end += length

    def _written(self, entry: bytes) -> bool:
        try:
            if os.write(self._file, entry) == len(entry):
                return True
            os.ftruncate(self._file, self._end)
        except OSError as error:
            log.warning("what a linked device heard cannot be written: %s", error)
        return False

    def kept(self) -> None:
        """The oldest entry is in the database."""
        with self._changed:
            self._bytes -= self._waiting.popleft()
            if not self._waiting and self._open:
                os.ftruncate(self._file, 0)
                self._end = 0
            self._changed.notify_all()

    def _sync(self) -> None:
        """On a thread of its own, until it is closed."""
        with self._changed:
            while self._open:
                self._changed.wait_for(lambda: not (self._synced and self._open))
                self._changed.wait_for(lambda: not self._open, SOON)
                self._synced = True
                if self._waiting:
                    self._changed.release()
                    try:
                        os.fsync(self._file)
                    except OSError as error:
                        log.warning("what a linked device heard cannot be synced: %s", error)
                    finally:
                        self._changed.acquire()
            os.close(self._file)

    def release(self) -> None:
        """Nobody keeps anything any more: what still comes is written, and waits for nobody."""
        with self._changed:
            self._awaited = False
            self._changed.notify_all()

    def close(self) -> None:
        """Safe to call twice."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        self._syncing.join(ENDED)
