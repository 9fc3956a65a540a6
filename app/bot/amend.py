"""Adds to a bot document as a person would: by putting lines into its text, so that comments and layout stay."""

import re
from typing import Any, Final

import msgspec

from app.bot.document import DocumentError
from app.bot.nodes import Node, ScalarNode, SequenceNode
from app.bot.tree import NotYaml, compose, end_of, whole

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


def add_at(text: str, key: str, place: int, item: dict[str, Any]) -> tuple[str, int]:
    """The text with `item` as number `place` (from 0) of the list under `key`, or as its last, and the line that it
    begins on. A comment above an element stays above it.

    Raises `DocumentError` if the text is no YAML group. Whether the result is a good document is for the caller to ask.
    """
    text = whole(text) if text.startswith("{") else text
    try:
        found = list_of(text, key)
        place = min(place, len(found.value)) if found else 0
        if found is None or not found.value:
            changed = add_first(text, key, item)
        elif found.flow:
            changed = in_brackets(text, found, place, item)
        else:
            at = start_of(text, line_for(text, found, place))
            ended = "\n" if at == len(text) and not text.endswith(("\n", "\r")) else ""
            changed = text[:at] + ended + block(item, found.column - 1) + text[at:]
        added = list_of(changed, key)
    except NotYaml as error:
        raise DocumentError([error.problem]) from None
    return changed, added.value[place].line if added else 1


def list_of(text: str, key: str) -> SequenceNode | None:
    """The list under a key of the document. Raises `NotYaml`."""
    named = (value for name, value in compose(text).value if isinstance(name, ScalarNode) and name.value == key)
    found = next(named, None)
    return found if isinstance(found, SequenceNode) else None


def in_brackets(text: str, items: SequenceNode, place: int, item: dict[str, Any]) -> str:
    """Before an element, or after the last."""
    if place < len(items.value):
        node = items.value[place]
        at = start_of(text, node.line) + node.column - 1
        return f"{text[:at]}{flow(item)}, {text[at:]}"
    line, column = end_of(text, items)
    at = start_of(text, line) + column - 1
    last = text[:at].rstrip()
    return f"{last}{'' if last.endswith(',') else ','} {flow(item)}{text[len(last) :]}"


def line_for(text: str, items: SequenceNode, place: int) -> int:
    """The line to write element `place` of a list on, which may be the one after the text's last."""
    lines, dash = BREAK.split(text), items.column - 1
    if place < len(items.value):
        line = items.value[place].line
        while not lines[line - 1].startswith("-", dash):
            line -= 1
        while indent_of(lines[line - 2], "#") == dash and line - 1 > items.line:
            line -= 1
        return line
    line, column = end_of(text, items)
    line += column > 1  # nothing follows, and the text ends within a line
    while not lines[line - 2].strip() or 0 <= indent_of(lines[line - 2], "#") < max(dash, 1):
        line -= 1
    return line


def indent_of(line: str, mark: str) -> int:
    """How far a line that begins with the mark is moved in; -1 for any other line."""
    bare = line.lstrip(" ")
    return len(line) - len(bare) if bare.startswith(mark) else -1


def before_line(text: str, items: SequenceNode, item: dict[str, Any]) -> str:
    at = start_of(text, items.line)
    return text[:at] + block(item, items.column - 1) + text[at:]


def after_bracket(text: str, node: Node, piece: str) -> str:
    at = start_of(text, node.line) + node.column
    return text[:at] + piece + text[at:]


def start_of(text: str, line: int) -> int:
    """Where a line begins; they count from 1, and one after the last begins where the text ends."""
    ends = [found.end() for found in BREAK.finditer(text)]
    return 0 if line < 2 else ends[line - 2] if line - 2 < len(ends) else len(text)


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
