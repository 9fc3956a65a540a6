"""Bot documents as texts: what is wrong with one, how two differ, which ones to begin with."""

import difflib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec

from app import calls
from app.bot.document import Document, DocumentError, Version, parse, prepare
from app.bot.grammar import Rule
from app.bot.guards import asked_by
from app.bot.lint import lint, steps
from app.bot.named import Known, missing_secrets, named
from app.bot.opening import day_of, is_past
from app.bot.request import HANDLER, Request
from app.bot.shape import Problem
from app.bot.shown import Network, shown
from app.bot.trials import Outcome, run
from app.connectors import CONNECTORS
from app.errors import Invalid
from app.said import N_, Sentence, joined

STARTERS: Final = Path(__file__).parent / "bot" / "starters"
ZONE: Final = re.compile(r"(?<=zone: )UTC\b")  # of a starter's opening hours
BOT_LINE: Final = re.compile(r"^bot:.*$", re.MULTILINE)
CONTEXT: Final = 3  # lines around a change
THOROUGH: Final = 1_000_000  # pairs of lines that are compared with each other


class Listed(msgspec.Struct, frozen=True):
    """A rule as the list beside the editor shows it. `kind`: say, hand (it gives to a person) or fallback, which has no
    name."""

    kind: Literal["say", "hand", "fallback"]
    line: int
    name: str = ""
    hears: Sentence = ""


class Reading(msgspec.Struct, frozen=True):
    """What is known of a text: what the document calls the bot ('' while it cannot be read), everything wrong or
    doubtful by line, and its rules (none while it cannot be read). `document` is None while there are errors."""

    name: str
    problems: tuple[Problem, ...]
    rules: tuple[Listed, ...]
    document: Document | None = None


Place = tuple[str, str]  # a channel: its name, and its connector's kind


class Around(msgspec.Struct, frozen=True):
    """Where a document is to be live: the channels (none: WhatsApp), and what is there for it to name (None: nobody
    looked)."""

    places: tuple[Place, ...] = ()
    known: Known | None = None


NOWHERE: Final = Around()


@lru_cache(maxsize=8)
def read(text: str) -> Reading:
    """Reads a document as far as it goes. About 0.2 ms a rule the first time, so in a thread: see `Versions.aside`."""
    document = accepted = None
    try:
        document = parse(text)
        version = prepare(document)
        found = [*lint(document), *failures(tested(document, version))]
        accepted = document
    except DocumentError as error:
        found = list(error.problems)
    rules = rules_of(document) if document else ()
    return Reading(document.bot.text if document else "", by_line(found), rules, accepted)


def by_line(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


@lru_cache(maxsize=8)
def seen_there(text: str, around: Around) -> tuple[Problem, ...]:
    """What the channels make of an accepted document, and what is not there for it. Warnings."""
    document = read(text).document
    if document is None:
        return ()
    lacking = named(document, around.known) if around.known is not None else []
    return (*shown(document, networks(around.places)), *lacking)


def missed(text: str, secrets: frozenset[str]) -> tuple[Problem, ...]:
    """Where an accepted document names other secrets than these. Warnings."""
    document = read(text).document
    return tuple(missing_secrets(document, secrets)) if document is not None else ()


@lru_cache(maxsize=8)
def called(text: str) -> tuple[str, ...]:
    """The hosts that an accepted document calls, and the handlers that it asks."""
    document = read(text).document
    found = [step for step in steps(document) if isinstance(step, Request)] if document else []
    whom = [step.url.text if step.method == HANDLER else calls.host(step.url.text) for step in found]
    own = [document.handler.name] if document and document.handler else []
    return tuple(dict.fromkeys(own + whom))


def networks(places: Iterable[Place]) -> list[Network]:
    """One for all channels of a network, `Shop, Market (WhatsApp Cloud API)`. The simulator shows what others do."""
    names: dict[str, list[str]] = {}
    for name, kind in places:
        if kind in CONNECTORS and kind != "simulator":
            names.setdefault(kind, []).append(name)
    found = [Network(f"{', '.join(known)} ({CONNECTORS[kind].label})", CONNECTORS[kind].capabilities)
             for kind, known in names.items()]  # fmt: skip
    return found or [Network("WhatsApp", CONNECTORS["whatsapp_cloud"].capabilities)]


def rules_of(document: Document) -> tuple[Listed, ...]:
    """Its rules in order, and the fallback."""
    found = []
    for rule in document.rules:
        gives = any(type(step).__name__ == "Give" for step in rule.do)
        asks = [*(said.text for said in rule.says.texts), *asked_by(rule.when), *turns_of(rule)]
        found.append(Listed("hand" if gives else "say", rule.line, rule.name.text, joined(asks, ", ")))
    if document.fallback:
        found.append(Listed("fallback", document.fallback.line))
    return tuple(found)


def turns_of(rule: Rule) -> list[Sentence]:
    """What of a rule changes the order in which rules answer."""
    found: list[Sentence] = [N_("priority {n}", n=rule.priority)] if rule.priority else []
    return [*found, N_("then others")] if rule.goes_on else found


def problems_of(text: str, around: Around = NOWHERE, now: int = 0) -> list[Problem]:
    """Everything wrong or doubtful in a document that is to be live there, by line: errors stop publishing, warnings do
    not, and a `test` that fails does unless somebody says so. `now`: ms UTC, 0 if it does not matter."""
    return list(by_line((*read(text).problems, *seen_there(text, around), *past_holidays(text, now))))


def past_holidays(text: str, now: int) -> list[Problem]:
    """Warnings for days that have gone by and do not come again."""
    document = read(text).document
    if not now or document is None or document.hours is None:
        return []
    today = day_of(document.hours, now)
    gone = [holiday for holiday in document.hours.holidays if is_past(holiday, today)]
    said = N_("This day has gone by and does not come again. A date without a year comes every year.")
    return [Problem(holiday.line, 1, said, "warning") for holiday in gone]


def sentence(problem: Problem) -> Sentence:
    """The message with its full stop."""
    ends = str(problem.message).endswith((".", "?", "!"))
    return problem.message if ends else N_("{message}.", message=problem.message)


def not_in_order(error: DocumentError) -> Invalid:
    """What somebody is told who wants something added to a draft that has errors."""
    first = error.problems[0]
    said = N_("The draft has to be in order first. Line {line}: {message}", line=first.line, message=first.message)
    return Invalid(said, code="document")


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
    unanswered = next((spoken for spoken in outcome.wrong if spoken.who == "call"), None)
    if unanswered is not None:
        return N_("the bot calls {call}, and the test has no answer for it.", call=shortened(unanswered.text))
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
    return read(text).name


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class DiffLine(msgspec.Struct, frozen=True):
    """One line of a comparison. `old` and `new` are line numbers, 0 where the line is not in that text; `gap` stands
    where lines that both have were left out."""

    kind: Literal["same", "gone", "added", "gap"]
    old: int = 0
    new: int = 0
    text: str = ""


class Comparison(difflib.SequenceMatcher[str]):
    """Lines that each text has once, in the same order in both, are taken for the same; only what is between them is
    compared thoroughly. Otherwise a text of 30,000 lines with a change in each rule takes a minute."""

    a: Sequence[str]
    b: Sequence[str]

    def get_matching_blocks(self) -> list[difflib.Match]:
        found: list[difflib.Match] = []
        i = j = 0
        for anchor_i, anchor_j in [*anchors(self.a, self.b), (len(self.a), len(self.b))]:
            found += between(self.a, self.b, (i, anchor_i), (j, anchor_j))
            found.append(difflib.Match(anchor_i, anchor_j, int(anchor_i < len(self.a))))
            i, j = anchor_i + 1, anchor_j + 1
        return [*joined_blocks(found[:-1]), difflib.Match(len(self.a), len(self.b), 0)]


def anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The longest row of lines that occur once in each text and stand in the same order in both."""
    times_a, times_b = Counter(a), Counter(b)
    at_b = {line: j for j, line in enumerate(b) if times_b[line] == 1}
    pairs = [(i, at_b[line]) for i, line in enumerate(a) if times_a[line] == 1 and line in at_b]
    ends: list[int] = []  # of the shortest row of each length, the place in b where it ends
    last: list[int] = []  # and which pair that is
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1], last[length : length + 1] = [j], [n]
    row, n = [], last[-1] if last else -1
    while n >= 0:
        row.append(pairs[n])
        n = before[n]
    return row[::-1]


def between(a: Sequence[str], b: Sequence[str], i: tuple[int, int], j: tuple[int, int]) -> list[difflib.Match]:
    """What two stretches have in common; nothing if they are so large that looking would take seconds."""
    if (i[1] - i[0]) * (j[1] - j[0]) > THOROUGH:
        return []
    blocks = difflib.SequenceMatcher(None, a[slice(*i)], b[slice(*j)]).get_matching_blocks()
    return [difflib.Match(block.a + i[0], block.b + j[0], block.size) for block in blocks if block.size]


def joined_blocks(blocks: Iterable[difflib.Match]) -> list[difflib.Match]:
    """Blocks that touch in both texts as one."""
    joined: list[difflib.Match] = []
    for block in blocks:
        if joined and (joined[-1].a + joined[-1].size, joined[-1].b + joined[-1].size) == (block.a, block.b):
            joined[-1] = difflib.Match(joined[-1].a, joined[-1].b, joined[-1].size + block.size)
        else:
            joined.append(block)
    return joined


def diff(old: str, new: str) -> list[DiffLine]:
    """What changed, line by line, with three lines around each change; empty if nothing did."""
    before, after = old.splitlines(), new.splitlines()
    lines: list[DiffLine] = []
    for group in Comparison(None, before, after).get_grouped_opcodes(CONTEXT):
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


def settled(text: str, name: str, zone: str) -> str:
    """A starter as a bot of this business: its name, and the time zone of its opening hours."""
    return ZONE.sub(zone, renamed(text, name), count=1)
