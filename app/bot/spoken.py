"""Every text that a bot says, with its place in the document: what the form of texts lists, and what a comparison of
versions tells apart. Read from the tree, so that steps which are not known here lose nothing: where their keys are
called as others are, their texts are found too."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.source import child
from app.said import mark

# What a text is, by the key that it stands under.
ROLES: Final = {
    "say": mark("Says"),
    "text": mark("Asks"),
    "schedule": mark("Says later"),
    "parameters": mark("Fills the template"),
    "again": mark("Asks again"),
    "cancelled": mark("After cancelling"),
    "caption": mark("Caption"),
    "header": mark("Header"),
    "footer": mark("Footer"),
    "title": mark("Title"),
    "description": mark("Description"),
    "buttons": mark("Button"),
    "choices": mark("Choice"),
    "label": mark("Opens the list"),
}
# Under these stand conditions, names, values and addresses, which nobody reads.
UNSAID: Final = frozenset(
    {"when", "if", "set", "field", "call", "expect", "cancel", "save", "switch", "tag", "untag", "note", "with"}
)
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

Place = tuple[str | int, ...]


class Spoken(msgspec.Struct, frozen=True):
    """One text. `place`: keys and numbers from the root; `role`: a key of `ROLES`; `language`: '' where the document
    does not say one, and `group` then is None: the group of languages that the text stands in."""

    node: ScalarNode
    place: Place
    role: str
    language: str = ""
    group: MappingNode | None = None


def spoken(root: Node) -> Iterator[Spoken]:
    """All texts, in the order of the document's rules, fallback and flows."""
    rules = child(root, "rules")
    for number, rule in enumerate(rules.value if isinstance(rules, SequenceNode) else ()):
        yield from within(rule, ("rules", number))
    fallback = child(root, "fallback")
    if fallback is not None:
        yield from within(fallback, ("fallback",))
    flows = child(root, "flows")
    for key, steps in flows.value if isinstance(flows, MappingNode) else ():
        if isinstance(key, ScalarNode):
            yield from within(steps, ("flows", key.value))


def within(node: Node, place: Place) -> Iterator[Spoken]:
    """The texts of a rule, a step or anything else that holds some."""
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield from within(item, (*place, number))
        return
    for key, value in node.value if isinstance(node, MappingNode) else ():
        name = key.value if isinstance(key, ScalarNode) else ""
        if name == "cases" and isinstance(value, MappingNode):
            for case, steps in value.value:
                yield from within(steps, (*place, name, case.value if isinstance(case, ScalarNode) else ""))
        elif name in ROLES and (name != "label" or place[-1:] == ("list",)):
            asks = name == "text" and place[-1:] == ("ask",)
            yield from said(value, (*place, name), "say" if name == "text" and not asks else name)
        elif name not in UNSAID:
            yield from within(value, (*place, name))


def said(node: Node, place: Place, role: str, language: str = "", group: MappingNode | None = None) -> Iterator[Spoken]:
    """What stands under such a key: a text, several, or one for each language; groups may hold more."""
    if isinstance(node, ScalarNode):
        if not node.empty:
            yield Spoken(node, place, role, language, group)
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield from said(item, (*place, number), role, language, group)
    elif not language and is_by_language(node):
        for key, value in node.value:
            code = key.value if isinstance(key, ScalarNode) else ""
            yield from said(value, (*place, code), role, code, node)
    else:
        yield from within(node, place)


def is_by_language(node: Node) -> bool:
    """A group whose keys are languages."""
    return (
        isinstance(node, MappingNode)
        and bool(node.value)
        and all(isinstance(key, ScalarNode) and LANGUAGE.fullmatch(key.value) for key, _ in node.value)
    )


def plain(node: Node | None) -> Any:
    """What a node says, without places: texts, lists and dicts; None for nothing."""
    if isinstance(node, MappingNode):
        return {key.value if isinstance(key, ScalarNode) else "": plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.value]
    return None if node is None or node.empty else node.value
