"""What changed from one document to another, told by rule: added, removed, changed and moved rules, flows, tests and
other parts, each with its own comparison line by line and with the texts that are said differently."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final, Literal

import msgspec

from app.bot.amend import BREAK
from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.source import Source
from app.bot.spoken import Place, plain, within
from app.bot.tree import NotYaml
from app.documents import DiffLine, anchors, diff

Kind = Literal["added", "removed", "changed", "layout", "moved"]
LISTS: Final = {"rules": "rule", "tests": "test"}
ORDER: Final = ("rule", "fallback", "flow", "test", "part")


class Reworded(msgspec.Struct, frozen=True):
    """A text that is said differently. `old` or `new` is '' where there was none or is none now."""

    role: str
    language: str
    old: str
    new: str


class Change(msgspec.Struct, frozen=True):
    """One part that is not as it was. `what`: rule, fallback, flow, test, or part for any other key of the document.
    `kind`: `layout` where only comments or the way it is written differ; `moved` where only its place does, and `moved`
    also says so of what changed besides. `line`: in the new document, or in the old one of what was removed."""

    what: str
    name: str
    kind: Kind
    line: int
    moved: bool
    lines: tuple[DiffLine, ...]
    texts: tuple[Reworded, ...]


class _Part(msgspec.Struct, frozen=True):
    """A stretch of a document: lines `first` to `last`, counted from 1. `shared`: it is in brackets, so that others may
    stand on the same lines."""

    node: Node
    first: int
    last: int
    shared: bool = False


_Name = tuple[str, str]


def changes(old: str, new: str) -> list[Change] | None:
    """In the order of the new document, what was removed last; None if one of the two cannot be read."""
    try:
        before, after = _parts(Source(old)), _parts(Source(new))
    except NotYaml:
        return None
    lines = BREAK.split(old), BREAK.split(new)
    moved = _moved(list(before), list(after))
    found = [_change(name, before.get(name), part, lines, name in moved) for name, part in after.items()]
    found += [_change(name, part, None, lines, False) for name, part in before.items() if name not in after]
    return sorted((change for change in found if change is not None), key=lambda one: ORDER.index(one.what))


def _parts(source: Source) -> dict[_Name, _Part]:
    """Every part by what it is and what it is called, in order."""
    lines = BREAK.split(source.text)
    found: dict[_Name, _Part] = {}
    root = source.root
    ends = [*(_above(lines, key) for key, _ in root.value[1:]), len(lines) + 1]
    for (key, value), end in zip(root.value, ends, strict=True):
        name = key.value if isinstance(key, ScalarNode) else ""
        if name in LISTS and isinstance(value, SequenceNode):
            named = [(LISTS[name], _name_of(item), item, item) for item in value.value]
            found |= _stretches(source, lines, named, value.flow, end)
        elif name == "flows" and isinstance(value, MappingNode):
            named = [("flow", plain(one) or "", one, steps) for one, steps in value.value]
            found |= _stretches(source, lines, named, value.flow, end)
        else:
            what = ("fallback", "") if name == "fallback" else ("part", name)
            found[what] = _Part(value, _above(lines, key), _trimmed(lines, end))
    return found


def _name_of(node: Node) -> str:
    found = plain(node).get("name") if isinstance(node, MappingNode) else None
    return found if isinstance(found, str) else ""


def _stretches(
    source: Source, lines: Sequence[str], named: Sequence[tuple[str, str, Node, Node]], flow: bool, end: int
) -> dict[_Name, _Part]:
    """The lines of each element of a list or group; what is in brackets has the lines that it touches. `named`: what it
    is, its name, where it begins, and its value."""
    found: dict[_Name, _Part] = {}
    firsts = [first.line if flow else _above(lines, first) for _, _, first, _ in named]
    for number, (what, name, _, node) in enumerate(named):
        next_first = firsts[number + 1] if number + 1 < len(named) else end
        last = _line_of(source, source.end(node)) if flow else _trimmed(lines, next_first)
        found[what, name] = _Part(node, firsts[number], last, flow)
    return found


def _line_of(source: Source, at: int) -> int:
    return source.text.count("\n", 0, at) + 1


def _above(lines: Sequence[str], node: Node) -> int:
    """The line that a part begins on: the comments right above it belong to it. The dash of an element may stand on a
    line of its own."""
    line = node.line
    while not lines[line - 1][: node.column - 1].strip() and lines[line - 2].strip() == "-" and line > 1:
        line -= 1
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def _trimmed(lines: Sequence[str], end: int) -> int:
    """The last line before this one that is not empty."""
    last = end - 1
    while last > 1 and not lines[last - 1].strip():
        last -= 1
    return last


def _moved(old: Sequence[_Name], new: Sequence[_Name]) -> set[_Name]:
    """What both have, but not in the same order: all but the longest row that is."""
    found: set[_Name] = set()
    for what in LISTS.values():
        before, after = ([name for kind, name in names if kind == what] for names in (old, new))
        kept = {before[place] for place, _ in anchors(before, after)}
        found |= {(what, name) for name in set(before) & set(after) - kept}
    return found


def _change(
    name: _Name, old: _Part | None, new: _Part | None, lines: tuple[list[str], list[str]], moved: bool
) -> Change | None:
    """What happened to one part; None if nothing did."""
    before, after = _text(old, lines[0]), _text(new, lines[1])
    if before == after and not moved:
        return None
    if old is None or new is None:
        kind: Kind = "added" if old is None else "removed"
    elif plain(old.node) != plain(new.node):
        kind = "changed"
    elif old.shared and new.shared and not moved:
        return None
    else:
        kind = "moved" if moved else "layout"
    shift = (old.first - 1 if old else 0), (new.first - 1 if new else 0)
    here = new or old
    return Change(
        *name, kind, here.node.line if here else 1, moved, tuple(_numbered(diff(before, after), *shift)),
        tuple(_reworded(_texts(old), _texts(new))) if kind != "layout" else (),
    )  # fmt: skip


def _text(part: _Part | None, lines: Sequence[str]) -> str:
    return "\n".join(lines[part.first - 1 : part.last]) if part else ""


def _numbered(lines: Sequence[DiffLine], old: int, new: int) -> Iterator[DiffLine]:
    """Lines numbered as in the whole documents."""
    for line in lines:
        yield DiffLine(line.kind, line.old and line.old + old, line.new and line.new + new, line.text)


_Group = tuple[Place, str, str]


def _texts(part: _Part | None) -> dict[_Group, list[str]]:
    """The texts by place, role and language; those of one list together."""
    found: dict[_Group, list[str]] = {}
    for one in within(part.node, ()) if part else ():
        place = one.place[:-1] if isinstance(one.place[-1], int) else one.place
        found.setdefault((place, one.role, one.language), []).append(one.node.value)
    return found


def _reworded(old: dict[_Group, list[str]], new: dict[_Group, list[str]]) -> Iterator[Reworded]:
    for group in {**new, **old}:
        before, after = old.get(group, []), new.get(group, [])
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, False).get_opcodes():
            if tag != "equal":
                for pair in zip_longest(before[i1:i2], after[j1:j2], fillvalue=""):
                    yield Reworded(group[1], group[2], *pair)
