"""Shapes: what may stand at a place of a bot document, said once for the reader and for the JSON Schema.

A shape reads a YAML node into a plain value. What does not fit is reported with line, column and what was expected, and
reading goes on, so one pass finds every mistake. Lines and columns count from 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.said import N_, Sentence

Json = dict[str, Any]

PROBLEMS = 50
MISSING: Any = object()
A_TEXT = N_("a text")
A_GROUP = N_("a group of keys")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong or doubtful in a document. `severity` is `error` (not accepted) or `warning`."""

    line: int
    column: int
    message: Sentence
    severity: str = "error"


class Located(msgspec.Struct, frozen=True):
    """A text and where it begins in the document. `block`: the text starts on the line after."""

    text: str
    line: int = 0
    column: int = 0
    block: bool = False


class Report:
    """Collects problems and refuses nodes that stand at two places (YAML aliases), so reading is linear in the text.
    `languages` are those that texts are in, in the order they are met."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.languages: dict[str, None] = {}
        self._seen: set[int] = set()

    def add(self, node: Node, message: Sentence) -> Any:
        """Notes a problem at the node; the answer is what a shape returns for a value it could not read."""
        if len(self.problems) < PROBLEMS:
            self.problems.append(Problem(*place(node), message))
        return MISSING

    def enter(self, node: Node) -> bool:
        if id(node) in self._seen:
            self.add(node, N_("Aliases (*name) are not used in bot documents; write it out"))
            return False
        self._seen.add(id(node))
        return True


def place(node: Node) -> tuple[int, int]:
    """Line and column of a node, from 1."""
    return node.line, node.column


def describe(node: Node) -> Sentence:
    """What stands there, for messages."""
    if isinstance(node, MappingNode):
        return A_GROUP
    if isinstance(node, SequenceNode):
        return N_("a list")
    return N_("nothing") if is_empty(node) else N_("“{value}”", value=node.value[:40])


def is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.empty


def did_you_mean(word: str, known: list[str]) -> Sentence:
    """` Did you mean “say”?`, or what is known if nothing is close."""
    close = get_close_matches(word.lower()[:60], known, 1, 0.6)
    return (
        N_(" Did you mean “{close}”?", close=close[0]) if close else N_(" Known here: {names}", names=", ".join(known))
    )


class Shape(ABC):
    """`expected` names it in messages: `a text`."""

    expected: Sentence = N_("a value")

    @abstractmethod
    def read(self, node: Node, report: Report) -> Any: ...

    @abstractmethod
    def schema(self) -> Json: ...

    def takes(self, node: Node) -> bool:
        """Whether this group of keys is for a shape that mostly reads something else."""
        return False

    def wrong(self, node: Node, report: Report) -> Any:
        return report.add(node, N_("Expected {expected}, found {found}", expected=self.expected, found=describe(node)))


class Text(Shape):
    """A text, as `Located`. Numbers and true/false are taken as they are written."""

    def __init__(self, longest: int = 16_384, expected: Sentence = A_TEXT, pattern: str = "") -> None:
        self.longest, self.expected, self.pattern = longest, expected, pattern

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, ScalarNode) or is_empty(node) or not node.value.strip():
            return self.wrong(node, report)
        if len(node.value) > self.longest:
            return report.add(
                node,
                N_("Expected at most {longest} characters, found {count}", longest=self.longest, count=len(node.value)),
            )
        return Located(node.value, *place(node), node.block)

    def schema(self) -> Json:
        schema: Json = {"type": ["string", "number", "boolean"], "maxLength": self.longest}
        return {**schema, "pattern": self.pattern} if self.pattern else schema


class Integer(Shape):
    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.expected = N_("a whole number from {low} to {high}", low=low, high=high)

    def read(self, node: Node, report: Report) -> Any:
        text = node.value if isinstance(node, ScalarNode) else ""
        digits = text.removeprefix("-")
        if not (text.isascii() and digits.isdigit() and len(text) < 10 and self.low <= int(text) <= self.high):
            return self.wrong(node, report)
        return int(text)

    def schema(self) -> Json:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class ListOf(Shape):
    """A list, as a tuple. What could not be read is left out (and reported)."""

    def __init__(self, item: Shape, most: int, expected: Sentence, least: int = 1) -> None:
        self.item, self.most, self.least, self.expected = item, most, least, expected

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, SequenceNode) or not report.enter(node):
            return self.wrong(node, report) if not isinstance(node, SequenceNode) else MISSING
        if not self.least <= len(node.value) <= self.most:
            return report.add(
                node,
                N_(
                    "Expected {least} to {most} in this list, found {count}",
                    least=self.least,
                    most=self.most,
                    count=len(node.value),
                ),
            )
        values = [self.item.read(item, report) for item in node.value]
        return tuple(value for value in values if value is not MISSING)

    def schema(self) -> Json:
        return {"type": "array", "items": self.item.schema(), "minItems": self.least, "maxItems": self.most}


class OneOrMany(Shape):
    """One item or a list of them, always as a tuple."""

    def __init__(self, item: Shape, most: int, expected: Sentence) -> None:
        self.item, self.expected = item, expected
        self.many = ListOf(item, most, expected)

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, SequenceNode):
            return self.many.read(node, report)
        if (isinstance(node, MappingNode) and not self.item.takes(node)) or is_empty(node):
            return self.wrong(node, report)
        value = self.item.read(node, report)
        return value if value is MISSING else (value,)

    def schema(self) -> Json:
        return {"anyOf": [self.item.schema(), self.many.schema()]}


class Either(Shape):
    """A plain value or a group of keys."""

    def __init__(self, plain: Shape, keys: Shape, expected: Sentence) -> None:
        self.plain, self.keys, self.expected = plain, keys, expected

    def read(self, node: Node, report: Report) -> Any:
        keys = isinstance(node, MappingNode) and not self.plain.takes(node)
        return (self.keys if keys else self.plain).read(node, report)

    def schema(self) -> Json:
        return {"anyOf": [self.plain.schema(), self.keys.schema()]}


class Keys(Shape):
    """A group of known keys, made into a struct by `build(**values)`, with its `line` if `located`.

    `needed` keys must be there; with `one_of`, at least one of the keys must be. `build` may raise `ValueError` with a
    `Sentence`, reported at the group.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        shapes: Mapping[str, Shape],
        needed: tuple[str, ...] = (),
        expected: Sentence = A_GROUP,
        located: bool = False,
    ) -> None:
        self.build, self.shapes, self.needed, self.expected, self.located = build, shapes, needed, expected, located

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, MappingNode):
            return self.wrong(node, report)
        if not report.enter(node):
            return MISSING
        values = read_keys(node, self.shapes, report)
        if not check_needed(node, self.needed, report) or values is None:
            return MISSING
        if self.located:
            values["line"] = place(node)[0]
        return build(self.build, values, node, report)

    def schema(self) -> Json:
        properties = {name: shape.schema() for name, shape in self.shapes.items()}
        schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, "required": list(self.needed)} if self.needed else {**schema, "minProperties": 1}


class MapOf(Shape):
    """Keys of the author's own choosing, read by `name`; as a dict from the key's text to the value."""

    def __init__(self, name: Shape, value: Shape, most: int, expected: Sentence) -> None:
        self.name, self.value, self.most, self.expected = name, value, most, expected

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, MappingNode):
            return self.wrong(node, report)
        if not report.enter(node):
            return MISSING
        if len(node.value) > self.most:
            return report.add(
                node, N_("Expected at most {most} keys, found {count}", most=self.most, count=len(node.value))
            )
        found: dict[str, Any] = {}
        for key, item in node.value:
            name = self.name.read(key, report)
            value = self.value.read(item, report)
            if name is not MISSING and name.text in found:
                report.add(key, N_("“{text}” is given twice", text=name.text))
            elif name is not MISSING and value is not MISSING:
                found[name.text] = value
        return found

    def schema(self) -> Json:
        return {"type": "object", "additionalProperties": self.value.schema(), "maxProperties": self.most}


class Verbs(Shape):
    """A group that does one thing: one key is the verb, the others say how. As the verb's own struct."""

    def __init__(self, verbs: Mapping[str, Keys], expected: Sentence) -> None:
        self.verbs, self.expected = verbs, expected

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, MappingNode):
            return self.wrong(node, report)
        names = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
        present = [name for name in names if name in self.verbs]
        known = list(self.verbs)
        if not present:
            found = N_("“{value}”", value=names[0][:40]) if names else N_("nothing")
            guess = did_you_mean(names[0], known) if names else N_(" Known here: {names}", names=", ".join(known))
            return report.add(
                node, N_("Expected {expected}, found {found}.{guess}", expected=self.expected, found=found, guess=guess)
            )
        if len(present) > 1 and not set(names) <= set(self.verbs[present[0]].shapes):
            return report.add(
                node, N_("A step does one thing, found {names}; make it two steps", names=" and ".join(present))
            )
        return self.verbs[present[0]].read(node, report)

    def schema(self) -> Json:
        return {"anyOf": [shape.schema() for shape in self.verbs.values()]}


def read_keys(node: MappingNode, shapes: Mapping[str, Shape], report: Report) -> dict[str, Any] | None:
    """The values of the known keys; None if one of them could not be read. Unknown and repeated keys are reported."""
    values: dict[str, Any] = {}
    for key, item in node.value:
        name = key.value if isinstance(key, ScalarNode) else ""
        if name not in shapes:
            report.add(
                key, N_("Unknown key {found}.{guess}", found=describe(key), guess=did_you_mean(name, list(shapes)))
            )
        elif name in values:
            report.add(key, N_("“{name}” is given twice", name=name))
        else:
            values[name] = shapes[name].read(item, report)
    return None if MISSING in values.values() else values


def check_needed(node: MappingNode, needed: tuple[str, ...], report: Report) -> bool:
    names = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
    missing = [name for name in needed if name not in names]
    for name in missing:
        report.add(node, N_("Expected the key “{name}”", name=name))
    return not missing


def build(make: Callable[..., Any], values: dict[str, Any], node: Node, report: Report) -> Any:
    try:
        return make(**values)
    except ValueError as error:
        return report.add(node, error.args[0])
