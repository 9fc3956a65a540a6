"""The words of a text as search compares them, and what somebody searches for.

Case, accents and the pointing of Hebrew and Arabic make no difference, nor do the shapes of a letter or the digits of a
script. A word is a run of letters and digits; in scripts that put no spaces between words (Chinese, Japanese, Thai,
Lao, Khmer, Burmese) each character is one, so that any stretch of a text is found. Everything else, emoji too, only
separates.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from app.db.fulltext import Phrase

LONGEST: Final = 60  # characters of a word that count
MOST: Final = 8_000  # words of a text that are found
SHOWN: Final = 160  # characters of an excerpt
LOOKED_AT: Final = 20_000  # characters of a text in which an excerpt is looked for

_QUERY: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„«»", '"'))
# Letters that are one sign with a stroke, not a letter with an accent; and Arabic letters that are written either way.
_ALIKE: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "æ": "ae", "œ": "oe", "ى": "ي", "\u0629": "\u0647"}
)
_POINTS: Final = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u3099\u309a]")
_ALONE: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
)


class Mark(NamedTuple):
    """A piece of an excerpt; `hit`: it is what was searched for."""

    text: str
    hit: bool


class _Folds(dict[int, str]):
    """By character, what it is compared as. Filled as characters come."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _fold(chr(code))
        return found


def _fold(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""  # joiners and marks of direction stand inside words
    plain = unicodedata.normalize("NFKD", character).casefold()
    kept = unicodedata.normalize("NFC", _POINTS.sub("", unicodedata.normalize("NFKD", plain)))
    return "".join(_part(part) for part in kept.translate(_ALIKE))


def _part(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if not character.isalnum() and unicodedata.category(character)[0] != "M":
        return " "
    return f" {character} " if _ALONE.match(character) else character


_FOLDS: Final = _Folds()


def words(text: str) -> list[str]:
    """In their order, as they are compared; the first `MOST` of them."""
    folded = unicodedata.normalize("NFC", text).translate(_FOLDS)
    return [word[:LONGEST] for word in folded.split(None, MOST)[:MOST]]


def phrases(query: str) -> list[Phrase]:
    """What is searched for, all of which has to be there. Quotes hold words together, and so does a sign between them
    (`don't`, an address); the last word is taken for a beginning unless it is quoted."""
    found = []
    for match in _QUERY.finditer(query.translate(_QUOTES)):
        quoted, plain = match.groups()
        if parts := words(quoted if plain is None else plain):
            open_end = plain is not None and match.end() == len(query) and not _ALONE.match(parts[-1])
            found.append(Phrase(tuple(parts), open_end and len(parts[-1]) > 1))
    return found


def excerpt(text: str, wanted: Sequence[Phrase], longest: int = SHOWN) -> list[Mark]:
    """The stretch of the text around the first thing that was searched for, with all of them marked; its beginning
    where none is found."""
    hits = _hits(text[:LOOKED_AT], wanted)
    first = hits[0][0] if hits else 0
    start = 0 if len(text) <= longest else min(_word_before(text, first - longest // 3), len(text) - longest)
    end = start + longest
    marks, at = [Mark("…", False)] if start else [], start
    for begin, stop in hits:
        if at <= begin and stop <= end:
            marks += [Mark(text[at:begin], False), Mark(text[begin:stop], True)]
            at = stop
    marks += [Mark(text[at:end], False), Mark("…" if end < len(text) else "", False)]
    return [mark for mark in marks if mark.text]


def _word_before(text: str, at: int) -> int:
    """The beginning of a word a little before this place."""
    if at <= 0:
        return 0
    space = text.find(" ", at, at + 20)
    return at if space < 0 else space + 1


def _hits(text: str, wanted: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Where it stands, in order and without overlaps."""
    spans = list(_spans(text))
    found = sorted(
        (spans[n][1], spans[n + len(phrase.words) - 1][2])
        for phrase in wanted
        for n in range(len(spans) - len(phrase.words) + 1)
        if _stands(spans, n, phrase)
    )
    return [hit for n, hit in enumerate(found) if n == 0 or hit[0] >= max(stop for _, stop in found[:n])]


def _stands(spans: list[tuple[str, int, int]], at: int, phrase: Phrase) -> bool:
    *whole, last = phrase.words
    if any(spans[at + n][0] != word for n, word in enumerate(whole)):
        return False
    there = spans[at + len(whole)][0]
    return there.startswith(last) if phrase.prefix else there == last


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word, and where it begins and ends in the text."""
    word, start, end = "", 0, 0
    for at, character in enumerate(text):
        folded = _FOLDS[ord(character)]
        if " " not in folded:
            start = start if word else at
            word, end = word + folded, at + 1
            continue
        if word:
            yield word[:LONGEST], start, end
            word = ""
        for part in folded.split():
            yield part, at, at + 1
    if word:
        yield word[:LONGEST], start, end
