"""All texts of a bot in one list, to be reworded and translated: what the form shows, and what is to be changed in the
document when it comes back."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.source import ByHand, Edit, Source, child
from app.bot.spoken import LANGUAGE, Place, Spoken, spoken
from app.said import N_

FIELD: Final = re.compile(rf"t\.(\d{{1,7}})(?:\.({LANGUAGE.pattern}))?")


class Line(msgspec.Struct, frozen=True):
    """One text. `where`: rule, flow or fallback, and `name` which one; `number`: its place among all texts. `missing`:
    languages that the text is not there in; those of one group stand at its first text."""

    number: int
    where: str
    name: str
    line: int
    role: str
    language: str
    value: str
    missing: tuple[str, ...] = ()


class Texts(msgspec.Struct, frozen=True):
    """`languages`: those that any text is said in, in the order of the document."""

    lines: tuple[Line, ...]
    languages: tuple[str, ...]


def texts(root: Node) -> Texts:
    found = list(spoken(root))
    languages = tuple(dict.fromkeys(one.language for one in found if one.language))
    rules = child(root, "rules")
    names = [_name(rule) for rule in rules.value] if isinstance(rules, SequenceNode) else []
    seen: set[int] = set()
    lines = []
    for number, one in enumerate(found):
        missing = _missing(one, languages, seen)
        where, name = _where(one.place, names)
        lines.append(
            Line(number, where, name, one.node.line, one.role, one.language, one.node.value, missing)
        )  # fmt: skip
    return Texts(tuple(lines), languages)


def _missing(one: Spoken, languages: Iterable[str], seen: set[int]) -> tuple[str, ...]:
    if one.group is None or id(one.group) in seen:
        return ()
    seen.add(id(one.group))
    there = {key.value for key, _ in one.group.value if isinstance(key, ScalarNode)}
    return tuple(language for language in languages if language not in there)


def _name(node: Node) -> str:
    found = child(node, "name")
    return found.value if isinstance(found, ScalarNode) else ""


def _where(place: Place, names: list[str]) -> tuple[str, str]:
    if place[0] == "rules" and isinstance(place[1], int):
        return "rule", names[place[1]]
    return ("flow", str(place[1])) if place[0] == "flows" else ("fallback", "")


def changed(source: Source, given: Mapping[str, Any]) -> list[Edit]:
    """What to change. Fields are `t.12`, the number of a text, and `t.12.pt`, a language that its group has not yet.
    Raises `ByHand`, `LookupError`."""
    found = list(spoken(source.root))
    edits: list[Edit] = []
    for name, value in given.items():
        field = FIELD.fullmatch(name)
        if field is None:
            raise LookupError(name)
        one, language = found[int(field[1])], field[2]
        wanted = value.rstrip("\n")
        if language:
            edits += _translated(source, one.group, language, wanted)
        elif wanted != one.node.value.rstrip("\n"):
            ends = one.node.value[len(one.node.value.rstrip("\n")) :]
            edits += source.set_text(one.node, wanted + ends if wanted else "")
    return edits


def _translated(source: Source, group: MappingNode | None, language: str, text: str) -> list[Edit]:
    if not text:
        return []
    if group is None:
        raise ByHand(N_("There is no text at this place."))
    last, _ = group.value[-1]
    assert isinstance(last, ScalarNode)
    return source.put_key(group, language, text, last.value)
