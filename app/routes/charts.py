"""Charts as numbers: where bars, lines and squares of an SVG stand. Templates draw them, with a table beside."""

from collections.abc import Sequence
from typing import Final

import msgspec

WIDTH: Final = 640.0
LEFT: Final = 36.0
TOP: Final = 12.0
FLOOR: Final = 166.0
LABELS: Final = 7
STEPS: Final = (1, 2, 5, 10)
FUNNEL: Final = 360
FUNNEL_STEP: Final = 44


class Grid(msgspec.Struct, frozen=True):
    """A line across and the number at its end."""

    y: float
    value: int


class Bar(msgspec.Struct, frozen=True):
    """One bar with another standing on it; heights of 0 are not drawn."""

    x: float
    width: float
    y: float
    height: float
    y2: float
    height2: float
    label: str
    shown: bool


class Bars(msgspec.Struct, frozen=True):
    grid: list[Grid]
    bars: list[Bar]


class Square(msgspec.Struct, frozen=True):
    """One hour of a weekday; `shade` 0 to 5."""

    x: int
    y: int
    shade: int
    day: int
    hour: int
    value: int


class Step(msgspec.Struct, frozen=True):
    """One bar of a funnel below its label; `width` of `FUNNEL`, and `share` of the first."""

    y: int
    width: float
    label: str
    value: int
    share: float


class Line(msgspec.Struct, frozen=True):
    """Percentages by day. `path` is drawn piece by piece: a day without a value leaves a gap, one between two gaps is a
    dot."""

    grid: list[Grid]
    path: str
    dots: list[tuple[float, float]]
    labels: list[tuple[float, str]]


def ceiling(most: int) -> tuple[int, int]:
    """(top of the axis, its step): round numbers, four or five lines."""
    power = 1
    while power * 40 < most:
        power *= 10
    step = next(power * each for each in STEPS if power * each * 4 >= most)
    return step * 4, step


def scale(most: int) -> tuple[int, list[Grid]]:
    top, step = ceiling(most)
    return top, [Grid(place(value, top), value) for value in range(0, top + 1, step)]


def place(value: float, top: float, bottom: float = 0) -> float:
    return round(FLOOR - (FLOOR - TOP) * (value - bottom) / (top - bottom), 1)


def bars(values: Sequence[tuple[str, int, int]]) -> Bars:
    """(label, lower, upper) by day, at least one."""
    top, grid = scale(max((lower + upper for _label, lower, upper in values), default=0))
    each = (WIDTH - LEFT) / max(1, len(values))
    every = -(-len(values) // LABELS)
    found = []
    for index, (label, lower, upper) in enumerate(values):
        y, y2 = place(lower, top), place(lower + upper, top)
        x, width = round(LEFT + index * each, 1), round(each * 0.68, 1)
        shown = index % every == 0
        found.append(Bar(x, width, y, round(FLOOR - y, 1), y2, round(y - y2, 1), label, shown))
    return Bars(grid, found)


def line(values: Sequence[tuple[str, float | None]]) -> Line:
    """(label, share from 0 to 1) by day."""
    each = (WIDTH - LEFT) / max(1, len(values) - 1)
    every = -(-len(values) // LABELS)
    points = [
        None if share is None else (round(LEFT + index * each, 1), place(share, 1))
        for index, (_label, share) in enumerate(values)
    ]
    path, dots, last = "", [], False
    for index, point in enumerate(points):
        if point is not None:
            path += f"{'L' if last else 'M'}{point[0]} {point[1]} "
            following = points[index + 1] if index + 1 < len(points) else None
            if not last and following is None:
                dots.append(point)
        last = point is not None
    labels = [
        (round(LEFT + index * each, 1), label)
        for index, (label, _share) in enumerate(values)
        if index % every == 0 and index * each < WIDTH - LEFT - 24
    ]
    grid = [Grid(place(value / 100, 1), value) for value in (0, 25, 50, 75, 100)]
    return Line(grid, path.strip(), dots, labels)


def squares(values: dict[tuple[int, int], int]) -> list[Square]:
    """By (weekday from Monday, hour)."""
    most = max(values.values(), default=0)
    return [
        Square(
            36 + 25 * hour,
            20 + 22 * day,
            shade(values.get((day, hour), 0), most),
            day,
            hour,
            values.get((day, hour), 0),
        )
        for day in range(7)
        for hour in range(24)
    ]


def shade(value: int, most: int) -> int:
    return 0 if not value else min(5, 1 + 5 * value // most) if most > 1 else 5


def funnel(steps: Sequence[tuple[str, int]]) -> list[Step]:
    """From the first step down. Nothing is wider than it, whatever was counted elsewhere."""
    most = steps[0][1] or 1
    shares = [min(1.0, value / most) for _label, value in steps]
    return [
        Step(FUNNEL_STEP * at, round(FUNNEL * share, 1), label, value, share)
        for at, ((label, value), share) in enumerate(zip(steps, shares, strict=True))
    ]
