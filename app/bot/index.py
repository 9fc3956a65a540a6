"""All words and patterns of a document, laid out so that a message finds its rules without asking each of them.

Phrases stand in one tree of words. A rule that asks for more than one thing (a clause) hangs under the rarest of them,
so that it is looked at only when that was said. Patterns are RE2, bounded in size here and linear in the text later.
"""

from typing import Any

import msgspec
import re2

from app.bot.grammar import Rule
from app.bot.near import Near
from app.bot.shape import Located, Problem
from app.bot.triggers import Condition
from app.bot.words import fold, words
from app.said import N_, Sentence

PHRASE_WORDS = 20
# Size of one compiled pattern, and of all of a document: RE2's worst case is this times the text it reads.
PROGRAM = 2_000
PROGRAMS = 4_000


class Phrase(msgspec.Struct, frozen=True):
    """One phrase of the document. `words` are folded; `text` is how the author wrote it; a phrase without words (a lone
    `?`) can only be compared as a whole, by its folded text."""

    words: tuple[str, ...]
    text: str

    @property
    def key(self) -> str:
        return whole(self.words, self.text)


class Clause(msgspec.Struct, frozen=True):
    """A rule's condition; `order` is the rule's place in the document. Parts as in `grammar.Condition`."""

    order: int
    any: tuple[Phrase, ...]
    all: tuple[Phrase, ...]
    starts: tuple[Phrase, ...]
    exact: tuple[Phrase, ...]
    regex: tuple[Any, ...]

    def parts(self) -> int:
        return sum(bool(part) for part in (self.any, self.all, self.starts, self.exact, self.regex))


class End:
    """Where a phrase ends in the tree, and the rules (by order) that have it anywhere, as a beginning, in a clause."""

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


class Index(msgspec.Struct, frozen=True):
    """`exact` and `exact_clauses` are by `whole` text; `patterns` are the clauses only a pattern can decide."""

    tree: dict[str, Branch]
    exact: dict[str, tuple[int, Phrase]]
    exact_clauses: dict[str, tuple[Clause, ...]]
    patterns: tuple[Clause, ...]
    near: Near


def whole(found: list[str] | tuple[str, ...], text: str) -> str:
    """A message as one key for `exact`: its words, or the folded text where it has none."""
    return " ".join(found) if found else fold(text[:200]).strip()


def build(rules: tuple[Rule, ...], vocabulary: dict[str, tuple[Located, ...]]) -> tuple[Index, list[Problem]]:
    """The index of a document, and what was wrong with its words and patterns."""
    builder = Builder(vocabulary)
    for order, rule in enumerate(rules):
        builder.add(order, rule.says)
    return builder.index(), builder.problems


class Builder:
    """Puts conditions into the tree. `size`: what all patterns cost so far."""

    def __init__(self, vocabulary: dict[str, tuple[Located, ...]]) -> None:
        self.vocabulary = vocabulary
        self.problems: list[Problem] = []
        self.tree: dict[str, Branch] = {}
        self.exact: dict[str, tuple[int, Phrase]] = {}
        self.exact_clauses: dict[str, list[Clause]] = {}
        self.clauses: list[Clause] = []
        self.patterns: list[Clause] = []
        self.size = 0

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
            self.clauses.append(clause)

    def add_simple(self, clause: Clause) -> None:
        for phrase in clause.any:
            self.end(phrase).anywhere.append(clause.order)
        for phrase in clause.starts:
            self.end(phrase).starts.append(clause.order)
        for phrase in clause.exact:
            self.exact.setdefault(phrase.key, (clause.order, phrase))

    def end(self, phrase: Phrase) -> End:
        """The phrase's place in the tree, made if need be."""
        branch = self.tree.setdefault(phrase.words[0], Branch())
        for word in phrase.words[1:]:
            branch = branch.next.setdefault(word, Branch())
        if branch.end is None:
            branch.end = End(phrase)
        return branch.end

    def index(self) -> Index:
        uses: dict[str, int] = {}
        for clause in self.clauses:
            for phrase in (*clause.any, *clause.all, *clause.starts, *clause.exact):
                uses[phrase.key] = uses.get(phrase.key, 0) + 1
        for clause in self.clauses:
            self.hang(clause, uses)
        exact_clauses = {key: tuple(clauses) for key, clauses in self.exact_clauses.items()}
        return Index(self.tree, self.exact, exact_clauses, tuple(self.patterns), self.near())

    def hang(self, clause: Clause, uses: dict[str, int]) -> None:
        """Puts a clause where it is met least often: under one phrase that must be said, or under each of a group of
        which one must be."""
        for phrase in (*clause.any, *clause.all, *clause.starts):
            self.end(phrase)
        needed = [(phrase,) for phrase in clause.all]
        groups = [group for group in (clause.any, clause.starts, clause.exact, *needed) if group]
        if not groups:
            self.patterns.append(clause)
            return
        rarest = min(groups, key=lambda group: max(uses[phrase.key] for phrase in group))
        for phrase in rarest:
            if rarest is clause.exact:
                self.exact_clauses.setdefault(phrase.key, []).append(clause)
            else:
                self.end(phrase).clauses.append(clause)

    def near(self) -> Near:
        """What nearly matching is measured against: every phrase, with the first rule it belongs to."""
        near, waiting = Near(), list(self.tree.values())
        while waiting:
            branch = waiting.pop()
            waiting += branch.next.values()
            if (end := branch.end) is not None:
                orders = [*end.anywhere, *end.starts, *(clause.order for clause in end.clauses)]
                if orders:
                    near.add(end.phrase.words, end.phrase.text, min(orders))
        return near

    def phrases(self, texts: tuple[Located, ...], whole_text: bool = False) -> tuple[Phrase, ...]:
        """The phrases of a condition; the name of a group of words stands for itself and its words."""
        found: dict[str, Phrase] = {}
        for text in texts:
            for one in (text, *self.vocabulary.get(text.text, ())):
                phrase = Phrase(tuple(words(one.text)), one.text)
                if not phrase.words and not whole_text:
                    self.wrong(one, N_("“{text}” has no word to look for; use exact or regex", text=one.text))
                elif len(phrase.words) > PHRASE_WORDS:
                    self.wrong(
                        one,
                        N_(
                            "Expected a phrase of at most {most} words, found {count}",
                            most=PHRASE_WORDS,
                            count=len(phrase.words),
                        ),
                    )
                else:
                    found.setdefault(phrase.key, phrase)
        return tuple(found.values())

    def pattern(self, text: Located) -> Any:
        """The compiled pattern, case ignored; None if it was refused."""
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = 1 << 20
        try:
            pattern = re2.compile(text.text, options=options)
        except (re2.error, UnicodeEncodeError) as error:
            return self.wrong(text, N_("This pattern cannot be read: {reason}", reason=reason(error)))
        if pattern.programsize > PROGRAM:
            return self.wrong(text, N_("This pattern is too large; repeat less"))
        self.size += pattern.programsize
        if self.size > PROGRAMS:
            return self.wrong(text, N_("All patterns of this bot together are too large; use words where you can"))
        return pattern

    def wrong(self, text: Located, message: Sentence) -> None:
        self.problems.append(Problem(text.line, text.column, message))


def reason(error: Exception) -> Sentence:
    """What RE2 says, as text."""
    first = error.args[0] if error.args else ""
    return (
        first.decode("utf-8", "replace") if isinstance(first, bytes) else N_("it holds characters that cannot be used")
    )
