"""Adds to a bot document as a person would: by putting lines into its text, so that comments and layout stay."""

import re
from typing import Any, Final

import msgspec

from app.bot.document import DocumentError
from app.bot.nodes import Node, SequenceNode
from app.bot.tree import NotYaml, compose, whole

BREAK: Final = re.compile("\r\n|\r|\n")
# What JSON writes as it is and YAML takes only escaped.
UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def add_first(text: str, key: str, item: dict[str, Any]) -> str:
    """The text with `item` as the first of the list under `key`, which is begun if there is none.

    Raises `DocumentError` if the text is no YAML group. Whether the result is a good document is for the caller to ask.
    """
    text = whole(text) if text.startswith("{") else text
    try:
        root = compose(text)
    except NotYaml as error:
        raise DocumentError([error.problem]) from None
    found = next((value for name, value in root.value if getattr(name, "value", "") == key), None)
    if isinstance(found, SequenceNode) and opens(text, found) != "[":
        start = index_of(text, found) - found.column + 1
        return text[:start] + block(item, found.column - 1) + text[start:]
    if isinstance(found, SequenceNode):
        return after_bracket(text, found, flow(item) + (", " if found.value else ""))
    if opens(text, root) == "{":
        return after_bracket(text, root, f"{flow(key)}: [{flow(item)}]" + (", " if root.value else ""))
    ended = text if text.endswith("\n") else text + "\n"
    return f"{ended}{key}:\n{block(item, 2)}"


def opens(text: str, node: Node) -> str:
    """The character that the node begins with."""
    at = index_of(text, node)
    return text[at : at + 1]


def index_of(text: str, node: Node) -> int:
    """Where the node begins, counted in characters of the text."""
    ends = [0, *(found.end() for found in BREAK.finditer(text))]
    return ends[node.line - 1] + node.column - 1


def after_bracket(text: str, node: Node, piece: str) -> str:
    at = index_of(text, node) + 1
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
