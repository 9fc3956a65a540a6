"""Opening hours: `{zone: America/Sao_Paulo, mon-fri: "08:00-18:00", sat: ["08:00-12:00", "14:00-16:00"]}`."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode
from app.bot.shape import (
    MISSING,
    Either,
    Json,
    Keys,
    ListOf,
    Located,
    OneOrMany,
    Report,
    Shape,
    Text,
    describe,
    did_you_mean,
)
from app.said import N_

Spans = tuple[tuple[int, int], ...]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)"
_YEAR = r"20\d\d"
_MONTH_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_SPAN = r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]|24):([0-5]\d)"


class Holiday(msgspec.Struct, frozen=True):
    """A day with hours of its own, none if it is closed; or all days up to `to`. Dates are `2026-12-25`, or `12-25` for
    every year."""

    date: str
    to: str = ""
    name: str = ""
    spans: Spans = ()
    line: int = 0


class Hours(msgspec.Struct, frozen=True):
    """`days`: for Monday to Sunday, the open spans in minutes since midnight. A span ends after it began."""

    zone: str
    days: tuple[Spans, ...]
    holidays: tuple[Holiday, ...] = ()


class Span(Text):
    """A span of a day, read as (from, to) in minutes."""

    def __init__(self) -> None:
        super().__init__(20, N_("hours like 08:00-18:00"), f"^{_SPAN}$")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        found = re.fullmatch(_SPAN, value.text.strip())
        if not found:
            return self.wrong(node, report)
        hour, minute, end_hour, end_minute = map(int, found.groups())
        start, end = hour * 60 + minute, end_hour * 60 + end_minute
        if not start < end <= 24 * 60:
            return report.add(node, N_("These hours end before they begin; split them at midnight"))
        return (start, end)


class Date(Text):
    """A day of one year, or of every year, read as it is written."""

    def __init__(self) -> None:
        super().__init__(10, N_("a date, like 2026-12-25, or 12-25 for every year"), rf"^({_YEAR}-)?{_MONTH_DAY}$")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        found = re.fullmatch(self.pattern[1:-1], value.text)
        if not found or int(value.text[-2:]) > month_length(value.text):
            return self.wrong(node, report)
        return value.text


class DayOff(Either):
    """A date alone is a day that is closed."""

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return Holiday(value, line=node.line) if isinstance(value, str) else value


class Spell(OneOrMany):
    """Spans of a day, or `closed`."""

    def read(self, node: Node, report: Report) -> Any:
        return () if isinstance(node, ScalarNode) and node.value == "closed" else super().read(node, report)

    def schema(self) -> Json:
        return {"anyOf": [super().schema(), {"const": "closed"}]}


def month_length(date: str) -> int:
    """Of the month in `2026-02-01`, or in `02-01`, where February has its leap day."""
    year, month = int(date[:-6] or 2000), int(date[-5:-3])
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _holiday(date: str, to: str = "", name: Located | None = None, hours: Spans = (), line: int = 0) -> Holiday:
    if to and (len(to) != len(date) or (len(to) == 10 and not date <= to <= f"{int(date[:4]) + 1}{date[4:]}")):
        raise ValueError(N_("“to” is a date after “date”, written alike, at most a year later"))
    return Holiday(date, to, name.text.strip() if name else "", hours, line)


SPANS = Spell(Span(), 6, N_("hours like 08:00-18:00, or a list of them"))
HOLIDAYS = ListOf(
    DayOff(
        Date(),
        Keys(
            _holiday,
            {"date": Date(), "to": Date(), "name": Text(100, N_("a name")), "hours": SPANS},
            ("date",),
            located=True,
        ),
        N_("a date or {date, name, hours}"),
    ),
    200,
    N_("a list of dates"),
    least=0,
)


class HoursShape(Shape):
    """A zone, and spans by day (`sat`) or days (`mon-fri`); `closed` instead of spans says it; `holidays` that have
    other hours."""

    expected = N_("opening hours with a zone and days")

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, MappingNode):
            return self.wrong(node, report)
        if not report.enter(node):
            return MISSING
        zone: str | None = None
        days: dict[int, Spans] = {}
        holidays: tuple[Holiday, ...] | None = None
        for key, item in node.value:
            name = key.value if isinstance(key, ScalarNode) else ""
            if name == "zone":
                zone = self.zone(item, report)
            elif name == "holidays":
                if holidays is not None:
                    report.add(key, N_("“{name}” is given twice", name=name))
                found = HOLIDAYS.read(item, report)
                holidays = found if found is not MISSING else ()
            else:
                self.day(name, key, item, days, report)
        if zone is None and not any(getattr(key, "value", "") == "zone" for key, _ in node.value):
            report.add(node, N_("Expected the key “zone”, like America/Sao_Paulo"))
        return Hours(zone or "UTC", tuple(days.get(day, ()) for day in range(7)), holidays or ())

    def zone(self, node: Node, report: Report) -> str | None:
        name = node.value if isinstance(node, ScalarNode) else ""
        try:
            return ZoneInfo(name).key
        except (KeyError, ValueError, OSError):
            report.add(node, N_("Expected a time zone, like America/Sao_Paulo, found {found}", found=describe(node)))
            return None

    def day(self, name: str, key: Node, item: Node, days: dict[int, Spans], report: Report) -> None:
        """Reads one line of hours into `days` (0 is Monday)."""
        found = re.fullmatch(f"{_DAY}(?:-{_DAY})?", name)
        if not found:
            report.add(
                key,
                N_(
                    "Unknown key {found}.{guess}",
                    found=describe(key),
                    guess=did_you_mean(name, ["zone", "holidays", "mon-fri", *DAYS]),
                ),
            )
            return
        first = DAYS.index(found[1])
        last = DAYS.index(found[2]) if found[2] else first
        spans = SPANS.read(item, report)
        for offset in range((last - first) % 7 + 1):
            day = (first + offset) % 7
            if day in days:
                report.add(key, N_("Hours for {day} are given twice", day=DAYS[day]))
            days[day] = spans if spans is not MISSING else ()

    def schema(self) -> Json:
        day = f"^{_DAY}(-{_DAY})?$"
        return {
            "type": "object",
            "properties": {"zone": {"type": "string"}, "holidays": HOLIDAYS.schema()},
            "patternProperties": {day: SPANS.schema()},
            "required": ["zone"],
            "additionalProperties": False,
        }
