"""Makes the calls that turns ordered, and brings back what came of them: the end of the job and the turn about it are
one commit.

A run is committed as begun before its first byte leaves. If a run vanished (kill, power cut), GET, HEAD, OPTIONS, PUT
and DELETE are made again, because twice is the same as once; POST and PATCH are not: the bot hears `unknown`. What
programs are asked has rules of its own (`desk`).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from app import calls, due, turns, vault
from app.bot.request import HANDLER
from app.bot.scene import Call, CallResult
from app.case import Intake
from app.clock import Clock
from app.compiled import Versions
from app.db import Database, DatabaseError, Tx
from app.desk import Desk, Question, Unanswered
from app.jobs import Ending, Later
from app.metrics import Metrics
from app.models import Job
from app.security.addresses import OutboundError
from app.security.outbound import Answer, Outbound
from app.security.secrets import Keyring
from app.store import conversations
from app.store import jobs as store
from app.store import turns as turn_rows

LONGEST: Final = 30.0  # seconds, whatever the document says
PAUSES: Final = (0.2, 1.0)  # between tries
BUSY: Final = frozenset({502, 503, 504})
READ_AGAIN: Final = 1.0  # seconds until what could not be read is read again

log = logging.getLogger(__name__)


class Caller:
    """The handler of the jobs that call. `intake` is asked each time: its limits change while it runs."""

    def __init__(
        self, db: Database, clock: Clock, keys: Keyring, versions: Versions, client: Outbound, metrics: Metrics,
        install: str, intake: Callable[[], Intake], desk: Desk,
    ) -> None:  # fmt: skip
        self._db, self._clock, self._keys, self._versions, self._client = db, clock, keys, versions, client
        self._metrics, self._install, self._intake, self._desk = metrics, install, intake, desk

    async def call(self, job: Job) -> Ending:
        """Once through. What is given back ends the job and lets the conversation hear of it."""
        call = calls.read(job.payload)
        try:
            await due.load(self._db.reader, self._versions, job.conversation_id)
            secrets = {name: await vault.opened(self._db.reader, self._keys, name) for name in call.secrets}
        except DatabaseError as error:
            raise Later(READ_AGAIN, str(error), counts=False) from None
        made = self._asked if call.method == HANDLER else self._result
        result = await made(job, call, secrets)
        self._tell(job, call, result)
        return partial(heard, self._intake(), job, result)

    async def _result(self, job: Job, call: Call, secrets: Mapping[str, str | None]) -> CallResult:
        if job.attempts > 1 and call.method not in calls.REPEATABLE:
            return calls.failed(call, "unknown")
        began = self._clock.monotonic()
        known = {name: value for name, value in secrets.items() if value is not None}
        if len(known) < len(secrets):
            return calls.failed(call, "no_secret")
        try:
            request = calls.build(call, known, f"{self._install}-{job.id}")
            answer = await self._try(request, min(call.timeout, LONGEST))
        except OutboundError as error:
            return calls.failed(call, error.code, self._since(began))
        return calls.result(call, answer, known, self._since(began))

    async def _asked(self, job: Job, call: Call, secrets: Mapping[str, str | None]) -> CallResult:
        """Asks a program. What one has begun is never begun a second time unless it wants that."""
        began = self._clock.monotonic()
        known = {name: value for name, value in secrets.items() if value is not None}
        if len(known) < len(secrets):
            return calls.failed(call, "no_secret")
        created_at, begun_at = await self._db.reader.one(store.BEGUN, id=job.id) or (0, 0)
        channel = await self._db.reader.one(conversations.CHANNEL, id=job.conversation_id)
        question = Question(
            str(job.id), call.url, calls.filled(call.json, call, known), str(job.conversation_id),
            str(channel[0]) if channel else "0", call.timeout, begun_at is not None,
        )  # fmt: skip
        # Time that it waited for room counts; time in which Parley was not there does not.
        waited = (self._clock.now() - created_at) / 1000 if job.attempts == 1 else 0.0
        try:
            given = await self._desk.ask(job, question, max(0.0, min(call.timeout, LONGEST) - waited))
            return calls.heard(call, given.status, given.body, known, self._since(began))
        except Unanswered as error:
            return calls.failed(call, error.code, self._since(began))
        except ValueError:
            return calls.failed(call, "bad_json", self._since(began))

    async def _try(self, request: calls.Request, seconds: float) -> Answer:
        """Again where that is safe, while there is time. Raises `OutboundError`."""
        again = request.method in calls.REPEATABLE
        end = self._clock.monotonic() + seconds
        for pause in (*PAUSES, None):
            left = end - self._clock.monotonic()
            last = pause is None or left <= pause
            try:
                answer = await self._client.request(
                    request.method, request.url, headers=request.headers, body=request.body, timeout=max(left, 0.01)
                )
                if last or not again or answer.status not in BUSY:
                    return answer
            except OutboundError as error:
                if last or error.code not in ("refused", "unreachable", "timeout") or (error.sent and not again):
                    raise
            assert pause is not None
            await asyncio.sleep(pause)
        raise AssertionError("the last try ends it")

    def _since(self, began: float) -> int:
        return round((self._clock.monotonic() - began) * 1000)

    def _tell(self, job: Job, call: Call, result: CallResult) -> None:
        """Numbers and a line of log: the host and what came of it, never an address or a body."""
        outcome = result.error or f"{result.status // 100}xx"
        self._metrics.count("bot_calls", outcome=outcome)
        self._metrics.observe("bot_call", result.took_ms / 1000)
        log.info(
            "call %s", outcome,
            extra={"method": call.method, "host": job.host, "status": result.status, "took_ms": result.took_ms,
                   "job": job.id, "run": job.attempts},
        )  # fmt: skip


# ---- units of work --------------------------------------------------------------------------------------------------


def heard(intake: Intake, job: Job, result: CallResult, tx: Tx) -> None:
    """The turn about what came of a call, in the conversation as it is now."""
    conversation_id = tx.one(turn_rows.CONVERSATION, id=calls.turn_of(job))
    if conversation_id is not None:
        turns.resume(tx, intake, conversation_id, result, f"job.{job.id}")


def given_up(intake: Callable[[], Intake], tx: Tx, job: Job, _said: str) -> None:
    """A job that is dead still answers, and leaves: nobody knows what became of the call."""
    tx.run(store.DONE, id=job.id, attempts=job.attempts)
    heard(intake(), job, calls.failed(calls.read(job.payload), "unknown"), tx)
