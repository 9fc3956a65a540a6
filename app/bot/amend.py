"""Adds to a bot document as a person would: by putting lines into its text, so that comments and layout stay."""

import re
from typing import Any, Final

import msgspec
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from app.bot.document import compose

# What JSON writes as it is and YAML takes only escaped.
UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def add_first(text: str, key: str, item: dict[str, Any]) -> str:
    """The text with `item` as the first of the list under `key`, which is begun if there is none.

    Raises `DocumentError` if the text is no YAML group. Whether the result is a good document is for the caller to ask.
    """
    root = compose(text)
    found = next((value for name, value in root.value if name.value == key), None)
    if isinstance(found, SequenceNode) and not found.flow_style and found.value:
        return before_line(text, found, item)
    if isinstance(found, SequenceNode):
        return after_bracket(text, found, flow(item) + (", " if found.value else ""))
    if isinstance(root, MappingNode) and root.flow_style:
        return after_bracket(text, root, f"{flow(key)}: [{flow(item)}]" + (", " if root.value else ""))
    ended = text if text.endswith("\n") else text + "\n"
    return f"{ended}{key}:\n{block(item, 2)}"


def before_line(text: str, items: Node, item: dict[str, Any]) -> str:
    lines = text.split("\n")
    at = items.start_mark.line
    return "\n".join([*lines[:at], block(item, items.start_mark.column).removesuffix("\n"), *lines[at:]])


def after_bracket(text: str, node: Node, piece: str) -> str:
    at = node.start_mark.index + 1
    return text[:at] + piece + text[at:]


def block(item: dict[str, Any], indent: int) -> str:
    """The item of a list, a key a line; lists of it an element a line, everything deeper on one line."""
    space, lines = " " * indent, []
    for name, value in item.items():
        if isinstance(value, list):
            lines += [f"{name}:", *(f"  - {flow(element)}" for element in value)]
        else:
            lines.append(f"{name}: {flow(value)}")
    first, *rest = lines
    return "".join([f"{space}- {first}\n", *(f"{space}  {line}\n" for line in rest)])


def flow(value: Any) -> str:
    """JSON, with a space where YAML wants one."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(name)}: {flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(value).decode())
