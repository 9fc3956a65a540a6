"""Runs the tests of a document: each chat is played on a stage and compared line by line."""

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from zoneinfo import ZoneInfo

import msgspec

from app.bot.cases import A_DAY, HAPPENS, Case, Line
from app.bot.document import Version
from app.bot.stage import Stage
from app.bot.stars import fits
from app.capabilities import Capabilities


class Spoken(msgspec.Struct, frozen=True):
    """A line of a chat as it went. `who` as in `Line`, or `call` (one that the test has no answer for); `fits`: `yes`,
    `missing` (expected, not said), `extra` (said, not expected) or `unknown` (a button that was not there to press).
    `line` is in the document, 0 for what only the bot said."""

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
    last_heard = moment(case.last_heard, zone) if case.last_heard else 0
    stage = Stage(bot, case, capabilities, moment(case.at, zone), last_heard)
    chat: list[Spoken] = []
    for asked, expected in exchanges(case.chat):
        chat += [Spoken(asked.who, earlier.text, line=earlier.line) for earlier in asked.before]
        answers = stage.happen(asked)
        if answers is None:
            chat.append(Spoken(asked.who, asked.text.text, "unknown", asked.text.line))
            break
        chat.append(Spoken(asked.who, asked.text.text, line=asked.text.line))
        compared = compare(expected, answers)
        chat += compared
        if any(spoken.fits != "yes" for spoken in compared):
            break
    return Outcome(case.name.text, case.line, tuple(chat))


def moment(at: str, zone: str) -> int:
    """Milliseconds UTC of a local time."""
    local = datetime.fromisoformat(at or A_DAY).replace(tzinfo=ZoneInfo(zone))
    return int(local.timestamp()) * 1_000


def exchanges(chat: Sequence[Line]) -> list[tuple[Line, list[Line]]]:
    """What the customer does, each time with the answers that are expected before the next."""
    found: list[tuple[Line, list[Line]]] = []
    for line in chat:
        if line.who in HAPPENS:
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


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
