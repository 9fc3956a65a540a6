"""Which rule a message meets: the first in the document's order.

The tree of words is walked once from every word of the message, so a turn costs the same with ten rules and with ten
thousand. Clauses and patterns are tried only for rules that could still win; what asks for no words is found by the
facts of the event.
"""

from bisect import bisect_right

import msgspec

from app.bot.asked import Asked
from app.bot.guards import Guard, facts_of, told
from app.bot.index import Branch, Clause, End, Index, Phrase, whole
from app.said import N_, Sentence

# A pattern sees this much of a message.
PATTERN_READS = 500
ALSO = 4
NO_RULE = 1 << 60

Ends = list[tuple[int, End]]


class Found(msgspec.Struct, frozen=True):
    """The rule that won: `order` is its place, -1 if none. `how` is one of `word`, `phrase`, `starts`, `exact`,
    `fuzzy`, `pattern`, `all`, or `with`, `event` for conditions with and without words; `matched` the words that
    decided it, `meant` the phrase that was nearly said; `held` the conditions. `also` are later rules (order, word)
    that would have matched as well, `failed` earlier ones (order, why) that asked for more."""

    order: int
    how: str = ""
    matched: tuple[str, ...] = ()
    also: tuple[tuple[int, str], ...] = ()
    failed: tuple[tuple[int, Sentence], ...] = ()
    meant: str = ""
    held: tuple[Guard, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """What was said, as rules compare it. `said`: phrases and where they begin; `keys`: the whole as `exact` has it;
    `typed`: phrases that were nearly said, as they came."""

    asked: Asked
    said: dict[tuple[str, ...], int]
    keys: tuple[str, ...]
    typed: dict[tuple[str, ...], str]


def match(index: Index, asked: Asked, above: int = -1) -> Found:
    """The first rule that fits; of those after `above`, if it is given."""
    if asked.reaction is not None:
        return by_facts(index, asked, above)
    ends = walk(index.tree, asked.words)
    if asked.button:
        ends += walk(index.tree, asked.button)
    best, how, matched, meant = NO_RULE, "", "", ""
    clauses: list[Clause] = []
    for position, end in ends:
        if end.anywhere and (order := first(end.anywhere, above)) < best:
            best, matched = order, end.phrase.text
            how = "word" if len(end.phrase.words) == 1 else "phrase"
        if position == 0 and end.starts and (order := first(end.starts, above)) < best:
            best, how, matched = order, "starts", end.phrase.text
        if end.clauses:
            clauses += end.clauses
    if not clauses and index.plain:
        return Found(best, how, (matched,), also(ends, best)) if how else Found(-1)
    found, text, button = asked.words, asked.text[:PATTERN_READS], asked.button
    keys = (whole(found, text), " ".join(button)) if button else (whole(found, text),)
    for key in keys:
        exact = index.exact.get(key)
        if exact is not None:
            clauses += exact.clauses
            if exact.anywhere and (order := first(exact.anywhere, above)) < best:
                best, how, matched = order, "exact", exact.phrase.text
    typed: dict[tuple[str, ...], str] = {}
    for near in index.typos.find(found):
        end = index.fuzzy[near.words]
        typed.setdefault(near.words, near.typed)
        clauses += end.clauses
        if end.anywhere and (order := first(end.anywhere, above)) < best:
            best, how, matched, meant = order, "fuzzy", near.typed, end.phrase.text
    clauses += index.patterns
    if index.facts:
        clauses += with_facts(index, asked)
    simple = Found(best, how, (matched,), meant=meant) if how else Found(NO_RULE)
    said = {end.phrase.words: position for position, end in reversed(ends)}
    return first_clause(simple, clauses, Message(asked, said, keys, typed), ends, above)


def first(orders: list[int], above: int) -> int:
    """The first after `above`, `NO_RULE` if there is none."""
    if above < 0:
        return orders[0]
    place = bisect_right(orders, above)
    return orders[place] if place < len(orders) else NO_RULE


def by_facts(index: Index, asked: Asked, above: int = -1) -> Found:
    """The first rule that fits an event without words."""
    return first_clause(Found(NO_RULE), with_facts(index, asked), Message(asked, {}, (), {}), [], above)


def with_facts(index: Index, asked: Asked) -> list[Clause]:
    """Clauses that may hold because of what came, or who wrote, where and when."""
    return [clause for fact in facts_of(asked, index.known) for clause in index.facts.get(fact, ())]


def first_clause(simple: Found, clauses: list[Clause], message: Message, ends: Ends, above: int) -> Found:
    """Looks at the clauses in order, as long as they stand before the best rule so far."""
    failed: list[tuple[int, Sentence]] = []
    by_order = {clause.order: clause for clause in clauses if above < clause.order < simple.order}
    if message.asked.bare:
        by_order = {order: clause for order, clause in by_order.items() if not clause.guards}
    for place in sorted(by_order):
        clause = by_order[place]
        hits, holds = check(clause, message)
        lost = next((guard for guard in clause.guards if not guard.holds(message.asked)), None) if holds else None
        if holds and lost is None:
            how = "with" if hits else "event"
            how = how if clause.guards else "pattern" if clause.regex else "all"
            return Found(place, how, hits, also(ends, place), tuple(failed), held=clause.guards)
        if len(failed) < ALSO and (why := reason(clause, hits, lost, message.asked)) is not None:
            failed.append((place, why))
    order = simple.order if simple.order < NO_RULE else -1
    return Found(order, simple.how, simple.matched, also(ends, order), tuple(failed), simple.meant)


def reason(clause: Clause, hits: tuple[str, ...], lost: Guard | None, asked: Asked) -> Sentence | None:
    """Why a rule lost that had something of what it asks for; None if it had nothing telling."""
    if hits and lost is None:
        return N_("“{word}” was said, but it asks for more", word=hits[0])
    if lost is None:
        return None
    if hits:
        return N_("“{word}” was said, but {why}", word=hits[0], why=lost.is_not)
    held = [guard for guard in clause.guards if guard.weight and guard is not lost and guard.holds(asked)]
    return N_("{facts}, but {why}", facts=told(held), why=lost.is_not) if held else None


def check(clause: Clause, message: Message) -> tuple[tuple[str, ...], bool]:
    """The words that were there, and whether every part with words holds."""
    said, typed = message.said, message.typed
    hits = [phrase.text for phrase in clause.all if phrase.words in said]
    holds = len(hits) == len(clause.all)
    groups: tuple[tuple[tuple[Phrase, ...], list[str]], ...] = (
        (clause.any, [phrase.text for phrase in clause.any if phrase.words in said]),
        (clause.starts, [phrase.text for phrase in clause.starts if said.get(phrase.words) == 0]),
        (clause.exact, [phrase.text for phrase in clause.exact if phrase.key in message.keys]),
        (clause.fuzzy, [typed[phrase.words] for phrase in clause.fuzzy if phrase.words in typed]),
    )
    for group, there in groups:
        hits += there[:1]
        holds = holds and (not group or bool(there))
    if clause.regex and holds:
        fits = search(clause, message.asked.text[:PATTERN_READS])
        hits += [fits] if fits else []
        holds = fits is not None
    return tuple(hits), holds


def search(clause: Clause, text: str) -> str | None:
    """The part of the text the first fitting pattern found. RE2 reads UTF-8, which has no half characters."""
    clean = text.encode("utf-8", "replace").decode()
    for pattern in clause.regex:
        found = pattern.search(clean)
        if found:
            return str(found.group())[:100]
    return None


def walk(tree: dict[str, Branch], found: list[str]) -> Ends:
    """Every phrase that stands in the words, with the position it begins at."""
    ends: Ends = []
    if tree.keys().isdisjoint(found):
        return ends
    for position, word in enumerate(found):
        if word not in tree:
            continue
        branch: Branch | None = tree[word]
        following = position + 1
        while branch is not None:
            if branch.end is not None:
                ends.append((position, branch.end))
            if not branch.next or following >= len(found):
                break
            branch = branch.next.get(found[following])
            following += 1
    return ends


def also(ends: Ends, best: int) -> tuple[tuple[int, str], ...]:
    """Rules that had a word in the message too but stand later."""
    if len(ends) < 2 and (not ends or len(ends[0][1].anywhere) < 2):
        return ()
    others: dict[int, str] = {}
    for _, end in ends[:50]:
        for order in end.anywhere[:ALSO]:
            if order > best and len(others) < ALSO:
                others.setdefault(order, end.phrase.text)
    return tuple(sorted(others.items()))
