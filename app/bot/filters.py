"""The filters (`{{ name | upper }}`) and tests (`{% if x is defined %}`) of texts: listed, bounded, never raising."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.bot.values import MISSING, Room, Unknown, as_text, is_number, join, spend
from app.said import N_


class Filter(msgspec.Struct, frozen=True):
    """`apply(room, value, *arguments)`; `arguments`: how many it may be given."""

    apply: Callable[..., Any]
    arguments: tuple[int, ...] = (0,)


def _texts(change: Callable[[str], str]) -> Filter:
    return Filter(lambda room, value: spend(room, change(as_text(room, value))))


def _default(room: Room, value: Any, other: Any = "") -> Any:
    return other if isinstance(value, Unknown) or value is None or value == "" else value


def _length(room: Room, value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | Mapping) else 0


def _join(room: Room, value: Any, between: Any = ", ") -> str:
    return join(room, value, between)


def _replace(room: Room, value: Any, old: Any, new: Any) -> str:
    text, old, new = as_text(room, value), as_text(room, old), as_text(room, new)
    if not old:
        return text
    if len(text) + text.count(old) * max(0, len(new) - len(old)) > room.left:
        room.problem(N_("The texts of this turn were longer than is possible; the rest was left out"))
        return ""
    return spend(room, text.replace(old, new))


def _truncate(room: Room, value: Any, most: Any = 80) -> str:
    text = as_text(room, value)
    most = int(most) if is_number(most) and most >= 1 else 80
    return spend(room, text if len(text) <= most else text[: most - 1].rstrip() + "…")


def _digits(value: Any) -> int:
    return min(6, max(0, int(value))) if is_number(value) else 0


def _round(room: Room, value: Any, digits: Any = 0) -> Any:
    if not is_number(value):
        return MISSING
    rounded = round(value, _digits(digits))
    return int(rounded) if _digits(digits) == 0 else rounded


def _number(room: Room, value: Any, digits: Any = None) -> str:
    """1,234.50, as the language writes it."""
    if not is_number(value):
        return as_text(room, value)
    return room.speech.number(value, _digits(digits) if digits is not None else None)


def _money(room: Room, value: Any, currency: Any) -> str:
    """R$ 1.234,50, as the language writes it."""
    if not is_number(value):
        return as_text(room, value)
    code = as_text(room, currency).strip().upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        room.problem(N_("“{code}” is no currency; use its three letters, like EUR", code=code[:20]))
        return room.speech.number(value, 2)
    return room.speech.money(value, code)


def _phone(room: Room, value: Any) -> str:
    return room.speech.phone(as_text(room, value)[:40])


def _int(room: Room, value: Any) -> Any:
    """The whole number a short text holds, else unknown."""
    if is_number(value):
        return int(value)
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if len(text) <= 15 and text.removeprefix("-").isdecimal() else MISSING


def _date(room: Room, value: Any, style: Any = "medium") -> str:
    return room.speech.date(value, as_text(room, style))


def _time(room: Room, value: Any, style: Any = "short") -> str:
    return room.speech.time(value, as_text(room, style))


def _first(room: Room, value: Any) -> Any:
    return value[0] if isinstance(value, str | list | tuple) and value else ""


def _last(room: Room, value: Any) -> Any:
    return value[-1] if isinstance(value, str | list | tuple) and value else ""


FILTERS: dict[str, Filter] = {
    "upper": _texts(str.upper),
    "lower": _texts(str.lower),
    "title": _texts(str.title),
    "capitalize": _texts(str.capitalize),
    "trim": _texts(str.strip),
    "default": Filter(_default, (0, 1)),
    "length": Filter(_length),
    "join": Filter(_join, (0, 1)),
    "first": Filter(_first),
    "last": Filter(_last),
    "replace": Filter(_replace, (2,)),
    "truncate": Filter(_truncate, (0, 1)),
    "round": Filter(_round, (0, 1)),
    "number": Filter(_number, (0, 1)),
    "int": Filter(_int),
    "date": Filter(_date, (0, 1)),
    "time": Filter(_time, (0, 1)),
    "money": Filter(_money, (1,)),
    "phone": Filter(_phone),
}

TESTS: dict[str, Callable[[Any], bool]] = {
    "defined": lambda value: not isinstance(value, Unknown),
    "undefined": lambda value: isinstance(value, Unknown),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: is_number(value),
    "boolean": lambda value: isinstance(value, bool),
}
