"""What goes out: one sender a channel brings the outbox to the network, in order, at the channel's pace.

A row is committed as `sending` before its first byte leaves. A reply may be committed so by the turn itself, when
one of the sender's slots is free; everything else waits as `queued` and is claimed in batches (`claims`).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import msgspec

from app import claims, settle, window
from app.capabilities import Capabilities
from app.case import Delivery
from app.clock import Clock
from app.connectors.base import Address, Outbound, Problem, Scope, SendFailed, Sent, Session
from app.content import Content, Delete, Edit, Text
from app.content import decode as decode_content
from app.db import Database, DatabaseError
from app.errors import Unavailable
from app.files import is_ours, path_of
from app.models import Queued
from app.pace import Pace
from app.storage import Store

# At full rate a slot is taken for two commits and a send. Where they run out, replies queue, which costs a second write
# each. A kill leaves so many unknown at most.
SLOTS = 128
ATTEMPTS = 8
FIRST_BACKOFF = 2.0
LAST_BACKOFF = 900.0
BLOCKED_CHECK = 5.0
UNWRITTEN = Problem("send.unwritten", "What the network answered could not be stored.")
NOTHING = Outbound("", Address(), Text(""))
TURNED_OFF = Problem("channel.stopped", "The channel was stopped while this was being sent.")

log = logging.getLogger(__name__)
_address: msgspec.json.Decoder[Address] = msgspec.json.Decoder(Address)


class Sender:
    """The outbox of one channel at work. Slots, pace and timers live here, on the event loop thread; truth is in the
    rows."""

    def __init__(
        self, db: Database, clock: Clock, channel_id: int, session: Session, pace: Pace, install: str,
        check: Callable[[Content], Problem | None], halt: Callable[[Problem], None], files: Store,
        can: Capabilities,
    ) -> None:  # fmt: skip
        self._db = db
        self._clock = clock
        self._channel_id = channel_id
        self._session = session
        self._pace = pace
        self._install = install
        self._check = check
        self._halt = halt
        self._files = files
        self._can = can
        self._free = SLOTS
        self._claiming = False
        self._more = False
        self._freed = False
        self._waiting = False
        self._behind = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._claimer: asyncio.Task[None] | None = None
        self.open = False
        self.sent = 0
        self.failed = 0

    # ---- slots ------------------------------------------------------------------------------------------------------

    def reserve(self) -> bool:
        """Keep a slot and a token for a reply that a turn may produce. Give it back with `release` if it did not.

        False while more is due than may go: what was said earlier goes first. What waits for a claim that leaves room
        keeps nobody waiting, or at full rate every reply would be queued for the one before it.
        """
        now = self._clock.monotonic()
        if not self.open or self._behind or self._free <= 0 or self._pace.wait(now) > 0:
            return False
        self._free -= 1
        self._pace.take(now)
        return True

    def release(self) -> None:
        self._pace.give()
        self._free_slot()

    def _free_slot(self) -> None:
        self._free = min(SLOTS, self._free + 1)
        if self._claiming:
            self._freed = True
        elif self._waiting:
            self.wake()

    def busy(self) -> int:
        """Sends under way."""
        return len(self._tasks)

    # ---- queued rows ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.open = True
        self.wake()

    async def stop(self, patience: float) -> None:
        """No new sends; those under way get `patience` seconds, then their outcome is unknown."""
        self.open = False
        if self._timer:
            self._timer.cancel()
        if self._claimer:
            # Never cut off: its unit commits all the same, and only it knows which rows are `sending` then.
            await asyncio.wait({self._claimer})
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=patience)
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2)

    def wake(self) -> None:
        """Something may be due."""
        if not self.open:
            return
        self._waiting = True
        if self._claiming:
            self._more = True
        elif self._free > 0:
            self._claiming = True
            self._claimer = asyncio.get_running_loop().create_task(self._claim())
        else:
            self._behind = True

    def wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.005, seconds), self.wake)

    async def _claim(self) -> None:
        """Move due rows to `sending` in one unit and start them."""
        self._behind = self._behind or self._free <= 0  # somebody took the last slot since the wake
        try:
            while self.open and self._free > 0:
                self._more = self._freed = False
                wait = self._pace.wait(self._clock.monotonic())
                if wait > 0:
                    self._behind = True
                    return self.wake_in(wait)
                taken, next_in = await self._take_due()
                if not self.open:
                    return await self._db.write(claims.put_back, taken)
                for row in taken:
                    self._begin(row)
                # A slot that became free meanwhile may have let go what stood behind it, if anything waits.
                if not (taken or self._more or (self._freed and next_in is not None)):
                    return self._rest(next_in)
        except DatabaseError as error:
            log.warning("outbox of channel %s waits: %s", self._channel_id, error)
            self.wake_in(2)
        except Exception:
            log.exception("outbox of channel %s", self._channel_id)
            self.wake_in(BLOCKED_CHECK)
        finally:
            self._claiming = False
            if self._more and self.open:
                self.wake()

    async def _take_due(self) -> tuple[list[Queued], int | None]:
        """`claim`, with slots and tokens kept for it meanwhile: all there are while it is behind, else half of them, so
        that replies may go on starting at once."""
        now = self._clock.monotonic()
        room = min(self._free, self._pace.room(now))
        room = room if self._behind else (room + 1) // 2
        self._free -= room
        self._pace.take(now, room)
        used = 0
        try:
            taken, next_in = await self._db.write(claims.claim, self._channel_id, room, self._blocked, first=True)
            used = len(taken)
        finally:
            self._free = min(SLOTS, self._free + room - used)
            self._pace.give(room - used)
        self._behind = used == room
        return taken, next_in

    def _rest(self, next_in: int | None) -> None:
        """Nothing can go now: wait for the next due time (ms); rows behind an unsettled one are woken by its
        outcome."""
        self._waiting, self._behind = next_in is not None, False
        if next_in is not None:
            self.wake_in(next_in / 1000 if next_in else BLOCKED_CHECK)

    def _blocked(self, row: Queued) -> float:
        # A chat of several is one chat, whoever of them is answered.
        shared = '"chat":' in row.address and _address.decode(row.address).chat
        return self._pace.pair_wait(shared or row.conversation_id, self._clock.monotonic())

    def _begin(self, row: Queued) -> None:
        """Its slot and its token are taken."""
        try:
            outbound, problem = self._outbound(row), None
        except msgspec.DecodeError as error:
            log.exception("message %s cannot be read", row.message_id)
            outbound, problem = NOTHING, Problem("send.error", type(error).__name__)
        else:
            if window.refuses(self._can, outbound.content, row.heard_at, self._clock.now()):
                problem = window.CLOSED
        delivery = Delivery(row.message_id, row.conversation_id, self._channel_id, row.attempts + 1, outbound)
        if problem is None:
            return self.deliver(delivery)
        self._pace.give()
        self._settle_failure(delivery, SendFailed(problem, certain=True, temporary=False))

    def _outbound(self, row: Queued) -> Outbound:
        """Raises what its content and its address raise where this release does not know them."""
        to, said = _address.decode(row.address), decode_content(row.content)
        return Outbound(f"{self._install}.{row.message_id}", to, said, row.reply_to)

    # ---- one send ---------------------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """Send what is committed as `sending`. Its slot is already taken."""
        shared = delivery.outbound.to.chat
        self._pace.took_pair(shared or delivery.conversation_id, self._clock.monotonic(), group=bool(shared))
        self._task(self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            broken = self._check(delivery.outbound.content)
            if broken is not None:
                raise SendFailed(broken, certain=True, temporary=False)
            outbound = delivery.outbound
            sent = await self._session.send(await self._along(outbound) if is_ours(outbound.content) else outbound)
        except SendFailed as failure:
            self._settle_failure(delivery, failure)
        except asyncio.CancelledError:
            self._write(settle.unsure, delivery.message_id, delivery.conversation_id, TURNED_OFF)
            raise
        except Exception as error:
            log.exception("sending message %s", delivery.message_id)
            problem = Problem("send.error", type(error).__name__)
            self._write(settle.unsure, delivery.message_id, delivery.conversation_id, problem)
        else:
            self._settle_sent(delivery, sent)

    async def _along(self, outbound: Outbound) -> Outbound:
        """With the place of the file whose bytes go along."""
        try:
            path = await path_of(self._db.reader, self._files, outbound.content)
        except Unavailable as error:
            raise SendFailed(Problem("send.file_unread", error.said), certain=True, temporary=True) from error
        if path is None:
            raise SendFailed(Problem("send.file_gone"), certain=True, temporary=False)
        return msgspec.structs.replace(outbound, file=path)

    def _settle_sent(self, delivery: Delivery, sent: Sent) -> None:
        self.sent += 1
        learned = sent.recipient if sent.recipient and news(sent.recipient, delivery.outbound.to) else None
        named = self._channel_id, delivery.message_id, delivery.conversation_id, sent.provider_id, learned
        said = delivery.outbound.content
        unusual = sent.lasts or isinstance(said, Edit | Delete)
        self._write(
            *((settle.taken, *named, sent.lasts, said) if unusual else (settle.ACCEPTED, *named)),
            fallback=(settle.accepted_unnamed, delivery.message_id, delivery.conversation_id, UNWRITTEN),
        )  # fmt: skip

    def _settle_failure(self, delivery: Delivery, failure: SendFailed) -> None:
        self.failed += 1
        ids = delivery.message_id, delivery.conversation_id
        unwritten = (settle.unsure, *ids, UNWRITTEN)
        if not failure.certain:
            self._write(settle.unsure, *ids, failure.problem, fallback=unwritten)
            return
        if failure.halt:
            self._halt(failure.problem)
        if failure.halt or (failure.temporary and delivery.attempt < ATTEMPTS):
            wait = self._backoff(delivery, failure)
            due_at = self._clock.now() + int(wait * 1000)
            self._write(
                settle.again, delivery.message_id, delivery.attempt, due_at, failure.problem, fallback=unwritten
            )
        else:
            self._write(settle.failed, *ids, failure.problem, fallback=unwritten)

    def _backoff(self, delivery: Delivery, failure: SendFailed) -> float:
        """Seconds until the next try: what the network said, 4^n for a pair (contract §8), else doubling."""
        if failure.scope is Scope.PAIR:
            wait = failure.retry_after or 4.0 ** (delivery.attempt - 1)
        else:
            wait = failure.retry_after or min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** (delivery.attempt - 1))
        if failure.scope is Scope.CHANNEL:
            self._pace.pause(wait, self._clock.monotonic())
        return wait

    def _write(
        self, fn: Callable[..., None], *args: object, fallback: tuple[Callable[..., None], Any, Any, Any] | None = None
    ) -> None:
        """Write an outcome, before what waits to come in: the slot is free again when it is on disk, and a message that
        finds one free costs a third less. A failing database is asked again; what it refuses becomes `fallback`, so
        that no row stays `sending`."""

        def done(_: object, error: BaseException | None) -> None:
            if isinstance(error, DatabaseError):
                asyncio.get_running_loop().call_later(1, partial(self._write, fn, *args, fallback=fallback))
                return
            if error is not None and fallback is not None:
                log.error("writing the outcome of a send", exc_info=error)
                self._write(*fallback)
                return
            self._free_slot()
            if fn is settle.again:
                self.wake()  # a claim that is on its way may have seen nothing that waits

        self._db.submit(fn, *args, done=done, first=True)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def news(learned: Address, known: Address) -> bool:
    """Whether the network told a name of the recipient that we did not have."""
    had = set(known.aliases())
    return any(alias not in had for alias in learned.aliases())
