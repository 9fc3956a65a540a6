"""Runs the tests of a document: each chat is decided with a clock that stands still, and compared line by line."""

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from zoneinfo import ZoneInfo

import msgspec

from app.bot.cases import A_DAY, Case
from app.bot.decide import decide
from app.bot.document import Version
from app.bot.lines import Line
from app.bot.scene import Arrived, Decision, Event, HandOff, Scene, Send, StartTimer, State, TimerFired
from app.bot.stars import fits
from app.capabilities import Capabilities
from app.content import Buttons, ChoiceList, Content, Picked, Pressed, Text, kind
from app.content import text as text_of

MOST_FIRED = 100  # times that come while one test waits


class Spoken(msgspec.Struct, frozen=True):
    """A line of a chat as it went. `who` as in `Line`; `fits`: `yes`, `missing` (expected, not said), `extra` (said,
    not expected) or `unknown` (a button that was not there to press). `line` is in the document, 0 for what only the
    bot said."""

    who: str
    text: str
    fits: str = "yes"
    line: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """How a test went: its chat up to the first answer that differs."""

    name: str
    line: int
    chat: tuple[Spoken, ...]

    @property
    def wrong(self) -> tuple[Spoken, ...]:
        return tuple(spoken for spoken in self.chat if spoken.fits != "yes")

    @property
    def passed(self) -> bool:
        return not self.wrong


def run(bot: Version, cases: Sequence[Case], capabilities: Capabilities) -> list[Outcome]:
    """Every test, in order; at most as long as the document's bounds on tests and lines allow."""
    return [play(bot, case, capabilities) for case in cases]


def play(bot: Version, case: Case, capabilities: Capabilities) -> Outcome:
    zone = bot.hours.zone if bot.hours else "UTC"
    heard_at = moment(case.last_heard, zone) if case.last_heard else 0
    talk = Talk(bot, case, capabilities, moment(case.at, zone), heard_at)
    chat: list[Spoken] = []
    for asked, expected in exchanges(case.chat):
        if asked.who == "wait":
            answers = talk.wait(asked.seconds)
        else:
            content = said(asked, talk.offered)
            if content is None:
                chat.append(Spoken(asked.who, asked.text.text, "unknown", asked.text.line))
                break
            chat.append(Spoken(asked.who, asked.text.text, line=asked.text.line))
            answers = talk.hear(Arrived(content, text_of(content), referral=asked.referral))
        compared = compare(expected, answers)
        chat += compared
        if any(spoken.fits != "yes" for spoken in compared):
            break
    return Outcome(case.name.text, case.line, tuple(chat))


class Talk:
    """A chat as it goes on: the bot's memory, the clock, what can be pressed, and the times that the bot waits for."""

    def __init__(self, bot: Version, case: Case, capabilities: Capabilities, now: int, last_heard: int) -> None:
        self.bot, self.case, self.capabilities, self.now, self.last_heard = bot, case, capabilities, now, last_heard
        self.state = State(seed=1)
        self.offered: tuple[Pressed | Picked, ...] = ()
        self.timers: list[StartTimer] = []
        self.silent = False

    def hear(self, event: Arrived) -> list[tuple[str, str]]:
        """What the bot answers to the customer."""
        answers = self.decide(event)
        self.last_heard = self.now
        return answers

    def wait(self, seconds: int) -> list[tuple[str, str]]:
        """Time passes, and what the bot says meanwhile."""
        answers, end = list[tuple[str, str]](), self.now + seconds * 1_000
        for _ in range(MOST_FIRED):
            due = min((timer for timer in self.timers if timer.due <= end), key=lambda timer: timer.due, default=None)
            if due is None:
                break
            self.timers.remove(due)
            self.now = max(self.now, due.due)
            answers += self.decide(TimerFired(due.token))
        self.now = end
        return answers

    def decide(self, event: Event) -> list[tuple[str, str]]:
        # After a hand-off a person answers: the bot says nothing until it is given back.
        if self.silent:
            return []
        case = self.case
        scene = Scene(
            self.state, case.contact, self.capabilities, case.channel, case.network, self.last_heard
        )  # fmt: skip
        decision = decide(self.bot, scene, event, self.now)
        self.state = decision.state
        self.offered = choices_of(decision) or self.offered
        self.timers += [effect for effect in decision.effects if isinstance(effect, StartTimer)]
        answers = heard(decision)
        self.silent = any(who == "handoff" for who, _ in answers)
        return answers


def moment(at: str, zone: str) -> int:
    """Milliseconds UTC of a local time."""
    local = datetime.fromisoformat(at or A_DAY).replace(tzinfo=ZoneInfo(zone))
    return int(local.timestamp()) * 1_000


def exchanges(chat: Sequence[Line]) -> list[tuple[Line, list[Line]]]:
    """What the customer does, or how time passes, each with the answers that are expected before the next."""
    found: list[tuple[Line, list[Line]]] = []
    for line in chat:
        if line.who in ("user", "button", "wait"):
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


def said(line: Line, offered: Sequence[Pressed | Picked]) -> Content | None:
    """The customer's message; None for a button that is not there."""
    text = line.text.text
    if line.who == "user":
        sent = line.content
        pressed = (choice for choice in offered if isinstance(sent, Pressed) and choice.id == sent.id)
        return next(pressed, sent) or Text(text)
    return next((choice for choice in offered if text in (choice.title, choice.id)), None)


def heard(decision: Decision) -> list[tuple[str, str]]:
    """(who, text) of what a person would see; a file without a caption by its kind, as `[image]`. What the bot only
    notes for the team is not heard."""
    found: list[tuple[str, str]] = []
    for effect in decision.effects:
        if isinstance(effect, Send):
            found.append(("bot", words_of(effect.content)))
        elif isinstance(effect, HandOff):
            found.append(("handoff", effect.reason))
    return found


def words_of(content: Content) -> str:
    """Its text, or what it is."""
    return text_of(content).strip() or f"[{kind(content)}]"


def choices_of(decision: Decision) -> tuple[Pressed | Picked, ...]:
    """What can be pressed or picked after this turn."""
    found: list[Pressed | Picked] = []
    for effect in decision.effects:
        content = effect.content if isinstance(effect, Send) else None
        if isinstance(content, Buttons):
            found += [Pressed(choice.id, choice.title) for choice in content.choices]
        elif isinstance(content, ChoiceList):
            found += [Picked(row.id, row.title) for section in content.sections for row in section.choices]
    return tuple(found)


def compare(expected: Sequence[Line], answers: Sequence[tuple[str, str]]) -> list[Spoken]:
    """The answers beside what was expected, in order."""
    found: list[Spoken] = []
    for line, answer in zip_longest(expected, answers):
        if line is not None and answer is not None and line.who == answer[0] and fits(line.text.text, answer[1]):
            found.append(Spoken(line.who, answer[1], line=line.text.line))
            continue
        if line is not None:
            found.append(Spoken(line.who, line.text.text, "missing", line.text.line))
        if answer is not None:
            found.append(Spoken(answer[0], answer[1], "extra"))
    return found
