"""How far an account's library is trusted: beside everything else, in a process of its own, or not at all for now.

A crash of the library in this process is the end of Parley, which cannot say so any more. So a mark is put into a file
of the account before native code runs and taken away on a clean stop; found at the next start of the same boot of the
machine, it means that Parley died meanwhile, of whatever, and the account runs apart from then on. There its crashes
are seen: three in a day, and it stays off until a person wants it tried again.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from app.system import make_private

DAY: Final = 24 * 3600
MOST: Final = 3
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
CRASHED, HUNG = "web.apart_crashed", "web.apart_hung"


class Off(Exception):
    """The library crashed too often. Says how."""


class Record(msgspec.Struct, omit_defaults=True):
    """`runs`: the boot in which it runs in this process; `apart`: why it does not any more, a key of `SENTENCES`;
    `crashes`: when, in seconds since 1970, and `how` the last one went."""

    runs: str = ""
    apart: str = ""
    crashes: list[int] = []
    how: str = ""


class Safety:
    """The record of one account. `now`: seconds since 1970."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._record = self._read()

    def _read(self) -> Record:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            return Record()

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(self._record))
        make_private(new)
        new.replace(self._path)

    @property
    def apart(self) -> str:
        """Why it runs apart though nobody wished it; '' if it does not have to."""
        return self._record.apart

    def begin(self, *, apart: bool) -> bool:
        """The library is about to run: whether apart, which the user may have wished. Raises `Off`."""
        record = self._record = self._read()
        if record.runs == boot():
            record.runs, record.apart = "", CRASHED
            self._write()
        if len(record.crashes) >= MOST:
            raise Off(record.how)
        apart = apart or bool(record.apart)
        if not apart:
            record.runs = boot()
            self._write()
        return apart

    def ended(self) -> None:
        """It stopped as it should."""
        if self._record.runs:
            self._record.runs = ""
            self._write()

    def crashed(self, how: str) -> None:
        now = int(self._now())
        self._record.crashes = [*(at for at in self._record.crashes if at > now - DAY), now]
        self._record.how = how
        self._write()

    def hung(self) -> None:
        """A call never came back: no other can be made in this process."""
        self._record.runs, self._record.apart = "", HUNG
        self._write()

    def forgive(self) -> None:
        """A person wants it tried again; what had to run apart still does."""
        self._record.crashes = []
        self._write()


def boot() -> str:
    """Tells one boot of the machine from the next, where the system does: a power cut is no crash."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
