"""The messages beyond texts and files that a bot sends, as an author writes them: a place, a contact card, a reaction,
a template. What stands where, as in `grammar`; `app.bot.composing` makes contents of them.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from app.bot.nodes import MappingNode, Node
from app.bot.scalars import Truth
from app.bot.shape import Json, Keys, ListOf, Located, MapOf, OneOrMany, Report, Shape, Text
from app.said import N_, Sentence

MOST_PARAMETERS = 50
MOST_BUTTONS = 10
TEMPLATE_LANGUAGE = r"[a-z]{2,3}(_[A-Za-z]{2,4})?"


class Place(msgspec.Struct, frozen=True):
    """Send a location. `latitude` and `longitude` are degrees as numbers, or texts that give one."""

    latitude: Located
    longitude: Located
    name: Located | None = None
    address: Located | None = None
    quote: bool = False
    line: int = 0


class Person(msgspec.Struct, frozen=True):
    """Send one contact card."""

    name: Located
    phones: tuple[Located, ...] = ()
    emails: tuple[Located, ...] = ()
    company: Located | None = None
    quote: bool = False
    line: int = 0


class React(msgspec.Struct, frozen=True):
    """Put an emoji on the message that is answered."""

    emoji: Located
    line: int = 0


class Approved(msgspec.Struct, frozen=True):
    """Send a template that the network approved. `parameters` are what its body is filled with, by name or, where the
    names are empty, in order; `header` is (kind, text or address); `urls` are the ends of its buttons' addresses, by
    the button's number or, where the names are empty, in order; `text` is what it reads like."""

    name: Located
    language: Located | None = None
    parameters: tuple[tuple[str, Located], ...] = ()
    header: tuple[str, Located] | None = None
    urls: tuple[tuple[str, Located], ...] = ()
    text: Located | None = None
    line: int = 0


Message = Place | Person | React | Approved


# ---- shapes ---------------------------------------------------------------------------------------------------------


class Degrees(Text):
    """A number of degrees, or a text with a place to fill it in."""

    def __init__(self, most: int) -> None:
        super().__init__(200, N_("degrees from -{most} to {most}, like 8.0578", most=most))
        self.most = most

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located) or "{{" in value.text:
            return value
        text = value.text.strip()
        fits = re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", text) and abs(float(text)) <= self.most
        return value if fits else self.wrong(node, report)


class Emoji(Text):
    def __init__(self) -> None:
        super().__init__(200, N_("an emoji, like 👍"))

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located) or "{{" in value.text:
            return value
        return value if is_emoji(value.text.strip()) else self.wrong(node, report)


def is_emoji(text: str) -> bool:
    """Roughly: short, and nothing that is read as letters (a keycap like 1️⃣ begins with a digit)."""
    return 0 < len(text) <= 16 and not any(sign.isalpha() or sign.isspace() for sign in text) and not text.isascii()


class Parameters(Shape):
    """A list of texts, or texts by name; as pairs, with empty names for a list."""

    def __init__(self, text: Shape, name: Shape, most: int) -> None:
        self.expected = N_("a list of texts, or a group of names and texts")
        self.list = ListOf(text, most, self.expected)
        self.map = MapOf(name, text, most, self.expected)

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, MappingNode):
            found = self.map.read(node, report)
            return tuple(found.items()) if isinstance(found, dict) else found
        found = self.list.read(node, report)
        return tuple(("", text) for text in found) if isinstance(found, tuple) else found

    def schema(self) -> Json:
        return {"anyOf": [self.list.schema(), self.map.schema()]}


class Coded(Text):
    """A text that fits a pattern."""

    def __init__(self, longest: int, expected: Sentence, pattern: str) -> None:
        super().__init__(longest, expected, f"^{pattern}$")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        fits = not isinstance(value, Located) or re.match(self.pattern, value.text.strip())
        return value if fits else self.wrong(node, report)


def _place(location: Place, line: int, quote: bool = False) -> Place:
    return msgspec.structs.replace(location, quote=quote, line=line)


def _person(contact: Person, line: int, quote: bool = False) -> Person:
    return msgspec.structs.replace(contact, quote=quote, line=line)


def _card(name: Located, phone: Any = (), email: Any = (), company: Located | None = None) -> Person:
    if not phone and not email:
        raise ValueError(N_("A contact card has a phone number or an e-mail address"))
    return Person(name, phone, email, company)


def _react(reaction: Located, line: int) -> React:
    return React(reaction, line)


def _approved(template: Located, header: Any = None, **values: Any) -> Approved:
    return Approved(template, header=(header.kind, header.value) if header is not None else None, **values)


def verbs(text: Shape, header: Shape) -> Mapping[str, Keys]:
    """The steps of this file by the key that names them. `text` is the shape of what customers read."""
    quote = Truth("true")
    numbers = OneOrMany(Text(200, N_("a phone number")), 10, N_("a phone number or a list of them"))
    mails = OneOrMany(Text(320, N_("an e-mail address")), 10, N_("an e-mail address or a list of them"))
    location = Keys(
        Place,
        {"latitude": Degrees(90), "longitude": Degrees(180), "name": text, "address": text},
        ("latitude", "longitude"),
        N_("a group with latitude and longitude"),
    )
    card = Keys(
        _card,
        {"name": text, "phone": numbers, "email": mails, "company": text},
        ("name",),
        N_("a group with name and phone or email"),
    )
    template = {
        "template": Coded(512, N_("the name of a template, in small letters, digits and _"), "[a-z0-9_]+"),
        "language": Coded(12, N_("the language of the template, like en or pt_BR"), TEMPLATE_LANGUAGE),
        "parameters": Parameters(
            text, Coded(64, N_("the name of a parameter, in small letters"), "[a-z][a-z0-9_]*"), MOST_PARAMETERS
        ),
        "header": header,
        "urls": Parameters(text, Coded(2, N_("the number of a button, from 1"), "([1-9]|10)"), MOST_BUTTONS),
        "text": text,
    }
    return {
        "location": Keys(_place, {"location": location, "quote": quote}, ("location",), located=True),
        "contact": Keys(_person, {"contact": card, "quote": quote}, ("contact",), located=True),
        "reaction": Keys(_react, {"reaction": Emoji()}, ("reaction",), located=True),
        "template": Keys(_approved, template, ("template",), located=True),
    }
