"""Which rules and flows start a flow, and which a flow starts: the ways between maps, from the tree of a document."""

from collections.abc import Iterator
from typing import Final

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.said import N_, Sentence

STARTS: Final = ("start", "later")
SHOWN: Final = 3  # of what starts a flow; more are counted
WIDTH: Final = 130  # of a link
HEIGHT: Final = 24
BETWEEN: Final = 10


class Link(msgspec.Struct, frozen=True):
    """A way from or to another map or rule: what is written on it, the flow it leads to ('' for a rule), the line it
    leads to otherwise (0: none), and its left top corner."""

    label: Sentence
    flow: str = ""
    line: int = 0
    x: int = 0
    y: int = 0


def starters(root: Node | None) -> dict[str, list[Link]]:
    """By flow, what starts it: each rule and flow once, at its first step that does."""
    found: dict[str, list[Link]] = {}
    for label, flow, steps in places(root):
        seen: set[str] = set()
        for name, line in started(steps):
            if name not in seen:
                seen.add(name)
                found.setdefault(name, []).append(Link(label, flow, line))
    return found


def places(root: Node | None) -> Iterator[tuple[Sentence, str, Node]]:
    """Everything with steps: what it is called, its name if it is a flow, the steps."""
    for key, value in pairs(root):
        if key == "rules" and isinstance(value, SequenceNode):
            for rule in value.value:
                named = dict(pairs(rule))
                name = named.get("name")
                if "do" in named:
                    yield N_("rule {name}", name=name.value if isinstance(name, ScalarNode) else ""), "", named["do"]
        elif key == "fallback":
            yield N_("the fallback"), "", value
        elif key == "flows":
            for flow, steps in pairs(value):
                yield N_("flow {name}", name=flow), flow, steps


def started(node: Node) -> Iterator[tuple[str, int]]:
    """The flows that are started somewhere in it, with their lines."""
    if isinstance(node, SequenceNode):
        for part in node.value:
            yield from started(part)
    for key, value in pairs(node):
        if key in STARTS and isinstance(value, ScalarNode):
            yield value.value, value.line
        else:
            yield from started(value)


def pairs(node: Node | None) -> list[tuple[str, Node]]:
    found = node.value if isinstance(node, MappingNode) else []
    return [(key.value, value) for key, value in found if isinstance(key, ScalarNode)]


def row(links: list[Link], middle: int, top: int) -> list[Link]:
    """Links side by side around `middle`; of many, the first ones and how many more there are."""
    more = len(links) - SHOWN
    chosen = links if more <= 0 else [*links[: SHOWN - 1], Link(N_("{count} more", count=more + 1))]
    left = middle - row_wide(len(chosen)) // 2
    return [msgspec.structs.replace(link, x=left + at * (WIDTH + BETWEEN), y=top) for at, link in enumerate(chosen)]


def row_wide(count: int) -> int:
    """How much room so many links take side by side."""
    return max(0, min(count, SHOWN) * (WIDTH + BETWEEN) - BETWEEN)
