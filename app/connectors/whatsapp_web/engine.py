"""The library at work in this process: its functions on one thread, and one session for each account. No event loop.

- A call may hang for ever, so none is made where anybody waits: one daemon thread makes them all, one after the other,
  because the library's tables are not guarded against two at a time. `overdue` tells of a call that does not come back.
- Some functions end the process on a client that is not connected, others fetch what they are named: only those in
  `CALLS` are made, and those of `CONNECTED_ONLY` on a connected client alone.
- The call that keeps a session open never returns while a QR code is shown. It has a daemon thread of its own, so that
  neither a stop nor the end of the process waits for it.
- It takes the process down when two objects have one name: every session has a name that was never used.
"""

import ctypes
import gc
import itertools
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from app.connectors.whatsapp_web.journal import InUse, Journal
from app.connectors.whatsapp_web.library import load_functions

LOG_LEVEL: Final = b"WARN"
BEGUN: Final = 3.0  # seconds in which a start has done what must not meet another call
PREPARED: Final = 60.0  # seconds in which a slow disk has taken a new store
QUIET: Final = 0.05  # seconds without news, after which a closed connection has nothing left to tell
LEFT_ALONE: Final = 10.0  # seconds in which a process that lost its parent has ended
OVERDUE: Final = 5.0  # seconds beyond its limit after which a call is given up for good

# Numbers of the library's events.
ME, PAIRED, CONNECTED, KEEP_ALIVE_LOST, KEEP_ALIVE_BACK, LOGGED_OUT, REPLACED, BANNED = 0, 2, 3, 4, 5, 6, 7, 8
REFUSED, OUTDATED, DISCONNECTED, MESSAGE, RECEIPT, UNREADABLE = 9, 10, 12, 17, 18, 44
# Numbers of our own for what the library tells in other ways.
QR, LOGIN, ENDED = 1001, 1002, 1003
HEARD: Final = (
    PAIRED, CONNECTED, KEEP_ALIVE_LOST, KEEP_ALIVE_BACK, LOGGED_OUT, REPLACED, BANNED, REFUSED, OUTDATED, DISCONNECTED,
    MESSAGE, RECEIPT, UNREADABLE,
)  # fmt: skip
# What nobody tells again: it is in the journal until it is in the database.
KEPT: Final = frozenset({MESSAGE, RECEIPT, UNREADABLE})

CONNECTED_ONLY: Final = frozenset({"Disconnect"})
CALLS: Final = CONNECTED_ONLY | {
    "IsConnected", "Logout", "PairPhone", "SendMessage", "Upload", "DownloadAny", "DecryptPollVote", "MarkRead",
    "SendChatPresence",
}  # fmt: skip

Tell = Callable[[int, bytes], None]
Done = Callable[[bytes, str], None]

log = logging.getLogger(__name__)


class Engine:
    """The one thread on which the library is called. Raises `Missing`."""

    def __init__(self) -> None:
        binder = load_functions()
        # A collection that walked all that was loaded would stop every callback for a twentieth of a second, in which
        # the library acknowledges what nobody has.
        gc.collect()
        gc.freeze()
        self.go: Any = binder.gocode
        self.callbacks: tuple[Any, ...] = (
            binder.func_string, binder.func_string, binder.func_callback_bytes, binder.func_callback_bytes2,
        )  # fmt: skip
        self.no_callback: Any = binder.func_callback_bytes2(lambda *_: None)
        # The library may call back at any time, also after a stop: what it was given is kept for good.
        self.kept: list[Any] = []
        self._names = itertools.count(1)
        self._work: queue.SimpleQueue[tuple[Callable[[], None], float]] = queue.SimpleQueue()
        self._given_up_at: float | None = None
        threading.Thread(target=self._run, daemon=True, name="whatsapp-web").start()

    def _run(self) -> None:
        while True:
            work, limit = self._work.get()
            self._given_up_at = time.monotonic() + limit + OVERDUE
            work()
            self._given_up_at = None

    def do(self, work: Callable[[], None], limit: float) -> None:
        """Carry this out, after what was given before. `limit`: seconds it takes at most if all is well."""
        self._work.put((work, limit))

    def overdue(self) -> bool:
        """The call that is being made will not come back, and no other can be made."""
        return self._given_up_at is not None and time.monotonic() > self._given_up_at

    def new_name(self) -> bytes:
        return f"{os.getpid()}-{next(self._names)}".encode()


class Account:
    """One linked device, or one to be linked. `tell` is called with its events, on any thread and in their order."""

    def __init__(self, engine: Engine, store: str, journal: Path, props: bytes, tell: Tell) -> None:
        self._engine = engine
        self._store = store
        self._path = journal
        self._props = props
        self._tell = tell
        self._name = engine.new_name()
        self._journal: Journal | None = None
        self._may_begin = threading.Event()
        self._begun = threading.Event()
        self._told_at = 0.0
        self._stopping = False

    # ---- the session ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; what becomes of it is told."""
        threading.Thread(target=self._run, daemon=True, name="whatsapp-web-session").start()

    def _run(self) -> None:
        """The call that lasts as long as the session."""
        error = b""
        try:
            self._journal = self._open_journal()
            for number, data in self._journal.left():
                self._tell(number, data)
            self._engine.do(self._begin, PREPARED)
            self._may_begin.wait()
            error = b"" if self._stopping else self._live()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}".encode()
        self._pass_on(ENDED, error)

    def _begin(self) -> None:
        """On the library's thread: a session enters its tables as it begins, and nothing may be called then. It makes
        the tables of a new store before, which takes seconds on a slow disk, so they are made by another call."""
        store = Path(self._store)
        if store.is_file() and not store.stat().st_size:
            self._engine.go.GetAllDevices(source(self._store), self._engine.no_callback)
        self._may_begin.set()
        self._begun.wait(BEGUN)

    def _open_journal(self) -> Journal:
        """Whoever had the account before may still be ending."""
        until = time.monotonic() + LEFT_ALONE
        while True:
            try:
                return Journal(self._path)
            except InUse:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _live(self) -> bytes:
        wanted = (ctypes.c_char * len(HEARD)).from_buffer(bytearray(HEARD))
        handlers = (self._on_qr, self._on_login, self._on_event, lambda *_: None)
        callbacks = [kind(handler) for kind, handler in zip(self._engine.callbacks, handlers, strict=True)]
        self._engine.kept.extend((callbacks, wanted))
        answer = self._engine.go.Neonize(
            source(self._store), self._name, b"", 0, 0, LOG_LEVEL, *callbacks, wanted, len(HEARD), self._props,
            len(self._props), b"", 0, None,
        )  # fmt: skip
        return answer if isinstance(answer, bytes) else b""

    # Called on threads of the library.

    def _on_qr(self, _: int, text: int) -> None:
        self._pass_on(QR, ctypes.string_at(text))

    def _on_login(self, _: int, status: int) -> None:
        self._pass_on(LOGIN, ctypes.string_at(status))

    def _on_event(self, _: bytes, data: int, size: int, number: int) -> None:
        self._pass_on(number, ctypes.string_at(data, size))

    def _pass_on(self, number: int, data: bytes) -> None:
        self._begun.set()
        self._told_at = time.monotonic()
        if number in KEPT and self._journal:
            self._journal.append(number, data)
        self._tell(number, data)

    def kept(self) -> None:
        """The oldest event that nobody tells again is in the database."""
        if self._journal:
            self._journal.kept()

    # ---- calls ------------------------------------------------------------------------------------------------------

    def call(self, function: str, args: tuple[bytes | int, ...], limit: float, done: Done) -> None:
        """`done` gets the answer's bytes (`b"1"` for yes) or what went wrong, on the library's thread."""

        def work() -> None:
            try:
                answer, error = self._made(function, args), ""
            except Exception as problem:
                answer, error = b"", f"{type(problem).__name__}: {problem}"
            done(answer, error)

        self._engine.do(work, limit)

    def _made(self, function: str, args: tuple[bytes | int, ...]) -> bytes:
        if function not in CALLS:
            raise LookupError(f"{function} is never called")
        if function in CONNECTED_ONLY and not self._engine.go.IsConnected(self._name):
            raise LookupError(f"{function} is called on a connected client alone")
        answer = getattr(self._engine.go, function)(self._name, *args)
        return answer if isinstance(answer, bytes) else b"1" if answer is True else b""

    def stop(self, done: Callable[[], None]) -> None:
        """End the session, after the last that it has heard was written down."""
        self._stopping = True
        if self._journal:
            self._journal.release()
        self._engine.do(lambda: self._stop(done), BEGUN)

    def _stop(self, done: Callable[[], None]) -> None:
        try:
            if self._engine.go.IsConnected(self._name):
                self._engine.go.Disconnect(self._name)
                # The library forgets what it had not told when it stops.
                self._told_at = time.monotonic()
                while time.monotonic() - self._told_at < QUIET:
                    time.sleep(QUIET / 5)
            self._engine.go.Stop(self._name)
        except Exception:
            log.exception("a linked device did not stop well")
        finally:
            self.abandon()
            done()

    def abandon(self) -> None:
        """Whatever it still hears is not ours any more: another session has the account."""
        self._stopping = True
        if self._journal:
            self._journal.close()


def source(store: str) -> bytes:
    """A store as the library takes it: the URL of a Postgres as it is; of a file the part of SQLite's URI behind
    `file:`, to which the library appends a parameter that is ours already.

    With a write-ahead log a change costs one sync and not three: eight hundred are made when a phone is linked, and
    some for each message.
    """
    if store.startswith("postgres"):
        return store.encode()
    return f"{quote(store)}?_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL&_rest=".encode()
