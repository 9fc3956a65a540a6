"""Start the server and end it, like a kill, at the N-th function call of the turn and the outbox (numbered fault
points).

`python serve_points.py N serve`, or `N:calls.py,jobs.py` for the points of those files. Calls are counted from the
message `wamid.point.N` on; each is a point at which the process may die.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import app
from app import control, dashboard, server, serving  # before anybody looks on
from app.cli import main
from app.routes import hooks

assert app and control and dashboard and server and serving and hooks
FILES = "inbox.py,settle.py,outbox.py,intake.py,sqlite_writer.py,sqlite_tx.py,units.py"
FOLDER = str(Path(app.__file__).parent)
INBOX = str(Path(app.__file__).with_name("inbox.py"))

number, _, named = sys.argv.pop(1).partition(":")
last, files = int(number), frozenset((named or FILES).split(","))
count = 0
counting = False


def arrives(function: str, given: dict[str, Any]) -> bool:
    """The message comes alone, or with others."""
    several = {"receive": lambda: [given["inbound"]], "receive_all": lambda: [one for *_, one, _ in given["calls"]]}
    return function in several and any(one.provider_id == f"wamid.point.{last}" for one in several[function]())


def profile(frame: FrameType, event: str, _: Any) -> None:
    """Both ends of a call are points: before it did anything, and after all it did."""
    global count, counting
    if event not in ("call", "return"):
        return
    code = frame.f_code
    if not counting:
        counting = event == "call" and code.co_filename == INBOX and arrives(code.co_name, frame.f_locals)
    if counting and code.co_filename.startswith(FOLDER) and os.path.basename(code.co_filename) in files:
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)


threading.setprofile(profile)
sys.setprofile(profile)
sys.exit(main())
