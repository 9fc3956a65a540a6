"""The two ways in which an account's library is carried: in this process, or in a process of its own (contract §5.1).

Both tell the same events to the same code and make the same calls; who uses one does not know which it is.
"""

import asyncio
import contextlib
import itertools
import logging
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from app.connectors.whatsapp_web import child
from app.connectors.whatsapp_web.engine import Account, Engine
from app.connectors.whatsapp_web.library import Missing

HIDDEN_WORD: Final = "linked-device"
COMMAND = [sys.executable, HIDDEN_WORD] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app", HIDDEN_WORD]
BEAT: Final = 5.0  # seconds between two looks at whether the library still works
SILENT: Final = 30.0  # seconds without an answer from a child, after which it is ended
STOPPED: Final = 5.0  # seconds that a stop may take
SPARE: Final = 10.0  # seconds beyond a call's limit for the way there and back
COMPLAINTS: Final = ("fatal error:", "panic:", "SIG", "Traceback")  # how the first line of a crash begins
# Numbers of our own, beside those of `engine`.
HUNG, DIED = 1004, 1005
# How a child ends that somebody ended: a person, or a system short of memory. Whatever else it is, is a crash.
KILLED: Final = ("SIGKILL", "SIGTERM")

Event = tuple[int, bytes]
Hear = Callable[[Event], None]

log = logging.getLogger(__name__)


class Stuck(Exception):
    """A call did not come back in time; it may still be carried out."""


class Carrier(Protocol):
    """What `hear` is given on the event loop: the engine's events, HUNG once a call will never come back, and DIED with
    the reason when the child ended by itself."""

    async def start(self, store: str, journal: Path, props: bytes) -> None:
        """Begin to connect; what becomes of it is heard. Raises `Missing`."""

    async def call(self, function: str, *args: bytes | int, limit: float) -> bytes:
        """The answer's bytes. Raises `Stuck`, and `RuntimeError` with what went wrong."""

    def kept(self) -> None:
        """The oldest message or receipt that was heard is in the database."""

    async def stop(self) -> None:
        """End the session, in a few seconds at most; nothing is heard any more."""


class InProcess:
    """The library beside everything else: the lightest, but its crash ends Parley."""

    _engine: Engine | None = None
    _loading = threading.Lock()

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._account: Account | None = None
        self._told: deque[Event] = deque()
        self._woken = False
        self._watch: asyncio.Task[None] | None = None
        self._ending = asyncio.Lock()

    async def start(self, store: str, journal: Path, props: bytes) -> None:
        engine = await asyncio.to_thread(self._load)
        self._account = Account(engine, store, journal, props, self._tell)
        self._account.start()
        self._watch = asyncio.create_task(self._look(engine))

    @classmethod
    def _load(cls) -> Engine:
        with cls._loading:
            if cls._engine is None:
                cls._engine = Engine()
            return cls._engine

    def _soon(self, fn: Callable[..., None], *args: Any) -> None:
        # A loop that was closed meanwhile waits for nothing any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(fn, *args)

    def _tell(self, number: int, data: bytes) -> None:
        """On a thread of the library, which hears nothing meanwhile: the loop is woken once for all that waits."""
        self._told.append((number, data))
        if not self._woken:
            self._woken = True
            self._soon(self._take)

    def _take(self) -> None:
        self._woken = False
        while self._told:
            event = self._told.popleft()
            if self._account:
                self._hear(event)

    async def _look(self, engine: Engine) -> None:
        while not engine.overdue():
            await asyncio.sleep(BEAT)
        if self._account:
            self._hear((HUNG, b""))

    async def call(self, function: str, *args: bytes | int, limit: float) -> bytes:
        if self._account is None:
            raise Stuck
        answered: asyncio.Future[tuple[bytes, str]] = self._loop.create_future()

        def done(*answer: Any) -> None:
            self._soon(lambda: None if answered.done() else answered.set_result(answer))

        self._account.call(function, args, limit, done)
        return await _answer(answered, limit)

    def kept(self) -> None:
        if self._account:
            self._account.kept()

    async def stop(self) -> None:
        async with self._ending:
            account, self._account = self._account, None
            if account is None:
                return
            assert self._watch is not None
            self._watch.cancel()
            stopped = asyncio.Event()
            account.stop(lambda: self._soon(stopped.set))
            try:
                await asyncio.wait_for(stopped.wait(), STOPPED)
            except TimeoutError:
                account.abandon()


class Isolated:
    """The library in a child: its crash ends only that, and costs its own memory."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[tuple[bytes, str]]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._ending = asyncio.Lock()
        self._complaint = ""
        self._heard_at = 0.0
        self._ready: asyncio.Future[None]

    async def start(self, store: str, journal: Path, props: bytes) -> None:
        pipe = asyncio.subprocess.PIPE
        # A session of its own: Ctrl-C at the terminal is for the parent, who ends its children in good order.
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=sys.platform != "win32"
        )
        self._ready = asyncio.get_running_loop().create_future()
        self._heard_at = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._words(), self._beat())]
        self._write("start", store, str(journal), props)
        self._write("ping")
        await self._ready

    def _write(self, *frame: Any) -> None:
        assert self._process is not None and self._process.stdin is not None
        # A child that ended is told of by `_listen`.
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(child.pack(*frame))

    async def _listen(self) -> None:
        """Everything that the child tells, until it ends."""
        assert self._process is not None and self._process.stdout is not None
        out, clock = self._process.stdout, asyncio.get_running_loop().time
        try:
            while True:
                [length] = child.LENGTH.unpack(await out.readexactly(child.LENGTH.size))
                self._take(msgspec.msgpack.decode(await out.readexactly(length)))
                self._heard_at = clock()
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._ended(await self._process.wait())

    def _take(self, frame: list[Any]) -> None:
        match frame:
            case ["told", number, data] if not self._stopping:
                self._hear((number, data))
            case ["answer", id, data, error] if (asked := self._asked.pop(id, None)) and not asked.done():
                asked.set_result((data, error))
            case ["pong", overdue]:
                if not self._ready.done():
                    self._ready.set_result(None)
                if overdue and not self._stopping:
                    self._hear((HUNG, b""))
            case ["missing", reason] if not self._ready.done():
                self._ready.set_exception(Missing(reason))

    async def _ended(self, code: int) -> None:
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(Stuck())
        if not self._ready.done():
            self._ready.set_result(None)
        if not self._stopping:
            await asyncio.wait(self._tasks[1:2], timeout=1)
            self._hear((DIED, self._reason(code).encode()))

    def _reason(self, code: int) -> str:
        """What a person is told, and whoever looks for the defect: how it ended, and the first line of why."""
        how = f"exit code {code}"
        with contextlib.suppress(ValueError):
            how = signal.Signals(-code).name if code < 0 else how
        return f"{how} {self._complaint}".strip()

    async def _words(self) -> None:
        """What the library prints, at every send too: only what it complains of as it crashes is of use."""
        assert self._process is not None and self._process.stderr is not None
        rest = ""
        while data := await self._process.stderr.read(4096):
            *lines, rest = (rest + data.decode(errors="replace")).split("\n")
            found = next((line for line in lines if line.startswith(COMPLAINTS)), "")
            self._complaint = self._complaint or found[:200]
            rest = rest[-4096:]

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while clock() - self._heard_at < SILENT:
            await asyncio.sleep(BEAT)
            self._write("ping")
        if not self._stopping:
            self._hear((HUNG, b""))

    async def call(self, function: str, *args: bytes | int, limit: float) -> bytes:
        if self._process is None or self._process.returncode is not None:
            raise Stuck
        id = next(self._ids)
        answered = self._asked[id] = asyncio.get_running_loop().create_future()
        self._write("call", id, function, args, limit)
        try:
            return await _answer(answered, limit)
        finally:
            self._asked.pop(id, None)

    def kept(self) -> None:
        self._write("kept")

    async def stop(self) -> None:
        async with self._ending:
            if self._process is None or self._stopping:
                return
            self._stopping = True
            self._write("stop")
            try:
                await asyncio.wait_for(self._process.wait(), STOPPED)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
            finally:
                for task in self._tasks:
                    task.cancel()


async def _answer(answered: "asyncio.Future[tuple[bytes, str]]", limit: float) -> bytes:
    try:
        data, error = await asyncio.wait_for(answered, limit + SPARE)
    except TimeoutError as late:
        raise Stuck from late
    if error:
        raise RuntimeError(error)
    return data
