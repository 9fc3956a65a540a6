"""What is still to come of a conversation that is decided outside live traffic: in tests and replays. Pure.

As live: a timer or a watch ends when the conversation is handed over or closed, a message or a flow that was asked for
later stands for itself, and a watch counts from when the person wrote last.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

import msgspec

from app.bot.scene import (
    Call,
    CallResult,
    Close,
    Effect,
    Event,
    HandOff,
    Later,
    Quiet,
    Send,
    StartTimer,
    TimerFired,
    Triggered,
    WatchQuiet,
)

SOONEST = 1_000  # ms until a flow begins later


class Due(msgspec.Struct, frozen=True):
    """What comes at `at` (ms UTC): an event for the bot, or a message of `send` that it said ahead."""

    at: int
    cause: Effect
    event: Event | None = None
    send: Send | None = None


class Agenda:
    """Of one conversation, in the order of time; what is due at the same time comes as it was asked for."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, Due]] = []
        self._numbers = count()
        self._heard = 0

    def heard(self, now: int) -> None:
        """The person wrote."""
        self._heard = now

    def promise(self, effects: Sequence[Effect], now: int) -> None:
        """What one turn asks for later. Calls are answered by whoever knows the answer: see `answer`."""
        if ends(effects):
            self.drop(StartTimer, WatchQuiet, Call)
        for effect in effects:
            match effect:
                case StartTimer(token=token, due=due):
                    self._put(Due(max(due, now), effect, TimerFired(token)))
                case Later(flow=flow, due=due, data=data):
                    self._put(Due(max(due, now + SOONEST), effect, Triggered(f"flow:{flow}", data)))
                case WatchQuiet(seconds=seconds):
                    self.drop(WatchQuiet)
                    self._put(Due(now + seconds * 1_000, effect, Quiet(seconds)))
                case Send(at=at) if at > now:
                    self._put(Due(at, effect, send=effect))

    def answer(self, call: Call, result: CallResult, at: int) -> None:
        """What comes back from a call, and when."""
        self._put(Due(at, call, msgspec.structs.replace(result, token=call.token)))

    def next(self, until: int) -> Due | None:
        """What comes first, if it comes by then; it is taken off."""
        while self._queue and self._queue[0][0] <= until:
            _at, _number, due = heappop(self._queue)
            if isinstance(due.cause, WatchQuiet):
                quiet_at = self._heard + due.cause.seconds * 1_000
                if quiet_at > due.at:
                    self._put(msgspec.structs.replace(due, at=quiet_at))
                    continue
            return due
        return None

    def drop(self, *causes: type[Effect]) -> None:
        """What was asked for by such effects does not come any more."""
        self._queue = sorted(entry for entry in self._queue if not isinstance(entry[2].cause, causes))

    def clear(self) -> None:
        """A person has the conversation: nothing of the bot's happens any more."""
        self._queue.clear()

    def _put(self, due: Due) -> None:
        heappush(self._queue, (due.at, next(self._numbers), due))


def ends(effects: Sequence[Effect]) -> bool:
    """Whether nothing is waited for after these."""
    return any(isinstance(effect, HandOff | Close) for effect in effects)
