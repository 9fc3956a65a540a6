"""Rules that never answer, and conditions that never hold or cost much. Warnings."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import combinations
from typing import Final

from app.bot.grammar import Document, Rule
from app.bot.opening import ever_open
from app.bot.shape import Located, Problem
from app.bot.triggers import When
from app.bot.words import fold, paired, words
from app.said import N_, Sentence, mark

Parts = frozenset[str]
Key = tuple[str, ...]

KNOWS: Final = mark("“{name}” never answers: “{above}” before it knows all its words.")
HOLDS: Final = mark("“{name}” never answers: “{above}”, which is asked before it, holds whenever it does.")
MANY: Final = 100  # rules that are asked at every message
COMBINED: Final = 6  # conditions of one rule of which each choice is looked up
LISTS: Final = ("pressed", "media", "reaction", "channel", "network", "trigger")
# What these rules answer, no others do.
OF_THEIR_OWN: Final = ("reaction", "trigger", "inactivity")
# By these a rule is found without asking it.
TELLING: Final = (
    *("pressed", "media", "location", "order", "reaction", "referral", "tag", "field", "first"),
    *("trigger", "inactivity"),
)


def rivals(document: Document) -> Iterator[Problem]:
    yield from unanswering(document)
    yield from many(document)
    for rule in document.rules:
        yield from impossible(rule, document)
        yield from misspelled(rule.when, document)


# ---- rules that never answer ----------------------------------------------------------------------------------------


def unanswering(document: Document) -> Iterator[Problem]:
    """Rules that stand behind others which hold whenever they do. One that may interrupt a question has to stand behind
    such a one for that."""
    asked = sorted(document.rules, key=lambda rule: -rule.priority)
    behind = covered(asked, document)
    among = covered([rule for rule in asked if rule.interrupt], document)
    for rule in document.rules:
        above = (among if rule.interrupt else behind).get(rule.name.text)
        if above is not None:
            if rule.says.any and not conditions(rule.when):
                said = N_(
                    "“{name}” never answers: “{above}” before it knows all its words.", name=rule.name.text, above=above
                )
            else:
                said = N_(
                    "“{name}” never answers: “{above}”, which is asked before it, holds whenever it does.",
                    name=rule.name.text,
                    above=above,
                )
            yield warning(rule.name, said)


def covered(asked: Iterable[Rule], document: Document) -> dict[str, str]:
    """Rules that earlier ones always take the place of, with one of these."""
    taken: dict[tuple[Parts, Key], str] = {}
    found: dict[str, str] = {}
    for rule in asked:
        parts, keys = conditions(rule.when), phrases(rule, document)
        weaker = [less for less in choices(parts) if own(less) == own(parts)]
        owners = [owner_of(taken, weaker, key) for key in keys]
        if all(owners):
            found[rule.name.text] = owners[0]
        elif not rule.goes_on:
            for key in keys:
                taken.setdefault((parts, key), rule.name.text)
    return found


def owner_of(taken: dict[tuple[Parts, Key], str], weaker: list[Parts], key: Key) -> str:
    """The rule that has this phrase, or no words at all, with no more conditions."""
    return next((taken[less, one] for less in weaker for one in (key, ("",)) if (less, one) in taken), "")


def own(parts: Parts) -> set[str]:
    return {part for part in parts if part.startswith(OF_THEIR_OWN)}


def choices(parts: Parts) -> list[Parts]:
    """Every choice of some of them; of many only all, each alone and none."""
    sizes = range(len(parts) + 1) if len(parts) <= COMBINED else (0, 1, len(parts))
    return [frozenset(some) for size in sizes for some in combinations(sorted(parts), size)]


def phrases(rule: Rule, document: Document) -> list[Key]:
    """What it listens to, each of which is enough: `("any", word…)`, `("fuzzy", word…)`; the whole of it where it is
    more than that; `("",)` without words."""
    says, pairs = rule.says, paired(document.language)
    if not says.texts:
        return [("",)]
    if says.all or says.starts or says.exact or says.regex or (says.any and says.fuzzy):
        return [("whole", *(f"{name} {text.text}" for name in says.__struct_fields__ for text in getattr(says, name)))]
    kind, texts = ("any", says.any) if says.any else ("fuzzy", says.fuzzy)
    members = [member for text in texts for member in (text, *document.vocabulary.get(text.text, ()))]
    return [(kind, *found) for member in members if (found := words(member.text, pairs))] or [("whole", "")]


def conditions(when: When) -> Parts:
    """What it asks for besides words, each as one text."""
    found = {f"{name} {alternatives(getattr(when, name))}" for name in LISTS if getattr(when, name)}
    found |= {f"tag {fold(tag.text)}" for tag in when.tag} | {f"no_tag {fold(tag.text)}" for tag in when.no_tag}
    found |= {f"field {name} {alternatives(values)}" for name, values in when.field.items()}
    found |= {f"no_field {name.text}" for name in when.no_field}
    found |= {name for name in ("location", "order", "first") if getattr(when, name)}
    if when.referral is not None:
        told = sorted(f"{name} {alternatives(values)}" for name, values in when.referral.items())
        found.add(f"referral {' '.join(told)}")
    if when.first_after:
        found.add(f"first_after {when.first_after}")
    if when.inactivity:
        found.add(f"inactivity {when.inactivity}")
    if when.open is not None:
        found.add(f"open {when.open}")
    return frozenset(found | ({f"if {when.condition.text.strip()}"} if when.condition else set()))


def alternatives(values: Iterable[Located]) -> str:
    return "|".join(sorted(fold(value.text.strip()) for value in values))


# ---- conditions that never hold, or cost much -----------------------------------------------------------------------


def impossible(rule: Rule, document: Document) -> Iterator[Problem]:
    when = rule.when
    for tag in when.no_tag:
        if fold(tag.text) in {fold(other.text) for other in when.tag}:
            yield never(rule, N_("the contact cannot have the tag “{tag}” and not have it", tag=tag.text))
    for name in when.no_field:
        if name.text in when.field:
            yield never(rule, N_("the field “{name}” cannot have a value and have none", name=name.text))
    kinds = [name for name in ("pressed", "media", "location", "order", "reaction") if getattr(when, name)]
    if len(kinds) > 1 and (not document.gather or "reaction" in kinds):
        yield never(rule, N_("a message is only one of {kinds}", kinds=", ".join(kinds)))
    elif when.reaction and when.says.texts:
        yield never(rule, N_("a reaction says nothing"))
    if when.open and document.hours is not None and not ever_open(document.hours):
        yield never(rule, N_("by its hours, it is never open"))


def never(rule: Rule, why: Sentence) -> Problem:
    return warning(rule.name, N_("“{name}” never answers: {why}.", name=rule.name.text, why=why))


def many(document: Document) -> Iterator[Problem]:
    """Rules without anything by which they are found."""
    asked = [rule for rule in document.rules if not rule.says.texts and not found_by(rule.when)]
    if len(asked) > MANY:
        said = N_(
            "{count} rules ask for nothing by which they are found, so each is asked at every message; up to {most} "
            "take no time. Let them ask for words, a button, a kind of message or a tag.",
            count=len(asked),
            most=MANY,
        )
        yield warning(asked[MANY].name, said)


def found_by(when: When) -> bool:
    return any(part.split(" ", 1)[0] in TELLING for part in conditions(when))


def misspelled(when: When, document: Document) -> Iterator[Problem]:
    """A word that is nearly the name of a group of words."""
    names = list(document.vocabulary)
    for text in when.says.texts if names else ():
        if text.text not in document.vocabulary and (close := get_close_matches(text.text, names, 1, 0.85)):
            yield warning(
                text, N_("Is the group of words “{close}” meant? “{text}” is none.", close=close[0], text=text.text)
            )


def warning(place: Located, message: Sentence) -> Problem:
    return Problem(place.line, place.column, message, "warning")
