"""Durable work for later: claimed with a lease, attempts counted before each run, dead after five (P12, P13).

What a job has to write at its end it gives back as a unit, which is done in the commit that ends the job: both happen
once, or neither (P15).

Calls wait for others, so they have slots of their own, and of one host only a few run at once: a slow host holds up
neither other hosts nor other work.
"""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from app import settle
from app.clock import Clock
from app.db import Database, DatabaseError, Tx, Violation
from app.models import Job
from app.said import mark
from app.store import jobs as store

LANES = ("net", "turn", "call", "ask")
AT_ONCE = 8
CALLS_AT_ONCE = 32
CALLS_OF_A_HOST = 8
ASKED_AT_ONCE = 256
ASKED_OF_A_HANDLER = 64
HOSTS = 200  # that are looked at
ATTEMPTS = 5
KILLS = 3
TIME_LIMIT = 120.0
LEASE = int(TIME_LIMIT * 1000) + 30_000  # ms
FIRST_BACKOFF = 5.0
IDLE_CHECK = 5.0
TO_LET_GO = 2.0  # seconds in which a job that is cut off lets go of what it holds, e.g. ends its child
WRITE_AGAIN = 1.0

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
    """Runs the due jobs of a lane, at most `at_once`."""

    at_once = AT_ONCE

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
        self._running: dict[asyncio.Task[Any], Job] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._open = True
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    def wake(self) -> None:
        self._wake.set()

    def busy(self) -> int:
        return len(self._running)

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
        self._at_rest.clear()
        try:
            while self._open:
                await self._go_on()
        finally:
            self._at_rest.set()

    async def _go_on(self) -> None:
        self._wake.clear()
        try:
            jobs, next_due = await self._claim(self.at_once - len(self._running))
        except DatabaseError as error:
            log.warning("jobs wait: %s", error)
            await asyncio.sleep(2)
            return
        for job in jobs:
            if self._open:
                self._start(job)
            else:  # closed meanwhile: nothing of it was begun
                await self._again(job, 0.0, "", counts=False)
        if not jobs and self._open:
            await self._rest(next_due)

    async def close(self, patience: float) -> None:
        """No new jobs; running ones get `patience` seconds, then go back to the queue at the next start."""
        self._open = False
        self._wake.set()
        if self._alarm is not None:
            self._alarm.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._at_rest.wait()
        if self._running:
            await asyncio.wait(set(self._running), timeout=patience)
        for task in set(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=TO_LET_GO)

    async def _claim(self, free: int) -> tuple[list[Job], int | None]:
        """Up to so many jobs; if there are none, when the next one is due."""
        return await self._db.write(claim, self.lane, free, LEASE)

    async def _rest(self, next_due: int | None) -> None:
        wait = IDLE_CHECK if next_due is None else min(IDLE_CHECK, max(0.05, (next_due - self._clock.now()) / 1000))
        if len(self._running) >= self.at_once:
            wait = IDLE_CHECK
        # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()

    def _start(self, job: Job) -> None:
        task = asyncio.get_running_loop().create_task(self._work(job))
        self._running[task] = job
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
        self._wake.set()

    async def _work(self, job: Job) -> None:
        try:
            async with asyncio.timeout(TIME_LIMIT):
                ending = await self._handlers[job.kind](job)
            await self._end(job, ending)
        except Later as later:
            await self._again(job, later.seconds, str(later), counts=later.counts)
        except DatabaseError as error:
            log.warning("job %s of kind %s waits: %s", job.id, job.kind, error)
        except Exception:
            log.warning("job %s of kind %s failed", job.id, job.kind, exc_info=True)
            await self._again(job, FIRST_BACKOFF * 4.0 ** (job.attempts - 1), traceback.format_exc(limit=-4))

    async def _end(self, job: Job, ending: Ending | None) -> None:
        await self._db.write(done, job, ending, key=job.conversation_id or 0)

    async def _again(self, job: Job, seconds: float, why: str, *, counts: bool = True) -> None:
        """If even this cannot be written, the end of the lease brings the job back."""
        try:
            due_at = self._clock.now() + int(seconds * 1000)
            await self._db.write(again, job, due_at, why[:4000], counts, self._last_words)
        except DatabaseError as error:
            log.warning("job %s of kind %s waits: %s", job.id, job.kind, error)


class CallWorker(Worker):
    """Runs the jobs that call others. What an answer said must not be lost, since not every call can be made again: its
    end is written as soon as the database takes it; one that it will never take counts as a failed run."""

    at_once = CALLS_AT_ONCE
    of_a_host = CALLS_OF_A_HOST

    async def _claim(self, free: int) -> tuple[list[Job], int | None]:
        busy = Counter(job.host or "" for job in self._running.values())
        return await self._db.write(claim_calls, free, busy, LEASE, self.lane, self.of_a_host)

    async def _end(self, job: Job, ending: Ending | None) -> None:
        while True:
            try:
                return await super()._end(job, ending)
            except Violation:
                raise
            except DatabaseError as error:
                log.warning("what came of job %s waits: %s", job.id, error)
                await asyncio.sleep(WRITE_AGAIN)


class AskWorker(CallWorker):
    """Runs the jobs that ask programs. They cost nothing while they wait, so there is room for many; `settled` is told
    when what came of one is committed."""

    at_once = ASKED_AT_ONCE
    of_a_host = ASKED_OF_A_HANDLER
    settled: Callable[[Job], None]

    async def close(self, patience: float) -> None:
        """Programs are not connected any more, so nobody answers: only what was answered is still written."""
        await super().close(min(patience, 1.0))

    async def _work(self, job: Job) -> None:
        try:
            await super()._work(job)
        finally:
            self.settled(job)


# ---- units of work --------------------------------------------------------------------------------------------------


def claim(tx: Tx, lane: str, limit: int, lease: int) -> tuple[list[Job], int | None]:
    """Take due jobs in due order; the attempt is counted before the job runs."""
    found = tx.claim(store.EXPIRED, lane=lane, now=tx.now, limit=limit)
    found += tx.claim(store.DUE, lane=lane, now=tx.now, limit=limit - len(found))
    jobs = _begun(tx, found, lease)
    return jobs, None if jobs else tx.one(store.NEXT_DUE, lane=lane)


def claim_calls(
    tx: Tx, limit: int, busy: Mapping[str, int], lease: int, lane: str = "call", of_a_host: int = CALLS_OF_A_HOST
) -> tuple[list[Job], int | None]:
    """Take due calls to hosts that are not full. `busy`: how many run, by host."""
    found = tx.claim(store.EXPIRED, lane=lane, now=tx.now, limit=limit)
    waiting = tx.all(store.HOSTS, lane=lane, now=tx.now, limit=HOSTS) if limit > len(found) else []
    for host, share in shares(waiting, busy, limit - len(found), of_a_host).items():
        found += tx.claim(store.DUE_OF_HOST, host=host, now=tx.now, limit=share)
    jobs = _begun(tx, found, lease)
    return jobs, None if jobs else tx.one(store.NEXT_CALL, lane=lane, now=tx.now)


def shares(
    waiting: Sequence[store.Host], busy: Mapping[str, int], free: int, most: int = CALLS_OF_A_HOST
) -> dict[str, int]:
    """How many calls to each host begin: one each in turn, first to whom is waited for longest, until no slot is free
    or every host is full."""
    room = {host.name: min(host.waiting, most - busy.get(host.name, 0)) for host in waiting}
    given = dict.fromkeys(room, 0)
    while free > 0 and (hosts := [name for name in room if given[name] < room[name]]):
        for name in hosts[:free]:
            given[name] += 1
        free -= len(hosts)
    return {name: count for name, count in given.items() if count}


def _begun(tx: Tx, found: list[Job], lease: int) -> list[Job]:
    """Those that no other worker took meanwhile."""
    return [
        msgspec.structs.replace(job, attempts=job.attempts + 1)
        for job in found
        if tx.run(store.RUNNING, id=job.id, attempts=job.attempts, until=tx.now + lease)
    ]


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
