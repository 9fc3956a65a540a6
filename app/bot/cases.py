"""Tests in a bot document: their structs, and the shapes that say what may stand under `tests`."""

import re
from typing import Any

import msgspec

from app.bot.lines import LINE, SHORT, Line
from app.bot.scene import ContactView
from app.bot.shape import Keys, ListOf, Located, MapOf, OneOrMany, Report, Text
from app.bot.triggers import NETWORKS, OneOf
from app.said import N_

A_DAY = "2026-01-05 12:00"  # a Monday at noon, for tests that name no time
MOST_CASES = 200
MOST_LINES = 50
SOMEBODY = ContactView("1")


class Case(msgspec.Struct, frozen=True):
    """A test: what the customer does, and after each time all that the bot is to answer. `at` is local time in the
    zone of the opening hours, as 2026-09-21 14:30; '' for a fixed day. `last_heard`, like it: when the customer wrote
    before; '' for never."""

    name: Located
    chat: tuple[Line, ...]
    at: str = ""
    last_heard: str = ""
    contact: ContactView = SOMEBODY
    channel: str = "Test"
    network: str = "whatsapp_cloud"
    line: int = 0


class Moment(Text):
    """A day and a time, as text."""

    def __init__(self) -> None:
        super().__init__(
            16, N_("a day and time, like 2026-09-21 14:30"), r"^20\d\d-(0[1-9]|1[0-2])-\d\d[ T]([01]\d|2[0-3]):[0-5]\d$"
        )

    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        fits = re.match(self.pattern, value.text) and 1 <= int(value.text[8:10]) <= days(value.text)
        return value.text if fits else self.wrong(node, report)


def days(text: str) -> int:
    """Of the month that the text begins with, as 2026-09."""
    year, month = int(text[:4]), int(text[5:7])
    if month == 2:
        return 29 if year % 4 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _contact(
    name: Located | None = None, first_name: Located | None = None, tags: tuple[Located, ...] = (), **values: Any
) -> ContactView:
    full = name.text.strip() if name else ""
    first = first_name.text if first_name else full.partition(" ")[0]
    fields = {key: value.text for key, value in values.pop("fields", {}).items()}
    plain = {key: value.text for key, value in values.items()}
    return ContactView("1", full, first, tags=tuple(tag.text for tag in tags), fields=fields, **plain)


def _case(
    chat: tuple[Line, ...], channel: Located | None = None, network: Located | None = None, **values: Any
) -> Case:
    if chat and chat[0].who not in ("user", "button"):
        raise ValueError(N_("A test begins with what the customer writes: “user”"))
    if values.get("last_heard", "") > values.get("at", A_DAY):
        raise ValueError(N_("“last_heard” is before “at”"))
    where = {name: values[name].text for name in ("channel", "network") if name in values}
    return Case(chat=chat, **values | where)


CONTACT = Keys(
    _contact,
    {
        "name": SHORT,
        "first_name": SHORT,
        "phone": SHORT,
        "username": SHORT,
        "language": Text(35, N_("a language, like en or pt-BR")),
        "tags": OneOrMany(SHORT, 50, N_("a tag or a list of tags")),
        "fields": MapOf(Text(100, N_("a name")), Text(1_000), 50, N_("fields with their values")),
    },
)
CASE = Keys(
    _case,
    {
        "name": Text(200, N_("a name")),
        "at": Moment(),
        "last_heard": Moment(),
        "contact": CONTACT,
        "channel": SHORT,
        "network": OneOf(*NETWORKS),
        "chat": ListOf(LINE, MOST_LINES, N_("the lines of a chat")),
    },
    ("name", "chat"),
    N_("a test"),
    located=True,
)
CASES = ListOf(CASE, MOST_CASES, N_("a list of tests"), least=0)
