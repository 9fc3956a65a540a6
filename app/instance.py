"""One process per data folder: a lock file that names its holder. The lock goes with the process, however it ends."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.errors import Misconfigured
from app.system import lock_file, make_private_folder, open_private

NAME = "lock"


@dataclass(frozen=True)
class Holder:
    """The process that has the folder; `port` is 0 until it listens."""

    pid: int
    port: int


class AlreadyRunning(Misconfigured):
    """Another process has the data folder."""

    code = "already_running"

    def __init__(self, data: Path, holder: Holder) -> None:
        listening = f", which listens on port {holder.port}" if holder.port else ""
        super().__init__(
            f"Parley already runs on {data}: process {holder.pid}{listening}. Stop it first or name another folder."
        )
        self.holder = holder


class Instance:
    """The taken lock of a data folder. Keep it until the process ends, or `release` it."""

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def take(cls, data: Path) -> Self:
        """Create the folder if missing and lock it. Raises AlreadyRunning."""
        make_private_folder(data)
        file = open_private(data / NAME)
        if not lock_file(file):
            holder = _read(file)
            os.close(file)
            raise AlreadyRunning(data, holder)
        instance = cls(file)
        instance.listens_on(0)
        return instance

    def listens_on(self, port: int) -> None:
        """Note the port, so that others can be told where to look."""
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, f"{os.getpid()} {port}\n".ljust(24).encode())

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two files of the same name.
        os.close(self._file)


def find_running(data: Path) -> Holder | None:
    """Who runs on this folder, if anyone."""
    try:
        file = os.open(data / NAME, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if lock_file(file) else _read(file)
    finally:
        os.close(file)


def _read(file: int) -> Holder:
    os.lseek(file, 0, os.SEEK_SET)
    words = os.read(file, 64).split()
    pid, port = (int(word) for word in words[:2]) if len(words) >= 2 else (0, 0)
    return Holder(pid, port)
