"""Durable work for later: claimed with a lease, attempts counted before each run, dead after five (P12, P13).

What a job has to write at its end it gives back as a unit, which is done in the commit that ends the job: both happen
once, or neither (P15).
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from app import settle
from app.clock import Clock
from app.db import Database, DatabaseError, Tx
from app.models import Job
from app.said import mark
from app.store import jobs as store

LANES = ("net", "turn")
AT_ONCE = 8
ATTEMPTS = 5
KILLS = 3
TIME_LIMIT = 120.0
FIRST_BACKOFF = 5.0
IDLE_CHECK = 5.0

Ending = Callable[[Tx], None]
Handler = Callable[[Job], Awaitable[Ending | None]]
LastWords = Mapping[str, Callable[[Tx, Job, str], None]]  # by kind: what else is written when a job is given up
GAVE_UP = mark("It failed too often.")
ENDED = mark("The program ended each time it was tried.")
log = logging.getLogger(__name__)


class Later(Exception):
    """A handler's wish: try again in `seconds`; `counts` as an attempt or not."""

    def __init__(self, seconds: float, why: str, *, counts: bool = True) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.counts = counts


class Worker:
    """Runs the due jobs of a lane, at most eight at once."""

    def __init__(
        self, db: Database, clock: Clock, lane: str, handlers: Mapping[str, Handler],
        last_words: LastWords | None = None,
    ) -> None:  # fmt: skip
        self.lane = lane
        self._db = db
        self._clock = clock
        self._handlers = handlers
        self._last_words = last_words or {}
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[Any]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._open = True

    def wake(self) -> None:
        self._wake.set()

    def due(self, at: int) -> None:
        """A job was written that is due `at` (ms UTC): look then, if nothing else makes the worker look before."""
        ahead = (at - self._clock.now()) / 1000
        if ahead <= 0:
            return self.wake()
        loop = asyncio.get_running_loop()
        if ahead < IDLE_CHECK and (self._alarm is None or loop.time() + ahead < self._alarm.when()):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = loop.call_later(ahead, self._rang)

    def _rang(self) -> None:
        self._alarm = None
        self.wake()

    async def run(self) -> None:
        """Until closed. A failing database is asked again."""
        while self._open:
            self._wake.clear()
            try:
                jobs, next_due = await self._db.write(claim, self.lane, AT_ONCE - len(self._running), self._lease())
            except DatabaseError as error:
                log.warning("jobs wait: %s", error)
                await asyncio.sleep(2)
                continue
            for job in jobs:
                self._start(job)
            if not jobs:
                await self._rest(next_due)

    async def close(self, patience: float) -> None:
        """No new jobs; running ones get `patience` seconds, then go back to the queue at the next start."""
        self._open = False
        self._wake.set()
        if self._alarm is not None:
            self._alarm.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=patience)
        for task in set(self._running):
            task.cancel()

    def _lease(self) -> int:
        return int(TIME_LIMIT * 1000) + 30_000

    async def _rest(self, next_due: int | None) -> None:
        wait = IDLE_CHECK if next_due is None else min(IDLE_CHECK, max(0.05, (next_due - self._clock.now()) / 1000))
        if len(self._running) >= AT_ONCE:
            wait = IDLE_CHECK
        try:
            await asyncio.wait_for(self._wake.wait(), wait)
        except TimeoutError:
            pass

    def _start(self, job: Job) -> None:
        task = asyncio.get_running_loop().create_task(self._work(job))
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _work(self, job: Job) -> None:
        try:
            async with asyncio.timeout(TIME_LIMIT):
                ending = await self._handlers[job.kind](job)
            await self._db.write(done, job, ending, key=job.conversation_id or 0)
        except Later as later:
            await self._again(job, later.seconds, str(later), counts=later.counts)
        except DatabaseError as error:
            log.warning("job %s of kind %s waits: %s", job.id, job.kind, error)
        except Exception:
            log.warning("job %s of kind %s failed", job.id, job.kind, exc_info=True)
            await self._again(job, FIRST_BACKOFF * 4.0 ** (job.attempts - 1), traceback.format_exc(limit=-4))

    async def _again(self, job: Job, seconds: float, why: str, *, counts: bool = True) -> None:
        """If even this cannot be written, the end of the lease brings the job back."""
        try:
            due_at = self._clock.now() + int(seconds * 1000)
            await self._db.write(again, job, due_at, why[:4000], counts, self._last_words)
        except DatabaseError as error:
            log.warning("job %s of kind %s waits: %s", job.id, job.kind, error)


# ---- units of work --------------------------------------------------------------------------------------------------


def claim(tx: Tx, lane: str, limit: int, lease: int) -> tuple[list[Job], int | None]:
    """Take due jobs in due order; the attempt is counted before the job runs."""
    jobs = []
    expired = tx.claim(store.EXPIRED, lane=lane, now=tx.now, limit=limit)
    for job in [*expired, *tx.claim(store.DUE, lane=lane, now=tx.now, limit=limit - len(expired))]:
        if tx.run(store.RUNNING, id=job.id, attempts=job.attempts, until=tx.now + lease):
            jobs.append(msgspec.structs.replace(job, attempts=job.attempts + 1))
    return jobs, None if jobs else tx.one(store.NEXT_DUE, lane=lane)


def done(tx: Tx, job: Job, ending: Ending | None = None) -> None:
    """The job ends, and what it has to write is written; nothing is if another run took it over, or it was called off.

    The conversation comes first, as in every unit that needs it."""
    if job.conversation_id is not None:
        tx.lock("conversation", job.conversation_id)
    if tx.run(store.DONE, id=job.id, attempts=job.attempts) and ending is not None:
        ending(tx)


def again(tx: Tx, job: Job, due_at: int, problem: str, counts: bool, last_words: LastWords) -> None:
    """Back to the queue, or dead after the last attempt. A job that was taken over meanwhile is left alone."""
    if job.attempts < ATTEMPTS or not counts:
        counted = job.attempts - (not counts)
        tx.run(
            store.AGAIN, id=job.id, attempts=job.attempts, due_at=due_at, problem=problem, counted=counted
        )  # fmt: skip
    else:
        give_up(tx, job, problem, GAVE_UP, last_words)


def give_up(tx: Tx, job: Job, problem: str, said: str, last_words: LastWords) -> None:
    """The job is dead; whoever waits for what it was to do is told in the same commit. `problem` is for the log,
    `said` for people."""
    if tx.run(store.DEAD, id=job.id, attempts=job.attempts, problem=problem):
        if job.kind in last_words:
            last_words[job.kind](tx, job, said)
        settle.attention(tx)


def recover(tx: Tx, lane: str, last_words: LastWords) -> int:
    """At start every running job is an orphan: back to the queue at once, or dead if it ended the process too often."""
    orphans = tx.all(store.ORPHANS, lane=lane)
    for job in orphans:
        if job.attempts >= KILLS:
            give_up(tx, job, "The process ended while this ran.", ENDED, last_words)
        else:
            tx.run(store.ORPHANED, id=job.id)
    return len(orphans)
