"""Texts of a call, in which a secret may stand by its name: `Bearer {{ secret.shop_key }}`. The bot never knows its
value: where it goes stands a marker, which nothing else that is filled in can look like.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from jinja2 import nodes

from app.bot.text import SECRET, Builder, Evaluate, Text, TextError, compile_expression, compile_text
from app.bot.values import Room, as_text
from app.said import N_

NAME: Final = r"[a-z][a-z0-9_]{0,39}"
_ALONE: Final = re.compile(rf"\s*{{{{-?\s*{SECRET}\.({NAME})\s*-?}}}}\s*")

Change = Callable[[str], str]


class Sealed(msgspec.Struct, frozen=True):
    """A text of a call and the secrets it names; `value` instead where it is one place to fill in and nothing else."""

    text: Text
    secrets: tuple[str, ...] = ()
    value: Evaluate | None = None

    @property
    def names(self) -> tuple[tuple[str, int], ...]:
        return self.text.names


def seal(source: str, change: Change = str, *, as_value: bool = False) -> Sealed:
    """A text whose filled-in parts are changed by `change`; with `as_value`, one that is a single place keeps what is
    there. Raises `TextError`."""
    source = source.replace("\0", "")
    if as_value and not _ALONE.fullmatch(source):
        inside = source.strip()[2:-2]
        if source.strip() == "{{" + inside + "}}" and "{{" not in inside and "}}" not in inside:
            text = compile_expression(inside.strip("-"))
            return Sealed(text, (), text.evaluate)
    builder = _Sealer(change)
    text = compile_text(source, builder)
    return Sealed(text, tuple(dict.fromkeys(builder.secrets)))


def marker(name: str) -> str:
    return f"\0secret:{name}\0"


class _Sealer(Builder):
    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change
        self.secrets: list[str] = []

    def part(self, node: nodes.Node, depth: int) -> Evaluate:
        if isinstance(node, nodes.TemplateData):
            return super().part(node, depth)
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == SECRET:
            return self.secret(node, depth)
        value, change = super().part(node, depth), self.change
        return lambda room: change(as_text(room, value(room)).replace("\0", ""))

    def secret(self, node: nodes.Getattr, depth: int) -> Evaluate:
        self.enter(node, depth)
        if not re.fullmatch(NAME, node.attr):
            said = N_("A secret's name is small letters, digits and _: {name}", name=node.attr[:60])
            raise TextError(said, node.lineno)
        self.secrets.append(node.attr)
        put: Any = marker(node.attr)

        def mark(room: Room) -> Any:
            return put

        return mark
