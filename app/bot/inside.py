"""The steps that stand within steps: branches, and what is done when an answer or a call fails."""

from app.bot.acts import Random
from app.bot.flow import Ask, If, Switch
from app.bot.grammar import Step
from app.bot.request import Request
from app.bot.shape import Located
from app.bot.timing import Postpone


def branches(step: Step) -> list[tuple[Step, ...]]:
    """Each list of steps in it that may be done, in the order of the document."""
    match step:
        case If(then=then, otherwise=otherwise):
            return [then, otherwise]
        case Switch(cases=cases, otherwise=otherwise):
            return [*cases.values(), otherwise]
        case Random(branches=drawn):
            return [branch.do for branch in drawn]
        case Ask(otherwise=otherwise, timeout=timeout):
            return [otherwise or (), timeout.do or () if timeout is not None else ()]
        case Request(failed=failed):
            return [(), *(failed or {}).values()]
        case Postpone(what=what) if not isinstance(what, Located):
            return [what]
        case _:
            return []


def inside(steps: tuple[Step, ...]) -> list[Step]:
    """The steps, and those inside their branches, in order."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        for branch in branches(step):
            found += inside(branch)
    return found
