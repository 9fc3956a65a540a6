"""What a document names that only an installation has: secrets, users, teams and templates."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from app.bot.acts import Assignment
from app.bot.grammar import Document, Give
from app.bot.inside import inside
from app.bot.messages import Approved
from app.bot.program import Assembler
from app.bot.request import Request
from app.bot.shape import Located, Problem
from app.bot.shown import every
from app.bot.speaking import in_language, spoken_languages
from app.bot.steps import Compiler
from app.said import N_, Sentence
from app.template_fit import Known as Template
from app.template_fit import mismatch, unusable


class Known(msgspec.Struct, frozen=True):
    """The names of the secrets and teams there are, the e-mail addresses of the users, and the templates of each
    channel of which they were fetched."""

    secrets: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    templates: tuple[tuple[str, tuple[Template, ...]], ...] = ()


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
    return [*found, *templates(document, known)]


def templates(document: Document, known: Known) -> Iterator[Problem]:
    """Templates that a channel does not have, that cannot be sent now, or that take other values."""
    for language in spoken_languages(document) if document.languages else ("",):
        spoken = in_language(document, language) if language else document
        for step in inside(every(spoken)):
            if isinstance(step, Approved):
                for channel, there in known.templates:
                    said = unfit(step, spoken.language, there)
                    if said is not None:
                        yield Problem(
                            step.name.line,
                            step.name.column,
                            N_("On {channel}: {said}", channel=channel, said=said),
                            "warning",
                        )


def unfit(step: Approved, spoken: str, there: tuple[Template, ...]) -> Sentence | None:
    """Why this step cannot be sent there; None if it can."""
    name = step.name.text.strip()
    code = step.language.text.strip() if step.language is not None else spoken.replace("-", "_")
    named = [one for one in there if one.name == name]
    found = next((one for one in named if one.language == code), None)
    if found is None and named:
        codes = ", ".join(sorted(one.language for one in named))
        return N_("the template “{name}” is there in {codes}, not in {code}.", name=name, codes=codes, code=code)
    if found is None:
        return N_("there is no template “{name}”.", name=name)
    why = unusable(found.status) or mismatch(found.parts, components(step))
    return None if why is None else N_("the template “{name}” cannot be sent so. {why}", name=name, why=why)


def components(step: Approved) -> list[dict[str, Any]]:
    """What the step fills in, as a message has it."""
    header = [{"type": step.header[0]}] if step.header else []
    body = [{"type": "text", "parameter_name": name} for name, _ in step.parameters]
    ends = [int(number) - 1 if number else at for at, (number, _) in enumerate(step.urls)]
    return [
        {"type": "header", "parameters": header},
        {"type": "body", "parameters": body},
        *({"type": "button", "sub_type": "url", "index": str(at)} for at in ends),
    ]


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
