"""Which rule a message meets: the first in the document's order.

All phrases of all rules stand in one tree of words, walked once from every word of the message, so a turn costs the
same with ten rules and with ten thousand. Patterns are RE2 (linear in the text) and are tried only for rules that could
still win.
"""

from typing import Any

import msgspec
import re2

from app.bot.grammar import Condition, Rule
from app.bot.near import Near
from app.bot.shape import Located, Problem
from app.bot.words import fold, words

PHRASE_WORDS = 20
# A pattern sees this much of a message; RE2's worst case is this times the program's size.
PATTERN_READS = 1_000
PROGRAM = 1_000
PROGRAMS = 10_000
ALSO = 4
NO_RULE = 1 << 60


class Phrase(msgspec.Struct, frozen=True):
    """One phrase of the document. `words` are folded; `text` is how the author wrote it; a phrase without words (a lone
    `?`) can only be compared as a whole, by its folded text."""

    words: tuple[str, ...]
    text: str


class Clause(msgspec.Struct, frozen=True):
    """A rule's condition, ready to be checked against what was found in a message."""

    order: int
    any: tuple[Phrase, ...]
    all: tuple[Phrase, ...]
    starts: tuple[Phrase, ...]
    exact: tuple[Phrase, ...]
    regex: tuple[Any, ...]

    def parts(self) -> int:
        return sum(bool(part) for part in (self.any, self.all, self.starts, self.exact, self.regex))


class End:
    """Where a phrase ends in the tree: the rules (by order) that have it as a word, as a beginning, as a part of more."""

    __slots__ = ("anywhere", "clauses", "phrase", "starts")

    def __init__(self, phrase: Phrase) -> None:
        self.phrase = phrase
        self.anywhere: list[int] = []
        self.starts: list[int] = []
        self.clauses: list[Clause] = []


class Branch:
    __slots__ = ("end", "next")

    def __init__(self) -> None:
        self.next: dict[str, Branch] = {}
        self.end: End | None = None


class Found(msgspec.Struct, frozen=True):
    """The rule that won (`order`, -1 if none), by what (`how` is one of `word`, `phrase`, `starts`, `exact`, `pattern`,
    `all`), the words that decided it, and later rules that would have matched as well (order, phrase)."""

    order: int
    how: str = ""
    matched: tuple[str, ...] = ()
    also: tuple[tuple[int, str], ...] = ()
    failed: tuple[tuple[int, str], ...] = ()


class Matcher(msgspec.Struct, frozen=True):
    """All rules of a version, ready to match."""

    tree: dict[str, Branch]
    exact: dict[str, tuple[int, Phrase]]
    exact_clauses: dict[str, tuple[Clause, ...]]
    patterns: tuple[Clause, ...]
    near: Near


def whole(found: list[str], text: str) -> str:
    """A message as one key for `exact`: its words, or the folded text where it has none."""
    return " ".join(found) if found else fold(text[:200]).strip()


def match(matcher: Matcher, text: str, found: list[str], button: list[str] | None = None) -> Found:
    """The first rule that fits. `found` are the text's words; `button` the words of a pressed button's id."""
    ends = walk(matcher.tree, found)
    if button:
        ends += walk(matcher.tree, button)
    best, how, matched = NO_RULE, "", ""
    clauses: list[Clause] = []
    for position, end in ends:
        if end.anywhere and end.anywhere[0] < best:
            best, matched = end.anywhere[0], end.phrase.text
            how = "word" if len(end.phrase.words) == 1 else "phrase"
        if position == 0 and end.starts and end.starts[0] < best:
            best, how, matched = end.starts[0], "starts", end.phrase.text
        if end.clauses:
            clauses += end.clauses
    if matcher.exact or matcher.exact_clauses:
        key = whole(found, text)
        order, phrase = matcher.exact.get(key, (NO_RULE, None))
        if phrase is not None and order < best:
            best, how, matched = order, "exact", phrase.text
        clauses += matcher.exact_clauses.get(key, ())
    if not clauses and not matcher.patterns:
        return Found(best if best < NO_RULE else -1, how, (matched,) if how else (), also(ends, best))
    return decide_clauses(matcher, text, found, ends, clauses, Found(best, how, (matched,) if how else ()))


def decide_clauses(
    matcher: Matcher, text: str, found: list[str], ends: list[tuple[int, End]], clauses: list[Clause], simple: Found
) -> Found:
    """Checks the rules that ask for more than one word, in order, as long as they stand before the best so far."""
    said = {end.phrase.words: position for position, end in reversed(ends)}
    best = simple
    failed: list[tuple[int, str]] = []
    rest = {clause.order: clause for clause in (*clauses, *matcher.patterns)}
    for order in sorted(rest):
        if order >= best.order:
            break
        how, matched = check(rest[order], text, found, said)
        if how:
            best = Found(order, how, matched)
            break
        if matched and len(failed) < ALSO:
            failed.append((order, matched[0]))
    order = best.order if best.order < NO_RULE else -1
    return Found(order, best.how, best.matched, also(ends, best.order), tuple(failed))


def check(clause: Clause, text: str, found: list[str], said: dict[tuple[str, ...], int]) -> tuple[str, tuple[str, ...]]:
    """How the clause holds and by which words; `("", words)` if it does not, with the words that were there."""
    matched: list[str] = []
    missing = False
    for phrase in clause.all:
        if phrase.words in said:
            matched.append(phrase.text)
        else:
            missing = True
    for choices, first in ((clause.any, False), (clause.starts, True)):
        if choices:
            hit = next((p.text for p in choices if p.words in said and not (first and said[p.words])), None)
            missing = missing or hit is None
            matched += [hit] if hit is not None else []
    if clause.exact:
        key = whole(found, text)
        hit = next((p.text for p in clause.exact if whole(list(p.words), p.text) == key), None)
        missing = missing or hit is None
        matched += [hit] if hit is not None else []
    if clause.regex and not missing:
        fits = next((hit for hit in (pattern.search(text) for pattern in clause.regex) if hit), None)
        missing = fits is None
        matched += [fits.group()[:100]] if fits is not None else []
    if missing:
        return "", tuple(matched)
    return "pattern" if clause.regex else "all", tuple(matched)


def walk(tree: dict[str, Branch], found: list[str]) -> list[tuple[int, End]]:
    """Every phrase that stands in the words, with the position it begins at."""
    ends: list[tuple[int, End]] = []
    for position, word in enumerate(found):
        branch = tree.get(word)
        following = position + 1
        while branch is not None:
            if branch.end is not None:
                ends.append((position, branch.end))
            if not branch.next or following >= len(found):
                break
            branch = branch.next.get(found[following])
            following += 1
    return ends


def also(ends: list[tuple[int, End]], best: int) -> tuple[tuple[int, str], ...]:
    """Rules that had a word in the message too but stand later."""
    others: dict[int, str] = {}
    for _, end in ends[:50]:
        for order in end.anywhere[:ALSO]:
            if order > best and len(others) < ALSO:
                others.setdefault(order, end.phrase.text)
    return tuple(sorted(others.items())) if others else ()


def build(rules: tuple[Rule, ...], vocabulary: dict[str, tuple[Located, ...]]) -> tuple[Matcher, list[Problem]]:
    """The matcher of a document, and what was wrong with its words and patterns."""
    problems: list[Problem] = []
    builder = Builder(vocabulary, problems)
    for order, rule in enumerate(rules):
        builder.add(order, rule.says)
    return builder.matcher(rules), problems


class Builder:
    """Puts conditions into the tree. `sizes`: what all patterns together may cost."""

    def __init__(self, vocabulary: dict[str, tuple[Located, ...]], problems: list[Problem]) -> None:
        self.vocabulary = vocabulary
        self.problems = problems
        self.tree: dict[str, Branch] = {}
        self.exact: dict[str, tuple[int, Phrase]] = {}
        self.exact_clauses: dict[str, list[Clause]] = {}
        self.clauses: list[Clause] = []
        self.patterns: list[Clause] = []
        self.sizes = 0

    def add(self, order: int, says: Condition) -> None:
        clause = Clause(
            order,
            self.phrases(says.any),
            self.phrases(says.all),
            self.phrases(says.starts),
            self.phrases(says.exact, whole_text=True),
            tuple(pattern for text in says.regex if (pattern := self.pattern(text)) is not None),
        )
        if clause.parts() == 1 and not clause.all and not clause.regex:
            self.add_simple(clause)
        elif clause.parts():
            for phrase in (*clause.any, *clause.all, *clause.starts):
                self.end(phrase)
            self.clauses.append(clause)

    def add_simple(self, clause: Clause) -> None:
        for phrase in clause.any:
            self.end(phrase).anywhere.append(clause.order)
        for phrase in clause.starts:
            self.end(phrase).starts.append(clause.order)
        for phrase in clause.exact:
            self.exact.setdefault(whole(list(phrase.words), phrase.text), (clause.order, phrase))

    def end(self, phrase: Phrase) -> End:
        branch = self.tree.setdefault(phrase.words[0], Branch())
        for word in phrase.words[1:]:
            branch = branch.next.setdefault(word, Branch())
        if branch.end is None:
            branch.end = End(phrase)
        return branch.end

    def matcher(self, rules: tuple[Rule, ...]) -> Matcher:
        """Hangs every compound condition under as few words as possible, then freezes all."""
        uses: dict[tuple[str, ...], int] = {}
        for clause in self.clauses:
            for phrase in clause.all:
                uses[phrase.words] = uses.get(phrase.words, 0) + 1
        for clause in self.clauses:
            self.hang(clause, uses)
        near = Near()
        for phrase, order in self.ends():
            near.add(phrase.words, phrase.text, order)
        clauses = {key: tuple(found) for key, found in self.exact_clauses.items()}
        return Matcher(self.tree, self.exact, clauses, tuple(self.patterns), near)

    def hang(self, clause: Clause, uses: dict[tuple[str, ...], int]) -> None:
        if clause.all:
            rarest = min(clause.all, key=lambda phrase: uses[phrase.words])
            self.end(rarest).clauses.append(clause)
        elif clause.any or clause.starts:
            for phrase in clause.starts or clause.any:
                self.end(phrase).clauses.append(clause)
        elif clause.exact:
            for phrase in clause.exact:
                self.exact_clauses.setdefault(whole(list(phrase.words), phrase.text), []).append(clause)
        else:
            self.patterns.append(clause)

    def ends(self) -> list[tuple[Phrase, int]]:
        """Every phrase with the first rule it belongs to."""
        found: list[tuple[Phrase, int]] = []
        waiting = list(self.tree.values())
        while waiting:
            branch = waiting.pop()
            waiting += branch.next.values()
            if branch.end is not None:
                orders = [*branch.end.anywhere, *branch.end.starts, *(clause.order for clause in branch.end.clauses)]
                found += [(branch.end.phrase, min(orders))] if orders else []
        return found

    def phrases(self, texts: tuple[Located, ...], whole_text: bool = False) -> tuple[Phrase, ...]:
        """The phrases of a condition; the name of a group of words stands for itself and its words."""
        found: dict[tuple[str, ...] | str, Phrase] = {}
        for text in texts:
            for one in (text, *self.vocabulary.get(text.text, ())):
                split = tuple(words(one.text))
                if not split and not whole_text:
                    self.wrong(one, f"“{one.text}” has no word to look for; use exact or regex")
                elif len(split) > PHRASE_WORDS:
                    self.wrong(one, f"Expected a phrase of at most {PHRASE_WORDS} words, found {len(split)}")
                else:
                    found.setdefault(split or one.text, Phrase(split, one.text))
        return tuple(found.values())

    def pattern(self, text: Located) -> Any:
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = 1 << 20
        try:
            pattern = re2.compile(text.text, options=options)
        except (re2.error, UnicodeEncodeError) as error:
            return self.wrong(text, f"This pattern cannot be read: {reason(error)}")
        if pattern.programsize > PROGRAM:
            return self.wrong(text, "This pattern is too large; repeat less")
        self.sizes += pattern.programsize
        if self.sizes > PROGRAMS:
            return self.wrong(text, "All patterns of this bot together are too large; use words where you can")
        return pattern

    def wrong(self, text: Located, message: str) -> None:
        self.problems.append(Problem(text.line, text.column, message))


def reason(error: Exception) -> str:
    """What RE2 says, as text."""
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else "it holds characters that cannot be used"
