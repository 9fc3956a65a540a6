"""What stands as one word in a document: names, numbers, true and false, or nothing at all."""

import re
from typing import Any

from app.bot.nodes import Node, ScalarNode
from app.bot.shape import Json, Located, Report, Shape, Text
from app.said import N_, Sentence

NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
FLOW_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
# What texts already mean something by.
TAKEN = frozenset({"contact", "message", "channel", "network", "now", "call", "secret", "window_open"})
TAKEN |= {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"}
LARGEST = 10**15


class Name(Text):
    """A name that fits a pattern; with `free`, one that texts do not use already."""

    def __init__(self, pattern: str, expected: Sentence, *, free: bool = False) -> None:
        super().__init__(64, expected, f"^{pattern}$")
        self.free = free

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        if not re.fullmatch(self.pattern[1:-1], value.text):
            return self.wrong(node, report)
        if self.free and value.text in TAKEN:
            return report.add(
                node, N_("“{name}” already means something in texts; choose another name", name=value.text)
            )
        return value


class Number(Shape):
    def __init__(self) -> None:
        self.expected = N_("a number")

    def read(self, node: Node, report: Report) -> Any:
        text = node.value if isinstance(node, ScalarNode) else ""
        if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text):
            return self.wrong(node, report)
        return float(text) if "." in text else int(text)

    def schema(self) -> Json:
        return {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}


class Truth(Shape):
    """True or false, or only one of them."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed or ("true", "false")
        self.expected = N_("{values}", values=" or ".join(self.allowed))

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, ScalarNode) or node.value not in self.allowed:
            return self.wrong(node, report)
        return node.value == "true"

    def schema(self) -> Json:
        return {"enum": [value == "true" for value in self.allowed]}


class Nothing(Shape):
    """A step that needs no more words: `return:` or `return: true`."""

    expected = N_("nothing, or true")

    def read(self, node: Node, report: Report) -> Any:
        if not isinstance(node, ScalarNode) or not (node.empty or node.value == "true"):
            return self.wrong(node, report)
        return True

    def schema(self) -> Json:
        return {"enum": [None, True]}
