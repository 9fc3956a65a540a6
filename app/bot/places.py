"""The text of a bot document with the place of everything in it, and of its comments. Places are counted in characters
from 0."""

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import Final, NamedTuple

import yaml

from app.bot.amend import BREAK
from app.bot.nodes import Node, ScalarNode
from app.bot.tree import compose, stand_ins, whole

COMMENT: Final = re.compile(r"#[^\r\n]*")
HEADER: Final = re.compile(r"[|>](?:[+-]?[1-9]?|[1-9][+-]?)(?=[ \t\r\n]|$)")


class Scalar(NamedTuple):
    """Where a text's token ends. `style`: '' or one of ' " | >."""

    end: int
    style: str


class Tokens:
    """Where each text ends, each bracket closes, each dash stands and each colon ends; `gaps` is what is between."""

    def __init__(self, text: str) -> None:
        self.scalars: dict[int, Scalar] = {}
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
                self.scalars[start] = Scalar(end, "" if token.plain else token.style)
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


class Places:
    """`text` is what the edits are for: of JSON, with characters instead of two escaped halves each. Raises
    `NotYaml`."""

    def __init__(self, text: str) -> None:
        self.text = whole(text) if text.startswith("{") else text
        self.root = compose(self.text)
        self._lines = [0, *(found.end() for found in BREAK.finditer(self.text))]

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.text)

    # ---- places -----------------------------------------------------------------------------------------------------

    def start(self, node: Node) -> int:
        return self._lines[node.line - 1] + node.column - 1

    def end(self, node: Node) -> int:
        """Where the last character of a node's own ends: no comment behind it, no empty lines."""
        start = self.start(node)
        if isinstance(node, ScalarNode):
            found = self.tokens.scalars.get(start)
            if found is None:
                return start
            return self._block_end(start, found.end) if found.style in ("|", ">") else found.end
        if node.flow:
            return self.tokens.closing.get(start, start)
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
        found = [match.span() for start, end in self.tokens.gaps for match in COMMENT.finditer(self.text, start, end)]
        for start, scalar in self.tokens.scalars.items():
            header = HEADER.match(self.text, start) if scalar.style in ("|", ">") else None
            rest = COMMENT.search(self.text, header.end(), self.end_of_line(start)) if header else None
            if rest:
                found.append(rest.span())
        return sorted(set(found))

    def end_of_line(self, at: int) -> int:
        found = BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def comments_within(self, start: int, end: int) -> list[str]:
        first = bisect_left(self.comments, (start, 0))
        return [self.text[a:b] for a, b in self.comments[first:] if b <= end] if self.comments else []
