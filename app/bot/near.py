"""Rules that nearly matched: a phrase said in part, or a word one letter away.

Looked for only when nothing matched, and only in the first words of a message, so the work is bounded.
"""

from app.bot.scene import NearMiss
from app.said import N_

READ = 12
SHOWN = 3
PER_WORD = 4
SHORTEST, LONGEST = 4, 20

Entry = tuple[tuple[str, ...], str, int]


class Near:
    """Phrases by their words, and words by their spellings with one letter left out."""

    __slots__ = ("entries", "parts", "spellings")

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.parts: dict[str, list[Entry]] = {}
        self.spellings: dict[str, list[str]] = {}

    def add(self, words: tuple[str, ...], text: str, order: int) -> None:
        entry = (words, text, order)
        if len(words) > 1:
            for word in dict.fromkeys(words):
                entries = self.parts.setdefault(word, [])
                if len(entries) < PER_WORD:
                    entries.append(entry)
        elif SHORTEST <= len(words[0]) <= LONGEST:
            self.entries[words[0]] = entry
            for spelling in shorter(words[0]):
                known = self.spellings.setdefault(spelling, [])
                if len(known) < PER_WORD and words[0] not in known:
                    known.append(words[0])

    def find(self, found: list[str], names: tuple[str, ...]) -> list[NearMiss]:
        """The best near misses for the words of a message; `names` are the rules' names by order."""
        scored: dict[int, NearMiss] = {}
        present = set(found)
        for word in dict.fromkeys(found[:READ]):
            for words, text, order in self.parts.get(word, ()):
                keep(scored, order, in_part(words, text, present, names[order]))
            for known in self.alike(word):
                _, text, order = self.entries[known]
                score = round(1 - 1 / len(known), 2)
                keep(
                    scored,
                    order,
                    NearMiss(
                        names[order], score, N_("Said “{word}”, one letter away from “{text}”", word=word, text=text)
                    ),
                )
        ranked = sorted(scored.items(), key=lambda item: (-item[1].score, item[0]))
        return [near for _, near in ranked[:SHOWN]]

    def alike(self, word: str) -> list[str]:
        """Known words one letter away."""
        if not SHORTEST - 1 <= len(word) <= LONGEST + 1:
            return []
        candidates = {known for spelling in shorter(word) for known in self.spellings.get(spelling, ())}
        return sorted(known for known in candidates if one_away(word, known))


def keep(scored: dict[int, NearMiss], order: int, near: NearMiss) -> None:
    if order not in scored or scored[order].score < near.score:
        scored[order] = near


def in_part(words: tuple[str, ...], text: str, present: set[str], name: str) -> NearMiss:
    missing = [word for word in words if word not in present]
    score = round((len(words) - len(missing)) / len(words), 2)
    if not missing:
        return NearMiss(name, 0.95, N_("The words of “{text}” were there, but not one after the other", text=text))
    return NearMiss(name, score, N_("“{text}” was said in part; missing: {names}", text=text, names=", ".join(missing)))


def shorter(word: str) -> set[str]:
    """The word, and the word with each one letter left out."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


def one_away(word: str, known: str) -> bool:
    """One letter more, less, other, or two neighbours swapped."""
    if word == known or abs(len(word) - len(known)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    rest, other = word[start:], known[start:]
    swapped = len(rest) > 1 and rest[1:2] + rest[0:1] + rest[2:] == other
    return swapped or rest[1:] == other[1:] or rest == other[1:] or rest[1:] == other
