"""Dead ends: ways through the steps on which the customer wrote and hears nothing back."""

from collections.abc import Iterator

from app.bot.acts import Doing, Draw
from app.bot.calling import Calling
from app.bot.program import Asking, Assigning, Begin, Deferring, Fork, Jump, Leave, Noting, Pausing, Program, Tags, Test
from app.bot.shape import Problem
from app.said import N_

Point = tuple[str, int]


def silence(programs: dict[str, Program], heard: dict[str, int]) -> Iterator[Problem]:
    """Warnings for answers after which nothing may be said, and for rules that may say nothing. `heard` are the
    programs that a message begins, with the line that is told."""
    callers = called_from(programs)
    for key, program in programs.items():
        for at, step in enumerate(program.code):
            if isinstance(step, Asking):
                starts = [(key, at + 1), *([(key, step.otherwise)] if step.otherwise >= 0 else [])]
                if any(dead_end(programs, callers, start) for start in starts):
                    said = N_("After the answer “{name}” the customer may hear nothing.", name=step.save)
                    yield Problem(step.line, 1, said, "warning")
    for key, line in heard.items():
        if key in programs and dead_end(programs, {}, (key, 0)):
            yield Problem(line, 1, N_("This may leave the customer without an answer."), "warning")


def called_from(programs: dict[str, Program]) -> dict[str, list[Point]]:
    """Where it goes on after each flow, by the flow's key."""
    found: dict[str, list[Point]] = {}
    for key, program in programs.items():
        for at, step in enumerate(program.code):
            if isinstance(step, Begin):
                found.setdefault(f"flow {step.flow}", []).append((key, at + 1))
    return found


def dead_end(programs: dict[str, Program], callers: dict[str, list[Point]], start: Point) -> bool:
    """Whether everything can end from here before anything is said. A flow goes back to whoever starts it, any of
    them; without `callers`, only to those on the way."""
    seen: set[tuple[Point, tuple[Point, ...]]] = set()
    waiting: list[tuple[Point, tuple[Point, ...]]] = [(start, ())]
    while waiting:
        (key, at), back = waiting.pop()
        if ((key, at), back[-1:]) in seen:
            continue
        seen.add(((key, at), back[-1:]))
        step = programs[key].code[at] if at < len(programs[key].code) else Leave(0)
        match step:
            case Leave():
                returns = [back[-1]] if back else callers.get(key, [])
                if not returns:
                    return True
                waiting += [(point, back[:-1]) for point in returns]
            case Jump(to=to):
                waiting.append(((key, to), back))
            case Test(to=to):
                waiting += [((key, at + 1), back), ((key, to), back)]
            case Fork(cases=cases, to=to):
                waiting += [((key, place), back) for place in {*cases.values(), to}]
            case Draw(places=places):
                waiting += [((key, place), back) for _, place in places]
            case Begin(flow=flow) if f"flow {flow}" in programs and len(back) < 16:
                waiting.append(((f"flow {flow}", 0), (*back, (key, at + 1))))
            case Calling(failed=failed):
                waiting += [((key, place), back) for place in {at + 1, *failed.values()}]
            case Assigning() | Noting() | Tags() | Doing() | Pausing() | Deferring():
                waiting.append(((key, at + 1), back))
            case _:
                pass
    return False
