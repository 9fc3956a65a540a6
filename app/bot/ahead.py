"""What is doubtful about what a bot does later: messages that a network may not take any more, and flows that start
themselves again."""

from collections.abc import Iterator

from app.bot.flow import Ask, Start
from app.bot.grammar import Document, Say, Show, Step
from app.bot.inside import branches, inside
from app.bot.messages import Person, Place
from app.bot.moment import DAY
from app.bot.shape import Located, Problem
from app.bot.timing import Delay, Pause, Postpone
from app.said import N_

WINDOW = DAY  # seconds: so long after the customer wrote, some networks take more than templates
FREE = Say | Show | Place | Person | Ask


def ahead(document: Document, lists: list[tuple[Step, ...]]) -> Iterator[Problem]:
    """Warnings. `lists` are the steps of each rule, fallback and flow."""
    lines: set[int] = set()
    for steps in lists:
        late(steps, 0, lines)
    every = [step for steps in lists for step in inside(steps)]
    for name in {step.flow.text for step in every if isinstance(step, Delay) and step.when.seconds > WINDOW}:
        late(document.flows.get(name, ()), WINDOW + 1, lines)
    said = N_("This may come more than 24 hours after the customer wrote. WhatsApp takes only a template then.")
    yield from (Problem(line, 1, said, "warning") for line in sorted(lines))
    yield from again(document)


def late(steps: tuple[Step, ...], seconds: int, lines: set[int]) -> int:
    """Notes the lines of messages that may come more than `WINDOW` after the last of the customer, which is `seconds`
    ago where the steps begin. Returns how long ago it is after them."""
    for step in steps:
        if isinstance(step, Postpone):
            free = isinstance(step.what, Located) or any(isinstance(one, FREE) for one in step.what)
            if free and seconds + step.when.seconds > WINDOW:
                lines.add(step.line)
            continue
        if isinstance(step, FREE) and seconds > WINDOW:
            lines.add(step.line)
        if isinstance(step, Pause):
            seconds += step.when.seconds
        if isinstance(step, Ask):
            seconds = unanswered(step, lines)
            continue
        seconds = max([late(branch, seconds, lines) for branch in branches(step)], default=seconds)
    return seconds


def unanswered(step: Ask, lines: set[int]) -> int:
    """As `late`, of what is said without an answer; with one, the customer has just written."""
    if step.reminder is not None and step.reminder.after > WINDOW:
        lines.add(step.line)
    after = [late(step.otherwise or (), 0, lines)]
    if step.timeout is not None and step.timeout.do is not None:
        after.append(late(step.timeout.do, step.timeout.after, lines))
    return max(after)


def again(document: Document) -> Iterator[Problem]:
    """A flow that starts itself later, maybe through others, comes back for as long as nothing stops it."""
    to = leads(document)
    for name, steps in document.flows.items():
        for step in inside(steps):
            if isinstance(step, Delay) and name in reach(step.flow.text, to):
                said = N_("The flow “{name}” is started again by itself; only a condition ends that.", name=name)
                yield Problem(step.line, 1, said, "warning")


def leads(document: Document) -> dict[str, set[str]]:
    """Which flows each flow starts, now or later."""
    return {
        name: {step.flow.text for step in inside(steps) if isinstance(step, Start | Delay)}
        for name, steps in document.flows.items()
    }


def reach(name: str, to: dict[str, set[str]]) -> set[str]:
    """The flow and all that it starts."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        flow = waiting.pop()
        if flow not in found:
            found.add(flow)
            waiting += to.get(flow, ())
    return found
