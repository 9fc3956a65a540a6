"""Values as a conversation remembers them: plain and bounded, whatever they were made of."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.bot.text import Text
from app.bot.values import LARGEST, MISSING, Room, Unknown, as_text, bounded, is_number
from app.bot.words import READ_LIMIT
from app.said import N_

MOST_ITEMS = 100
LONGEST_ITEM = 500
LONGEST_TAG = 100
MOST_VALUES: Final = 500  # of an answer, with all that is in it
MOST_CHARACTERS: Final = 16_384
DEEPEST_VALUE: Final = 8


def value_of(room: Room, text: Text) -> Any:
    """What a variable or field is set to. A text that is written as a number, `true` or `false` is that."""
    if text.constant is not None:
        return literal(text.constant.strip())
    assert text.evaluate is not None
    return kept(room, text.evaluate(room))


def literal(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,9}", text) else text[:READ_LIMIT]


def kept(room: Room, value: Any) -> Any:
    """The value as it is remembered: bounded, without anything that is not plain."""
    if isinstance(value, list | tuple):
        return [plain(room, item, LONGEST_ITEM) for item in value[:MOST_ITEMS]]
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {str(name)[:LONGEST_ITEM]: plain(room, item, LONGEST_ITEM) for name, item in items}
    return plain(room, value, READ_LIMIT)


def plain(room: Room, value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, Unknown):
        as_text(room, value)
        return None
    if value is None or isinstance(value, bool):
        return value
    number = bounded(value) if is_number(value) and abs(value) <= LARGEST else MISSING
    if number is MISSING:
        room.problem(N_("A value could not be remembered; it was left empty"))
        return None
    return number


def texts(room: Room, given: tuple[Text, ...]) -> tuple[str, ...]:
    """Tags, without empty ones."""
    found = (" ".join(text.render(room).split())[:LONGEST_TAG] for text in given)
    return tuple(dict.fromkeys(tag for tag in found if tag))


class Measure:
    """How much of a value with others in it is still kept."""

    def __init__(self, values: int = MOST_VALUES, characters: int = MOST_CHARACTERS) -> None:
        self.values, self.characters, self.full = values, characters, False

    def take(self, text: str) -> str:
        """As much of a text as there is room for."""
        self.full = self.full or len(text) > self.characters
        text = text[: self.characters]
        self.characters -= len(text)
        return text

    def part(self, items: Iterable[Any]) -> Iterator[Any]:
        """The first of them, for as long as there is room."""
        for item in items:
            if self.values <= 0:
                self.full = True
                return
            yield item


def whole(room: Room, value: Any, measure: Measure) -> Any:
    """A value with all that is in it, as far as there is room for it; what is left out is told."""
    found = _whole(room, value, measure, DEEPEST_VALUE)
    if measure.full:
        room.problem(N_("A value was larger than is possible; the rest was left out"))
    return found


def _whole(room: Room, value: Any, measure: Measure, deep: int) -> Any:
    measure.values -= 1
    if isinstance(value, str):
        return measure.take(value.replace("\0", ""))
    if isinstance(value, list | tuple | Mapping) and deep == 0:
        measure.full = True
        return None
    if isinstance(value, list | tuple):
        return [_whole(room, item, measure, deep - 1) for item in measure.part(value)]
    if isinstance(value, Mapping):
        return {
            measure.take(str(name).replace("\0", "")): _whole(room, value[name], measure, deep - 1)
            for name in measure.part(value)
        }
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return str(value) if abs(value) < 10**40 else None  # an id, which must not lose a digit
    return plain(room, value, READ_LIMIT)
