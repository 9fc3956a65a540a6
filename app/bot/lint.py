"""What is doubtful in a bot document that could run: warnings with the line they stand on, never errors.

Errors are found by `document.parse` and `document.prepare`; here the document is already known to work.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from app.bot.ahead import ahead, leads, reach
from app.bot.flow import Ask, Set, Start
from app.bot.grammar import Document, Step
from app.bot.inside import inside
from app.bot.loops import doubtful
from app.bot.program import Program
from app.bot.request import Request
from app.bot.rivals import rivals
from app.bot.shape import Located, Problem
from app.bot.silence import silence
from app.bot.speaking import in_language, spoken_languages
from app.bot.steps import Compiler, flow, plan, plan_rule
from app.bot.text import compile_expression
from app.bot.timing import Delay
from app.bot.unreached import unreached
from app.bot.untranslated import untranslated
from app.said import N_, Sentence

KNOWN = frozenset(
    {
        *(f"contact.{field}" for field in ("id", "name", "first_name", "phone", "username", "language", "first_seen")),
        *("contact", "contact.tags", "contact.fields", "message", "message.text", "channel", "network", "now"),
        "window_open",
        *("call", "call.status", "call.error"),
    }
)


def lint(document: Document) -> list[Problem]:
    """Warnings, sorted by line. What networks make of it is told by `app.bot.shown`, what an installation lacks for it
    by `app.bot.named`."""
    compiler = Compiler([], document.flows, document.language)
    spoken = [in_language(document, language) for language in spoken_languages(document)] if document.languages else []
    programs, *_ = [_programs(one, compiler) for one in spoken or [document]]
    compiler.names += _asked(document)
    lists = _lists(document)
    found = [
        *_fallback(document),
        *rivals(document),
        *_names(document, compiler),
        *_flows(document),
        *_answers(document, compiler),
        *_calls(document),
        *ahead(document, lists),
        *doubtful(programs),
        *unreached(lists),
        *silence(programs, _answering(document)),
        *untranslated(document),
    ]
    return sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.column))


def _warn(place: Located | int, message: Sentence) -> Problem:
    if isinstance(place, int):
        return Problem(place, 1, message, "warning")
    return Problem(place.line, place.column, message, "warning")


def _fallback(document: Document) -> Iterator[Problem]:
    if document.fallback is None:
        yield _warn(document.bot, N_("There is no fallback: a message that no rule knows stays unanswered."))


def _answering(document: Document) -> dict[str, int]:
    """The rules that are the answer to what a customer wrote or pressed, by program, with their lines."""
    found = [rule for rule in document.rules if (rule.says.texts or rule.when.pressed) and not rule.goes_on]
    return {f"rule {rule.name.text}": rule.line for rule in found}


def _programs(document: Document, compiler: Compiler) -> dict[str, Program]:
    """What leads the conversation, made once more, so that the compiler has seen every text."""
    plans = [plan_rule(rule, compiler) for rule in document.rules]
    if back := document.fallback:
        plans += [plan("fallback", back.line, back.do, compiler, "fallback do")]
        plans += [plan("fallback", back.line, back.then, compiler, "fallback then")]
    programs = [made.program for made in plans if made.program is not None]
    programs += [flow(name, steps, compiler) for name, steps in document.flows.items()]
    return {program.key: program for program in programs}


def _flows(document: Document) -> Iterator[Problem]:
    """Flows that the document itself never starts."""
    outside = [step for rule in document.rules for step in inside(rule.do)]
    if document.fallback is not None:
        outside += inside((*document.fallback.do, *document.fallback.then))
    to = leads(document)
    reached = {name for step in outside if isinstance(step, Start | Delay) for name in reach(step.flow.text, to)}
    for name, made in document.flows.items():
        if name not in reached:
            yield _warn(made[0].line, N_("Nothing here starts the flow “{name}”; only a program could.", name=name))


def _answers(document: Document, compiler: Compiler) -> Iterator[Problem]:
    """An answer that no text and no condition reads was asked for nothing."""
    read = {name.split(".", 1)[0] for name, _, _ in compiler.names} | ({"language"} if document.languages else set())
    for step in steps(document):
        if isinstance(step, Ask) and step.save.text not in read:
            yield _warn(step.save, N_("The answer “{name}” is never used.", name=step.save.text))


def _calls(document: Document) -> Iterator[Problem]:
    """A call may always fail."""
    for step in steps(document):
        if isinstance(step, Request) and step.failed is None:
            said = N_("If this call fails, a person gets the conversation; “failed” can say what to do instead.")
            yield _warn(step.line, said)


def _asked(document: Document) -> list[tuple[str, int, int]]:
    """Names that the conditions of rules read, with their line and column."""
    expressions = [rule.when.condition for rule in document.rules if rule.when.condition is not None]
    return [
        (name, source.line + line - (0 if source.block else 1), source.column)
        for source in expressions
        for name, line in compile_expression(source.text).names
    ]


def _variables(document: Document) -> set[str]:
    """What questions and `set` give a value."""
    found = {step.save.text for step in steps(document) if isinstance(step, Ask | Request) and step.save}
    found.update(name for step in steps(document) if isinstance(step, Request) for name in step.map)
    found.update(name.text for rule in document.rules for name in rule.when.data)
    return found.union(*(step.values for step in steps(document) if isinstance(step, Set | Delay)))


def _names(document: Document, compiler: Compiler) -> Iterator[Problem]:
    variables = _variables(document)
    known = sorted(KNOWN | variables)
    for name, line, column in compiler.names:
        if name.split(".", 1)[0] in variables:
            continue
        if name not in KNOWN and not name.startswith("contact.fields."):
            close = get_close_matches(name, known, 1, 0.7)
            guess = N_(" Did you mean “{close}”?", close=close[0]) if close else ""
            said = N_(
                "No variable “{name}” is known here, so nothing will stand in its place.{guess}",
                name=name,
                guess=guess,
            )
            yield Problem(line, column, said, "warning")


def steps(document: Document) -> Iterable[Step]:
    """Every step of the document, in order."""
    for given in _lists(document):
        yield from inside(given)


def _lists(document: Document) -> list[tuple[Step, ...]]:
    """The steps of each rule, the fallback and each flow."""
    found = [rule.do for rule in document.rules]
    if document.fallback is not None:
        found += [document.fallback.do, document.fallback.then]
    return [*found, *document.flows.values()]
