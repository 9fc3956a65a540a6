"""From a document's text to a version that runs. Everything that can be wrong is found here, never during a turn.

A document that speaks several languages is made ready once in each; its rules listen alike in all of them.
"""

from collections.abc import Iterable

import msgspec

from app.bot.formats import NEUTRAL, Speech, speech
from app.bot.grammar import DOCUMENT, Document, Rule
from app.bot.hours import Hours
from app.bot.index import Index, build
from app.bot.languages import choose
from app.bot.loops import endless
from app.bot.program import Program
from app.bot.request import Relay
from app.bot.shape import MISSING, Located, Problem, Report
from app.bot.speaking import in_language, spoken_languages
from app.bot.steps import Compiler, Plan, flow, plan, plan_rule
from app.bot.tree import NotYaml, compose
from app.bot.words import paired
from app.said import N_

LONGEST = 2_000_000

__all__ = ["Document", "DocumentError", "Problem", "Version", "compile_version", "parse"]


class DocumentError(Exception):
    """The document is not accepted. `problems` are sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(f"Line {p.line}, column {p.column}: {p.message}" for p in self.problems))


class Interrupts(msgspec.Struct, frozen=True):
    """The rules that may interrupt a question, in their order."""

    index: Index
    plans: tuple[Plan, ...]


class Version(msgspec.Struct, frozen=True):
    """A bot ready to decide. `plans` are the rules in the order in which they are asked, `names` their names, `places`
    where they stand in the document; `programs` are what can lead a conversation, by the key its state keeps; `gather`:
    for how long quick messages of one person are taken as one, in ms (0: each is answered on its own). `speech` is how
    it writes dates and numbers; `languages` is the same bot in each language that it speaks, itself among them, if
    there are several. `pairs` as in `words.fold`."""

    id: int
    name: str
    language: str
    hours: Hours | None
    index: Index
    plans: tuple[Plan, ...]
    names: tuple[str, ...]
    fallback: Plan | None
    after: int
    then: Plan | None
    programs: dict[str, Program] = {}
    interrupts: Interrupts | None = None
    gather: int = 0
    speech: Speech = NEUTRAL
    languages: dict[str, "Version"] = {}
    places: tuple[int, ...] = ()
    pairs: str = ""
    inactivity: tuple[int, ...] = ()
    handler: Relay | None = None

    def in_language(self, *wanted: str) -> "Version":
        """The bot in the first of these languages that it speaks; else as it is."""
        found = choose(self.languages, *wanted) if self.languages else ""
        return self.languages[found] if found else self

    @property
    def hears_reactions(self) -> bool:
        return "reaction" in self.index.known


def parse(text: str) -> Document:
    """Reads a document, YAML or JSON. Raises `DocumentError` with every problem found."""
    if len(text) > LONGEST:
        said = N_("Expected at most {most} characters, found {count}", most=LONGEST, count=len(text))
        raise DocumentError([Problem(1, 1, said)])
    report = Report()
    try:
        node = compose(text)
    except NotYaml as error:
        raise DocumentError([error.problem]) from None
    value = DOCUMENT.read(node, report)
    if isinstance(value, Document):
        check_names(value, report)
    if report.problems or value is MISSING:
        raise DocumentError(report.problems)
    document: Document = value
    return msgspec.structs.replace(document, languages=tuple(report.languages)) if report.languages else document


def check_names(document: Document, report: Report) -> None:
    """Rules are told apart by their names."""
    taken: set[str] = set()
    for rule in document.rules:
        name = rule.name
        if name.text in taken:
            report.problems.append(Problem(name.line, name.column, N_("Two rules are called “{name}”", name=name.text)))
        taken.add(name.text)


def compile_version(text: str, version_id: int = 0) -> Version:
    """A version that can decide. Costs about 0.2 ms a rule, so callers keep it. Raises `DocumentError`."""
    return prepare(parse(text), version_id)


def prepare(document: Document, version_id: int = 0) -> Version:
    """Raises `DocumentError`."""
    order = tuple(sorted(range(len(document.rules)), key=lambda place: -document.rules[place].priority))
    pairs = paired(document.language)
    index, found = build(tuple(document.rules[place] for place in order), document.vocabulary, pairs)
    problems = dict.fromkeys([*found, *without_hours(document)])
    made: dict[str, Version] = {}
    for language in spoken_languages(document) if document.languages else ("",):
        spoken = in_language(document, language) if language else document
        version, wrong = assemble(spoken, index, order, pairs, version_id)
        made[language] = version
        problems.update(dict.fromkeys(wrong))
    if problems:
        raise DocumentError(problems)
    base, *others = made.values()
    for version in [base, *others] if others else ():
        version.languages.update(made)
    return base


def assemble(
    document: Document, index: Index, order: tuple[int, ...], pairs: str, version_id: int
) -> tuple[Version, list[Problem]]:
    """The version in the one language that the document has, and what is wrong with its steps. Rules are asked in
    `order`, with words read as `pairs` says, whatever the language."""
    problems: list[Problem] = []
    rules = tuple(document.rules[place] for place in order)
    compiler = Compiler(problems, document.flows, document.language)
    plans = tuple(plan_rule(rule, compiler) for rule in rules)
    back = document.fallback
    do = plan("fallback", back.line, back.do, compiler, "fallback do") if back else None
    then = plan("fallback", back.line, back.then, compiler, "fallback then") if back and back.then else None
    flows = tuple(flow(name, steps, compiler) for name, steps in document.flows.items())
    programs = [made.program for made in (*plans, do, then) if made is not None and made.program is not None]
    version = Version(
        version_id,
        document.bot.text,
        document.language,
        document.hours,
        index,
        plans,
        tuple(made.name for made in plans),
        do,
        back.after if back else 0,
        then,
        {program.key: program for program in (*programs, *flows)},
        interrupts(rules, plans, document.vocabulary, pairs),
        document.gather * 1_000,
        speech(document.language, document.hours.zone if document.hours else ""),
        {},
        order,
        pairs,
        tuple(sorted({rule.when.inactivity for rule in rules} - {0})),
        document.handler,
    )
    return version, problems + endless(version.programs)


def interrupts(
    rules: tuple[Rule, ...], plans: tuple[Plan, ...], vocabulary: dict[str, tuple[Located, ...]], pairs: str
) -> Interrupts | None:
    chosen = [(rule, made) for rule, made in zip(rules, plans, strict=True) if rule.interrupt]
    if not chosen:
        return None
    # What is wrong with their conditions was found when all rules were read.
    index, _ = build(tuple(rule for rule, _ in chosen), vocabulary, pairs)
    return Interrupts(index, tuple(made for _, made in chosen))


def without_hours(document: Document) -> list[Problem]:
    """Rules that ask whether it is open, of a bot that does not know."""
    if document.hours is not None:
        return []
    asking = [rule for rule in document.rules if rule.when.open is not None]
    said = N_("This rule asks for opening hours, and the bot has none: add “hours”")
    return [Problem(rule.when.line, 1, said) for rule in asking]
