"""Bot documents as texts: what is wrong with one, how two differ, which ones to begin with."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec

from app.bot.document import Document, DocumentError, Version, parse, prepare
from app.bot.lint import lint
from app.bot.shape import Problem
from app.bot.trials import Outcome, run
from app.connectors import CONNECTORS
from app.said import N_, Sentence

STARTERS: Final = Path(__file__).parent / "bot" / "starters"
BOT_LINE: Final = re.compile(r"^bot:.*$", re.MULTILINE)
CONTEXT: Final = 3  # lines around a change


def problems_of(text: str) -> list[Problem]:
    """Everything wrong or doubtful in a document, by line: errors stop publishing, warnings do not, and a `test` that
    fails does unless somebody says so."""
    try:
        document = parse(text)
        version = prepare(document)
        found = [*lint(document), *failures(tested(document, version))]
    except DocumentError as error:
        found = list(error.problems)
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def sentence(problem: Problem) -> Sentence:
    """The message with its full stop."""
    ends = str(problem.message).endswith((".", "?", "!"))
    return problem.message if ends else N_("{message}.", message=problem.message)


def test(text: str) -> list[Outcome]:
    """How each test of the document goes. Raises `DocumentError`."""
    document = parse(text)
    return tested(document, prepare(document))


def tested(document: Document, version: Version) -> list[Outcome]:
    """As WhatsApp shows it."""
    return run(version, document.tests, CONNECTORS["whatsapp_cloud"].capabilities)


def failures(outcomes: Iterable[Outcome]) -> list[Problem]:
    """One problem for each test that fails, at the line of the chat where it does."""
    return [
        Problem(
            next((spoken.line for spoken in reversed(outcome.chat) if spoken.line), outcome.line),
            1,
            N_("The test “{name}” fails: {why}", name=outcome.name, why=why(outcome)),
            "test",
        )
        for outcome in outcomes
        if not outcome.passed
    ]


def why(outcome: Outcome) -> Sentence:
    """What went differently first, in one sentence."""
    first, *more = outcome.wrong
    text = shortened(first.text)
    if first.fits == "unknown":
        return N_("no button “{text}” was there to press.", text=text)
    if first.fits == "extra":
        return N_("the bot also said “{text}”.", text=text)
    said = next((spoken for spoken in more if spoken.fits == "extra"), None)
    if said is None:
        return N_("expected “{text}”, but nothing more was said.", text=text)
    return N_("expected “{text}”, found “{said}”.", text=text, said=shortened(said.text))


def shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def name_of(text: str) -> str:
    """What the document calls the bot; '' while it cannot be read."""
    try:
        return parse(text).bot.text
    except DocumentError:
        return ""


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class DiffLine(msgspec.Struct, frozen=True):
    """One line of a comparison. `old` and `new` are line numbers, 0 where the line is not in that text; `gap` stands
    where lines that both have were left out."""

    kind: Literal["same", "gone", "added", "gap"]
    old: int = 0
    new: int = 0
    text: str = ""


def diff(old: str, new: str) -> list[DiffLine]:
    """What changed, line by line, with three lines around each change; empty if nothing did."""
    before, after = old.splitlines(), new.splitlines()
    lines: list[DiffLine] = []
    for group in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(CONTEXT):
        if lines or group[0][1] > 0:
            lines.append(DiffLine("gap"))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                pairs = zip(range(i1, i2), range(j1, j2), strict=True)
                lines += [DiffLine("same", i + 1, j + 1, before[i]) for i, j in pairs]
            else:
                lines += [DiffLine("gone", i + 1, 0, before[i]) for i in range(i1, i2)]
                lines += [DiffLine("added", 0, j + 1, after[j]) for j in range(j1, j2)]
    return lines


class Starter(msgspec.Struct, frozen=True):
    """A bot to begin with. `about` is the first comment of its document."""

    key: str
    name: str
    about: str
    text: str


@cache
def starters() -> tuple[Starter, ...]:
    """What comes with the program, the blank one last."""
    files = sorted(path for path in STARTERS.iterdir() if path.suffix == ".yaml")
    found = [starter(path.stem, path.read_text(encoding="utf-8")) for path in files]
    return tuple(sorted(found, key=lambda one: (one.key == "blank", one.name)))


def starter(key: str, text: str) -> Starter:
    first = text.split("\n", 1)[0]
    return Starter(key, name_of(text), first.removeprefix("#").strip() if first.startswith("#") else "", text)


def renamed(text: str, name: str) -> str:
    """The document with another name in its `bot:` line."""
    return BOT_LINE.sub(lambda _: "bot: " + msgspec.json.encode(name).decode(), text, count=1)
