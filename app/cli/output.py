"""How results look: words for people, with colour on a terminal; one JSON value for programs."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

from app.cli.given import Given, Row
from app.errors import ParleyError
from app.i18n import _, fmt, tell

COLOURS: Final = {"good": "32", "bad": "31", "doubtful": "33", "faint": "2", "bold": "1"}


def say(text: str) -> None:
    print(text)


def as_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def as_json_line(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def refusal(error: ParleyError, json_wanted: bool) -> None:
    """To stderr: the sentence, or the object that the HTTP API would give."""
    if json_wanted:
        body: dict[str, Any] = {"code": error.code, "message": tell(error.said)}
        body |= {"fields": {name: tell(wrong) for name, wrong in error.fields.items()}} if error.fields else {}
        print(json.dumps({"error": body}, ensure_ascii=False), file=sys.stderr)
    else:
        print(paint(tell(error.said), "bad", sys.stderr), file=sys.stderr)


def paint(text: str, kind: str, stream: TextIO | None = None) -> str:
    """Coloured where somebody looks: a terminal, and nobody asked for none."""
    if not (stream or sys.stdout).isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{COLOURS[kind]}m{text}\x1b[0m"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as what is in them."""
    lines = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(heads), *lines]) for i in range(len(heads))]
    print(paint("  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True)).rstrip(), "faint"))
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def mark(ok: bool | None) -> str:
    """A sign before a finding."""
    return {True: paint(_("ok "), "good"), False: paint(_("bad"), "bad"), None: paint(" - ", "doubtful")}[ok]


def show(given: Given, result: Any, text: str) -> int:
    """A sentence, or the whole result as JSON."""
    if given.json:
        as_json(result)
    else:
        say(text)
    return 0


def rows(given: Given, found: list[Row], heads: dict[str, str], nothing: str) -> int:
    """A table of the keys in `heads`, or JSON."""
    if given.json:
        as_json(found)
    elif found:
        table(list(heads.values()), [[cell(row[key]) for key in heads] for row in found])
    else:
        say(nothing)
    return 0


def cell(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return fmt.number(value)
    if isinstance(value, dict):
        return ", ".join(_("{name} (version {n})").format(name=name, n=number) for name, number in value.items()) or "-"
    return "-" if value is None else str(value)
