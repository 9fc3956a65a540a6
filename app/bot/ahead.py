"""What is doubtful about what a bot does later: messages that a network may not take any more, and flows that start
themselves again."""

from collections.abc import Iterator

from app.bot.flow import Ask, If, Start, Switch
from app.bot.grammar import Document, Say, Show, Step
from app.bot.moment import DAY
from app.bot.shape import Located, Problem
from app.bot.timing import Delay, Pause, Postpone
from app.said import N_

WINDOW = DAY  # after so long without a message of the customer some networks, as WhatsApp, take only templates
RISK = N_(
    "This may be sent more than 24 hours after the customer wrote; WhatsApp takes only a template then, so it will fail"
    " there."
)


def ahead(document: Document, lists: list[tuple[Step, ...]]) -> Iterator[Problem]:
    """`lists` are the steps of each rule, fallback and flow."""
    lines: set[int] = set()
    for steps in lists:
        late(steps, 0, lines)
    for name, line in sorted(deferred(document, lists)):
        late(document.flows.get(name, ()), WINDOW + 1, lines) if line else None
    yield from (Problem(line, 1, RISK, "warning") for line in sorted(lines))
    yield from again(document)


def late(steps: tuple[Step, ...], seconds: int, lines: set[int]) -> int:
    """Notes the lines of messages that come more than `WINDOW` after the last of the customer, of which this many
    seconds have passed. Returns how many have after the steps."""
    for step in steps:
        match step:
            case Pause(when=when):
                seconds += when.seconds
            case Postpone(what=what, when=when, line=line):
                if seconds + when.seconds > WINDOW and (isinstance(what, Located) or is_free(what)):
                    lines.add(line)
            case Say(line=line) | Show(line=line) | Ask(line=line):
                if seconds > WINDOW:
                    lines.add(line)
                seconds = 0 if isinstance(step, Ask) else seconds
                if isinstance(step, Ask):
                    late(step.otherwise or (), 0, lines)
            case If(then=then, otherwise=otherwise):
                seconds = max(late(then, seconds, lines), late(otherwise, seconds, lines))
            case Switch(cases=cases, otherwise=otherwise):
                seconds = max(late(inner, seconds, lines) for inner in (*cases.values(), otherwise))
            case _:
                pass
    return seconds


def is_free(steps: tuple[Step, ...]) -> bool:
    """Whether one of them is anything but a template."""
    return any(isinstance(step, Say | Show) for step in steps)


def deferred(document: Document, lists: list[tuple[Step, ...]]) -> set[tuple[str, int]]:
    """Flows that are started more than `WINDOW` later, and where."""
    return {
        (step.flow.text, step.line)
        for steps in lists
        for step in inside(steps)
        if isinstance(step, Delay) and step.when.seconds > WINDOW
    }
