"""One document in many layouts: as people write YAML, with blocks and brackets, all kinds of quotes, and comments that
are numbered so that one that goes missing is noticed."""

import json
import random
import re
from itertools import count
from typing import Any

UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029]")
WORDS = (
    "hi", "good morning", "a: b", "#no comment", "مرحبا", "🎂 cake", "it's", 'say "x"', "- dash", "{{ name }}",
    "x\u2028y",
)  # fmt: skip
TEXTS = (
    *WORDS, "two\nlines", "one\n\nthree\n", " led by a space", "ends in spaces  ", "\ttab", "a\x85b", "x" * 90, "100%",
    "[no]",
)  # fmt: skip
FIELDS = ("name", "say", "text", "more", "unknown-key", "z_1")


class Layout:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.number = count()

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def comment(self) -> str:
        return f"#c{next(self.number)} ' \" ] : -"

    def behind(self) -> str:
        """What may stand behind something at the end of a line."""
        return f" {self.comment()}" if self.maybe(0.3) else ""

    def above(self, indent: int) -> list[str]:
        found = [" " * indent + self.comment()] if self.maybe(0.2) else []
        return ([""] if self.maybe(0.15) else []) + found

    def document(self, value: Any) -> str:
        lines = [*self.above(0), *self.mapping(value, 0), *self.above(0)]
        text = "\n".join(lines) + ("\n" if self.maybe(0.8) or " |" in "".join(lines) else "")
        return text.replace("\n", "\r\n") if self.maybe(0.1) and "|" not in text else text

    def mapping(self, value: dict[str, Any], indent: int, first: str = "") -> list[str]:
        """Lines; `first` is what the first line begins with instead of its indentation."""
        lines: list[str] = []
        for key, part in value.items():
            lead = first if first and not lines else " " * indent
            lines += [] if first and not lines else self.above(indent)
            lines += self.under(f"{lead}{key}:", part, indent)
        return lines

    def under(self, head: str, part: Any, indent: int) -> list[str]:
        """What stands behind a colon."""
        if isinstance(part, str):
            return self.text(head, part, indent)
        if not part or self.maybe(0.35):
            return self.flow(head, part, indent)
        if isinstance(part, dict):
            return [head + self.behind(), *self.mapping(part, indent + self.chance.choice((1, 2, 4)))]
        return [head + self.behind(), *self.sequence(part, indent + self.chance.choice((0, 2, 3)))]

    def sequence(self, value: list[Any], indent: int) -> list[str]:
        lines: list[str] = []
        for part in value:
            lines += self.above(indent)
            dash = " " * indent + "- "
            if isinstance(part, dict) and part and self.maybe(0.7):
                lines += self.mapping(part, indent + 2, dash)
            elif isinstance(part, str):
                lines += self.text(dash.rstrip(), part, indent)
            else:
                lines += self.flow(dash.rstrip(), part, indent)
        return lines

    def text(self, head: str, value: str, indent: int) -> list[str]:
        body = value.removesuffix("\n")
        if "\n" in value and not value.startswith((" ", "\n")) and self.maybe(0.6):
            sign = "|" if value.endswith("\n") else "|-"
            space = " " * (indent + self.chance.choice((1, 2, 4)))
            lines = [space + line if line else "" for line in body.split("\n")]
            return [f"{head} {sign}{self.behind()}", *lines, *([""] if self.maybe(0.2) else [])]
        return [f"{head} {self.scalar(value)}{self.behind()}"]

    def scalar(self, value: str) -> str:
        plain = re.fullmatch(r"[^\W\d_][\w ]*", value) and value == value.strip() and len(value) < 60
        if plain and self.maybe(0.6):
            return value
        if "'" not in value and value.isprintable() and self.maybe(0.4):
            return f"'{value}'"
        return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))

    def flow(self, head: str, part: Any, indent: int) -> list[str]:
        """In brackets, on one line or on several."""
        if not isinstance(part, dict | list):
            return [f"{head} {self.scalar(part)}{self.behind()}"]
        opened, closed = "{}" if isinstance(part, dict) else "[]"
        named = part.items() if isinstance(part, dict) else ((None, one) for one in part)
        items = [self.inner(one) if name is None else self.item(name, one) for name, one in named]
        if items and self.maybe(0.3):
            space = " " * (indent + 3)
            lines = [f"{space}{item},{self.behind()}" for item in items[:-1]]
            last = f"{space}{items[-1]}{self.chance.choice(('', ','))}{self.behind()}"
            return [f"{head} {opened}{self.behind()}", *lines, last, f"{space}{closed}{self.behind()}"]
        return [f"{head} {opened}{', '.join(items)}{closed}{self.behind()}"]

    def item(self, name: str, value: Any) -> str:
        return f"{name}: {self.inner(value)}"

    def inner(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(self.item(name, part) for name, part in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.inner, value)) + "]"
        return self.scalar(value)


def value(chance: random.Random, depth: int = 0) -> Any:
    """A tree of groups, lists and texts."""
    kind = chance.random()
    if depth > 3 or kind < 0.4:
        return chance.choice(TEXTS)
    if kind < 0.6:
        return [chance.choice(WORDS) for _ in range(chance.randint(1, 5))]
    if kind < 0.75:
        return [value(chance, depth + 1) for _ in range(chance.randint(1, 3))]
    return group(chance, depth + 1)


def group(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    names = chance.sample(FIELDS, chance.randint(1, 4))
    return {name: value(chance, depth) for name in names}


def comments(text: str) -> list[str]:
    """The numbers of all comments, in order."""
    return re.findall(r"#c(\d+) ' \" \] : -", text)
