"""What differs by system: file locks, private files, syncing a folder, where data lies, how other programs start."""

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    # Windows locks a range of bytes and hides it from others, so the locked byte lies far behind what is written.
    _LOCKED_BYTE = 1 << 30

    def lock_file(file: int) -> bool:
        """Take the lock of an open file for this process; False if another holds it. Closing the file gives it back."""
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

    def sync_folder(path: Path) -> None:
        """Windows has no such call: NTFS journals names itself."""

    def default_data_folder() -> Path:
        """The user's local application data."""
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "Parley"

else:
    import fcntl

    def lock_file(file: int) -> bool:
        """Take the lock of an open file for this process; False if another holds it. Closing the file gives it back."""
        # flock, not lockf: a POSIX lock would be lost when anything in this process closes the same file.
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def sync_folder(path: Path) -> None:
        """Make names in a folder durable: a renamed or new file is safe only after this."""
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def default_data_folder() -> Path:
        """`~/Library/Application Support/Parley` on a Mac, else the XDG data folder."""
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Application Support" / "Parley"
        base = os.environ.get("XDG_DATA_HOME")
        return (Path(base) if base else Path.home() / ".local" / "share") / "parley"


def take_longer_turns() -> None:
    """Threads of this process, and of those it starts, do not interrupt whoever computes when they wake, but wait for
    the end of its turn. Ours share one lock, so the one that was interrupted is soon asked for again."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # not allowed here: it only costs time
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def outside_environment() -> dict[str, str]:
    """For programs of the machine: the libraries of the packaged program are not theirs."""
    found = dict(os.environ)
    if getattr(sys, "frozen", False):
        for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
            found.pop(name, None)
            if before := found.pop(f"{name}_ORIG", ""):
                found[name] = before
    return found


def open_private(path: Path, *, append: bool = False) -> int:
    """Open for reading and writing, made with owner-only permissions if new. (Windows: the folder's own rights.)
    `append`: whatever is written goes to the end, wherever that is."""
    return os.open(path, os.O_RDWR | os.O_CREAT | (os.O_APPEND if append else 0), 0o600)


def make_private_folder(path: Path) -> None:
    """Create a folder, and what is missing above it, that only its owner may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_private(path: Path) -> None:
    """Let only the owner read and write the file. Windows keeps the rights of the folder."""
    if sys.platform != "win32":
        path.chmod(0o600)


def sync_file(path: Path) -> None:
    """Make the content of a finished file durable."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
