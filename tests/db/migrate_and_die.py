"""A process that kills itself in the middle of a migration: arguments are file, folder, migration, step."""

import os
import signal
import sys
from pathlib import Path

from app.db.migrate import Migration
from app.db.sqlite_file import prepare


def main(path: str, folder: str, number: str, step: str) -> None:
    def on_statement(migration: Migration, n: int) -> None:
        if (migration.number, n) == (int(number), int(step)):
            os.kill(os.getpid(), signal.SIGKILL)

    prepare(Path(path), 0, Path(folder), on_statement)


if __name__ == "__main__":
    main(*sys.argv[1:])
