"""Durations and times as an author writes them: `10m`, `18:00`, `2026-12-24 09:00`, `open`; and when that is.

A time without a zone is meant in the zone of the opening hours, else in UTC. Instants are milliseconds UTC.
"""

import re
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from app.bot.hours import Hours
from app.bot.nodes import MappingNode, Node
from app.bot.opening import spans_on
from app.bot.shape import MISSING, Json, Keys, Located, Report, Shape, Text
from app.bot.text import Text as Template
from app.bot.values import Room
from app.said import N_

DAY: Final = 86_400
LONGEST: Final = 366 * DAY  # seconds that anything may lie ahead
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": DAY, "w": 7 * DAY}
EXAMPLE: Final = N_("how long, like 10m, 2h or 1d 12h")
TIME: Final = N_("a time, like 18:00, 2026-12-24 09:00 or open")
LENGTH: Final = r"\s*[0-9]{1,6}\s*[smhdw](\s*[0-9]{1,6}\s*[smhdw]){0,4}\s*"
_CLOCK: Final = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
_DATE: Final = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME: Final = rf"\s*(open|{_CLOCK}|{_DATE}([ T]{_CLOCK})?)\s*"
_FILLED: Final = r"[{][{%]"


class Moment(msgspec.Struct, frozen=True):
    """When something is done: so long `after` now, or at the next time `at` which it is."""

    text: Located
    kind: str

    @property
    def seconds(self) -> int:
        """How far ahead, as far as the document says; 0 if it does not."""
        return length(self.text.text) if self.kind == "after" else 0


class When(msgspec.Struct, frozen=True):
    """A moment made ready: `text` is read when it is needed."""

    text: Template
    kind: str


def length(text: str) -> int:
    """Seconds of a duration; 0 if it is none, or longer than `LONGEST`."""
    if not re.fullmatch(LENGTH, text):
        return 0
    seconds = sum(int(count) * UNITS[unit] for count, unit in re.findall(r"([0-9]+)\s*([smhdw])", text))
    return seconds if seconds <= LONGEST else 0


def due(when: When, room: Room, hours: Hours | None, now: int) -> int | None:
    """The instant; None, and a problem in the room, if what stands there is no time. A time that is past is past."""
    text = when.text.render(room).strip()
    if when.kind == "after":
        seconds = length(text)
        if seconds:
            return now + seconds * 1_000
        room.problem(N_("“{text}” is not how long something takes; it was left out", text=text[:40]))
        return None
    at = instant(text, hours, now)
    if at is None:
        room.problem(N_("“{text}” is not a time; it was left out", text=text[:40]))
    elif at > now + LONGEST * 1_000:
        room.problem(N_("“{text}” is more than a year ahead; it was left out", text=text[:40]))
        return None
    return at


def instant(text: str, hours: Hours | None, now: int) -> int | None:
    """When that is: a day alone is its beginning, a clock time the next one, `open` the next opening (now, if it is
    open)."""
    zone = ZoneInfo(hours.zone if hours else "UTC")
    if text == "open":
        return opening(hours, now) if hours else None
    found = re.fullmatch(_TIME, text)
    if found is None:
        return None
    hour, minute, year, month, day, _, day_hour, day_minute = found.groups()[1:]
    today = datetime.fromtimestamp(now / 1_000, zone).date()
    if hour is not None:
        at = place(today, int(hour) * 60 + int(minute), zone)
        return at if at > now else place(today + timedelta(days=1), int(hour) * 60 + int(minute), zone)
    try:
        return place(date(int(year), int(month), int(day)), int(day_hour or 0) * 60 + int(day_minute or 0), zone)
    except (ValueError, OverflowError, OSError):
        return None


def place(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The instant of so many minutes on the clock of a day; 24:00 is the beginning of the next. An hour that a change
    of clocks leaves out is the one after it."""
    day += timedelta(days=minutes // 1_440)
    at = datetime(day.year, day.month, day.day, minutes // 60 % 24, minutes % 60, tzinfo=zone)
    return int(at.timestamp()) * 1_000


def opening(hours: Hours, now: int) -> int | None:
    """The next instant at which it is open, within a year; None if it never is."""
    zone = ZoneInfo(hours.zone)
    today = datetime.fromtimestamp(now / 1_000, zone).date()
    for ahead in range(LONGEST // DAY if hours.holidays else 8):
        day = today + timedelta(days=ahead)
        for start, end in sorted(spans_on(hours, day)):
            if now < place(day, end, zone):
                return max(now, place(day, start, zone))
    return None


# ---- shapes ---------------------------------------------------------------------------------------------------------


class _Written(Text):
    """A text that fits a pattern, or has places that are filled in later. As `Moment`."""

    def __init__(self, pattern: str, kind: str, expected: Any) -> None:
        super().__init__(200, expected, f"^{pattern}$|{_FILLED}")
        self.own, self.kind = pattern, kind

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        if re.search(_FILLED, value.text):
            return Moment(value, self.kind)
        if not re.fullmatch(self.own, value.text) or (self.kind == "after" and not length(value.text)):
            return self.wrong(node, report)
        return Moment(value, self.kind)


class Length(Text):
    """A duration that stands in the document, in seconds, within bounds."""

    def __init__(self, low: int, high: int, expected: Any = EXAMPLE) -> None:
        super().__init__(100, expected, f"^{LENGTH}$")
        self.low, self.high = low, high

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        seconds = length(value.text)
        return seconds if self.low <= seconds <= self.high and seconds else self.wrong(node, report)


AFTER: Final = _Written(LENGTH, "after", EXAMPLE)
AT: Final = _Written(_TIME, "at", TIME)


class Wait(Shape):
    """How long, or `{until: time}`."""

    expected = EXAMPLE
    until = Keys(lambda until: until, {"until": AT}, ("until",), N_("a group with until"))

    def read(self, node: Node, report: Report) -> Any:
        return (self.until if isinstance(node, MappingNode) else AFTER).read(node, report)

    def schema(self) -> Json:
        return {"anyOf": [AFTER.schema(), self.until.schema()]}


def one_of(after: Any = MISSING, at: Any = MISSING) -> Moment:
    """The moment of a step that has `after` or `at`. Raises `ValueError` if it has not exactly one."""
    if (after is MISSING) == (at is MISSING):
        raise ValueError(N_("Expected either “after” (how long) or “at” (a time)"))
    moment: Moment = at if after is MISSING else after
    return moment
