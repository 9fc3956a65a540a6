"""An account's library in a process of its own: this program, started with the hidden word `linked-device`.

Parent and child speak over what the child was given as standard input and output: frames of a four-byte length and
MessagePack. The library prints to standard output, so the child first puts its error output there. It ends when the
parent does, after the last that it has heard was written down.

To the child: ("start", store, journal, props), ("call", id, function, args, limit), ("kept",), ("ping",), ("stop",).
To the parent: ("told", number, data), ("answer", id, data, error), ("pong", overdue), ("missing", reason).
"""

import contextlib
import os
import queue
import signal
import struct
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

from app.connectors.whatsapp_web.engine import Account, Engine
from app.connectors.whatsapp_web.library import Missing

LENGTH: Final = struct.Struct(">I")
PATIENCE: Final = 3.0  # seconds for a stop; the library may hang


def pack(*frame: Any) -> bytes:
    data = msgspec.msgpack.encode(frame)
    return LENGTH.pack(len(data)) + data


class Line:
    """The child's end of the line to its parent. What is told waits for no busy parent: the library would go on hearing
    meanwhile, and what it holds is lost with it."""

    def __init__(self, heard: int, told: int) -> None:
        self._heard = open(heard, "rb")
        self._told = told
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send, daemon=True, name="line")
        self._sender.start()

    def next(self) -> list[Any] | None:
        """The parent's next frame; None when the parent is gone."""
        head = self._heard.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        frame: list[Any] = msgspec.msgpack.decode(self._heard.read(LENGTH.unpack(head)[0]))
        return frame

    def tell(self, *frame: Any) -> None:
        self._waiting.put(pack(*frame))

    def _send(self) -> None:
        """A parent that is gone is told nothing."""
        with contextlib.suppress(OSError):
            while left := memoryview(self._waiting.get()):
                while left:
                    left = left[os.write(self._told, left) :]

    def close(self) -> None:
        """Once everything was told."""
        self._waiting.put(b"")
        self._sender.join(PATIENCE)
        self._heard.close()
        os.close(self._told)


def main() -> int:
    line = Line(os.dup(0), os.dup(1))
    empty = os.open(os.devnull, os.O_RDWR)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    # Whoever stops the program stops the parent, which ends its children once they have nothing left to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        engine = Engine()
    except Missing as missing:
        line.tell("missing", str(missing))
        line.close()
        return 0
    serve(line, engine)
    # Threads of the library would keep it alive.
    sys.stderr.flush()
    os._exit(0)


def serve(line: Line, engine: Engine) -> None:
    account: Account | None = None
    while (frame := line.next()) and frame[0] != "stop":
        match frame:
            case ["start", store, journal, props]:
                account = Account(engine, store, Path(journal), props, lambda *told: line.tell("told", *told))
                account.start()
            case ["call", id, function, args, limit] if account:
                account.call(function, tuple(args), limit, lambda *answer, id=id: line.tell("answer", id, *answer))
            case ["kept"] if account:
                account.kept()
            case ["ping"]:
                line.tell("pong", engine.overdue())
    if account:
        stopped = threading.Event()
        account.stop(stopped.set)
        stopped.wait(PATIENCE)
