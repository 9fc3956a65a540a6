"""Sentences as data: English text with the values in it kept apart, so that whoever shows it can say it in another
language (`i18n.tell`) and programs can still read it.

`N_("There is no bot “{name}”.", name=name)` marks a text for extraction. As `str` it is English.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec


class Said(msgspec.Struct, frozen=True, eq=False, omit_defaults=True, array_like=True):
    """An English template and its values: texts, numbers, or pieces that are to be translated themselves. It is equal
    to, and holds, what its English text does."""

    template: str
    values: "dict[str, Said | str | int | float]" = {}

    def __str__(self) -> str:
        return self.fill(self.template, english)

    def fill(self, template: str, tell: Any) -> str:
        """The template, this one's or its translation, with every value as `tell` says it."""
        return (
            template.format(**{name: tell(value) for name, value in self.values.items()}) if self.values else template
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Said | str) and str(self) == str(other)

    def __contains__(self, words: str) -> bool:
        return words in str(self)

    def __hash__(self) -> int:
        return hash(str(self))


AS_THEY_ARE: Final = (Said, str, int, float)
# What a person may be told: a sentence that can be translated, or words that stand as they are.
Sentence = Said | str


def N_(template: str, /, **values: object) -> Said:
    """gettext's name for "only mark". What is neither a sentence nor a number goes in as its text."""
    return Said(template, {name: v if isinstance(v, AS_THEY_ARE) else str(v) for name, v in values.items()})


def english(value: Sentence | int | float) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def mark(text: str) -> str:
    """The text itself: a constant that is translated where it is shown."""
    return text


def joined(sentences: Iterable[Sentence], between: str = " ") -> Sentence:
    """Several sentences as one text."""
    found = {f"s{number}": sentence for number, sentence in enumerate(sentences)}
    return Said(between.join(f"{{{name}}}" for name in found), {**found})
