"""All words and patterns of a document, laid out so that a message finds its rules without asking each of them.

Phrases stand in one tree of words. A rule that asks for more than one thing (a clause) hangs under the rarest of them,
so that it is looked at only when that was said. Patterns are RE2, bounded in size here and linear in the text later.
"""

from collections import Counter
from typing import Any

import msgspec
import re2

from app.bot.grammar import Rule
from app.bot.guards import Guard, guards
from app.bot.near import Near
from app.bot.shape import Located, Problem
from app.bot.text import Evaluate, TextError, compile_expression
from app.bot.triggers import When
from app.bot.typos import MOST_WORDS, Typos
from app.bot.words import fold, words
from app.said import N_, Sentence

PHRASE_WORDS = 20
# Size of one compiled pattern, and of all of a document: RE2's worst case is this times the text it reads.
PROGRAM = 2_000
PROGRAMS = 4_000
# Parts of the expressions of all rules: as many are calculated at most for one message.
PARTS = 50_000


class Phrase(msgspec.Struct, frozen=True):
    """One phrase of the document. `words` are folded; `text` is how the author wrote it; a phrase without words (a lone
    `?`) can only be compared as a whole, by its folded text."""

    words: tuple[str, ...]
    text: str

    @property
    def key(self) -> str:
        return whole(self.words, self.text)


class Clause(msgspec.Struct, frozen=True):
    """A rule's condition; `order` is the rule's place among the rules as they are asked. Parts as in
    `triggers.Condition`; `guards` are the conditions without words."""

    order: int
    any: tuple[Phrase, ...]
    all: tuple[Phrase, ...]
    starts: tuple[Phrase, ...]
    exact: tuple[Phrase, ...]
    fuzzy: tuple[Phrase, ...]
    regex: tuple[Any, ...]
    guards: tuple[Guard, ...]

    def parts(self) -> int:
        return sum(bool(part) for part in (self.any, self.all, self.starts, self.exact, self.fuzzy, self.regex))


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
    """`exact` are by `whole` text: ends of their own; `typos` and `fuzzy` are phrases that may be misspelled, by their
    words; `patterns` are the clauses only a pattern can decide; `facts` those without words, by what an event must
    have (`guards.facts_of`), with `known` the first words of these."""

    tree: dict[str, Branch]
    exact: dict[str, End]
    typos: Typos
    fuzzy: dict[tuple[str, ...], End]
    patterns: tuple[Clause, ...]
    facts: dict[str, tuple[Clause, ...]]
    known: frozenset[str]
    near: Near

    @property
    def plain(self) -> bool:
        """Nothing but words and phrases anywhere in a message."""
        return not (self.exact or self.fuzzy or self.patterns or self.facts)


def whole(found: list[str] | tuple[str, ...], text: str) -> str:
    """A message as one key for `exact`: its words, or the folded text where it has none."""
    return " ".join(found) if found else fold(text[:200]).strip()


def build(
    rules: tuple[Rule, ...], vocabulary: dict[str, tuple[Located, ...]], pairs: str = ""
) -> tuple[Index, list[Problem]]:
    """The index of rules in the order in which they are asked, and what was wrong with their conditions. `pairs` as in
    `words.fold`."""
    builder = Builder(vocabulary, pairs)
    for order, rule in enumerate(rules):
        builder.add(order, rule.when)
    return builder.index(), builder.problems


class Builder:
    """Puts conditions into the tree. `size`: what all patterns cost so far; `parts`: what all expressions do."""

    def __init__(self, vocabulary: dict[str, tuple[Located, ...]], pairs: str = "") -> None:
        self.vocabulary, self.pairs = vocabulary, pairs
        self.problems: list[Problem] = []
        self.tree: dict[str, Branch] = {}
        self.exact: dict[str, End] = {}
        self.typos, self.fuzzy = Typos(), dict[tuple[str, ...], End]()
        self.facts: dict[str, list[Clause]] = {}
        self.clauses: list[Clause] = []
        self.wordless: list[Clause] = []
        self.patterns: list[Clause] = []
        self.size = self.parts = 0
        self.full = False

    def add(self, order: int, when: When) -> None:
        says = when.says
        clause = Clause(
            order,
            self.phrases(says.any),
            self.phrases(says.all),
            self.phrases(says.starts),
            self.phrases(says.exact, whole_text=True),
            self.phrases(says.fuzzy),
            tuple(pattern for text in says.regex if (pattern := self.pattern(text)) is not None),
            guards(when, self.expression(when.condition)),
        )
        if clause.parts() == 1 and not clause.all and not clause.regex and not clause.guards:
            self.add_simple(clause)
        elif clause.parts():
            self.clauses.append(clause)
        elif clause.guards and not says.texts:
            self.wordless.append(clause)

    def add_simple(self, clause: Clause) -> None:
        for phrase in clause.any:
            self.end(phrase).anywhere.append(clause.order)
        for phrase in clause.starts:
            self.end(phrase).starts.append(clause.order)
        for phrase in clause.exact:
            self.exact.setdefault(phrase.key, End(phrase)).anywhere.append(clause.order)
        for phrase in clause.fuzzy:
            self.nearly(phrase).anywhere.append(clause.order)

    def hang_on_facts(self) -> None:
        """Under the facts that fewest rules ask for, and of these the most telling; under nothing, to be asked each
        time, where no condition has one."""
        uses = Counter(fact for clause in self.wordless for guard in clause.guards for fact in guard.facts)
        for clause in self.wordless:
            own = [guard for guard in clause.guards if guard.alone]
            telling = own or [guard for guard in clause.guards if guard.facts]
            ranked = sorted(telling, key=lambda guard: (max(map(uses.__getitem__, guard.facts)), -guard.weight))
            for fact in ranked[0].facts if ranked else ("",):
                self.facts.setdefault(fact, []).append(clause)

    def nearly(self, phrase: Phrase) -> End:
        """The phrase's place among those that may be misspelled."""
        if phrase.words not in self.fuzzy:
            self.typos.add(phrase.words, phrase.text)
            self.fuzzy[phrase.words] = End(phrase)
            if len(self.typos.known) > MOST_WORDS and not self.full:
                self.full = True
                said = N_("More than {most} words may be misspelled in this bot (“fuzzy”)", most=MOST_WORDS)
                self.problems.append(Problem(1, 1, said))
        return self.fuzzy[phrase.words]

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
            for phrase in (*clause.any, *clause.all, *clause.starts, *clause.exact, *clause.fuzzy):
                uses[phrase.key] = uses.get(phrase.key, 0) + 1
        for clause in self.clauses:
            self.hang(clause, uses)
        self.hang_on_facts()
        facts = {fact: tuple(clauses) for fact, clauses in self.facts.items()}
        known = frozenset(fact.partition(" ")[0] for fact in facts)
        return Index(
            self.tree, self.exact, self.typos, self.fuzzy, tuple(self.patterns), facts, known, self.near()
        )  # fmt: skip

    def hang(self, clause: Clause, uses: dict[str, int]) -> None:
        """Puts a clause where it is met least often: under one phrase that must be said, or under each of a group of
        which one must be."""
        for phrase in (*clause.any, *clause.all, *clause.starts):
            self.end(phrase)
        for phrase in clause.fuzzy:
            self.nearly(phrase)
        needed = [(phrase,) for phrase in clause.all]
        groups = [group for group in (clause.any, clause.starts, clause.exact, clause.fuzzy, *needed) if group]
        if not groups:
            (self.wordless if any(guard.facts for guard in clause.guards) else self.patterns).append(clause)
            return
        rarest = min(groups, key=lambda group: max(uses[phrase.key] for phrase in group))
        for phrase in rarest:
            if rarest is clause.exact:
                self.exact.setdefault(phrase.key, End(phrase)).clauses.append(clause)
            else:
                (self.nearly if rarest is clause.fuzzy else self.end)(phrase).clauses.append(clause)

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
                phrase = Phrase(tuple(words(one.text, self.pairs)), one.text)
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

    def expression(self, source: Located | None) -> Evaluate | None:
        """A condition that is calculated; None if there is none, or it was refused."""
        if source is None:
            return None
        try:
            made = compile_expression(source.text)
        except TextError as error:
            self.wrong(source, error.said)
            return None
        self.parts += made.parts
        if self.parts > PARTS:
            self.wrong(source, N_("The conditions (“if”) of all rules of this bot together are too large"))
        return made.evaluate

    def wrong(self, text: Located, message: Sentence) -> Any:
        self.problems.append(Problem(text.line, text.column, message))


def reason(error: Exception) -> Sentence:
    """What RE2 says, as text."""
    first = error.args[0] if error.args else ""
    return (
        first.decode("utf-8", "replace") if isinstance(first, bytes) else N_("it holds characters that cannot be used")
    )
