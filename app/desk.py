"""Programs that answer what bots ask by name ("socket mode"): who is here, who is asked, and what came of it.

A program says which handlers it answers for and how much it takes at once; it is never given more. It is offered a
question, and begins once it was told that the question is its own: that is on disk before it is told. A question that
nobody has begun goes to another program when this one is silent or gone. One that was begun is given to nobody else,
unless a program says that the same question may come to it again; but whoever has begun it may answer until its time is
over, also after a break of the connection or of Parley. Then the bot hears `unknown`.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from app.bot.scene import CallError
from app.db import Database, Tx
from app.errors import NotFound
from app.models import Job
from app.said import N_
from app.store import jobs as store

TO_TAKE: Final = 5.0  # seconds in which a program says that it begins
GRACE: Final = 5.0  # seconds in which a program that left comes back
MOST_AT_ONCE: Final = 100

GONE: Final = N_("Nobody waits for an answer to this any more, or somebody else gives it.")


class Question(msgspec.Struct, frozen=True):
    """What a program is asked. `id` is the same however often it is offered; `seconds`: how long its answer is waited
    for; `again`: somebody has begun with it before."""

    id: str
    handler: str
    data: Any
    conversation_id: str
    channel_id: str
    seconds: float
    again: bool = False


class Given(msgspec.Struct, frozen=True):
    """What a program answered: as of HTTP, a status from 200 to 299 is success."""

    status: int
    body: Any


class Unanswered(Exception):
    """`timeout`: not in time; `refused`: no program is here; `unknown`: it was begun, and nobody knows how it went."""

    def __init__(self, code: CallError) -> None:
        super().__init__(code)
        self.code: CallError = code


class Program:
    """Somebody who answers. `name` is of the credential, `offer` and `withdraw` tell it of a question."""

    def __init__(
        self, name: str, handlers: Iterable[str], offer: Callable[[Question], None], *,
        at_once: int = 1, again: bool = False, sees: Callable[[int], bool] = lambda channel_id: True,
        withdraw: Callable[[str], None] = lambda id: None,
    ) -> None:  # fmt: skip
        self.name, self.handlers, self.offer, self.withdraw = name, frozenset(handlers), offer, withdraw
        self.at_once, self.again, self.sees = at_once, again, sees
        self.open: dict[int, Asking] = {}


class Asking:
    """A question under way. `program` has it now, `holder` is the credential that may answer it, `begun` once somebody
    was told to begin."""

    def __init__(self, job: Job, question: Question, end: float) -> None:
        self.job, self.question, self.end, self.begun = job, question, end, question.again
        self.answer: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.program: Program | None = None
        self.holder = ""
        self.taken = False
        self.silent: set[Program] = set()

    def gone(self, code: CallError) -> None:
        if not self.answer.done():
            self.answer.set_exception(Unanswered(code))


class Desk:
    """Lives on the event loop's thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.programs: list[Program] = []
        self.asked: dict[int, Asking] = {}
        self.closed = False
        self._polls: set[asyncio.Future[Question | None]] = set()
        self._seen: dict[str, float] = {}  # when the last program for a handler left
        self._began = asyncio.get_running_loop().time()

    # ---- those who answer ------------------------------------------------------------------------------------------

    def join(self, program: Program) -> None:
        self.programs.append(program)
        self._offer_all()

    def leave(self, program: Program) -> None:
        """What it had not begun goes to others; what it had begun waits for it, or for whoever may be asked again."""
        self._remove(program)
        for asking in program.open.values():
            asking.program, asking.begun, asking.taken = None, asking.begun or asking.taken, False
        program.open.clear()
        self._offer_all()

    def _remove(self, program: Program) -> None:
        if program in self.programs:
            self.programs.remove(program)
            loop = asyncio.get_running_loop()
            self._seen |= dict.fromkeys(program.handlers, loop.time())
            loop.call_later(GRACE, self._look_for_lonely)

    def close(self) -> None:
        """Nobody is asked any more; whoever waits for a question goes away with none."""
        self.closed = True
        for poll in self._polls:
            if not poll.done():
                poll.set_result(None)

    async def take(self, program: Program, id: int) -> Question:
        """The program begins. Raises `NotFound` if it has no such question any more."""
        asking = program.open.get(id)
        if asking is None:
            raise NotFound(GONE)
        if not asking.taken:
            asking.taken = True
            try:
                own = await self._db.write(begin, asking.job)
            except BaseException:
                asking.taken = False
                raise
            if not own:
                asking.gone("unknown")
                raise NotFound(GONE)
        return asking.question

    async def give(self, name: str, id: int, given: Given, sees: Callable[[int], bool]) -> None:
        """An answer. Returns once the bot has heard it for good. Raises `NotFound` if nobody waits for it, or if it is
        somebody else's."""
        asking = self.asked.get(id)
        if asking is None or asking.holder not in ("", name) or not sees(int(asking.question.channel_id)):
            raise NotFound(GONE)
        if asking.answer.done():
            raise NotFound(GONE)
        asking.answer.set_result(given)
        await asyncio.shield(asking.settled)

    async def next(
        self, name: str, handlers: Iterable[str], seconds: float, *, again: bool, sees: Callable[[int], bool]
    ) -> Question | None:
        """For programs without a connection: the next question, begun, or None after so many seconds."""
        poll: asyncio.Future[Question | None] = asyncio.get_running_loop().create_future()
        program = Program(name, handlers, poll.set_result, again=again, sees=sees)
        self._polls.add(poll)
        if self.closed:
            poll.set_result(None)
        else:
            self.join(program)
        try:
            async with asyncio.timeout(seconds):
                question = await asyncio.shield(poll)
            return None if question is None else await self.take(program, int(question.id))
        except TimeoutError:
            return None
        finally:
            self._polls.discard(poll)
            if not any(asking.taken for asking in program.open.values()):
                self.leave(program)
            self._remove(program)

    # ---- those who ask ---------------------------------------------------------------------------------------------

    async def ask(self, job: Job, question: Question, seconds: float) -> Given:
        """The answer of a program. Raises `Unanswered`."""
        loop = asyncio.get_running_loop()
        asking = self.asked[job.id] = Asking(job, question, loop.time() + seconds)
        self._offer(asking)
        lonely = loop.call_later(
            max(0.0, self._alone_since(question.handler) + GRACE - loop.time()), self._lonely, asking
        )
        try:
            async with asyncio.timeout(seconds):
                return await asking.answer
        except TimeoutError:
            lost = asking.begun and asking.program is None
            raise Unanswered("unknown" if lost else "timeout") from None
        finally:
            lonely.cancel()
            self._drop(asking)

    def settled(self, job: Job) -> None:
        """What came of it is committed."""
        asking = self.asked.pop(job.id, None)
        if asking is not None and not asking.settled.done():
            asking.settled.set_result(None)

    def _drop(self, asking: Asking) -> None:
        """Its program has room again."""
        if asking.program is not None:
            asking.program.open.pop(asking.job.id, None)
            if not asking.answer.done() or asking.answer.cancelled() or asking.answer.exception() is not None:
                asking.program.withdraw(asking.question.id)
        if not asking.answer.done():
            asking.answer.cancel()
        self._offer_all()

    # ---- who is asked ----------------------------------------------------------------------------------------------

    def _offer_all(self) -> None:
        for asking in list(self.asked.values()):
            self._offer(asking)

    def _offer(self, asking: Asking) -> None:
        """To whoever has least to do; to nobody if nobody has room."""
        if asking.program is not None or asking.answer.done() or self.closed:
            return
        able = [
            program for program in self._able(asking)
            if len(program.open) < program.at_once and (program.again or not asking.begun)
        ]  # fmt: skip
        if not able:
            return
        program = min(able, key=lambda each: len(each.open))
        loop = asyncio.get_running_loop()
        asking.program, asking.holder, asking.taken = program, program.name, False
        program.open[asking.job.id] = asking
        left = round(max(0.0, asking.end - loop.time()), 1)
        program.offer(msgspec.structs.replace(asking.question, again=asking.begun, seconds=left))
        loop.call_later(TO_TAKE, self._untaken, asking, program)

    def _able(self, asking: Asking) -> Iterator[Program]:
        channel_id = int(asking.question.channel_id)
        for program in self.programs:
            if (
                asking.question.handler in program.handlers
                and program not in asking.silent
                and program.sees(channel_id)
            ):
                yield program

    def _untaken(self, asking: Asking, program: Program) -> None:
        """It did not say that it begins: somebody else may."""
        if asking.program is not program or asking.taken or asking.answer.done():
            return
        asking.silent.add(program)
        asking.program = None
        program.open.pop(asking.job.id, None)
        program.withdraw(asking.question.id)
        self._offer_all()
        if asking.program is None and not asking.begun and not any(self._able(asking)):
            asking.gone("timeout")

    def _alone_since(self, handler: str) -> float:
        """Since when nobody answers for it; now, if somebody does."""
        if any(handler in program.handlers for program in self.programs):
            return asyncio.get_running_loop().time()
        return self._seen.get(handler, self._began)

    def _lonely(self, asking: Asking) -> None:
        if asking.program is None and not asking.begun and not asking.silent and not any(self._able(asking)):
            asking.gone("refused")

    def _look_for_lonely(self) -> None:
        for asking in list(self.asked.values()):
            if self._alone_since(asking.question.handler) + GRACE <= asyncio.get_running_loop().time() + 0.01:
                self._lonely(asking)


def begin(tx: Tx, job: Job) -> bool:
    """Somebody is about to begin. False if the job is over."""
    return bool(tx.run(store.BEGIN, id=job.id, attempts=job.attempts, now=tx.now))
