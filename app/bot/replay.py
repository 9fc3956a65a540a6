"""Replays one past conversation: what a draft would have said wherever a bot was asked, beside what was said then.

The draft keeps a state of its own from the first turn on (`rerun`). Who writes, where, when, and the seed of what is
drawn by chance are as they were, so that only the document makes a difference. If the draft hands over where nobody was
called then, it is silent from there on, until the turn in which the conversation was handed over then.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from app.bot.document import Version
from app.bot.heard import words_of
from app.bot.rerun import Moment, Past, Step, again
from app.bot.scene import Arrived, Call, CallResult, Effect, Event, HandOff, Quiet, Send
from app.content import Buttons, ChoiceList, Content

# The first that a turn has is the conversation's.
OUTCOMES: Final = ("lost", "changed", "gained", "stopped", "same")
UNANSWERED: Final = frozenset({"missed", "missed_again", "unanswered", "silent"})  # codes of verdicts
TEXT: Final = 1_000  # characters kept of a message
AROUND: Final = 3  # equal turns kept before the first that differs
CHAT: Final = 40  # turns kept of a conversation


class Shown(msgspec.Struct, frozen=True):
    """What was said or happened: `who` is `bot`, `handoff` (then `text` is the reason), `event` (then `event` is what
    led to what follows) or `missing` (then `text` is the call that was not recorded, '' in the turns after it);
    `choices` are buttons or rows; `rule` names who speaks, '' for the fallback; `differs`: the other side has not said
    it."""

    who: str
    text: str
    choices: tuple[str, ...] = ()
    rule: str = ""
    event: Event | None = None
    differs: bool = False


class Turn(msgspec.Struct, frozen=True):
    """What the customer said or else happened, and the answers then (`before`) and of the draft (`after`). `held`: the
    draft is not asked here, because it handed over earlier. `outcome`: same, changed, gained (newly answered), lost
    (newly unanswered), stopped (the draft makes a call that was not recorded, here or earlier)."""

    outcome: str
    at: int
    asked: str
    before: tuple[Shown, ...]
    after: tuple[Shown, ...]
    event: Event
    held: bool = False


class Played(msgspec.Struct, frozen=True):
    """How a conversation went. `counts`: turns by outcome; `unreadable`: turns that another release wrote, left out;
    `held`: turns in which the draft would have been silent after its hand-off, part of no count; `turns`: from shortly
    before the first that differs, none if all are the same."""

    outcome: str
    counts: dict[str, int]
    held: int
    unreadable: int
    turns: tuple[Turn, ...]


def play(bot: Version, past: Sequence[Past], until: int = 0) -> Played:
    """`past`: turns of one conversation, oldest first; `until` (ms UTC): how long the draft's own timers are followed
    after the last of them."""
    steps, unreadable = again(bot, past, until)
    outcomes = [outcome_of(step) for step in steps]
    counts = dict.fromkeys(OUTCOMES, 0)
    held = 0
    for step, each in zip(steps, outcomes, strict=True):
        if is_held(step):
            held += 1
        else:
            counts[each] += 1
    outcome = next((name for name in OUTCOMES if counts[name]), "same")
    return Played(outcome, counts, held, unreadable, () if outcome == "same" else chat(steps, outcomes))


def is_held(step: Step) -> bool:
    """Whether the draft is not asked, because it handed over earlier."""
    return step.after is None and step.missing is None


def outcome_of(step: Step) -> str:
    before, after = step.before, step.after
    if step.missing is not None:
        return "stopped"
    if after is None:
        return "same"
    if len(before) == len(after) == 1 and before[0].decision == after[0].decision:
        return "same"
    was, now = answers(before), answers(after)
    if was != now:
        return "gained" if now else "lost"
    base = step.given.now
    return "same" if seen(before, base) == seen(after, base) else "changed"


def answers(moments: Iterable[Moment]) -> bool:
    """Whether a rule spoke; a fallback is no answer."""
    return any(
        moment.decision.trace.code not in UNANSWERED and any(map(is_seen, moment.decision.effects))
        for moment in moments
    )


def is_seen(effect: Effect) -> bool:
    """Whether the customer or the team notices."""
    return isinstance(effect, Send | HandOff)


def seen(moments: Iterable[Moment], base: int) -> list[object]:
    """What the customer and the team see of it, without the ids behind buttons and rows, and how long after `base` (ms
    UTC) it comes where the document says when."""
    found: list[object] = []
    for moment in moments:
        late = moment.due - base if moment.due else 0
        for effect in moment.decision.effects:
            if isinstance(effect, Send):
                ahead = effect.at - base if effect.at else late
                found.append((without_ids(effect.content), effect.quote, ahead))
            elif isinstance(effect, HandOff):
                found.append((effect.reason, effect.team, late))
    return found


def without_ids(content: Content) -> Content:
    replace = msgspec.structs.replace
    if isinstance(content, Buttons):
        return replace(content, choices=tuple(replace(choice, id="") for choice in content.choices))
    if isinstance(content, ChoiceList):
        return replace(
            content,
            sections=tuple(
                replace(section, choices=tuple(replace(choice, id="") for choice in section.choices))
                for section in content.sections
            ),
        )
    return content


# ---- both chats ------------------------------------------------------------------------------------------------------


def chat(steps: Sequence[Step], outcomes: Sequence[str]) -> tuple[Turn, ...]:
    first = next(at for at, outcome in enumerate(outcomes) if outcome != "same")
    begin = max(0, first - AROUND)
    return tuple(map(drawn, steps[begin : begin + CHAT], outcomes[begin : begin + CHAT]))


def drawn(step: Step, outcome: str) -> Turn:
    event = step.given.event
    asked = (event.text or words_of(event.content))[:TEXT] if isinstance(event, Arrived) else ""
    before, after = shown(step.before), shown(step.after or ())
    if outcome not in ("same", "stopped"):
        before, after = compared(before, after)
    if step.missing is not None:
        after += (Shown("missing", address(step.missing) if step.after is not None else ""),)
    return Turn(outcome, step.given.now, asked, before, after, event, is_held(step))


def compared(before: Sequence[Shown], after: Sequence[Shown]) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
    """Both sides with what only one of them has marked, or with everything where they differ only in when."""
    sides = [{(one.text, one.choices) for one in side} for side in (before, after)]
    alike = sides[0] == sides[1]

    def marked(side: Sequence[Shown], other: set[tuple[str, tuple[str, ...]]]) -> tuple[Shown, ...]:
        return tuple(
            msgspec.structs.replace(one, differs=alike or (one.text, one.choices) not in other) for one in side
        )

    return marked(before, sides[1]), marked(after, sides[0])


def shown(moments: Sequence[Moment]) -> tuple[Shown, ...]:
    found = []
    for at, moment in enumerate(moments):
        effects = [effect for effect in moment.decision.effects if is_seen(effect)]
        if at and (effects or isinstance(moment.event, CallResult)):
            found.append(Shown("event", named(moment.event), event=moment.event))
        for effect in effects:
            if isinstance(effect, Send):
                found.append(Shown("bot", said(effect.content), titles(effect.content), effect.rule))
            elif isinstance(effect, HandOff):
                found.append(Shown("handoff", effect.reason[:TEXT], (), effect.rule))
    return tuple(found)


def named(event: Event) -> str:
    """For programs: what happened, in one word or two."""
    if isinstance(event, CallResult):
        return f"call {event.error or event.status}"
    return f"quiet {event.seconds}" if isinstance(event, Quiet) else str(event.__struct_config__.tag)


def address(call: Call) -> str:
    return f"{call.method} {call.url}"[:TEXT]


def said(content: Content) -> str:
    return words_of(content)[:TEXT]


def titles(content: Content) -> tuple[str, ...]:
    """What can be pressed or picked."""
    if isinstance(content, Buttons):
        return tuple(choice.title for choice in content.choices)
    if isinstance(content, ChoiceList):
        return tuple(choice.title for section in content.sections for choice in section.choices)
    return ()
