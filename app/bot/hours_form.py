"""Opening hours and holidays as a form shows them, and what is to be changed in the document when it comes back.

A day's hours are one text, `08:00-12:00, 14:00-18:00`, empty where it is closed. Fields are `zone`, `day.0` (Monday) to
`day.6`, and of each holiday `date.0`, `to.0`, `name.0` and `hours.0`, with `new` for one more; without a date it goes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

import msgspec

from app.bot.hours import DAYS
from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.rule_form import text_of, texts_of
from app.bot.source import ByHand, Edit, Source, child, written
from app.said import N_

RANGE: Final = re.compile(f"({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))?")
PARTS: Final = ("date", "to", "name", "hours")


class Holiday(msgspec.Struct, frozen=True):
    """A line of the form. `line`: where it stands, 0 for a new one."""

    date: str = ""
    to: str = ""
    name: str = ""
    hours: str = ""
    line: int = 0


class HoursForm(msgspec.Struct, frozen=True):
    """`days`: of Monday to Sunday. `line`: where the hours stand, 0 if the document has none."""

    zone: str = ""
    days: tuple[str, ...] = ("",) * 7
    holidays: tuple[Holiday, ...] = ()
    line: int = 0


def hours_form(root: Node) -> HoursForm:
    node = child(root, "hours")
    if not isinstance(node, MappingNode):
        return HoursForm()
    days = [""] * 7
    for key, value in node.value:
        for day in covered(key):
            days[day] = spans_text(value)
    found = child(node, "holidays")
    holidays = [holiday_form(item) for item in found.value] if isinstance(found, SequenceNode) else []
    return HoursForm(text_of(child(node, "zone")), tuple(days), tuple(holidays), node.line)


def covered(key: Node) -> list[int]:
    """The days that a key names, 0 is Monday; none for any other key."""
    found = RANGE.fullmatch(key.value) if isinstance(key, ScalarNode) else None
    if not found:
        return []
    first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
    return [(first + offset) % 7 for offset in range((last - first) % 7 + 1)]


def spans_text(node: Node | None) -> str:
    found = texts_of(node) or ()
    return "" if found == ("closed",) else ", ".join(found)


def holiday_form(node: Node) -> Holiday:
    if isinstance(node, ScalarNode):
        return Holiday(node.value, line=node.line)
    date, to, name = (text_of(child(node, key)) for key in ("date", "to", "name"))
    return Holiday(date, to, name, spans_text(child(node, "hours")), node.line)


# ---- what comes back ------------------------------------------------------------------------------------------------


def spans(text: str) -> list[str]:
    """The spans of a day as they are written."""
    return [re.sub("\\s*[-\u2013\u2014]\\s*", "-", part.strip()) for part in re.split(r"[,;\n]", text) if part.strip()]


def changed(source: Source, given: Mapping[str, str]) -> list[Edit]:
    """What to change. Fields that are not given stay. Raises `ByHand`, `LookupError`."""
    form, node = hours_form(source.root), child(source.root, "hours")
    wanted = [spans(given.get(f"day.{day}", form.days[day])) for day in range(7)]
    if node is None:
        return first_hours(source, given.get("zone", ""), wanted, new_holiday(given))
    if not isinstance(node, MappingNode):
        raise ByHand(N_("There are no opening hours at this place."))
    edits: list[Edit] = []
    zone = child(node, "zone")
    if isinstance(zone, ScalarNode) and given.get("zone", zone.value) != zone.value:
        edits += source.set_text(zone, given["zone"])
    open_days: set[int] = set()
    for key, value in node.value:
        days = covered(key)
        open_days |= set(days)
        if days and any(wanted[day] != spans(form.days[day]) for day in days):
            edits += changed_days(source, node, key, value, days, wanted)
    edits += added_days(source, node, [day for day in range(7) if day not in open_days and wanted[day]], wanted)
    return edits + changed_holidays(source, node, form, given)


def runs(days: Sequence[int], wanted: Sequence[list[str]]) -> Iterator[tuple[str, list[str]]]:
    """Keys for these days: neighbours with the same hours share one."""
    for (_, hours), group in groupby(enumerate(days), lambda one: ((one[1] - one[0]) % 7, wanted[one[1]])):
        found = [day for _, day in group]
        yield DAYS[found[0]] + (f"-{DAYS[found[-1]]}" if len(found) > 1 else ""), list(hours)


def changed_days(
    source: Source, node: MappingNode, key: Node, value: Node, days: Sequence[int], wanted: Sequence[list[str]]
) -> list[Edit]:
    """One key becomes as many as its days have different hours; the first stays where it is."""
    assert isinstance(key, ScalarNode)
    (name, first), *others = runs(days, wanted)
    edits = [] if name == key.value else source.set_text(key, name)
    if not first:
        edits += source.replace(value, "closed")
    elif first != spans(spans_text(value)):
        edits += source.set_texts(value, first)
    for more, hours in others:
        edits += source.put_key(node, more, as_value(hours), key.value)
    return edits


def added_days(source: Source, node: MappingNode, days: Sequence[int], wanted: Sequence[list[str]]) -> list[Edit]:
    last = next((key for key, _ in reversed(node.value) if covered(key)), node.value[0][0])
    assert isinstance(last, ScalarNode)
    new = [source.put_key(node, name, as_value(hours), last.value) for name, hours in runs(days, wanted)]
    return [edit for edits in new for edit in edits]


def as_value(hours: list[str]) -> str | list[str]:
    return "closed" if not hours else hours[0] if len(hours) == 1 else hours


def first_hours(source: Source, zone: str, wanted: Sequence[list[str]], holiday: str) -> list[Edit]:
    """Hours for a document that has none."""
    days = list(runs([day for day in range(7) if wanted[day]], wanted))
    if not zone and not days and not holiday:
        return []
    root = source.root
    told = [f"zone: {written(zone or 'UTC')}", *(f"{name}: {hours_written(hours)}" for name, hours in days)]
    told += [f"holidays: [{holiday}]"] if holiday else []
    after = "language" if child(root, "language") is not None else "bot"
    return source.put_raw(root, "hours", "{" + ", ".join(told) + "}", after)


# ---- holidays -------------------------------------------------------------------------------------------------------


def holiday_given(given: Mapping[str, str], number: str, old: Holiday) -> Holiday:
    return Holiday(*(given.get(f"{part}.{number}", getattr(old, part)).strip() for part in PARTS))


def written_holiday(holiday: Holiday) -> str:
    """As it stands between brackets."""
    if not (holiday.to or holiday.name or holiday.hours):
        return f'"{holiday.date}"'
    told = [f'{part}: "{getattr(holiday, part)}"' for part in ("date", "to") if getattr(holiday, part)]
    told += [f"name: {written(holiday.name)}"] if holiday.name else []
    hours = spans(holiday.hours)
    told += [f"hours: {hours_written(hours)}"] if hours else []
    return "{" + ", ".join(told) + "}"


def hours_written(hours: Sequence[str]) -> str:
    quoted = [written(one) for one in hours]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def new_holiday(given: Mapping[str, str]) -> str:
    found = holiday_given(given, "new", Holiday())
    return written_holiday(found) if found.date else ""


def changed_holidays(source: Source, node: MappingNode, form: HoursForm, given: Mapping[str, str]) -> list[Edit]:
    old, new = child(node, "holidays"), new_holiday(given)
    if old is None:
        last, _ = node.value[-1]
        assert isinstance(last, ScalarNode)
        return source.put_raw(node, "holidays", f"[{new}]", last.value) if new else []
    items = old.value if isinstance(old, SequenceNode) else []
    wanted = [holiday_given(given, str(number), shown) for number, shown in enumerate(form.holidays)]
    gone = [number for number, one in enumerate(wanted) if not one.date]
    if new and len(gone) == len(items):
        return source.replace(old, f"[{new}]")
    edits: list[Edit] = []
    if isinstance(old, SequenceNode):
        for _, group in groupby(enumerate(gone), lambda one: one[1] - one[0]):
            away = [number for _, number in group]
            edits += source.drop_items(old, away[0], away[-1] + 1)
        edits += source.add_items(old, len(items), [new]) if new else []
    for item, shown, one in zip(items, form.holidays, wanted, strict=True):
        if one.date and any(getattr(one, part) != getattr(shown, part) for part in PARTS):
            edits += changed_holiday(source, item, shown, one)
    return edits


def changed_holiday(source: Source, item: Node, shown: Holiday, wanted: Holiday) -> list[Edit]:
    if not isinstance(item, MappingNode):
        return source.replace(item, written_holiday(wanted))
    edits: list[Edit] = []
    for part in PARTS:
        value, text = child(item, part), getattr(wanted, part)
        if text == getattr(shown, part):
            continue
        if value is None:
            told = hours_written(spans(text)) if part == "hours" else written(text)
            edits += source.put_raw(item, part, told, "date")
        elif part == "hours":
            edits += source.set_texts(value, spans(text)) if text else source.replace(value, "closed")
        elif text:
            edits += source.set_texts(value, [text])
        else:
            edits += source.drop_key(item, part)
    return edits
