"""What a document names that only an installation has: secrets, users and teams."""

from collections.abc import Iterable, Iterator

import msgspec

from app.bot.acts import Assignment
from app.bot.calling import Request
from app.bot.grammar import Document, Give
from app.bot.inside import inside
from app.bot.program import Assembler
from app.bot.shape import Located, Problem
from app.bot.shown import every
from app.bot.steps import Compiler
from app.said import N_


class Known(msgspec.Struct, frozen=True):
    """The names of the secrets and teams there are, and the e-mail addresses of the users."""

    secrets: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()


def named(document: Document, known: Known) -> list[Problem]:
    """Warnings for names that are not there. What is filled in only later is not looked at."""
    teams, users = folded(known.teams), folded(known.users)
    found = list(missing_secrets(document, known.secrets))
    for step in inside(every(document)):
        if isinstance(step, Assignment) and is_missing(step.to, teams | users):
            said = N_("There is no user and no team “{name}”, so nobody is assigned.", name=step.to.text)
            found.append(Problem(step.to.line, step.to.column, said, "warning"))
        elif isinstance(step, Give) and step.team is not None and is_missing(step.team, teams):
            said = N_("There is no team “{name}”; the hand-off goes to everybody.", name=step.team.text)
            found.append(Problem(step.team.line, step.team.column, said, "warning"))
    return found


def missing_secrets(document: Document, known: frozenset[str]) -> Iterator[Problem]:
    compiler = Compiler([], document.flows, document.language)
    calls = tuple(step for step in inside(every(document)) if isinstance(step, Request))
    Assembler(compiler).program("", "", calls)
    for name, source in dict.fromkeys(compiler.secrets):
        if name not in known:
            said = N_("There is no secret “{name}”, so this call will fail.", name=name)
            yield Problem(source.line, source.column, said, "warning")


def is_missing(name: Located, known: frozenset[str]) -> bool:
    return "{{" not in name.text and "{%" not in name.text and not folded([name.text]) & known


def folded(names: Iterable[str]) -> frozenset[str]:
    """As users and teams are compared: without case, one space for several."""
    return frozenset(" ".join(name.split()).casefold() for name in names)
