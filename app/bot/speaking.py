"""A document in one of its languages: every text that customers read is the one they read in it."""

from typing import Any

import msgspec

from app.bot.grammar import Button, Document
from app.bot.languages import Spoken
from app.bot.shape import Located
from app.bot.steps import slug


def spoken_languages(document: Document) -> tuple[str, ...]:
    """All that it can speak, the one it speaks to everybody else first."""
    return tuple(dict.fromkeys([document.language, *document.languages] if document.language else document.languages))


def in_language(document: Document, language: str) -> Document:
    """The document as if it had been written in this language; a text that is not there in it stays in the document's
    own. A button keeps the id that its first title gives it, so that it is the same one in every language."""
    made: Document = _in(document, (language, document.language))
    return msgspec.structs.replace(made, language=language, languages=())


def _in(value: Any, languages: tuple[str, ...]) -> Any:
    match value:
        case Spoken(versions=versions):
            return value.version(*languages) if versions else value
        case Located() | str() | int() | float() | None:
            return value
        case tuple():
            parts = tuple(_in(part, languages) for part in value)
            return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
        case dict():
            return {name: _in(part, languages) for name, part in value.items()}
        case msgspec.Struct():
            return _struct(value, languages)
        case _:
            return value


def _struct(value: msgspec.Struct, languages: tuple[str, ...]) -> msgspec.Struct:
    changed = {}
    for name in value.__struct_fields__:
        old = getattr(value, name)
        if (new := _in(old, languages)) is not old:
            changed[name] = new
    if "title" in changed and isinstance(value, Button) and value.id is None:
        changed["id"] = Located(slug(value.title.text), value.title.line, value.title.column)
    return msgspec.structs.replace(value, **changed) if changed else value
