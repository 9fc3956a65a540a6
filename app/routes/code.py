"""A bot document as it is drawn: coloured lines, the lines around each problem, a comparison. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from markupsafe import Markup, escape

from app.bot.shape import Problem
from app.documents import DiffLine

AROUND: Final = 1  # lines shown before a problem's line
LONGEST_LINE: Final = 400

# Comment, text to fill in, quoted text, key, number. Colours only: what a line means is the parser's affair.
TOKEN: Final = re.compile(
    r"(?P<c>(?:^|(?<=\s))#.*$)"
    r"|(?P<v>\{\{.*?\}\}|\{%.*?%\})"
    r"|(?P<s>\"(?:[^\"\\{]|\\.|\{(?!\{))*\"?|'[^'{]*'?)"
    r"|(?P<k>(?:(?<=^)|(?<=[\s{,]))[A-Za-z_][\w -]*(?=:(?:\s|$)))"
    r"|(?P<n>(?<=[\s\[,:])\d+(?:\.\d+)?(?=\s*(?:$|[,\]}])))"
)


class Line(msgspec.Struct, frozen=True):
    """A drawn line. `kind`: '' or wrong, warned, add, cut, gap. `says`: what is wrong there."""

    number: int
    html: Markup
    kind: str = ""
    says: tuple[Problem, ...] = ()


def coloured(text: str) -> Markup:
    """One line as HTML."""
    text, rest = text[:LONGEST_LINE], "…" if len(text) > LONGEST_LINE else ""
    parts, end = [], 0
    for found in TOKEN.finditer(text):
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<span class="{}">{}</span>').format(found.lastgroup, found[0]))
        end = found.end()
    return Markup("").join([*parts, escape(text[end:] + rest)])


def document(text: str, problems: Sequence[Problem] = ()) -> list[Line]:
    """Every line, with what is wrong under it."""
    found = by_line(problems)
    return [
        Line(number, coloured(line), kind_of(found.get(number, ())), found.get(number, ()))
        for number, line in enumerate(lines_of(text), 1)
    ]


def excerpts(text: str, problems: Sequence[Problem]) -> list[list[Line]]:
    """For each line with a problem: that line, the one before, and what is wrong."""
    lines = lines_of(text)
    shown = []
    for number, found in sorted(by_line(problems).items()):
        first = max(1, number - AROUND)
        shown.append([Line(at, coloured(lines[at - 1])) for at in range(first, number) if at <= len(lines)])
        line = lines[number - 1] if number <= len(lines) else ""
        shown[-1].append(Line(number, coloured(line), kind_of(found), found))
    return shown


def gutter(text: str, problems: Sequence[Problem]) -> list[tuple[int, str]]:
    """(number, kind) of every line."""
    found = by_line(problems)
    return [(number, kind_of(found.get(number, ()))) for number in range(1, len(lines_of(text)) + 1)]


def comparison(lines: Iterable[DiffLine]) -> list[Line]:
    kinds = {"same": "", "gone": "cut", "added": "add", "gap": "gap"}
    return [Line(line.new or line.old, coloured(line.text), kinds[line.kind]) for line in lines]


def by_line(problems: Iterable[Problem]) -> dict[int, tuple[Problem, ...]]:
    found: dict[int, tuple[Problem, ...]] = {}
    for problem in problems:
        found[problem.line] = (*found.get(problem.line, ()), problem)
    return found


def kind_of(problems: Iterable[Problem]) -> str:
    severities = {problem.severity for problem in problems}
    return "wrong" if "error" in severities else "warned" if severities else ""


def lines_of(text: str) -> list[str]:
    """As an editor counts them: only line feeds end a line, and a last empty one counts."""
    return text.split("\n")
