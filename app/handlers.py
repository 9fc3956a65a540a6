"""Python files in the data folder that answer for bots: `handlers/*.py`, run in a child of this executable.

No folder, no child. When a file changes, a new child takes over and the old one finishes what it has begun. A question
that is not answered in its time ends the child: nothing else stops a loop without end. What the others had begun is
then as after any kill (`app/desk.py`). What went wrong, with file and line, is kept for the admin to see.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from app.clock import Clock
from app.db import DatabaseError
from app.desk import Desk, Given, Program, Question
from app.errors import NotFound
from app.handling import AT_ONCE, LAST, sources

EVERY: Final = 1.0  # seconds between two looks at the folder
TO_LOAD: Final = 15.0
TO_STOP: Final = 1.0  # seconds after its time in which an answer may still come
ENDS: Final = 1.0  # seconds in which one that said its last is gone
PAUSES: Final = (1.0, 5.0, 30.0)  # before a child that died is started again
KEPT: Final = 50
LONGEST: Final = 1 << 20  # bytes of a line
NAME: Final = "handlers"

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int], ...]


class Trouble(msgspec.Struct, frozen=True):
    """Something went wrong in a file at this line (0: none is known), at this time (ms UTC)."""

    at: int
    file: str
    line: int
    text: str


class Running:
    """One child and what it is asked."""

    def __init__(self, process: Process, signature: Signature) -> None:
        self.process, self.signature = process, signature
        self.programs: list[Program] = []
        self.names: tuple[str, ...] = ()
        self.offers: asyncio.Queue[tuple[Program, Question]] = asyncio.Queue()
        self.tasks: list[asyncio.Task[None]] = []
        self.begun: set[str] = set()


class Handlers:
    """Lives on the event loop's thread."""

    def __init__(self, folder: Path, desk: Desk, clock: Clock, tell: Callable[[], None]) -> None:
        """`tell` is called when something went wrong."""
        self.folder, self._desk, self._clock, self._tell = folder, desk, clock, tell
        self._changed_at = 0
        self.troubles: deque[Trouble] = deque(maxlen=KEPT)
        self.running: Running | None = None
        self._all: set[Running] = set()
        self._seen: Signature = ()
        self._deaths, self._again_at = 0, 0.0
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    @property
    def names(self) -> tuple[str, ...]:
        """The handlers that the files have."""
        return self.running.names if self.running else ()

    def failing(self, since: int) -> list[Trouble]:
        """The newest trouble of each file since it was changed, and since a time (ms UTC)."""
        newest = dict[str, Trouble]()
        for one in self.troubles:
            if one.at >= max(since, self._changed_at):
                newest.setdefault(one.file, one)
        return list(newest.values())

    async def look(self) -> None:
        """Start, take over or end, as the folder wants it."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        found = signature(self.folder)
        died = self.running is not None and self.running.process.returncode is not None
        if found == self._seen and not died and (self.running or not found):
            return
        if found != self._seen:
            self._deaths, self._changed_at = 0, self._clock.now()
        elif asyncio.get_running_loop().time() < self._again_at:
            return
        old, self.running, self._seen = self.running, None, found
        if found:
            await self._start(found)
        if old is not None:
            self._retire(old)

    async def close(self) -> None:
        """Nobody is asked any more; children end at once."""
        for running in list(self._all):
            await self._kill(running)

    # ---- a child ---------------------------------------------------------------------------------------------------

    async def _start(self, found: Signature) -> None:
        process = await asyncio.create_subprocess_exec(
            *command(self.folder), stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LONGEST
        )
        running = self.running = Running(process, found)
        self._all.add(running)
        running.tasks = [asyncio.create_task(self._log(process))]
        try:
            async with asyncio.timeout(TO_LOAD):
                said = await self._hear(process)
        except TimeoutError:
            said = None
            self._trouble("", 0, "The files did not load in time.")
        if said is None:
            await self._ended(running)
            return
        for problem in said["problems"]:
            self._trouble(**problem)
        running.names = tuple(sorted(said["handlers"]))
        running.tasks += [asyncio.create_task(self._ask(running)), asyncio.create_task(self._answers(running))]
        for again in (False, True):
            names = [name for name, repeats in said["handlers"].items() if repeats is again]
            if names:
                running.programs.append(self._program(running, names, again))
        for program in running.programs:
            self._desk.join(program)

    def _program(self, running: Running, names: list[str], again: bool) -> Program:
        loop = asyncio.get_running_loop()
        program = Program(
            NAME, names, lambda question: running.offers.put_nowait((program, question)), at_once=AT_ONCE, again=again,
            withdraw=lambda id: void(loop.call_later(TO_STOP, self._overdue, running, id)),
        )  # fmt: skip
        return program

    async def _ask(self, running: Running) -> None:
        """Each question is begun, then given to the child."""
        assert running.process.stdin is not None
        while True:
            program, question = await running.offers.get()
            try:
                await self._desk.take(program, int(question.id))
                running.begun.add(question.id)
                running.process.stdin.write(msgspec.json.encode({"question": question}) + b"\n")
                await running.process.stdin.drain()
            except (NotFound, DatabaseError, OSError) as error:
                log.info("a question for a file is not asked: %s", error)

    async def _answers(self, running: Running) -> None:
        while (said := await self._hear(running.process)) is not None:
            if said["problem"]:
                self._trouble(**said["problem"])
            running.begun.discard(said["question"])
            given = Given(said["status"], said["body"])
            task = asyncio.create_task(self._give(int(said["question"]), given))
            running.tasks = [other for other in running.tasks if not other.done()] + [task]
        await self._ended(running)

    async def _give(self, id: int, given: Given) -> None:
        try:
            await self._desk.give(NAME, id, given, lambda channel_id: True)
        except NotFound:
            log.info("nobody waits for an answer of a file any more")

    async def _hear(self, process: Process) -> Any:
        """The child's next line; None at its end, or if it says what it never would."""
        assert process.stdout is not None
        try:
            line = await process.stdout.readline()
            return msgspec.json.decode(line) if line else None
        except (ValueError, msgspec.DecodeError):
            self._trouble("", 0, "An answer of a file was too large.")
            return None

    async def _log(self, process: Process) -> None:
        """What files print."""
        assert process.stderr is not None
        while line := await process.stderr.readline():
            log.info("handlers: %s", line.decode("utf-8", "replace").rstrip()[:2000])

    # ---- its end ---------------------------------------------------------------------------------------------------

    def _overdue(self, running: Running, id: str) -> None:
        """Its time is over and it still runs."""
        if id in running.begun and running.process.returncode is None:
            self._trouble("", 0, "A handler did not end in its time and was ended, with whatever else was under way.")
            kill(running.process)

    async def _ended(self, running: Running) -> None:
        """It is over; if nobody wanted that, it starts again, later each time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS):  # of one that is killed as it ends, nobody hears how it ended
                await running.process.wait()
        await self._kill(running)
        if self.running is running:
            self._deaths += 1
            self._again_at = asyncio.get_running_loop().time() + PAUSES[min(self._deaths, len(PAUSES)) - 1]

    def _retire(self, running: Running) -> None:
        """It finishes what it has begun."""
        for program in running.programs:
            self._desk.leave(program)
        if running.process.stdin is not None:
            running.process.stdin.close()
        asyncio.get_running_loop().call_later(LAST, kill, running.process)

    async def _kill(self, running: Running) -> None:
        for program in running.programs:
            self._desk.leave(program)
        kill(running.process)
        await running.process.wait()
        self._all.discard(running)
        for task in running.tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def _trouble(self, file: str, line: int, text: str) -> None:
        log.warning("handlers: %s line %s: %s", file or "-", line, text.splitlines()[-1] if text else "")
        self.troubles.appendleft(Trouble(self._clock.now(), file, line, text))
        self._tell()


def kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()


def void(_handle: object) -> None:
    return None


def signature(folder: Path) -> Signature:
    """What is there, so that a change is seen; () without a file."""
    try:
        paths = sources(folder) and sorted(folder.glob("*.py"))
        return tuple((path.name, stat.st_mtime_ns, stat.st_size) for path in paths for stat in [path.stat()])
    except OSError:
        return ()


def command(folder: Path) -> list[str]:
    """This executable, as the child."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*program, "handler-files", str(folder)]
