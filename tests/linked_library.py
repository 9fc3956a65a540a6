"""Where linked devices can be played: wheels of their library are not made for every system, and the fake server is put
in the library's place in memory that only Linux shows. Modules that need it ask before they import it, and have a line
in `tests/skips.txt`."""

import importlib.util
import sys
from typing import Final

WHY_NOT: Final = (
    "the library is not there, or its memory cannot be read"
    if sys.platform != "linux" or importlib.util.find_spec("neonize") is None
    else ""
)
