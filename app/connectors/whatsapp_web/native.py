"""The client library (neonize, which is Go's whatsmeow behind ctypes), and all that is known of its dangers.

Nothing outside this package sees a type of it. What it does wrong is met here (docs/whatsapp-web.md has the list):

- A call may hang for ever, so none is made on the event loop: one daemon thread makes them all, one after the other,
  because the library's tables are not guarded against two at a time. Whoever waits gives up after a limit.
- Some calls abort the process on a client that is not connected; those are never made.
- The call that keeps a session open never returns while a QR code is shown. It has a daemon thread of its own, so that
  neither a stop nor the end of the process waits for it.
- It takes the process down when two objects have one name: every start has a name that was never used.
- It would fetch its own binary from the internet if that were missing: then it is not imported at all.
"""

import asyncio
import ctypes
import importlib
import importlib.util
import itertools
import logging
import os
import queue
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

MINUTE_AND_MORE: Final = 80.0  # the library itself gives up on a send after 75 s
QUICK: Final = 20.0
LOG_LEVEL: Final = b"WARN"
BEGUN: Final = 1.0  # seconds in which a start has done what must not meet another call

log = logging.getLogger(__name__)

# Numbers of the library's events.
ME, PAIRED, CONNECTED, KEEP_ALIVE_LOST, KEEP_ALIVE_BACK, LOGGED_OUT, REPLACED, BANNED = 0, 2, 3, 4, 5, 6, 7, 8
REFUSED, OUTDATED, DISCONNECTED, MESSAGE, RECEIPT, UNREADABLE = 9, 10, 12, 17, 18, 44
# Numbers of our own for what the library tells in other ways.
QR, LOGIN, ENDED = 1001, 1002, 1003
HEARD: Final = (
    PAIRED, CONNECTED, KEEP_ALIVE_LOST, KEEP_ALIVE_BACK, LOGGED_OUT, REPLACED, BANNED, REFUSED, OUTDATED, DISCONNECTED,
    MESSAGE, RECEIPT, UNREADABLE,
)  # fmt: skip

Event = tuple[int, bytes]


class Missing(Exception):
    """The library is not installed, or not for this system."""


class Stuck(Exception):
    """A call did not come back in time; it may still be carried out."""


class Caller:
    """The one thread on which the library is called."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name="whatsapp-web").start()

    def _run(self) -> None:
        while True:
            self._work.get()()

    async def call(self, fn: Callable[..., Any], *args: Any, limit: float = QUICK) -> Any:
        """What the call returns or raises. Raises `Stuck` after `limit` seconds."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if not future.done():
                future.set_exception(error) if error else future.set_result(result)

        def work() -> None:
            result, error = None, None
            try:
                result = fn(*args)
            except Exception as problem:
                error = problem
            # A loop that was closed meanwhile waits for nothing any more.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        self._work.put(work)
        try:
            return await asyncio.wait_for(future, limit)
        except TimeoutError as late:
            raise Stuck from late


class Library:
    """The library once it is loaded: `go` its functions, `proto` its messages by short names."""

    _loading = threading.Lock()
    _loaded: "Library | None" = None

    def __init__(self) -> None:
        sys.modules.setdefault("magic", _no_magic())
        binder = importlib.import_module("neonize._binder")
        self.go: Any = binder.gocode
        # As it is delivered, this call gives back a pointer and nobody frees it.
        self.go.DecryptPollVote.errcheck = binder.consume_bytes_struct
        self.told: Any = importlib.import_module("neonize.proto.Neonize_pb2")
        self.e2e: Any = importlib.import_module("neonize.proto.waE2E.WAWebProtobufsE2E_pb2")
        self.common: Any = importlib.import_module("neonize.proto.waCommon.WACommon_pb2")
        self.companion: Any = importlib.import_module("neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2")
        self.callbacks: tuple[Any, ...] = (
            binder.func_string, binder.func_string, binder.func_callback_bytes, binder.func_callback_bytes2,
        )  # fmt: skip
        self.caller = Caller()
        # The library may call back at any time, also after a stop: what it was given is kept for good.
        self.kept: list[Any] = []
        self.names = itertools.count(1)

    @classmethod
    def load(cls) -> "Library":
        """Takes half a second the first time, so it is called in a thread. Raises `Missing`."""
        with cls._loading:
            if cls._loaded is None:
                _check_installed()
                try:
                    cls._loaded = cls()
                except (ImportError, OSError, RuntimeError) as error:
                    raise Missing(str(error)) from error
                # It logs keys at its lowest level, and every reconnect at the one above.
                logging.getLogger("whatsmeow").setLevel(logging.WARNING)
            return cls._loaded


def _check_installed() -> None:
    found = importlib.util.find_spec("neonize")
    folder = Path(found.origin).parent if found and found.origin else None
    if folder is None or not any(folder.glob("neonize-*.*")):
        raise Missing("neonize")


def _no_magic() -> types.ModuleType:
    """Stands in for python-magic, which the library imports for what is not used here and which needs a C library."""
    module = types.ModuleType("magic")
    # Set by name: the checker knows no such attribute of a module.
    setattr(module, "from_buffer", lambda data, mime=False: "application/octet-stream")  # noqa: B010
    return module


class Client:
    """One linked device, or one to be linked. `hear` is called on the event loop with (number, bytes)."""

    def __init__(self, library: Library, store: Path, device: str, hear: Callable[[Event], None]) -> None:
        self._library = library
        self._store = store
        self._device = device
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._name = f"{store.stem}-{os.getpid()}-{next(library.names)}".encode()
        self._begun = threading.Event()

    async def start(self) -> None:
        """Begin to connect; what becomes of it is heard."""
        make_private(self._store)
        await self._library.caller.call(self._start)

    def _start(self) -> None:
        threading.Thread(target=self._run, daemon=True, name="whatsapp-web-session").start()
        self._begun.wait(BEGUN)

    def _run(self) -> None:
        """The call that lasts as long as the session."""
        library = self._library
        props = library.companion.DeviceProps(
            os=self._device,
            platformType=library.companion.DeviceProps.CHROME,
            requireFullSync=False,
            historySyncConfig=library.companion.DeviceProps.HistorySyncConfig(
                fullSyncDaysLimit=1, recentSyncDaysLimit=1, storageQuotaMb=10
            ),
        ).SerializeToString()
        wanted = (ctypes.c_char * len(HEARD)).from_buffer(bytearray(HEARD))
        handlers = (self._on_qr, self._on_login, self._on_event, lambda *_: None)
        callbacks = [kind(handler) for kind, handler in zip(library.callbacks, handlers, strict=True)]
        library.kept.extend((callbacks, wanted))
        error = b""
        try:
            answer = library.go.Neonize(
                str(self._store).encode(), self._name, b"", 0, 0, LOG_LEVEL, *callbacks, wanted,
                len(HEARD), props, len(props), b"", 0, None,
            )  # fmt: skip
            error = _text(answer)
        except Exception as problem:
            error = str(problem).encode()
        self._begun.set()
        self._pass_on(ENDED, error)

    # ---- called on threads of the library ---------------------------------------------------------------------------

    def _on_qr(self, _: int, text: int) -> None:
        self._pass_on(QR, ctypes.string_at(text))

    def _on_login(self, _: int, status: int) -> None:
        self._pass_on(LOGIN, ctypes.string_at(status))

    def _on_event(self, _: bytes, data: int, size: int, number: int) -> None:
        self._pass_on(number, ctypes.string_at(data, size))

    def _pass_on(self, number: int, data: bytes) -> None:
        self._begun.set()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hear, (number, data))

    # ---- calls ------------------------------------------------------------------------------------------------------

    async def connected(self) -> bool:
        return bool(await self._call("IsConnected"))

    async def stop(self) -> None:
        await self._call("Stop")

    async def log_out(self) -> str:
        """Unlink at the server. Returns what went wrong, '' if nothing."""
        return _text(await self._call("Logout")).decode(errors="replace")

    async def pair(self, phone: str) -> Any:
        """Ask for a code to be typed on the phone: an answer with Error and Code."""
        told = self._library.told
        wish = told.PairPhoneParams(
            phone=phone, clientDisplayName="Chrome (Linux)", clientType=1, showPushNotification=True
        ).SerializeToString()
        return told.PairPhoneReturnFunction.FromString(_bytes(await self._call("PairPhone", wish, len(wish))))

    async def send(self, to: Any, message: bytes) -> Any:
        """An answer with Error and SendResponse."""
        jid = to.SerializeToString()
        answer = await self._call("SendMessage", jid, len(jid), message, len(message), limit=MINUTE_AND_MORE)
        return self._library.told.SendMessageReturnFunction.FromString(_bytes(answer))

    async def upload(self, data: bytes, kind: int) -> Any:
        """An answer with Error and UploadResponse. `kind`: 0 image, 1 video, 2 audio, 3 document."""
        answer = await self._call("Upload", data, len(data), kind, limit=MINUTE_AND_MORE)
        return self._library.told.UploadReturnFunction.FromString(_bytes(answer))

    async def download(self, message: bytes) -> Any:
        """An answer with Error and Binary: the file of a media message."""
        answer = await self._call("DownloadAny", message, len(message), limit=MINUTE_AND_MORE)
        return self._library.told.DownloadReturnFunction.FromString(_bytes(answer))

    async def vote(self, message: bytes) -> Any:
        """An answer with Error and PollVoteMessage: what a vote for a poll of ours says."""
        answer = await self._call("DecryptPollVote", message, len(message))
        return self._library.told.ReturnFunctionWithError.FromString(_bytes(answer))

    async def mark_read(self, id: str, chat: Any, sender: Any) -> None:
        where, who = chat.SerializeToString(), sender.SerializeToString()
        await self._call("MarkRead", id.encode(), int(time.time()), where, len(where), who, len(who), b"read")

    async def typing(self, to: Any, *, on: bool) -> None:
        jid = to.SerializeToString()
        await self._call("SendChatPresence", jid, len(jid), 0 if on else 1, 0)

    async def _call(self, function: str, *args: Any, limit: float = QUICK) -> Any:
        return await self._library.caller.call(getattr(self._library.go, function), self._name, *args, limit=limit)


def _bytes(answer: Any) -> bytes:
    return answer if isinstance(answer, bytes) else bytes(answer or b"")


def _text(answer: Any) -> bytes:
    return answer if isinstance(answer, bytes) else b""


def make_private(store: Path) -> None:
    """The device's keys are the account: a file for the owner alone, made before the library opens it."""
    store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(store, os.O_RDWR | os.O_CREAT, 0o600))
    store.chmod(0o600)
