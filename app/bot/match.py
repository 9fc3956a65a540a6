"""Which rule a message meets: the first in the document's order.

The tree of words is walked once from every word of the message, so a turn costs the same with ten rules and with ten
thousand. Clauses and patterns are tried only for rules that could still win.
"""

import msgspec

from app.bot.index import Branch, Clause, End, Index, Phrase, whole

# A pattern sees this much of a message.
PATTERN_READS = 500
ALSO = 4
NO_RULE = 1 << 60

Ends = list[tuple[int, End]]


class Found(msgspec.Struct, frozen=True):
    """The rule that won: `order` is its place, -1 if none. `how` is one of `word`, `phrase`, `starts`, `exact`,
    `pattern`, `all`; `matched` the words that decided it. `also` are later rules (order, word) that would have matched
    as well, `failed` earlier ones that asked for more."""

    order: int
    how: str = ""
    matched: tuple[str, ...] = ()
    also: tuple[tuple[int, str], ...] = ()
    failed: tuple[tuple[int, str], ...] = ()


class Message(msgspec.Struct, frozen=True):
    """What was said, as rules compare it. `said`: phrases and where they begin; `keys`: the whole as `exact` has it."""

    text: str
    said: dict[tuple[str, ...], int]
    keys: tuple[str, ...]


def match(index: Index, text: str, found: list[str], button: list[str] | None = None) -> Found:
    """The first rule that fits. `found` are the text's words; `button` the words of a pressed button's id."""
    ends = walk(index.tree, found)
    if button:
        ends += walk(index.tree, button)
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
    if not clauses and not index.exact and not index.exact_clauses and not index.patterns:
        return Found(best, how, (matched,), also(ends, best)) if how else Found(-1)
    keys = (whole(found, text), " ".join(button)) if button else (whole(found, text),)
    for key in keys:
        order, phrase = index.exact.get(key, (NO_RULE, None))
        if phrase is not None and order < best:
            best, how, matched = order, "exact", phrase.text
        clauses += index.exact_clauses.get(key, ())
    simple = Found(best, how, (matched,)) if how else Found(NO_RULE)
    return first_clause(simple, (*clauses, *index.patterns), text, ends, keys)


def first_clause(simple: Found, clauses: tuple[Clause, ...], text: str, ends: Ends, keys: tuple[str, ...]) -> Found:
    """Looks at the clauses in order, as long as they stand before the best rule so far."""
    message = Message(text, {end.phrase.words: position for position, end in reversed(ends)}, keys)
    order, how, matched = simple.order, simple.how, simple.matched
    failed: list[tuple[int, str]] = []
    by_order = {clause.order: clause for clause in clauses}
    for place in sorted(by_order):
        if place >= simple.order:
            break
        clause = by_order[place]
        holds, hits = check(clause, message)
        if holds:
            order, how, matched = clause.order, "pattern" if clause.regex else "all", hits
            break
        if hits and len(failed) < ALSO:
            failed.append((clause.order, hits[0]))
    return Found(order if order < NO_RULE else -1, how, matched, also(ends, order), tuple(failed))


def check(clause: Clause, message: Message) -> tuple[bool, tuple[str, ...]]:
    """Whether every part of the clause holds, and the words that were there."""
    said = message.said
    hits = [phrase.text for phrase in clause.all if phrase.words in said]
    holds = len(hits) == len(clause.all)
    groups: tuple[tuple[tuple[Phrase, ...], list[str]], ...] = (
        (clause.any, [phrase.text for phrase in clause.any if phrase.words in said]),
        (clause.starts, [phrase.text for phrase in clause.starts if said.get(phrase.words) == 0]),
        (clause.exact, [phrase.text for phrase in clause.exact if phrase.key in message.keys]),
    )
    for group, there in groups:
        hits += there[:1]
        holds = holds and (not group or bool(there))
    if clause.regex and holds:
        fits = search(clause, message.text)
        hits += [fits] if fits else []
        holds = fits is not None
    return holds, tuple(hits)


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
