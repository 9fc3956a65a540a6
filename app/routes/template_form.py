"""A template as a form: its fields read into a draft, a draft shown as fields. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.connectors.account import Draft
from app.said import mark
from app.template import FILES, Parts, variables

LINES: Final = 10  # buttons
FEWEST: Final = 3  # rows for buttons that the form shows
CATEGORIES: Final = (("UTILITY", mark("Utility: about something agreed or bought")), ("MARKETING", mark("Marketing")))
HEADERS: Final = (
    ("", mark("None")),
    ("TEXT", mark("Text")),
    ("IMAGE", mark("Picture")),
    ("VIDEO", mark("Video")),
    ("DOCUMENT", mark("Document")),
    ("LOCATION", mark("Place")),
)
BUTTONS: Final = (
    ("", mark("No button")),
    ("QUICK_REPLY", mark("Quick reply")),
    ("URL", mark("Open an address")),
    ("PHONE_NUMBER", mark("Call a number")),
    ("COPY_CODE", mark("Copy a code")),
    ("FLOW", mark("Open a form")),
)


class Line(msgspec.Struct, frozen=True):
    """A button as typed: `target` is an address, a number or a form's id."""

    kind: str = ""
    text: str = ""
    target: str = ""
    example: str = ""


class Fields(msgspec.Struct, frozen=True):
    """Everything as typed. `examples` by variable; `sample` is the handle of an example file, or its address."""

    name: str = ""
    language: str = ""
    category: str = "UTILITY"
    header_kind: str = ""
    header: str = ""
    body: str = ""
    footer: str = ""
    sample: str = ""
    header_example: str = ""
    examples: dict[str, str] = {}
    lines: tuple[Line, ...] = ()

    @property
    def names(self) -> list[str]:
        """The variables of the text."""
        return variables(self.body)

    @property
    def rows(self) -> tuple[Line, ...]:
        """The lines, and an empty one to go on with."""
        return (*self.lines, *[Line()] * max(min(1, LINES - len(self.lines)), FEWEST - len(self.lines)))


def read(form: Mapping[str, str]) -> Fields:
    """From a submitted form; what is missing is empty. Lengths are looked at by whoever checks the draft."""
    lines = tuple(
        Line(*(form.get(f"{part}.{at}", "").strip() for part in ("kind", "text", "target", "example")))
        for at in range(LINES)
    )
    examples = {key.removeprefix("example.body."): form[key].strip() for key in form if key.startswith("example.body.")}
    text = {name: form.get(name, "").strip() for name in ("name", "language", "category", "header_kind", "header")}
    body = form.get("body", "").replace("\r\n", "\n").strip()
    more = {name: form.get(name, "").strip() for name in ("footer", "sample", "header_example")}
    return Fields(**text, **more, body=body, examples=examples, lines=tuple(one for one in lines if one.kind))


def draft(fields: Fields) -> Draft:
    """What is submitted."""
    names = [*variables(fields.body), *variables(fields.header)]
    named = bool(names) and not any(name.isdecimal() for name in names)
    components = [_header(fields, named), _body(fields, named)]
    components.append({"type": "FOOTER", "text": fields.footer} if fields.footer else {})
    components.append({"type": "BUTTONS", "buttons": [_button(line) for line in fields.lines]} if fields.lines else {})
    kept = tuple(component for component in components if component)
    return Draft(fields.name, fields.language, fields.category, kept, named)


def _header(fields: Fields, named: bool) -> dict[str, Any]:
    if not fields.header_kind:
        return {}
    made: dict[str, Any] = {"type": "HEADER", "format": fields.header_kind}
    if fields.header_kind in FILES:
        return made | ({"example": {"header_handle": [fields.sample]}} if fields.sample else {})
    if fields.header_kind != "TEXT":
        return made
    made["text"] = fields.header
    names = variables(fields.header)
    if names and fields.header_example:
        given = [{"param_name": names[0], "example": fields.header_example}]
        made["example"] = {"header_text_named_params": given} if named else {"header_text": [fields.header_example]}
    return made


def _body(fields: Fields, named: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "BODY", "text": fields.body}
    names = variables(fields.body)
    given = [(name, fields.examples.get(name, "")) for name in names]
    if not names or not any(value for _, value in given):
        return made
    if named:
        listed = [{"param_name": name, "example": value} for name, value in given]
        return made | {"example": {"body_text_named_params": listed}}
    return made | {"example": {"body_text": [[value for _, value in given]]}}


def _button(line: Line) -> dict[str, Any]:
    made: dict[str, Any] = {"type": line.kind}
    if line.kind == "COPY_CODE":
        return made | {"example": line.example or line.target}
    made["text"] = line.text
    if line.kind == "URL":
        return made | {"url": line.target} | ({"example": [line.example]} if line.example else {})
    if line.kind == "PHONE_NUMBER":
        return made | {"phone_number": re.sub(r"[\s().-]", "", line.target)}
    return made | ({"flow_id": line.target} if line.kind == "FLOW" else {})


def shown(given: Draft, parts: Parts) -> Fields:
    """The fields behind a stored template."""
    lines = tuple(
        Line(button.kind, button.text, button.target or button.flow, button.example) for button in parts.buttons
    )
    found = dict(parts.examples)
    examples = {key.removeprefix("body."): value for key, value in found.items() if key.startswith("body.")}
    header = found.get("header", "")
    return Fields(
        given.name, given.language, given.category, parts.header_kind, parts.header, parts.body, parts.footer,
        header if parts.header_kind in FILES else "", "" if parts.header_kind in FILES else header, examples, lines,
    )  # fmt: skip
