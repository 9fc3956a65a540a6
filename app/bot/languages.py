"""Texts in several languages: `{en: Hello, pt: Olá}` instead of a text. What may stand there, and which one is said."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError

from app.bot.nodes import MappingNode, Node, ScalarNode
from app.bot.shape import MISSING, Json, Located, Report, Text
from app.said import N_

TAG = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"


class Spoken(Located, frozen=True):
    """What customers read. `versions` are the texts by language, in the order they stand in, and the text is the first
    of them; a text that is the same in every language has none."""

    versions: tuple[tuple[str, Located], ...] = ()

    def version(self, *wanted: str) -> Located:
        """The text in the first of these languages that it has; else the first."""
        known = dict(self.versions)
        found = choose(tuple(known), *wanted)
        return known[found] if found else self


class Words(Text):
    """A text that customers read: one for all, or a group of languages and texts. As `Spoken`."""

    def takes(self, node: Node) -> bool:
        return are_languages(node)

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, MappingNode) or not are_languages(node):
            value = super().read(node, report)
            return spoken(value) if isinstance(value, Located) else value
        if not report.enter(node):
            return MISSING
        found: dict[str, Located] = {}
        for key, item in node.value:
            value = super().read(item, report)
            name = key.value if isinstance(key, ScalarNode) else ""
            if name in found:
                report.add(key, N_("“{text}” is given twice", text=name))
            elif isinstance(value, Located):
                found[name] = value
        if len(found) < len(node.value):
            return MISSING
        report.languages.update(dict.fromkeys(found))
        first = next(iter(found.values()))
        return Spoken(first.text, first.line, first.column, first.block, tuple(found.items()))

    def schema(self) -> Json:
        texts = {"type": "object", "patternProperties": {f"^{TAG}$": super().schema()}, "additionalProperties": False}
        return {"anyOf": [super().schema(), texts | {"minProperties": 1}]}


def spoken(text: Located) -> Spoken:
    return Spoken(text.text, text.line, text.column, text.block)


def are_languages(node: Node) -> bool:
    """Whether every key of a group is a language."""
    pairs = node.value if isinstance(node, MappingNode) else []
    return bool(pairs) and all(isinstance(key, ScalarNode) and locale_of(key.value) is not None for key, _ in pairs)


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale | None:
    """How a language writes dates and numbers; None if it is not known. Reads its data the first time, so it is called
    while a document is made ready, never during a turn."""
    if not re.fullmatch(TAG, language):
        return None
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def choose(known: Collection[str], *wanted: str) -> str:
    """The first of the wanted languages that there is: as it is, without its country, or with another country. '' if
    there is none."""
    return next((found for language in wanted if (found := _nearest(tuple(known), language))), "")


@lru_cache(maxsize=1_024)
def _nearest(known: tuple[str, ...], language: str) -> str:
    wanted = language.replace("_", "-").lower()
    exact = {tag.lower(): tag for tag in known}
    while wanted:
        if wanted in exact:
            return exact[wanted]
        base, _, last = wanted.rpartition("-")
        if not base:
            return next((tag for tag in known if tag.lower().partition("-")[0] == last), "")
        wanted = base
    return ""
