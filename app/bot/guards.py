"""Conditions without words, made ready to be asked: each knows whether it holds, and how to tell so.

`facts` are what an event must have for it to hold, one of them; a rule without words is found by the facts of its
rarest condition, so that it is not asked about everything else.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from app.bot.asked import Asked, press
from app.bot.shape import Located
from app.bot.stars import fits
from app.bot.triggers import ANY, KINDS, When
from app.bot.words import fold
from app.said import N_, Sentence, joined, mark

Test = Callable[[Asked], bool]

ONE_KIND: Final = {
    "image": mark("an image"),
    "video": mark("a video"),
    "audio": mark("an audio file"),
    "voice": mark("a voice message"),
    "document": mark("a document"),
    "sticker": mark("a sticker"),
}


class Guard(msgspec.Struct, frozen=True):
    """`is_so` is what is told where it holds (“an image”), `is_not` why a rule lost (“it is no image”). The more
    telling its `facts` are, the higher its `weight`; without facts it can only be asked. `alone`: an event that has
    them has no others."""

    holds: Test
    is_so: Sentence
    is_not: Sentence
    facts: tuple[str, ...] = ()
    weight: int = 0
    alone: bool = False


def guards(when: When, condition: Callable[[Any], Any] | None) -> tuple[Guard, ...]:
    """All of a rule, the cheap ones first. `condition` is its expression, checked."""
    return (*of_prompt(when), *of_message(when), *of_contact(when), *of_scene(when, condition))


# ---- what happened without a message ---------------------------------------------------------------------------------


def of_prompt(when: When) -> Iterator[Guard]:
    if when.trigger:
        prompts = frozenset(f"trigger {fold(text.text)}" for text in when.trigger)
        yield Guard(
            lambda asked: asked.prompt in prompts,
            N_("the trigger “{name}”", name=named(when.trigger)),
            N_("the trigger “{name}” was not asked for", name=named(when.trigger)),
            tuple(sorted(prompts)),
            10,
            alone=True,
        )
    if when.inactivity:
        prompt, length = f"inactive {when.inactivity}", span(when.inactivity)
        yield Guard(
            lambda asked: asked.prompt == prompt,
            N_("nobody wrote for {length}", length=length),
            N_("somebody wrote less than {length} before", length=length),
            (prompt,),
            10,
            alone=True,
        )


# ---- what came ------------------------------------------------------------------------------------------------------


def of_message(when: When) -> Iterator[Guard]:
    if when.pressed:
        ids = frozenset(press(text.text) for text in when.pressed)
        yield Guard(
            lambda asked: not ids.isdisjoint(asked.pressed),
            N_("the button or row “{id}”", id=named(when.pressed)),
            N_("the button or row “{id}” was not pressed", id=named(when.pressed)),
            tuple(f"pressed {id}" for id in sorted(ids)),
            9,
        )
    if when.media:
        kinds = {text.text for text in when.media}
        yield of_kind(
            KINDS if ANY in kinds else tuple(kind for kind in KINDS if kind in kinds),
            N_("a file") if ANY in kinds else joined([N_(ONE_KIND[k]) for k in KINDS if k in kinds], ", "),
        )
    if when.location:
        yield of_kind(("location",), N_("a location"))
    if when.order:
        yield of_kind(("order",), N_("an order"))
    if when.reaction:
        emojis = frozenset(fold(text.text.strip()) for text in when.reaction)
        known = ANY in emojis
        yield Guard(
            lambda asked: bool(asked.reaction) and (known or asked.reaction in emojis),
            N_("a reaction") if known else N_("the reaction {emoji}", emoji=named(when.reaction)),
            N_("it is no such reaction"),
            ("reaction",) if known else tuple(f"reaction {emoji}" for emoji in sorted(emojis)),
            8,
            alone=True,
        )
    if when.referral is not None:
        wanted = {name: tuple(fold(text.text) for text in values) for name, values in when.referral.items()}
        yield Guard(
            lambda asked: bool(asked.referral) and has(asked.referral, wanted),
            N_("a link or ad with {values}", values=told_by(when.referral)) if wanted else N_("a link or ad"),
            N_("it did not come by such a link or ad") if wanted else N_("it did not come by a link or ad"),
            ("referral",),
            7,
        )


def told_by(referral: dict[str, tuple[Located, ...]]) -> str:
    return ", ".join(f"{name} {named(values)}" for name, values in referral.items())


def of_kind(kinds: tuple[str, ...], name: Sentence) -> Guard:
    wanted = frozenset(kinds)
    return Guard(
        lambda asked: not wanted.isdisjoint(asked.kinds),
        name,
        N_("it is not what the rule asks for: {kind}", kind=name),
        tuple(f"kind {kind}" for kind in kinds),
        8,
    )


# ---- who wrote ------------------------------------------------------------------------------------------------------


def of_contact(when: When) -> Iterator[Guard]:
    for tag in when.tag:
        yield tagged(tag.text, there=True)
    for tag in when.no_tag:
        yield tagged(tag.text, there=False)
    for name, values in when.field.items():
        yield valued(name, values)
    for name_ in when.no_field:
        yield unset(name_.text)
    if when.first:
        yield Guard(
            lambda asked: asked.first, N_("the first message ever"), N_("it is not their first message"), ("first",), 5
        )
    if when.first_after:
        seconds, length = when.first_after, span(when.first_after)
        yield Guard(
            lambda asked: asked.pause >= seconds,
            N_("the first message for {length}", length=length),
            N_("they wrote less than {length} before", length=length),
        )


def tagged(tag: str, *, there: bool) -> Guard:
    folded = fold(tag)
    has_it, has_not = N_("the contact has the tag “{tag}”", tag=tag), N_("the contact has no tag “{tag}”", tag=tag)
    if there:
        return Guard(lambda asked: folded in asked.tags, has_it, has_not, (f"tag {folded}",), 4)
    return Guard(lambda asked: folded not in asked.tags, has_not, has_it)


def valued(name: str, values: tuple[Located, ...]) -> Guard:
    """A field that has one of the values; any, if none is given."""
    wanted = {name: tuple(fold(text.text).strip() for text in values)}
    exact = values and not any("*" in text for text in wanted[name])
    return Guard(
        lambda asked: has(asked.fields, wanted),
        N_("the field “{name}” is “{value}”", name=name, value=named(values))
        if values
        else N_("the field “{name}” has a value", name=name),
        N_("the field “{name}” is not “{value}”", name=name, value=named(values))
        if values
        else N_("the field “{name}” has no value", name=name),
        tuple(f"field {name} {value}" for value in wanted[name]) if exact else (f"field {name}",),
        5 if exact else 2,
    )


def unset(name: str) -> Guard:
    return Guard(
        lambda asked: name not in asked.fields,
        N_("the field “{name}” has no value", name=name),
        N_("the field “{name}” has a value", name=name),
    )


# ---- where and when -------------------------------------------------------------------------------------------------


def of_scene(when: When, condition: Callable[[Any], Any] | None) -> Iterator[Guard]:
    if when.channel:
        channels = frozenset(channel(text.text) for text in when.channel)
        yield Guard(
            lambda asked: channel(asked.scene.channel) in channels,
            N_("on the channel “{name}”", name=named(when.channel)),
            N_("it did not come on the channel “{name}”", name=named(when.channel)),
            tuple(f"channel {name}" for name in sorted(channels)),
            3,
        )
    if when.network:
        networks = frozenset(text.text for text in when.network)
        yield Guard(
            lambda asked: asked.scene.network in networks,
            N_("over {name}", name=named(when.network)),
            N_("it did not come over {name}", name=named(when.network)),
            tuple(f"network {name}" for name in sorted(networks)),
            3,
        )
    if when.open is not None:
        wanted = when.open
        yield Guard(
            lambda asked: asked.open == wanted,
            N_("inside opening hours") if wanted else N_("outside opening hours"),
            N_("it was outside opening hours") if wanted else N_("it was inside opening hours"),
            ("open" if wanted else "closed",),
            1,
        )
    if when.condition is not None and condition is not None:
        expression, shown = condition, " ".join(when.condition.text.split())[:100]
        yield Guard(
            lambda asked: asked.holds(expression),
            N_("{expression} holds", expression=shown),
            N_("{expression} does not hold", expression=shown),
        )


# ---- the facts of an event ------------------------------------------------------------------------------------------


def facts_of(asked: Asked, known: frozenset[str]) -> Iterator[str]:
    """What rules without words are found by, as far as the document asks (`known` are the first words of its facts).
    A reaction has only itself: it is answered by rules that ask for one, and so is what came without a message."""
    if asked.prompt:
        yield asked.prompt
        return
    if asked.reaction is not None:
        if asked.reaction:
            yield from ("reaction", f"reaction {asked.reaction}")
        return
    if "pressed" in known:
        yield from (f"pressed {id}" for id in asked.pressed)
    if "kind" in known:
        yield from (f"kind {kind}" for kind in asked.kinds)
    if "referral" in known and asked.referral:
        yield "referral"
    if "tag" in known:
        yield from (f"tag {tag}" for tag in asked.tags)
    if "field" in known:
        for name, values in asked.fields.items():
            yield f"field {name}"
            yield from (f"field {name} {value}" for value in values)
    if "first" in known and asked.first:
        yield "first"
    if "channel" in known:
        yield f"channel {channel(asked.scene.channel)}"
    if "network" in known:
        yield f"network {asked.scene.network}"
    if "open" in known or "closed" in known:
        yield "open" if asked.open else "closed"
    yield ""


def has(values: Any, wanted: dict[str, tuple[str, ...]]) -> bool:
    """Whether each name has one of its values, or any where none is given."""
    return all(
        name in values and (not patterns or any(fits(one, value) for one in patterns for value in values[name]))
        for name, patterns in wanted.items()
    )


def channel(name: str) -> str:
    return " ".join(name.split()).casefold()


def named(texts: Iterable[Located]) -> str:
    """As the author wrote them; of many, the first."""
    shown = [text.text.strip() for text in texts]
    return ", ".join(shown[:3]) + (", …" if len(shown) > 3 else "")


def span(seconds: int) -> Sentence:
    """A length of time in words."""
    for size, one in ((86_400, mark("{n} d")), (3_600, mark("{n} h")), (60, mark("{n} min"))):
        if seconds % size == 0:
            return N_(one, n=seconds // size)
    return N_("{n} s", n=seconds)


def told(found: Iterable[Guard]) -> Sentence:
    """What held, one after the other."""
    return joined([guard.is_so for guard in found], "; ")


def asked_by(when: When) -> list[Sentence]:
    """What a rule asks for besides words, in words."""
    return [guard.is_so for guard in guards(when, lambda room: None)]
