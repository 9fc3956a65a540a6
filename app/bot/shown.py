"""What the networks of a bot's channels make of what it says, told before it is published: the rules of `degrade` on
every message of the document, with its places not yet filled in.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from app.bot.degrade import fit, fit_quote
from app.bot.flow import Ask
from app.bot.grammar import Document, Say, Show, Step
from app.bot.inside import inside
from app.bot.messages import Approved, Person, Place, React
from app.bot.shape import Located, Problem
from app.bot.speaking import in_language, spoken_languages
from app.bot.steps import FILES, Compiler
from app.bot.timing import Postpone
from app.bot.values import Room
from app.capabilities import Capabilities
from app.content import Card, Contacts, Content, Location, Reaction, Template, Text
from app.said import N_, Sentence


class Network(msgspec.Struct, frozen=True):
    """What one or more channels can show; `name` is how they are told apart: `Shop (WhatsApp)`."""

    name: str
    can: Capabilities


def shown(document: Document, networks: Sequence[Network]) -> list[Problem]:
    """Warnings by line: each change once for a step and network, in whichever languages it comes about."""
    found: dict[tuple[int, Sentence], Problem] = {}
    for language in spoken_languages(document) if document.languages else ("",):
        spoken = in_language(document, language) if language else document
        compiler = Compiler([], document.flows, spoken.language)
        for step in inside(every(spoken)):
            for network in networks:
                for place, note in changes(step, compiler, network.can):
                    said = N_("On {network}: {note}", network=network.name, note=note)
                    line, column = (place.line, place.column) if isinstance(place, Located) else (place, 1)
                    found.setdefault((step.line, said), Problem(line, column, said, "warning"))
    return sorted(found.values(), key=lambda problem: (problem.line, problem.column))


def every(document: Document) -> tuple[Step, ...]:
    """The steps of all rules, the fallback and the flows."""
    back = document.fallback
    return (
        *(step for rule in document.rules for step in rule.do),
        *((*back.do, *back.then) if back else ()),
        *(step for steps in document.flows.values() for step in steps),
    )


def changes(step: Step, compiler: Compiler, can: Capabilities) -> Iterator[tuple[Located | int, Sentence]]:
    """What has to be shown in another way, and where it stands."""
    for place, content in samples(step, compiler):
        for note in fit(content, can).notes:
            yield place, note
        if getattr(step, "quote", False):
            for note in fit_quote(content, can)[1]:
                yield step.line, note


def samples(step: Step, compiler: Compiler) -> Iterator[tuple[Located | int, Content]]:
    """The messages a step sends, with their texts as they are written, and where each stands."""
    match step:
        case Say(texts=texts):
            build = compiler.say(step).build
            for text in texts:
                content = build(Room({}), text.text)
                if content is not None:
                    yield text, content
        case Show(kind=kind, url=url, caption=caption):
            words: dict[str, Any] = {"caption": caption.text} if caption else {}
            yield caption or step.line, FILES[kind](url=url.text, **words)
        case Ask(text=text, again=again, cancelled=cancelled, choices=choices, reminder=reminder):
            late = reminder.text if reminder is not None else None
            for words_, offered in ((text, choices), (again, choices), (late, choices), (cancelled, ())):
                if words_ is not None:
                    content = compiler.question(words_, offered).saying.build(Room({}), words_.text)
                    if content is not None:
                        yield words_, content
        case Postpone(what=what) if isinstance(what, Located):
            yield what, Text(what.text)
        case Place():
            yield step.line, Location(0, 0)
        case Person(name=name):
            yield step.line, Contacts((Card(name.text),))
        case React(emoji=emoji):
            yield step.line, Reaction("", emoji.text)
        case Approved(name=name, text=words_):
            yield step.line, Template(name.text, "", (), words_.text if words_ else "")
        case _:
            pass
