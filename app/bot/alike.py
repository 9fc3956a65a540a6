"""Which messages ask the same thing, and the words by which a rule would know them.

Two messages are alike when enough of the words that say something are the same, a letter's slip forgiven. Each group is
measured by its first message, the one said most often, so that groups do not run into each other; the same messages
always make the same groups.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

import msgspec

from app.bot.near import one_away, shorter
from app.bot.words import fold, words

READ: Final = 40  # words of a message
TELLING: Final = 12  # of these, the words that say something
LIKE: Final = 0.4  # of all words of two messages, how many both have
INSIDE: Final = 4  # a message of so many words belongs to a shorter one that is wholly in it
MANY: Final = 40  # among so many wordings,
OFTEN: Final = 0.5  # a word in more than this part of them says nothing
SLIP: Final = 5  # letters that the longer of two words has at least, when one is taken for the other
MOST: Final = 0.75  # of a group's messages, how many have a phrase that a rule begins with
PHRASE: Final = 4
VARIANTS: Final = 4
# Words that questions are made of whatever they are about, folded: English, Portuguese, Spanish, French, German,
# Italian, Arabic.
FILLERS: Final = frozenset(
    """
    a about am an and any are as at be can could did do does for from get got have hello hey hi how i if in is it its
    me my need of on one or our please possible s so some thanks that the there this to u ur us want was we what when
    where which who why will with would you your
    ao as boa bom com como da das de dia do dos e ela ele em esta eu foi isso ja me meu minha na nao no nos o oi ola os
    ou para pode por pra qual quando que quem quero se ser seu sim sua tem tenho tarde um uma voce voces
    al buenas buenos con cual cuando de del dia dias donde el en es esta esto gracias hay hola la las lo los me mi no o
    para por puedo que quiero se si su tienen tiene tu un una usted ustedes y ya yo
    au aux avec avez bonjour ce ces cest dans des du elle en est et il je la le les ma mes moi mon ne nous ou par pas
    peut peux pour puis quand que quel quelle qui sur un une vos votre vous
    auf aus bei bitte das dem den der die ein eine einen er es fur haben habt hallo hat ich ihr im in ist kann konnen
    man mein meine mich mir mit nicht oder sie sind und uns von wann was wie wir wo zu zum zur
    che chi ci ciao come con cosa da dei del della di dove e gli ha ho il io la le mi nel non per piu puo quando si
    sono un una vi
    ال الى إلى الي ان أن انا أنا او أو اي أي على علي عن عند عندكم في فيه كم كيف لا لكم لو ما متى مع من نعم هذا هذه هل
    هو هي و يا
    """.split()
)
_EDGES: Final = re.compile(r"^\W+|\W+$")

Key = tuple[str, ...]


class Words(msgspec.Struct, frozen=True):
    """What a rule for a group listens for: one of `any`, or each of `all`. The other is empty."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()


def alike(texts: Sequence[str]) -> list[list[int]]:
    """Groups of places in `texts`, each group's in their order; the largest group first, then the one met first.

    A text without any word is alike only to the same text. About 0.2 s for 2,000 texts.
    """
    places: dict[Key, list[int]] = {}
    for place, text in enumerate(texts):
        places.setdefault(tuple(words(text)[:READ]) or (fold(text[:200]).strip(),), []).append(place)
    contents = told(list(places))
    said = Counter(word for content in contents.values() for word in content)
    leaders: list[frozenset[str]] = []
    groups: list[list[int]] = []
    known: dict[str, list[int]] = {}
    for key in sorted(places, key=lambda key: (-len(places[key]), len(contents[key]), places[key][0])):
        content = contents[key]
        telling = rarest(content, said)
        group = nearest(content, leaders, sorted({group for word in telling for group in known.get(word, ())}))
        if group < 0:
            group = len(groups)
            leaders.append(content)
            groups.append([])
            for word in telling:
                known.setdefault(word, []).append(group)
        groups[group] += places[key]
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group[0]))


def told(keys: Sequence[Key]) -> dict[Key, frozenset[str]]:
    """Of each wording the words that say something, slips mended; all of them if none does."""
    counts = Counter(word for key in keys for word in set(key))
    meant = mended(counts)
    often = len(keys) * OFTEN if len(keys) >= MANY else len(keys) + 1
    empty = FILLERS | {word for word, count in counts.items() if count > often}
    return {
        key: frozenset([meant.get(word, word) for word in key if word not in empty][:TELLING])
        or frozenset(key[:TELLING])
        for key in keys
    }


def mended(counts: Counter[str]) -> dict[str, str]:
    """For a word that is a letter away from one said more often, that one."""
    meant: dict[str, str] = {}
    spellings: dict[str, list[str]] = {}
    for word in sorted(counts, key=lambda word: (-counts[word], word)):
        if not SLIP - 1 <= len(word) <= 20 or not word.isalpha() or word in FILLERS:
            continue
        near = (known for spelling in sorted(shorter(word)) for known in spellings.get(spelling, ()))
        same = next((known for known in near if max(len(word), len(known)) >= SLIP and one_away(word, known)), None)
        if same is not None:
            meant[word] = same
            continue
        for spelling in shorter(word):
            spellings.setdefault(spelling, []).append(word)
    return meant


def rarest(content: frozenset[str], said: Counter[str]) -> list[str]:
    """So many of the words that two messages which are alike have one of them in common."""
    ordered = sorted(content, key=lambda word: (said[word], word))
    return ordered if len(ordered) <= INSIDE else ordered[: len(ordered) - ceil(len(ordered) * LIKE) + 1]


def nearest(content: frozenset[str], leaders: Sequence[frozenset[str]], candidates: Iterable[int]) -> int:
    """The group among the candidates that is most like these words, the first of several; -1 if none is."""
    best, score, size = -1, 0.0, len(content)
    for group in candidates:
        leader = leaders[group]
        both = len(content & leader)
        found = both / (len(leader) + size - both)
        inside = both == min(len(leader), size) and max(len(leader), size) <= INSIDE
        if found > score and (inside or found >= LIKE):
            best, score = group, found
    return best


# ---- what a rule would listen for -----------------------------------------------------------------------------------


def shared(texts: Sequence[str]) -> Words:
    """The words of a group: several that all have but not one after the other, else a phrase or word that most have,
    with the slips and other words of those that do not have it. Nothing only where no text has a word."""
    keys = [key for text in texts if (key := tuple(words(text)[:READ]))]
    if not keys:
        return Words()
    spelling = spelled(texts)
    counts = Counter(word for key in keys for word in set(key) if word not in FILLERS)
    counts = counts or Counter(word for key in keys for word in set(key))
    enough = len(keys) * MOST
    common = [word for word in in_order(counts, keys) if counts[word] >= enough]
    phrase = longest(keys, set(common), enough)
    always = [word for word in common if counts[word] == len(keys)][:PHRASE]
    if len(always) > 1 and not set(always).issubset(phrase):
        return Words(all=tuple(written((word,), spelling) for word in always))
    found = [phrase] if phrase else []
    while len(found) <= VARIANTS and (left := [key for key in keys if not any(says(key, one) for one in found)]):
        rest = Counter(word for key in left for word in set(key) if word in counts)
        rest = rest or Counter(word for key in left for word in set(key))
        slips = [word for word in rest if any(one_away(word, good) for run in found for good in run)]
        found.append(((slips or in_order(rest, left))[0],))
    return Words(any=tuple(dict.fromkeys(written(one, spelling) for one in found)))


def in_order(counts: Counter[str], keys: Iterable[Key]) -> list[str]:
    """Words by how often they are said, then as they stand in the messages."""
    stands: dict[str, int] = {}
    for key in keys:
        for word in key:
            stands.setdefault(word, len(stands))
    return sorted(counts, key=lambda word: (-counts[word], stands.get(word, len(stands)), word))


def longest(keys: Sequence[Key], common: set[str], enough: float) -> Key:
    """The run of words that has most of the common ones, at both its ends too, and stands in enough messages; () if
    there is none."""
    runs = Counter(
        run
        for key in keys
        for run in {
            key[at : at + size]
            for size in range(1, PHRASE + 1)
            for at in range(len(key) - size + 1)
            if key[at] in common and key[at + size - 1] in common
        }
    )
    fit = [run for run, count in runs.items() if count >= enough]
    return min(fit, key=lambda run: (-len(common.intersection(run)), len(run), -runs[run], run), default=())


def says(key: Key, run: Key) -> bool:
    return any(key[at : at + len(run)] == run for at in range(len(key) - len(run) + 1))


def spelled(texts: Iterable[str]) -> dict[str, str]:
    """Folded words as people write them most, in small letters."""
    found: dict[str, Counter[str]] = {}
    for text in texts:
        for piece in text[:2_000].lower().split():
            bare = _EDGES.sub("", piece)
            if bare and len(folded := words(bare)) == 1:
                found.setdefault(folded[0], Counter())[bare] += 1
    return {word: max(counts, key=lambda bare: (counts[bare], bare)) for word, counts in found.items()}


def written(run: Key, spelling: dict[str, str]) -> str:
    """A run of words as a person writes it: without spaces in scripts that have none."""
    joined = "".join(run)
    if len(run) > 1 and words(joined) == list(run):
        return joined
    return " ".join(spelling.get(word, word) for word in run)
