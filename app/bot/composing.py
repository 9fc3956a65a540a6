"""Places, contact cards, reactions and templates made ready to send. What came out wrong once its places were filled in
is told in the turn's explanation and not sent.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.bot.messages import Approved, Message, Person, Place, React, is_emoji
from app.bot.shape import Problem
from app.bot.text import Text
from app.bot.values import Room, is_number
from app.content import Card, Contacts, Content, Location, Reaction, Template
from app.said import N_

if TYPE_CHECKING:
    from app.bot.steps import Compiler

LONGEST_PART = 1_000
Build = Callable[[Room], Content | None]


def compose(step: Message, compiler: "Compiler") -> tuple[Build, bool]:
    """What makes the content, and whether it is the same each time. It makes None where nothing can be sent."""
    match step:
        case Place():
            return place(step, compiler)
        case Person():
            return person(step, compiler)
        case React():
            return reaction(step, compiler)
        case Approved():
            return template(step, compiler)


def line_of(room: Room, text: Text) -> str:
    """A text on one line."""
    return " ".join(text.render(room).split())[:LONGEST_PART]


def constant(*texts: Text) -> bool:
    return all(text.constant is not None for text in texts)


def place(step: Place, compiler: "Compiler") -> tuple[Build, bool]:
    degrees = compiler.text(step.latitude), compiler.text(step.longitude)
    name, address = compiler.text(step.name), compiler.text(step.address)

    def build(room: Room) -> Content | None:
        latitude, longitude = (number_of(text.render(room)) for text in degrees)
        if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
            room.problem(N_("A location has no degrees that can be sent; it was left out"))
            return None
        return Location(latitude, longitude, line_of(room, name), line_of(room, address))

    return build, constant(*degrees, name, address)


def number_of(text: str) -> float | None:
    """The number a text holds, if it is one that can be reckoned with."""
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return number if is_number(number) else None


def person(step: Person, compiler: "Compiler") -> tuple[Build, bool]:
    name, company = compiler.text(step.name), compiler.text(step.company)
    phones, emails = tuple(map(compiler.text, step.phones)), tuple(map(compiler.text, step.emails))

    def build(room: Room) -> Content | None:
        called, firm = line_of(room, name), line_of(room, company)
        if not called:
            room.problem(N_("A contact card has no name; it was left out"))
            return None
        numbers = tuple((found, "WORK") for found in (line_of(room, text) for text in phones) if found)
        mails = tuple((found, "WORK") for found in (line_of(room, text) for text in emails) if found)
        return Contacts((Card(called, numbers, mails, {"org": {"company": firm}} if firm else {}),))

    return build, constant(name, company, *phones, *emails)


def reaction(step: React, compiler: "Compiler") -> tuple[Build, bool]:
    emoji = compiler.text(step.emoji)

    def build(room: Room) -> Content | None:
        sign = emoji.render(room).strip()
        if not is_emoji(sign):
            room.problem(N_("A reaction is no emoji; it was left out"))
            return None
        return Reaction("", sign)

    return build, constant(emoji)


def template(step: Approved, compiler: "Compiler") -> tuple[Build, bool]:
    code = language(step, compiler)
    header = compiler.text(step.header[1]) if step.header else None
    kind = step.header[0] if step.header else ""
    named = tuple((name, compiler.text(text)) for name, text in step.parameters)
    links = tuple(
        (int(number) - 1 if number else at, compiler.text(text)) for at, (number, text) in enumerate(step.urls)
    )
    words = compiler.text(step.text)

    def build(room: Room) -> Content | None:
        above = [(kind, line_of(room, header))] if header is not None else []
        values = [(name, line_of(room, text)) for name, text in named]
        ends = [(at, line_of(room, text)) for at, text in links]
        if not all(value for _, value in (*above, *values, *ends)):
            room.problem(N_("A value of the template “{name}” is empty; it was not sent", name=step.name.text))
            return None
        components = [part("header", [parameter(what, value)]) for what, value in above]
        if values:
            components.append(part("body", [parameter("text", value, name) for name, value in values]))
        components += [button(at, value) for at, value in ends]
        return Template(step.name.text.strip(), code, tuple(components), words.render(room).strip())

    texts = [text for _, text in (*named, *links)] + ([header] if header is not None else [])
    return build, constant(words, *texts)


def language(step: Approved, compiler: "Compiler") -> str:
    """The template's own, else the one that the document speaks, in the network's spelling: `pt_BR`."""
    if step.language is not None:
        return step.language.text.strip()
    if not compiler.language:
        said = N_("A template has a language; say which, here or for the whole bot")
        compiler.problems.append(Problem(step.name.line, step.name.column, said))
    return compiler.language.replace("-", "_")


def part(kind: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters}


def button(at: int, end: str) -> dict[str, Any]:
    """What the address of a button ends with."""
    return {"type": "button", "sub_type": "url", "index": str(at), "parameters": [parameter("text", end)]}


def parameter(kind: str, value: str, name: str = "") -> dict[str, Any]:
    if kind == "text":
        return {"type": "text", "text": value} | ({"parameter_name": name} if name else {})
    return {"type": kind, kind: {"link": value}}
