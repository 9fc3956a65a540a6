"""Where steps lead without a question in between: what is certain to go round for ever, and what might."""

from collections.abc import Iterator

from app.bot.acts import Draw
from app.bot.calling import Calling
from app.bot.program import Asking, Begin, Fork, Jump, Leave, Pausing, Program, Test
from app.bot.shape import Problem
from app.said import N_

Point = tuple[str, int]


def endless(programs: dict[str, Program]) -> list[Problem]:
    """Errors for steps that lead in a circle whatever is said: no branch and no question on the way. A wait in between
    does not end it."""
    return [
        Problem(line, 1, N_("These steps go round for ever: nothing is asked and nothing ends it"))
        for line, _ in circles(programs, certain=True)
    ]


def doubtful(programs: dict[str, Program]) -> list[Problem]:
    """Warnings for circles that only a condition ends."""
    at_once = N_("These steps can go round without a question; only a condition ends it")
    waiting = N_("These steps can go round again and again, waiting in between; only a condition ends it")
    return [
        Problem(line, 1, waiting if waits else at_once, "warning") for line, waits in circles(programs, certain=False)
    ]


def circles(programs: dict[str, Program], *, certain: bool) -> list[tuple[int, bool]]:
    """The line of one step of each circle, ascending, and whether something is waited for in it. Work grows with the
    number of steps."""
    silent = quiet(programs)
    done: set[Point] = set()
    lines: dict[int, bool] = {}
    for start in [(key, at) for key, program in programs.items() for at in range(len(program.code))]:
        path: dict[Point, Iterator[Point]] = {}
        if start not in done:
            path[start] = iter(following(programs, start, silent, certain))
        while path:
            point = next(reversed(path))
            step = next(path[point], None)
            if step is None:
                done.add(point)
                del path[point]
            elif step in path:
                points = list(path)
                circle = points[points.index(step) :]
                lines.setdefault(line_of(programs, circle), any(waits(programs, point) for point in circle))
            elif step not in done:
                path[step] = iter(following(programs, step, silent, certain))
    return sorted(lines.items())


def waits(programs: dict[str, Program], point: Point) -> bool:
    key, at = point
    code = programs[key].code
    return at < len(code) and isinstance(code[at], Pausing | Calling | Asking)


def following(programs: dict[str, Program], point: Point, silent: frozenset[str], certain: bool) -> list[Point]:
    """Where it goes on from here in the same turn. `certain`: only where there is no other way."""
    key, at = point
    code = programs[key].code
    if at >= len(code):
        return []
    match code[at]:
        case Asking() as asking:
            return [] if certain else [(key, place) for place in asking.ends()]
        case Leave():
            return []
        case Jump(to=to):
            return [(key, to)]
        case Test(to=to):
            return [] if certain else [(key, at + 1), (key, to)]
        case Calling(failed=failed):
            return [(key, at + 1)] if certain else [(key, place) for place in {at + 1, *failed.values()}]
        case Fork(cases=cases, to=to):
            return [] if certain else [(key, place) for place in {*cases.values(), to}]
        case Draw(places=places):
            return [] if certain else [(key, place) for _, place in places]
        case Begin(flow=flow):
            called = f"flow {flow}"
            return [(called, 0)] * (called in programs) + [(key, at + 1)] * (called in silent)
        case _:
            return [(key, at + 1)]


def quiet(programs: dict[str, Program]) -> frozenset[str]:
    """The programs that ask nothing, nor does anything they start."""
    asks = {key for key, program in programs.items() if any(isinstance(step, Asking) for step in program.code)}
    starts = {
        key: {f"flow {step.flow}" for step in program.code if isinstance(step, Begin)}
        for key, program in programs.items()
    }
    changed = True
    while changed:
        more = {key for key, called in starts.items() if key not in asks and called & asks}
        asks |= more
        changed = bool(more)
    return frozenset(programs) - asks


def line_of(programs: dict[str, Program], circle: list[Point]) -> int:
    """The line of the first step of the circle that has one: there is a jump or a start in each."""
    steps = (programs[key].code[at] for key, at in circle if at < len(programs[key].code))
    return next((int(step.line) for step in steps if isinstance(step, Jump | Begin)), 1)
