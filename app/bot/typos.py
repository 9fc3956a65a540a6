"""Words with slips of the finger: which phrases of a document were nearly said.

A word of up to 3 letters has to be right, one of up to 7 may be one slip away, a longer one two. A slip is a letter
more, less or other, or two neighbours swapped. Words are found by their spellings with letters left out, so the work
grows with the message and not with the document; of a message the first `READ` words are looked at.
"""

from collections.abc import Iterable, Iterator
from typing import Final

READ: Final = 20
ONE_SLIP, TWO_SLIPS = 4, 8  # letters of a word from which on it may have so many
LONGEST: Final = 20
MOST_WORDS: Final = 2_000  # of a document
LIKE: Final = 6  # known words that one word of a message is taken for
PATHS: Final = 64


class Typed:
    """A phrase that was nearly said: `words` as they are meant, `text` as the author wrote them, `typed` as they came;
    it began at word `position`."""

    __slots__ = ("position", "text", "typed", "words")

    def __init__(self, words: tuple[str, ...], text: str, typed: str, position: int) -> None:
        self.words, self.text, self.typed, self.position = words, text, typed, position


class Twig:
    """A place in the tree of phrases; `text` is how one that ends here was written."""

    __slots__ = ("next", "text", "words")

    def __init__(self) -> None:
        self.next: dict[str, Twig] = {}
        self.text = ""
        self.words: tuple[str, ...] = ()


class Typos:
    """Phrases that may be misspelled, and their words by spelling."""

    __slots__ = ("known", "spellings", "tree")

    def __init__(self) -> None:
        self.tree = Twig()
        self.known: set[str] = set()
        self.spellings: dict[str, list[str]] = {}

    def add(self, words: tuple[str, ...], text: str) -> None:
        twig = self.tree
        for word in words:
            twig = twig.next.setdefault(word, Twig())
            if word not in self.known:
                self.known.add(word)
                for spelling in shorter(word, slips(word)):
                    self.spellings.setdefault(spelling, []).append(word)
        twig.words, twig.text = words, twig.text or text

    def find(self, found: list[str]) -> Iterator[Typed]:
        """Every phrase that stands in the words of a message, or nearly, by where it begins."""
        if not self.known:
            return
        found = found[:READ]
        meant = {word: self.alike(word) for word in set(found)}
        for position in range(len(found)):
            twigs, following = [self.tree], position
            while twigs and following < len(found):
                twigs = [twig.next[word] for twig in twigs for word in meant[found[following]] if word in twig.next]
                twigs, following = twigs[:PATHS], following + 1
                for twig in twigs:
                    if twig.words:
                        yield Typed(twig.words, twig.text, " ".join(found[position:following]), position)

    def alike(self, word: str) -> list[str]:
        """Known words that this one may be meant for, the nearest first."""
        if len(word) > LONGEST:
            return []
        most = 2 if len(word) >= TWO_SLIPS - 2 else 1 if len(word) >= ONE_SLIP - 1 else 0
        candidates = {known for spelling in shorter(word, most) for known in self.spellings.get(spelling, ())}
        near = [(away, known) for known in candidates if (away := distance(word, known)) <= slips(known)]
        return [known for _, known in sorted(near)[:LIKE]]


def slips(word: str) -> int:
    """How many a word of the document may have."""
    if len(word) > LONGEST or not word.isalpha():
        return 0
    return 2 if len(word) >= TWO_SLIPS else 1 if len(word) >= ONE_SLIP else 0


def shorter(word: str, most: int) -> set[str]:
    """The word, and the word with up to `most` letters left out."""
    found, last = {word}, {word}
    for _ in range(most):
        last = {each[:at] + each[at + 1 :] for each in last for at in range(len(each))}
        found |= last
    return found


def distance(word: str, known: str) -> int:
    """Slips between two words; a letter is in one slip at most."""
    before: list[int] = []
    row = list(range(len(known) + 1))
    for at, letter in enumerate(word):
        older, before, row = before, row, [at + 1]
        for place, other in enumerate(known):
            cost = min(before[place] + (letter != other), before[place + 1] + 1, row[place] + 1)
            if at and place and letter == known[place - 1] and word[at - 1] == other:
                cost = min(cost, older[place - 1] + 1)
            row.append(cost)
    return row[-1]


def count(phrases: Iterable[tuple[str, ...]]) -> int:
    """Different words of some phrases."""
    return len({word for words in phrases for word in words})
