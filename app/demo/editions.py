"""How the demo's bot grew: earlier versions that knew less, the starter itself, and a draft that knows more. Pure."""

import re
from typing import Final

import msgspec

from app.demo.month import DAYS, HOUR

DAY: Final = 24 * HOUR
GREW: Final = {"bakery": ("gluten", "delivery")}  # rules that came later, the last one first
MORE: Final = """  - name: payment
    when: {says: [card, cards, "pay by card", cash]}
    do: [{say: "Yes, you can pay by card or in cash."}]
"""
RULE: Final = re.compile(r"^  - name: (\S+)$", re.MULTILINE)


class Edition(msgspec.Struct, frozen=True):
    """A version, published `ago` ms before now."""

    ago: int
    note: str
    text: str


def grown(starter: str, text: str) -> tuple[Edition, ...]:
    """Oldest first."""
    rules = RULE.findall(before(text, "fallback"))
    names = GREW.get(starter, tuple(reversed(rules[2:]))[:2])
    first = before(text, "tests")
    for name in names:
        first = without(first, name)
    second = without(before(text, "tests"), names[0]) if names else first
    found = [Edition((DAYS + 1) * DAY + 3 * HOUR, "Opening day", first)]
    if second != first:
        found.append(Edition(18 * DAY + 7 * HOUR, "Answers what people asked", second))
    if text != found[-1].text:
        found.append(Edition(6 * DAY + 5 * HOUR, "Answers more, with tests", text))
    return tuple(found)


def draft(text: str) -> str:
    """What is not published yet: one more rule."""
    return text.replace("\nfallback:", "\n" + MORE + "fallback:", 1)


def before(text: str, key: str) -> str:
    """The document up to this key."""
    place = text.find(f"\n{key}:")
    return text if place < 0 else text[: place + 1]


def without(text: str, name: str) -> str:
    """The document without the rule of this name."""
    return re.sub(rf"^  - name: {re.escape(name)}\n(?:    .*\n)+", "", text, count=1, flags=re.MULTILINE)
