"""From a document's text to a version that runs. Everything that can be wrong is found here, never during a turn."""

from collections.abc import Iterable

import msgspec

from app.bot.grammar import DOCUMENT, Document
from app.bot.hours import Hours
from app.bot.index import Index, build
from app.bot.shape import MISSING, Problem, Report
from app.bot.steps import Compiler, Plan, plan, plan_rule
from app.bot.tree import NotYaml, compose
from app.said import N_

LONGEST = 2_000_000

__all__ = ["Document", "DocumentError", "Problem", "Version", "compile_version", "parse"]


class DocumentError(Exception):
    """The document is not accepted. `problems` are sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(f"Line {p.line}, column {p.column}: {p.message}" for p in self.problems))


class Version(msgspec.Struct, frozen=True):
    """A bot ready to decide. `plans` are the rules in order, `names` their names."""

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
    index, problems = build(document.rules, document.vocabulary)
    compiler = Compiler(problems)
    plans = tuple(plan_rule(rule, compiler) for rule in document.rules)
    back = document.fallback
    version = Version(
        version_id,
        document.bot.text,
        document.language,
        document.hours,
        index,
        plans,
        tuple(made.name for made in plans),
        plan("fallback", back.line, back.do, compiler) if back else None,
        back.after if back else 0,
        plan("fallback", back.line, back.then, compiler) if back and back.then else None,
    )
    if problems:
        raise DocumentError(problems)
    return version
