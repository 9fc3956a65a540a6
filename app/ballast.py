"""Sixteen megabytes kept aside on the disk of the data folder, given up when it is full.

On a full disk not even a deletion can be written (the log grows first), so without it nothing could ever be cleaned up.
"""

import os
import shutil
from pathlib import Path

from app.system import open_private

SIZE = 16 * 1024 * 1024
ROOM = 4 * SIZE
CHUNK = bytes(1024 * 1024)


class Ballast:
    """The file `ballast` in the data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def keep(self) -> None:
        """Fill it again once there is room."""
        if self._path.exists() or shutil.disk_usage(self._path.parent).free < ROOM:
            return
        with open(open_private(self._path), "wb") as file:
            for _ in range(SIZE // len(CHUNK)):
                file.write(CHUNK)
            file.flush()
            os.fsync(file.fileno())

    def give_up(self) -> bool:
        """Make room. False if it was given up already."""
        if not self._path.exists():
            return False
        self._path.unlink()
        return True
