"""Parley with the library of its linked devices turned to a fake server: `python -m tests.turned PORT ROOT WORDS…`.

The library is turned as it is loaded, in this process or in a child: what never loads it stays as small as it is.
`SSL_CERT_FILE` names the authority of the fake's host of files.
"""

import os
import sys
from pathlib import Path
from typing import Any

from app.__main__ import main
from app.connectors.whatsapp_web import carriers, engine
from tests.fakes.whatsapp.redirect import redirect


def command(port: int, root: bytes) -> list[str]:
    """How a child of this tree is started that is turned to this port."""
    return [sys.executable, "-m", "tests.turned", str(port), root.hex()]


def environment(authority: Path) -> dict[str, str]:
    """For a process started by `command`, wherever it is started."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "SSL_CERT_FILE": str(authority)}


def turn(port: int, root: bytes) -> None:
    load = engine.load_functions

    def load_turned() -> Any:
        functions = load()
        redirect(port, root)
        return functions

    engine.load_functions = load_turned
    carriers.COMMAND = [*command(port, root), carriers.HIDDEN_WORD]


if __name__ == "__main__":
    place, key, *words = sys.argv[1:]
    turn(int(place), bytes.fromhex(key))
    sys.argv = ["parley", *words]
    sys.exit(main())
