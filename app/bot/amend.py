"""Adds to a bot document as a person would: by putting lines into its text, so that comments and layout stay."""

import re
from typing import Any, Final

import msgspec

from app.bot.document import DocumentError
from app.bot.nodes import Node, ScalarNode, SequenceNode
from app.bot.tree import NotYaml, compose, whole

# What JSON writes as it is and YAML takes only escaped.
BREAK: Final = re.compile(r"\r\n|\r|\n")
UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def add_first(text: str, key: str, item: dict[str, Any]) -> str:
    """The text with `item` as the first of the list under `key`, which is begun if there is none.

    Raises `DocumentError` if the text is no YAML group. Whether the result is a good document is for the caller to ask.
    """
    text = whole(text) if text.startswith("{") else text  # places count what is left of escaped halves
    try:
        root = compose(text)
    except NotYaml as error:
        raise DocumentError([error.problem]) from None
    found = next((value for name, value in root.value if isinstance(name, ScalarNode) and name.value == key), None)
    if isinstance(found, SequenceNode) and not found.flow and found.value:
        return before_line(text, found, item)
    if isinstance(found, SequenceNode):
        return after_bracket(text, found, flow(item) + (", " if found.value else ""))
    if root.flow:
        return after_bracket(text, root, f"{flow(key)}: [{flow(item)}]" + (", " if root.value else ""))
    ended = text if text.endswith("\n") else text + "\n"
    return f"{ended}{key}:\n{block(item, 2)}"


def before_line(text: str, items: SequenceNode, item: dict[str, Any]) -> str:
    at = start_of(text, items.line)
    return text[:at] + block(item, items.column - 1) + text[at:]


def after_bracket(text: str, node: Node, piece: str) -> str:
    at = start_of(text, node.line) + node.column
    return text[:at] + piece + text[at:]


def start_of(text: str, line: int) -> int:
    """Where a line begins; they count from 1."""
    ends = [found.end() for found in BREAK.finditer(text)]
    return ends[line - 2] if line > 1 else 0


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
