"""Start the server and end it, like a kill, at the N-th function call of the turn and the outbox (numbered fault
points).

`python serve_points.py N serve`, or `N:calls.py,jobs.py` for the points of those files. Calls are counted from the
first message on; each is a point at which the process may die.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import app
from app.cli import main

assert app
FILES = "inbox.py,settle.py,outbox.py,intake.py,sqlite_writer.py,sqlite_tx.py,units.py"
FOLDER = str(Path(app.__file__).parent)
START = "receive"

number, _, named = sys.argv.pop(1).partition(":")
last, files = int(number), frozenset((named or FILES).split(","))
count = 0
counting = False


def profile(frame: FrameType, event: str, _: Any) -> None:
    """Both ends of a call are points: before it did anything, and after all it did."""
    global count, counting
    if event not in ("call", "return"):
        return
    path = frame.f_code.co_filename
    if not path.startswith(FOLDER):
        return
    name = os.path.basename(path)
    if not counting and frame.f_code.co_name == START and name == "inbox.py":
        counting = True
    if counting and name in files:
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)


threading.setprofile(profile)
sys.setprofile(profile)
sys.exit(main())
