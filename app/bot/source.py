"""The text of a bot document with the place of everything in it, and changes to it by place: what is not named stays as
it is written, comments and layout too.

Places are counted in characters from 0; an `Edit` puts a text in the place of another. Edits of one source do not
overlap, and are made together by `applied`. What cannot be changed without losing something raises `ByHand`.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any, Final, NamedTuple

import yaml

from app.bot.amend import BREAK, flow
from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.tree import compose, stand_ins, whole
from app.said import N_, Sentence

COMMENT: Final = re.compile(r"#[^\r\n]*")
COMMA: Final = re.compile(r"(?:\s|#[^\r\n]*)*,")
PLAIN: Final = re.compile(r"[^\W\d_]\w*(?:[ -]\w+)*[.!?]*")
WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})  # which YAML may take otherwise
HEADER: Final = re.compile(r"[|>](?:[+-]?[1-9]?|[1-9][+-]?)(?=[ \t\r\n]|$)")


class ByHand(Exception):
    """This is to be changed in the document itself. `said` tells why."""

    def __init__(self, said: Sentence) -> None:
        super().__init__(str(said))
        self.said = said


class Edit(NamedTuple):
    start: int
    end: int
    text: str


class _Scalar(NamedTuple):
    """Where a text's token ends. `style`: '' or one of ' " | >."""

    end: int
    style: str


class _Tokens:
    """Where each text ends, each bracket closes, each dash stands and each colon ends; `gaps` is what is between."""

    def __init__(self, text: str) -> None:
        self.scalars: dict[int, _Scalar] = {}
        self.closing: dict[int, int] = {}
        self.dashes: list[int] = []
        self.colons: list[int] = []
        self.gaps: list[tuple[int, int]] = []
        self.aliases = False
        opened: list[int] = []
        at = 0
        for token in yaml.scan(text.translate(stand_ins(text)), Loader=yaml.CSafeLoader):
            start, end = token.start_mark.index, token.end_mark.index
            if start > at:
                self.gaps.append((at, start))
            at = max(at, end)
            if isinstance(token, yaml.ScalarToken):
                self.scalars[start] = _Scalar(end, "" if token.plain else token.style)
            elif isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                opened.append(start)
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                self.closing[opened.pop()] = end
            elif isinstance(token, yaml.BlockEntryToken) and end > start:
                self.dashes.append(start)
            elif isinstance(token, yaml.ValueToken) and end > start:
                self.colons.append(end)
            elif isinstance(token, yaml.AliasToken):
                self.aliases = True
        self.gaps.append((at, len(text)))


class Source:
    """`text` is what the edits are for: of JSON, with characters instead of two escaped halves each. Raises
    `NotYaml`."""

    def __init__(self, text: str) -> None:
        self.text = whole(text) if text.startswith("{") else text
        self.root = compose(self.text)
        self._lines = [0, *(found.end() for found in BREAK.finditer(self.text))]

    @cached_property
    def _tokens(self) -> _Tokens:
        return _Tokens(self.text)

    # ---- places -----------------------------------------------------------------------------------------------------

    def start(self, node: Node) -> int:
        return self._lines[node.line - 1] + node.column - 1

    def end(self, node: Node) -> int:
        """Where the last character of a node's own ends: no comment behind it, no empty lines."""
        start = self.start(node)
        if isinstance(node, ScalarNode):
            found = self._tokens.scalars.get(start)
            if found is None:
                return start
            return self._block_end(start, found.end) if found.style in ("|", ">") else found.end
        if node.flow:
            return self._tokens.closing.get(start, start)
        last = node.value[-1]
        return self.end(last[1] if isinstance(last, tuple) else last)

    def _block_end(self, start: int, end: int) -> int:
        """A block's text without the empty lines behind it, unless it says that they belong to it."""
        header = HEADER.match(self.text, start)
        if header is None or "+" in header[0]:
            return end
        while self.text[end - 1] in " \t\r\n":
            end -= 1
        return end

    def line_start(self, at: int) -> int:
        return self._lines[bisect_right(self._lines, at) - 1]

    def line_end(self, at: int) -> int:
        """Where the line after the one at this place begins; the text's end if there is none."""
        number = bisect_right(self._lines, at)
        return self._lines[number] if number < len(self._lines) else len(self.text)

    @cached_property
    def comments(self) -> list[tuple[int, int]]:
        """Every comment, in order: what stands between the tokens, and behind the sign that begins a block of text."""
        found = [match.span() for start, end in self._tokens.gaps for match in COMMENT.finditer(self.text, start, end)]
        for start, scalar in self._tokens.scalars.items():
            header = HEADER.match(self.text, start) if scalar.style in ("|", ">") else None
            rest = COMMENT.search(self.text, header.end(), self._end_of_line(start)) if header else None
            if rest:
                found.append(rest.span())
        return sorted(set(found))

    def _end_of_line(self, at: int) -> int:
        found = BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def comments_within(self, start: int, end: int) -> list[str]:
        first = bisect_left(self.comments, (start, 0))
        return [self.text[a:b] for a, b in self.comments[first:] if b <= end] if self.comments else []

    # ---- changes ----------------------------------------------------------------------------------------------------

    def set_text(self, node: ScalarNode, value: str) -> list[Edit]:
        """Another text in the place of one; written as a block where the old one was and the new one can be."""
        self._check(node)
        start, end = self.start(node), self.end(node)
        found = self._tokens.scalars.get(start)
        if found is None:
            return [Edit(start, start, f" {written(value)}")]
        header = HEADER.match(self.text, start) if found.style in ("|", ">") else None
        if header is None:
            return [Edit(start, end, written(value))]
        line = self._end_of_line(start)
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
        self._check(node)
        new = [written(value) for value in values]
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

    def drop_items(self, node: SequenceNode, first: int, last: int) -> list[Edit]:
        """Without the elements from `first` up to `last`. Comments inside them stay, each on a line of its own."""
        self._check(node)
        if node.flow:
            spans = [(self.start(item), self.end(item)) for item in node.value]
            return self._cut(spans, first, last)
        dash = self._own_dash(node, first)
        edits = [self._cut_lines(dash, self.end(node.value[last - 1]))]
        if last - first == len(node.value):
            colon = self._tokens.colons[bisect_right(self._tokens.colons, dash) - 1]
            edits.insert(0, Edit(colon, colon, " []"))
        return edits

    def put_key(self, node: MappingNode, name: str, value: Any, after: str) -> list[Edit]:
        """A key more, behind another one. The value as JSON has it."""
        self._check(node)
        _, before = pair(node, after)
        if node.flow:
            at = self.end(before)
            return [Edit(at, at, f", {name}: {flow(value)}")]
        return self._lines_behind(before, [f"{' ' * (node.value[0][0].column - 1)}{name}: {flow(value)}"])

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
        known = start in self._tokens.scalars or start in self._tokens.closing
        bare = isinstance(node, ScalarNode) and node.empty and not known
        if self._tokens.aliases or (not known and not bare and (isinstance(node, ScalarNode) or node.flow)):
            raise ByHand(N_("It has one of the marks &, * and ! of YAML before it."))

    def _is_block(self, node: ScalarNode) -> bool:
        found = self._tokens.scalars.get(self.start(node))
        return found is not None and found.style in ("|", ">")

    def _own_dash(self, node: SequenceNode, place: int) -> int:
        """The dash before an element, which is the first thing of its line."""
        dash = self._tokens.dashes[bisect_left(self._tokens.dashes, self.start(node.value[place])) - 1]
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

    def _without_comments(self, start: int, end: int) -> Edit:
        if self.comments_within(start, end):
            raise ByHand(N_("A comment stands in it, which would be lost."))
        return Edit(start, end, "")

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
