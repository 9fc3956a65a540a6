"""Which SQLite it is: the one that apsw brings, the same on every system.

Every WAL version below 3.51.3 has a rare race between a checkpoint and a commit that damages the file; the lock keeps
apsw above it. Python's own `sqlite3` brings another, which aiosqlite loads and nobody opens a file with: two libraries
in one process take each other's locks away.
"""

import apsw

VERSION = apsw.sqlite_lib_version()


def describe_sqlite() -> str:
    """One phrase for `doctor` and the start-up line."""
    return f"SQLite {VERSION} (apsw)"
