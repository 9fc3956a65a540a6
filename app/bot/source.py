"""The text of a bot document with the place of everything in it, and changes to it by place: what is not named stays as
it is written, comments and layout too.

Places are counted in characters from 0; an `Edit` puts a text in the place of another. Edits of one source do not
overlap, and are made together by `applied`. What cannot be changed without losing something raises `ByHand`.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

from app.bot.amend import flow
from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.places import HEADER, Places
from app.said import N_, Sentence

COMMA: Final = re.compile(r"(?:\s|#[^\r\n]*)*,")
PLAIN: Final = re.compile(r"[^\W\d_]\w*(?:[ -]\w+)*[.!?]*")
WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})  # which YAML may take otherwise


class ByHand(Exception):
    """This is to be changed in the document itself. `said` tells why."""

    def __init__(self, said: Sentence) -> None:
        super().__init__(str(said))
        self.said = said


class Edit(NamedTuple):
    start: int
    end: int
    text: str


class Source(Places):
    """A text that is to be changed."""

    def set_text(self, node: ScalarNode, value: str) -> list[Edit]:
        """Another text in the place of one; written as a block where the old one was and the new one can be."""
        self._check(node)
        start, end = self.start(node), self.end(node)
        found = self.tokens.scalars.get(start)
        if found is None:
            return [Edit(start, start, f" {written(value)}")]
        header = HEADER.match(self.text, start) if found.style in ("|", ">") else None
        if header is None:
            return [Edit(start, end, written(value))]
        line = self.end_of_line(start)
        block = as_block(value, self._indent(line, end)) if "\n" in value.rstrip("\n") else None
        if block is None:
            return [Edit(start, header.end(), written(value)), Edit(line, max(line, end), "")]
        sign, lines = block
        return [Edit(start, header.end(), sign), Edit(line, max(line, end), lines)]

    def _indent(self, start: int, end: int) -> int:
        """How far the lines of a block are moved in."""
        widths = [len(line) - len(line.lstrip(" ")) for line in self.text[start:end].splitlines() if line.strip()]
        return min(widths, default=2)

    def set_texts(self, node: Node, values: Sequence[str]) -> list[Edit]:
        """Other texts in the place of a text or a list of texts; those that stay are not touched."""
        if isinstance(node, ScalarNode):
            if len(values) == 1:
                return [] if values[0] == node.value else self.set_text(node, values[0])
            self._check(node)
            if self._is_block(node):
                raise ByHand(N_("A text of several lines stands there."))
            return [Edit(self.start(node), self.end(node), f"[{', '.join(map(written, values))}]")]
        if not isinstance(node, SequenceNode) or not values:
            raise ByHand(N_("This is no list of texts."))
        old = [item for item in node.value if isinstance(item, ScalarNode)]
        if len(old) < len(node.value):
            raise ByHand(N_("There is more than texts in this list."))
        edits: list[Edit] = []
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, [item.value for item in old], values, False).get_opcodes():
            if tag == "equal":
                continue
            pairs = min(i2 - i1, j2 - j1)
            for item, value in zip(old[i1 : i1 + pairs], values[j1 : j1 + pairs], strict=True):
                edits += self.set_text(item, value)
            if i1 + pairs < i2:
                edits += self.drop_items(node, i1 + pairs, i2)
            if j1 + pairs < j2:
                edits += self.add_texts(node, i2, values[j1 + pairs : j2])
        return edits

    def add_texts(self, node: SequenceNode, place: int, values: Sequence[str]) -> list[Edit]:
        """More texts before element `place` of a list, or behind its last."""
        return self.add_items(node, place, [written(value) for value in values])

    def add_items(self, node: SequenceNode, place: int, new: Sequence[str]) -> list[Edit]:
        """More elements, as they are written between brackets."""
        self._check(node)
        if node.flow:
            if not node.value:
                at = self.start(node) + 1
                return [Edit(at, at, ", ".join(new))]
            if place < len(node.value):
                at = self.start(node.value[place])
                return [Edit(at, at, "".join(f"{one}, " for one in new))]
            at = self.end(node.value[-1])
            return [Edit(at, at, "".join(f", {one}" for one in new))]
        dash = self._own_dash(node, max(place - 1, 0))
        lines = [f"{self.text[self.line_start(dash) : dash]}- {one}" for one in new]
        if place > 0:
            return self._lines_behind(node.value[place - 1], lines)
        at = self.line_start(dash)
        return [Edit(at, at, "".join(f"{line}\n" for line in lines))]

    def replace(self, node: Node, new: str) -> list[Edit]:
        """Something else in the place of a node, as it is written between brackets."""
        self._check(node)
        start, end = self.start(node), self.end(node)
        if start == end:
            return [Edit(start, end, f" {new}")]
        if self._is_block(node) or not (isinstance(node, ScalarNode) or node.flow):
            colon = self.tokens.colons[bisect_right(self.tokens.colons, start) - 1]
            return [self._without_comments(colon, end, f" {new}")]
        return [self._without_comments(start, end, new)]

    def swap(self, node: SequenceNode, place: int) -> list[Edit]:
        """Element `place` and the one after it change places, each with the comments above it."""
        self._check(node)
        one, other = node.value[place : place + 2]
        if node.flow:
            spans = [(self.start(item), self.end(item)) for item in (one, other)]
            texts = [self.text[start:end] for start, end in spans]
            return [Edit(*span, text) for span, text in zip(spans, texts[::-1], strict=True)]
        first, second = (self._above(self._own_dash(node, at)) for at in (place, place + 1))
        end = self.line_end(max(self.start(other), self.end(other) - 1))
        above, below = self.text[first:second], self.text[second:end]
        ended = "" if below.endswith(("\n", "\r")) else "\n"
        return [Edit(first, end, below + ended + above)]

    def _above(self, dash: int) -> int:
        """Where the comments right above an element begin, else its own line."""
        start = self.line_start(dash)
        while start > 0:
            before = self.line_start(start - 1)
            if not self.text[before:start].lstrip(" ").startswith("#"):
                break
            start = before
        return start

    def drop_items(self, node: SequenceNode, first: int, last: int) -> list[Edit]:
        """Without the elements from `first` up to `last`. Comments inside them stay, each on a line of its own."""
        self._check(node)
        if node.flow:
            spans = [(self.start(item), self.end(item)) for item in node.value]
            return self._cut(spans, first, last)
        dash = self._own_dash(node, first)
        edits = [self._cut_lines(dash, self.end(node.value[last - 1]))]
        if last - first == len(node.value):
            colon = self.tokens.colons[bisect_right(self.tokens.colons, dash) - 1]
            edits.insert(0, Edit(colon, colon, " []"))
        return edits

    def put_key(self, node: MappingNode, name: str, value: Any, after: str) -> list[Edit]:
        """A key more, behind another one. The value as JSON has it."""
        return self.put_raw(node, name, flow(value), after)

    def put_raw(self, node: MappingNode, name: str, value: str, after: str) -> list[Edit]:
        """The same with the value as it is written between brackets."""
        self._check(node)
        _, before = pair(node, after)
        if node.flow:
            at = self.end(before)
            return [Edit(at, at, f", {name}: {value}")]
        return self._lines_behind(before, [f"{' ' * (node.value[0][0].column - 1)}{name}: {value}"])

    def drop_key(self, node: MappingNode, name: str) -> list[Edit]:
        """Without this key. Comments inside its value stay, each on a line of its own."""
        self._check(node)
        spans = [(self.start(key), self.end(value)) for key, value in node.value]
        place = next(n for n, (key, _) in enumerate(node.value) if isinstance(key, ScalarNode) and key.value == name)
        if node.flow:
            return self._cut(spans, place, place + 1)
        start, end = spans[place]
        if not self.text[self.line_start(start) : start].strip():
            return [self._cut_lines(start, end)]
        if place + 1 == len(spans):
            raise ByHand(N_("Nothing else stands there."))
        return [self._without_comments(start, spans[place + 1][0])]

    def _check(self, node: Node) -> None:
        """Raises `ByHand` for what stands at two places, or has a mark of YAML's own before it."""
        start = self.start(node)
        known = start in self.tokens.scalars or start in self.tokens.closing
        bare = isinstance(node, ScalarNode) and node.empty and not known
        if self.tokens.aliases or (not known and not bare and (isinstance(node, ScalarNode) or node.flow)):
            raise ByHand(N_("It has one of the marks &, * and ! of YAML before it."))

    def _is_block(self, node: Node) -> bool:
        found = self.tokens.scalars.get(self.start(node))
        return found is not None and found.style in ("|", ">")

    def _own_dash(self, node: SequenceNode, place: int) -> int:
        """The dash before an element, which is the first thing of its line."""
        dash = self.tokens.dashes[bisect_left(self.tokens.dashes, self.start(node.value[place])) - 1]
        if self.text[self.line_start(dash) : dash].strip(" "):
            raise ByHand(N_("Two lists begin on the same line."))
        return dash

    def _lines_behind(self, node: Node, lines: Iterable[str]) -> list[Edit]:
        at = self.line_end(max(self.start(node), self.end(node) - 1))
        ended = "" if at == 0 or self.text[at - 1] in "\r\n" else "\n"
        return [Edit(at, at, ended + "".join(f"{line}\n" for line in lines))]

    def _cut(self, spans: Sequence[tuple[int, int]], first: int, last: int) -> list[Edit]:
        """Elements in brackets with one comma each."""
        if first > 0:
            return [self._without_comments(spans[first - 1][1], spans[last - 1][1])]
        if last < len(spans):
            return [self._without_comments(spans[0][0], spans[last][0])]
        comma = COMMA.match(self.text, spans[-1][1])
        after = [Edit(comma.end() - 1, comma.end(), "")] if comma else []
        return [self._without_comments(spans[0][0], spans[-1][1]), *after]

    def _without_comments(self, start: int, end: int, new: str = "") -> Edit:
        if self.comments_within(start, end):
            raise ByHand(N_("A comment stands in it, which would be lost."))
        return Edit(start, end, new)

    def _cut_lines(self, start: int, end: int) -> Edit:
        """From the first line to the last, but for the comments."""
        first, last = self.line_start(start), self.line_end(max(start, end - 1))
        space = self.text[first:start]
        kept = self.comments_within(first, last)
        return Edit(first, last, "".join(f"{space}{comment}\n" for comment in kept))


def pair(node: Node, name: str) -> tuple[Node, Node]:
    """A key of a group, and its value. Raises `KeyError`."""
    for key, value in node.value if isinstance(node, MappingNode) else ():
        if isinstance(key, ScalarNode) and key.value == name:
            return key, value
    raise KeyError(name)


def child(node: Node | None, name: str) -> Node | None:
    """What stands under a key; None if there is no such key, or no group."""
    try:
        return pair(node, name)[1] if node is not None else None
    except KeyError:
        return None


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with all of them made."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        if edit.start < at:
            raise ByHand(N_("Two changes meet there; make one after the other."))
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def written(value: str) -> str:
    """A text as a person would write it: bare where nothing in it means something to YAML, else as JSON."""
    bare = len(value) <= 80 and PLAIN.fullmatch(value) and value.casefold() not in WORDS
    return value if bare else flow(value)


def as_block(value: str, indent: int) -> tuple[str, str] | None:
    """The sign and the lines of a text of several lines; None if a block would not hold it as it is."""
    lines = value.split("\n")
    ended = lines[-1] == ""
    lines = lines[:-1] if ended else lines
    odd = [line for line in lines if line != line.rstrip() or not line.isprintable()]
    if odd or not lines or lines[-1] == "" or lines[0] == "" or lines[0].startswith(" "):
        return None
    space = " " * max(indent, 1)
    return ("|" if ended else "|-"), "".join(f"\n{space}{line}" if line else "\n" for line in lines)
