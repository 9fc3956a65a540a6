"""Plain values and what may be done with them: every operation is bounded in size and never raises.

A `Room` is one turn's space: the names a text may read, how many characters may still be made, and what went wrong.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from app.bot.formats import NEUTRAL, Speech
from app.said import N_, Sentence

# Characters all texts of one turn may have together, and characters made on the way to them.
OUTPUT = 65_536
LARGEST = 10**15
ITEMS = 100
PROBLEMS = 10


class Unknown:
    """A name nobody defined: false, empty, remembers how it was called."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False


MISSING = Unknown("")


class Room:
    """What one turn's texts can see, how they write dates and numbers, and how much they can still say."""

    __slots__ = ("left", "names", "problems", "speech")

    def __init__(self, names: Mapping[str, Any], speech: Speech = NEUTRAL) -> None:
        self.names, self.speech = names, speech
        self.left = OUTPUT * 2
        self.problems: list[Sentence] = []

    def problem(self, message: Sentence) -> None:
        if len(self.problems) < PROBLEMS and message not in self.problems:
            self.problems.append(message)


def spend(room: Room, text: str) -> str:
    """The text, or as much of it as the turn may still make."""
    if len(text) > room.left:
        room.problem(N_("The texts of this turn were longer than is possible; the rest was left out"))
        text = text[: room.left]
    room.left -= len(text)
    return text


def as_text(room: Room, value: Any) -> str:
    """How a value reads in a text. Nothing and unknown names are empty; lists are joined by commas."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unknown):
        if value.name:
            room.problem(N_("Nothing is known as {name}; it was left empty", name=value.name))
        return ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list | tuple):
        return join(room, value, ", ")
    room.problem(N_("A group of values cannot be shown; name one of them"))
    return ""


def number_text(value: int | float) -> str:
    """12, 2.5; whole floats without the point. Numbers out of bounds are empty."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**19 else ""
    if not isfinite(value):
        return ""
    return str(int(value)) if value == int(value) and abs(value) <= LARGEST else str(value)


def join(room: Room, value: Any, between: Any) -> str:
    """The first items of a list as one text."""
    if not isinstance(value, list | tuple):
        return as_text(room, value)
    plain = [item for item in value[:ITEMS] if not isinstance(item, list | tuple | Mapping)]
    parts = [as_text(room, item)[:OUTPUT] for item in plain]
    between = as_text(room, between)
    if sum(map(len, parts)) + len(between) * len(parts) > room.left:
        room.problem(N_("The texts of this turn were longer than is possible; the rest was left out"))
        return ""
    return spend(room, between.join(parts))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def bounded(value: int | float) -> Any:
    return value if abs(value) <= LARGEST else MISSING


def add(left: Any, right: Any) -> Any:
    return bounded(left + right) if is_number(left) and is_number(right) else MISSING


def subtract(left: Any, right: Any) -> Any:
    return bounded(left - right) if is_number(left) and is_number(right) else MISSING


def multiply(left: Any, right: Any) -> Any:
    return bounded(left * right) if is_number(left) and is_number(right) else MISSING


def divide(left: Any, right: Any) -> Any:
    return bounded(left / right) if is_number(left) and is_number(right) and right else MISSING


def remainder(left: Any, right: Any) -> Any:
    return bounded(left % right) if is_number(left) and is_number(right) and right else MISSING


def order(room: Room, operator: str, left: Any, right: Any) -> bool:
    """`left operator right`; values that cannot be compared give false and a problem."""
    if operator in ("in", "notin"):
        return contains(right, left) == (operator == "in")
    if operator in ("eq", "ne"):
        return same(left, right) == (operator == "eq")
    if not (is_number(left) and is_number(right)) and not (isinstance(left, str) and isinstance(right, str)):
        room.problem(N_("Two values that cannot be compared were compared; the answer was taken as no"))
        return False
    if operator in ("lt", "lteq"):
        return bool(left < right or (operator == "lteq" and left == right))
    return bool(left > right or (operator == "gteq" and left == right))


def same(left: Any, right: Any) -> bool:
    """Plain values are compared; groups and lists are only equal to themselves (comparing them has no bound)."""
    plain = str | int | float | bool | None
    return bool(left == right) if isinstance(left, plain) and isinstance(right, plain) else left is right


def contains(group: Any, item: Any) -> bool:
    if isinstance(group, str):
        return isinstance(item, str) and len(item) <= ITEMS and item in group
    if isinstance(group, list | tuple):
        return any(same(item, other) for other in group[:ITEMS])
    return isinstance(group, Mapping) and isinstance(item, str) and item in group
