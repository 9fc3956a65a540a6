"""One SQLite library in the process, new enough not to lose data.

Every WAL version below 3.51.3 has a rare race between a checkpoint and a commit that damages the file. The wheel
`pysqlite3` carries a newer SQLite; where it exists it takes the place of `sqlite3` before anything imports that name
(aiosqlite and sqlite-utils do). Elsewhere the system's library serves, and checkpoints stay on the writer's connection.
"""

import sys
from types import ModuleType

FLOOR = (3, 39, 0)  # `is distinct from`
SAFE_WITH_TWO_CONNECTIONS = (3, 51, 3)


def choose_sqlite() -> ModuleType:
    """Put the newest SQLite at hand under the name `sqlite3`. Called when `app` is imported."""
    try:
        import pysqlite3 as chosen
        from pysqlite3 import dbapi2
    except ImportError:
        import sqlite3

        return sqlite3
    sys.modules["sqlite3"] = chosen
    sys.modules["sqlite3.dbapi2"] = dbapi2
    module: ModuleType = chosen
    return module


def sqlite_version() -> tuple[int, ...]:
    """Of the library that runs in this process."""
    import sqlite3

    return sqlite3.sqlite_version_info


def may_checkpoint_elsewhere() -> bool:
    """Whether a second connection may checkpoint while the writer commits."""
    return sqlite_version() >= SAFE_WITH_TWO_CONNECTIONS


def describe_sqlite() -> str:
    """One phrase for `doctor` and the start-up line."""
    import sqlite3

    origin = "pysqlite3" if sqlite3.__name__ == "pysqlite3" else "the system's"
    remark = "" if may_checkpoint_elsewhere() else ", checkpoints on the writer"
    return f"SQLite {sqlite3.sqlite_version} ({origin}{remark})"
