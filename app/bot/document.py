"""From a document's text to a version that runs. Everything that can be wrong is found here, never during a turn."""

from collections.abc import Iterable

import msgspec

from app.bot.grammar import DOCUMENT, Document, Rule
from app.bot.hours import Hours
from app.bot.index import Index, build
from app.bot.loops import endless
from app.bot.program import Program
from app.bot.shape import MISSING, Located, Problem, Report
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
    for how long quick messages of one person are taken as one, in ms (0: each is answered on its own); `pairs` as in
    `words.fold`."""

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
    places: tuple[int, ...] = ()
    pairs: str = ""

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
    return document


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
    places = tuple(sorted(range(len(document.rules)), key=lambda place: -document.rules[place].priority))
    rules, pairs = tuple(document.rules[place] for place in places), paired(document.language)
    index, problems = build(rules, document.vocabulary, pairs)
    problems += without_hours(document)
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
        places,
        pairs,
    )
    problems += endless(version.programs)
    if problems:
        raise DocumentError(problems)
    return version


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
