"""The product with `synchronous=NORMAL`, to see what full durability costs: `python -m tests.bench.normal serve …`."""

import sys
from pathlib import Path

from app import runtime
from app.__main__ import main
from app.clock import Clock
from app.db import Database
from app.db.sqlite import Sqlite


def open_database(where: object, *, clock: Clock) -> Database:
    return Sqlite(Path(str(where)), clock=clock, synchronous="NORMAL")


if __name__ == "__main__":
    # The product has no such setting on purpose, so this program puts its own opening in the place of the product's.
    runtime.open_database = open_database
    sys.exit(main())
