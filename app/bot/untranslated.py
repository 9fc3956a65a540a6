"""Texts that are missing in one of the languages that a document speaks."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from app.bot.flow import Ask
from app.bot.grammar import Document
from app.bot.languages import Spoken
from app.bot.shape import Located, Problem
from app.bot.speaking import spoken_languages
from app.said import N_

PLACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|https?://\S+", re.DOTALL)


def untranslated(document: Document) -> Iterator[Problem]:
    """Warnings, one for the texts of a line; none for a document in one language."""
    if not document.languages:
        return
    if not document.language:
        said = N_("This bot speaks several languages; “language” says which one everybody else reads.")
        yield Problem(document.bot.line, document.bot.column, said, "warning")
    languages = spoken_languages(document)
    told: set[tuple[int, str]] = set()
    for text in texts(document):
        has = tuple(name for name, _ in text.versions) or languages[:1]
        missing = [language for language in languages if not covered(has, language)]
        names = ", ".join(missing)
        if missing and (text.versions or has_words(text.text)) and (text.line, names) not in told:
            told.add((text.line, names))
            said = N_("This text is missing in {languages}.", languages=names)
            yield Problem(text.line, text.column, said, "warning")


def covered(has: tuple[str, ...], language: str) -> bool:
    """Whether who reads this language can read one of those: `pt` is enough for `pt-BR`."""
    return any(base(tag) == base(language) for tag in has)


def base(language: str) -> str:
    return language.partition("-")[0].lower()


def has_words(text: str) -> bool:
    """Whether there is something to translate, apart from places to fill in and addresses."""
    return any(sign.isalpha() for sign in PLACES.sub("", text))


def texts(value: Any) -> Iterator[Spoken]:
    """Every text that customers read, in the order of the document."""
    match value:
        case Spoken():
            yield value
        case Located():
            return
        case tuple():
            for part in value:
                yield from texts(part)
        case dict():
            for part in value.values():
                yield from texts(part)
        case Ask(save=save) if save.text == "language":
            # Its choices are languages, each under its own name.
            yield from texts(tuple(getattr(value, name) for name in value.__struct_fields__ if name != "choices"))
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from texts(getattr(value, name))
