"""Steps that are never done, because the one before always goes elsewhere or ends it all."""

from collections.abc import Iterator

from app.bot.acts import Random
from app.bot.flow import Closing, Goto, If, Label, Return, Switch
from app.bot.grammar import Give, Step
from app.bot.inside import branches, inside
from app.bot.shape import Problem
from app.said import N_

HANDED = N_("This is never done: after a hand-off nothing more is said or done.")
ELSEWHERE = N_("This is never done: the step before always goes elsewhere.")


def unreached(lists: list[tuple[Step, ...]]) -> Iterator[Problem]:
    """Warnings. `lists` are the steps of each rule, fallback and flow."""
    for steps in lists:
        gone_to = {step.label.text for step in inside(steps) if isinstance(step, Goto)}
        yield from within(steps, gone_to)


def within(steps: tuple[Step, ...], gone_to: set[str]) -> Iterator[Problem]:
    """The first step of each row that cannot be reached, here and in the branches."""
    before: Step | None = None
    told = False
    for step in steps:
        if isinstance(step, Label) and step.name.text in gone_to:
            before, told = None, False
        elif before is not None and not told:
            yield Problem(step.line, 1, HANDED if isinstance(before, Give) else ELSEWHERE, "warning")
            told = True
        if not told:
            for branch in branches(step):
                yield from within(branch, gone_to)
        before = before or (step if ends(step, gone_to) else None)


def ends(step: Step, gone_to: set[str]) -> bool:
    """Whether nothing goes on after it."""
    match step:
        case Give() | Closing() | Return() | Goto():
            return True
        case If() | Switch() | Random():
            return all(all_end(branch, gone_to) for branch in branches(step))
        case _:
            return False


def all_end(steps: tuple[Step, ...], gone_to: set[str]) -> bool:
    """Whether the end of these steps is never reached; it is if there are none."""
    ended = False
    for step in steps:
        ended = not (isinstance(step, Label) and step.name.text in gone_to) and (ended or ends(step, gone_to))
    return ended
