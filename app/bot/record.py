"""A past conversation as it took place: what came from outside, what followed from what the bot had asked for. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

import msgspec

from app.bot.scene import (
    Arrived,
    Call,
    CallResult,
    Decision,
    Effect,
    Later,
    Quiet,
    SetField,
    StartTimer,
    Tag,
    TimerFired,
    Triggered,
    TurnInput,
    WatchQuiet,
)

FLOW: Final = "flow:"


class Recorded(msgspec.Struct, frozen=True):
    """A turn as it was. `cause` is what led to it if the bot had asked for it, None for what came from outside; `due`
    as in `Moment`; `left`: somebody ended the flows since the turn before."""

    given: TurnInput
    decision: Decision
    cause: Hashable
    due: int
    left: bool


class Record:
    """What took place: turns in groups, each with what came from outside first; all that the bot asked for and noted;
    and the answers of its calls by method and address: (ms until it came, the answer)."""

    def __init__(self, turns: Sequence[tuple[TurnInput, Decision]]) -> None:
        self.groups: list[list[Recorded]] = []
        self.asked: dict[Hashable, Effect] = {}
        self.noted: list[Effect] = []
        self.answers: dict[tuple[str, str], list[tuple[int, CallResult]]] = defaultdict(list)
        self._open: dict[str, tuple[Hashable, int]] = {}  # what an event of the bot's own making names → its cause, due
        self._called: dict[str, tuple[Call, int]] = {}
        running = False
        for given, decision in turns:
            cause, due = self._cause(given)
            turn = Recorded(given, decision, cause, due, running and not given.scene.state.frames)
            running = bool(decision.state.frames)
            if cause is None or not self.groups:
                self.groups.append([turn])
            else:
                self.groups[-1].append(turn)
            for effect in decision.effects:
                self._ask(effect, given.now)

    def _ask(self, effect: Effect, now: int) -> None:
        key = identity(effect, now)
        if isinstance(effect, Tag | SetField):
            self.noted.append(effect)
        if key is None:
            return
        self.asked[key] = effect
        match effect:
            case StartTimer(token=token, due=due):
                self._open[f"timer {token}"] = key, due
            case Later(flow=flow, due=due):
                self._open[f"flow {flow}"] = key, due
            case WatchQuiet(seconds=seconds):
                self._open[f"quiet {seconds}"] = key, now + seconds * 1_000
            case Call(token=token):
                self._open[f"call {token}"] = key, 0
                self._called[token] = effect, now

    def _cause(self, given: TurnInput) -> tuple[Hashable, int]:
        event = given.event
        if isinstance(event, Arrived):
            return None, 0
        if isinstance(event, CallResult) and event.token in self._called:
            call, asked_at = self._called[event.token]
            self.answers[call.method, call.url].append((given.now - asked_at, event))
        match event:
            case TimerFired(token=token):
                name = f"timer {token}"
            case CallResult(token=token):
                name = f"call {token}"
            case Quiet(seconds=seconds):
                name = f"quiet {seconds}"
            case Triggered(name=trigger) if trigger.startswith(FLOW):
                name = f"flow {trigger.removeprefix(FLOW)}"
            case _:
                return None, 0
        return self._open.pop(name, (None, 0))


def identity(effect: Effect, now: int) -> Hashable:
    """What makes it the same as another that was asked for; None for what leads to no event."""
    match effect:
        case StartTimer(token=token, due=due):
            return "timer", token, due
        case Call(token=token, method=method, url=url):
            return "call", token, method, url
        case Later(flow=flow, due=due):
            return "later", flow, due
        case WatchQuiet(seconds=seconds):
            return "quiet", seconds, now
        case _:
            return None
