"""Opening hours: `{zone: America/Sao_Paulo, mon-fri: "08:00-18:00", sat: ["08:00-12:00", "14:00-16:00"]}`."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode
from app.bot.shape import MISSING, Json, Located, OneOrMany, Report, Shape, Text, describe, did_you_mean
from app.said import N_

Spans = tuple[tuple[int, int], ...]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)"
_SPAN = r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]|24):([0-5]\d)"


class Hours(msgspec.Struct, frozen=True):
    """`days`: for Monday to Sunday, the open spans in minutes since midnight. A span ends after it began."""

    zone: str
    days: tuple[Spans, ...]


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


class HoursShape(Shape):
    """A zone, and spans by day (`sat`) or days (`mon-fri`); `closed` instead of spans says it."""

    expected = N_("opening hours with a zone and days")
    spans = OneOrMany(Span(), 6, N_("hours like 08:00-18:00, or a list of them"))

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, MappingNode):
            return self.wrong(node, report)
        if not report.enter(node):
            return MISSING
        zone: str | None = None
        days: dict[int, Spans] = {}
        for key, item in node.value:
            name = key.value if isinstance(key, ScalarNode) else ""
            if name == "zone":
                zone = self.zone(item, report)
            else:
                self.day(name, key, item, days, report)
        if zone is None and not any(getattr(key, "value", "") == "zone" for key, _ in node.value):
            report.add(node, N_("Expected the key “zone”, like America/Sao_Paulo"))
        return Hours(zone or "UTC", tuple(days.get(day, ()) for day in range(7)))

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
                    guess=did_you_mean(name, ["zone", "mon-fri", *DAYS]),
                ),
            )
            return
        first = DAYS.index(found[1])
        last = DAYS.index(found[2]) if found[2] else first
        closed = isinstance(item, ScalarNode) and item.value == "closed"
        spans = () if closed else self.spans.read(item, report)
        for offset in range((last - first) % 7 + 1):
            day = (first + offset) % 7
            if day in days:
                report.add(key, N_("Hours for {day} are given twice", day=DAYS[day]))
            days[day] = spans if spans is not MISSING else ()

    def schema(self) -> Json:
        day = f"^{_DAY}(-{_DAY})?$"
        spans = {"anyOf": [self.spans.schema(), {"const": "closed"}]}
        return {
            "type": "object",
            "properties": {"zone": {"type": "string"}},
            "patternProperties": {day: spans},
            "required": ["zone"],
            "additionalProperties": False,
        }
