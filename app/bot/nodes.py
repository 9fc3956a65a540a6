"""What a YAML text is made of, each with its place: lines and columns count from 1."""

from typing import TypeAlias

import msgspec


class ScalarNode(msgspec.Struct, frozen=True, eq=False):
    """A text as it is written. `empty`: nothing stands there, or a word for nothing; `block`: the text starts on the
    line after; `quoted`: it stands in quotes."""

    line: int
    column: int
    value: str
    empty: bool = False
    block: bool = False
    quoted: bool = False


class SequenceNode(msgspec.Struct, frozen=True, eq=False):
    """`flow`: written in brackets."""

    line: int
    column: int
    value: "list[Node]"
    flow: bool = False


class MappingNode(msgspec.Struct, frozen=True, eq=False):
    """`flow`: written in braces."""

    line: int
    column: int
    value: "list[tuple[Node, Node]]"
    flow: bool = False


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode
