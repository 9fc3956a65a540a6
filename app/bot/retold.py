"""A conversation that took place, retold as a test of a document. Pure.

Time passes in the test where something was waited for; who it was is taken out (`unnamed`).
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.bot.answers import MOST_ANSWERS, pattern
from app.bot.heard import heard, words_of
from app.bot.record import FLOW
from app.bot.scalars import NAME
from app.bot.scene import (
    Arrived,
    Call,
    CallResult,
    Decision,
    Later,
    Quiet,
    Scene,
    Send,
    StartTimer,
    TimerFired,
    Triggered,
    TurnInput,
    WatchQuiet,
)
from app.bot.triggers import NETWORKS, When
from app.bot.unnamed import Unnamed
from app.content import Audio, Document, Image, Location, Media, Order, Picked, Pressed, Reaction, Sticker, Text, Video
from app.content import text as text_of

LINES: Final = 50
TEXT: Final = 4_000
UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
KINDS: Final[dict[type[Media], str]] = {Image: "image", Video: "video", Document: "document", Sticker: "sticker"}

Turn = tuple[TurnInput, Decision]
Line = dict[str, Any]


def retold(
    turns: Sequence[Turn], zone: str, taken: set[str], asked: Sequence[When] = ()
) -> dict[str, Any] | None:  # fmt: skip
    """The test as it is written, of turns of one conversation, oldest first; None if nothing of it can be one. `taken`
    are the names of other tests; `asked` is what rules ask for."""
    turns = from_a_beginning(turns)
    said = [text_of(turn.event.content) for turn, _ in turns if isinstance(turn.event, Arrived)]
    if not turns:
        return None
    telling = Telling(Unnamed(turns[0][0].scene.contact, said), turns, timed=any(when.first_after for when in asked))
    for turn in turns:
        telling.tell(*turn)
    if not telling.chat:
        return None
    item: dict[str, Any] = {"name": unused(opening(telling.chat[0]), taken), "at": local(telling.began, zone)}
    item |= circumstances(turns[0][0].scene, zone, asked)
    contact = telling.unnamed.view()
    calls = telling.calls
    return (
        item
        | ({"contact": contact} if contact else {})
        | ({"calls": calls[:MOST_ANSWERS]} if calls else {})
        | {"chat": telling.chat}
    )


def local(at: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def circumstances(scene: Scene, zone: str, asked: Sequence[When]) -> dict[str, Any]:
    """Where somebody wrote and since when, as far as rules ask for it."""
    found: dict[str, Any] = {}
    if scene.last_heard and any(when.first or when.first_after for when in asked):
        found["last_heard"] = local(scene.last_heard, zone)
    if any(when.channel for when in asked):
        found["channel"] = scene.channel[:200]
    if any(when.network for when in asked) and scene.network in NETWORKS:
        found["network"] = scene.network
    return found


def from_a_beginning(turns: Sequence[Turn]) -> Sequence[Turn]:
    """Without the turns of a flow that began before them, if there are others."""
    for at, (turn, _) in enumerate(turns):
        if isinstance(turn.event, Arrived) and not turn.scene.state.frames and turn.scene.state.waiting is None:
            return turns[at:]
    return turns


class Telling:
    """The lines so far. `clock` is the test's time, in ms UTC; `ahead` what the bot said for later, `deferred` the
    triggers that are flows it starts later."""

    def __init__(self, unnamed: Unnamed, turns: Sequence[Turn], *, timed: bool = False) -> None:
        self.unnamed = unnamed
        self.chat: list[Line] = []
        self.began = self.clock = 0
        self.ahead: list[Send] = []
        self.called: dict[str, Call] = {}
        self.deferred: set[str] = set()
        self.calls: list[Line] = []
        self.full = False
        self.timed = timed or any(map(waits, turns))

    def tell(self, turn: TurnInput, decision: Decision) -> None:
        happened = self.happened(turn)
        if happened is None or self.full:
            return
        lines = [*self.passing(turn), *happened, *self.answers(heard(decision.effects))]
        if len(self.chat) + len(lines) > LINES:
            self.full = True
            return
        self.began = self.began or turn.now
        self.clock = max(self.clock, turn.now)
        self.chat += lines
        self.ahead = [send for send in self.ahead if send.at > turn.now]
        self.ahead += [effect for effect in decision.effects if isinstance(effect, Send) and effect.at > turn.now]
        self.deferred |= {f"{FLOW}{effect.flow}" for effect in decision.effects if isinstance(effect, Later)}
        self.called |= {effect.token: effect for effect in decision.effects if isinstance(effect, Call)}
        if isinstance(turn.event, CallResult):
            self.calls.append(self.answer(self.called[turn.event.token], turn.event))

    def happened(self, turn: TurnInput) -> list[Line] | None:
        """The lines of an event; None for one that a test has no line for."""
        event = turn.event
        match event:
            case Arrived():
                line = self.wrote(event)
                return None if line is None else [{"user": line}]
            case TimerFired() | Quiet():
                return [] if self.chat else None
            case CallResult(token=token):
                return [] if token in self.called else None
            case Triggered(name=name) if name in self.deferred:
                return []
            case Triggered(name=name, data=data):
                given = {key: self.unnamed.value(value) for key, value in data.items()}
                return [{"trigger": name} | ({"with": given} if given else {})]
            case _:
                return None

    def wrote(self, event: Arrived) -> Any:
        """What the customer did, as a test says it; None for what it cannot say."""
        what = event.content
        if event.burst and all(isinstance(one, Text) and one.text.strip() for one in (*event.burst, what)):
            return [self.unnamed.text(text_of(one))[:TEXT] for one in (*event.burst, what)]
        if isinstance(what, Pressed | Picked):
            return {"button": what.title[:200]}
        if isinstance(what, Media):
            return self.sent(what)
        if isinstance(what, Location):
            return {"location": self.unnamed.text(words_of(what))[:200]}
        words = self.unnamed.text(event.text or text_of(what))[:TEXT]
        if not words.strip():
            return None
        if isinstance(what, Reaction | Order):
            return {"reaction" if isinstance(what, Reaction) else "order": words[:200]}
        told = {name: text for name, text in (event.referral or {}).items() if is_told(name, text)}
        referral = {name: self.unnamed.text(text)[:200] for name, text in list(told.items())[:20]}
        return {"text": words, "referral": referral} if referral else words

    def sent(self, file: Media) -> Line:
        kind = ("voice" if file.voice else "audio") if isinstance(file, Audio) else KINDS[type(file)]
        caption = self.unnamed.text(file.caption)[:1_000]
        return {"media": kind} | ({"caption": caption} if caption.strip() else {})

    def answer(self, call: Call, result: CallResult) -> Line:
        """What the service answered, with nothing of who it was."""
        found: Line = {call.method.lower(): self.unnamed.pattern(pattern(call.url))}
        if result.error:
            return found | {"error": result.error}
        found["status"] = result.status
        return found if result.body is None else found | {"body": self.unnamed.value(result.body)}

    def passing(self, turn: TurnInput) -> list[Line]:
        """The time since the event before, with what the bot had said for it."""
        lines: list[Line] = []
        if not self.timed or not self.chat:
            return lines
        for send in sorted(self.ahead, key=lambda send: send.at):
            if send.at <= turn.now:
                lines += [*self.wait(send.at), *self.answers([("bot", words_of(send.content))])]
        return [*lines, *self.wait(turn.now)]

    def wait(self, until: int) -> list[Line]:
        seconds = -((self.clock - until) // 1_000)
        self.clock += max(seconds, 0) * 1_000
        return [{"wait": spelled(seconds)}] if seconds > 0 else []

    def answers(self, said: Sequence[tuple[str, str]]) -> list[Line]:
        return [{who: self.unnamed.pattern(text)[:TEXT] or "*"} for who, text in said]


def is_told(name: str, told: object) -> bool:
    """Whether a test can have it: what a link or ad tells in words."""
    return isinstance(told, str) and bool(told.strip()) and re.fullmatch(NAME, name) is not None


def waits(turn: Turn) -> bool:
    """Whether time matters in it."""
    given, decision = turn
    return isinstance(given.event, TimerFired | Quiet) or any(
        isinstance(effect, StartTimer | Later | WatchQuiet) or (isinstance(effect, Send) and effect.at)
        for effect in decision.effects
    )


def spelled(seconds: int) -> str:
    """5400 as 1h 30m."""
    parts = []
    for size, unit in UNITS:
        count, seconds = divmod(seconds, size)
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts)


def opening(line: Line) -> str:
    """A name for a test that begins so."""
    first = next(iter(line.values()))
    while not isinstance(first, str):
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    return " ".join(first.split())[:60]


def unused(name: str, taken: set[str]) -> str:
    """The name, numbered if another test has it."""
    numbers = range(2, len(taken) + 3)
    return name if name not in taken else next(f"{name} ({n})" for n in numbers if f"{name} ({n})" not in taken)
