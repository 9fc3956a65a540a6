"""Writes the log back into the main file, off the commit path, and notices when the file is moved away under us.

A checkpoint beside a busy writer never reaches the end of the log, so the log would grow for ever: past a limit the
writer is asked to finish one between two batches, when little is left to copy.
"""

import logging
import threading
from pathlib import Path

import apsw

from app.db.errors import Moved
from app.db.sqlite_file import BUSY_MS, open_writer
from app.db.sqlite_writer import Writer

log = logging.getLogger(__name__)

EVERY = 0.05  # seconds between looks
# Written back when so many wait, or when nothing is written any more. Commits wait for the disk meanwhile: the more at
# once, the longer.
PAGES = 250
IDLE = 2  # looks without a new batch after which nothing is written any more
TOO_LONG = 16000  # pages of log (64 MB) after which the writer helps
LOOK_AT_FILE = 40  # looks between two at the file itself


class Checkpoints(threading.Thread):
    """`stop` returns when the thread has closed its connection."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(name="db-checkpoint", daemon=True)
        self._writer = writer
        self._stop_asked = threading.Event()
        self._file = identity(writer.path)
        self._connection: apsw.Connection | None = None
        self._seen = self._idle = 0
        self._settled = False

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        looks = 0
        while not self._stop_asked.wait(EVERY):
            looks += 1
            try:
                if looks % LOOK_AT_FILE == 0:
                    self._look_at_file()
                if not self._writer.moved:
                    self._look_at_log()
            except apsw.Error as error:
                log.warning("checkpoint failed reason=%s", error)
                self._close()
        self._close()

    def _look_at_file(self) -> None:
        self._writer.moved = None if identity(self._writer.path) == self._file else Moved()

    def _look_at_log(self) -> None:
        batches = self._writer.batches
        self._idle = self._idle + 1 if batches == self._seen else 0
        self._seen = batches
        idle = self._idle >= IDLE
        if idle and self._settled:
            return
        connection = self._open()
        _, logged, written = connection.execute("pragma wal_checkpoint(noop)").get
        waiting = logged - written
        if waiting >= PAGES or (idle and waiting > 0):
            _, logged, written = connection.execute("pragma wal_checkpoint(passive)").get
        self._settled = logged == written
        if logged > TOO_LONG and not idle:
            self._writer.between.append(finish_checkpoint)

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = open_writer(self._writer.path, "FULL")
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def finish_checkpoint(connection: apsw.Connection) -> None:
    """On the writer, between two batches: the next write then starts the log anew."""
    connection.execute("pragma wal_checkpoint(passive)").fetchall()


def empty_log(connection: apsw.Connection) -> bool:
    """On the writer, between two batches: everything into the main file, the log cut to nothing. False while a reader
    needs the log."""
    connection.execute("pragma busy_timeout = 100")
    try:
        busy: int = connection.execute("pragma wal_checkpoint(truncate)").get[0]
    finally:
        connection.execute(f"pragma busy_timeout = {BUSY_MS}")
    return not busy


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode. `stat` opens nothing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
