"""Small checks from which the tables of message bodies are made. A check is a function of a value; it raises `Bad`."""

from collections.abc import Callable, Mapping
from typing import Any

MISSING, WRONG = 131008, 131009
Check = Callable[[Any], None]


class Bad(Exception):
    """What is wrong and where; the way to the place is put together while unwinding."""

    def __init__(self, code: int, why: str, *path: str) -> None:
        super().__init__(why)
        self.code, self.why, self.path = code, why, list(path)

    @property
    def details(self) -> str:
        return f"{'.'.join(self.path)}: {self.why}" if self.path else self.why


def text(high: int | None = None, low: int = 1) -> Check:
    def check(value: Any) -> None:
        if type(value) is not str:
            raise Bad(WRONG, "must be a string")
        if not (low <= len(value) and (high is None or len(value) <= high)):
            raise Bad(WRONG, f"must have {low} to {high or 'any number of'} characters")

    return check


def whole(low: int, high: int | None = None) -> Check:
    """An integer, or its digits in a string."""

    def check(value: Any) -> None:
        try:
            found = int(value) if type(value) in (int, str) else None
        except ValueError:
            found = None
        if found is None or found < low or (high is not None and found > high):
            raise Bad(WRONG, f"must be a whole number from {low} to {high}")

    return check


def degrees(most: int) -> Check:
    def check(value: Any) -> None:
        try:
            good = type(value) in (int, float, str) and -most <= float(value) <= most
        except ValueError:
            good = False
        if not good:
            raise Bad(WRONG, f"must be a number from -{most} to {most}")

    return check


def flag(value: Any) -> None:
    if type(value) is not bool:
        raise Bad(WRONG, "must be true or false")


def anything(value: Any) -> None:
    """Any value."""


def web_link(value: Any) -> None:
    if type(value) is not str or not value.startswith(("http://", "https://")) or len(value) > 2048:
        raise Bad(WRONG, "must be an http or https address")


def one_of(*names: str) -> Check:
    def check(value: Any) -> None:
        if type(value) is not str or value.lower() not in names:
            raise Bad(WRONG, f"must be one of {', '.join(names)}")

    return check


def items(each: Check, low: int, high: int | None, *rules: Check) -> Check:
    def check(value: Any) -> None:
        if type(value) is not list:
            raise Bad(WRONG, "must be a list")
        if len(value) < low or (high is not None and len(value) > high):
            raise Bad(WRONG, f"must have {low} to {high} elements")
        for index, element in enumerate(value):
            try:
                each(element)
            except Bad as bad:
                bad.path.insert(0, str(index))
                raise
        for rule in rules:
            rule(value)

    return check


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Check, closed: bool = False
) -> Check:
    """An object. A member that is null counts as missing; unknown ones are refused only if `closed`."""
    both = {**required, **(optional or {})}

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Bad(WRONG, "must be an object")
        for name in required:
            if value.get(name) is None:
                raise Bad(MISSING, "is required", name)
        for name, member in value.items():
            known = both.get(name)
            if known is None:
                if closed:
                    raise Bad(100, "unexpected key", name)
            elif member is not None:
                try:
                    known(member)
                except Bad as bad:
                    bad.path.insert(0, name)
                    raise
        for rule in rules:
            rule(value)

    return check


def unique(*path: str) -> Check:
    """No two elements of a list share the value at `path`."""

    def check(value: Any) -> None:
        seen = set()
        for element in value:
            for name in path:
                element = element[name]
            if element in seen:
                raise Bad(WRONG, f"{path[-1]} must be unique")
            seen.add(element)

    return check


def exactly_one(*names: str) -> Check:
    def check(value: Any) -> None:
        found = [name for name in names if value.get(name) is not None]
        if not found:
            raise Bad(MISSING, f"one of {' or '.join(names)} is required")
        if len(found) > 1:
            raise Bad(WRONG, f"only one of {' or '.join(names)} may be given")

    return check


def at_least_one(*names: str) -> Check:
    def check(value: Any) -> None:
        if not any(value.get(name) is not None for name in names):
            raise Bad(MISSING, f"one of {' or '.join(names)} is required")

    return check


def without(*names: str) -> Check:
    def check(value: Any) -> None:
        for name in names:
            if value.get(name) is not None:
                raise Bad(WRONG, "is not allowed here", name)

    return check


def by_type(table: Mapping[str, Check], unknown: int = WRONG, key: str = "type") -> Check:
    """The check that the object's own type names."""

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Bad(WRONG, "must be an object")
        kind = value.get(key)
        if kind is None:
            raise Bad(MISSING, "is required", key)
        found = table.get(kind.lower()) if type(kind) is str else None
        if found is None:
            raise Bad(unknown, f"must be one of {', '.join(table)}", key)
        found(value)

    return check
