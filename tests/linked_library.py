"""Where the library of linked devices can be played with: its wheels are not made for every system, and the fake server
is put in its place in memory that only Linux shows."""

import importlib.util
import sys

import pytest


def require() -> None:
    """Called by a module before it imports what needs the library: without it none of the module's tests can say anything,
    and each such module has its line in `tests/skips.txt`."""
    if sys.platform != "linux" or importlib.util.find_spec("neonize") is None:
        pytest.skip("no linked device can be played here", allow_module_level=True)  # as the module says
