"""Replays one past conversation: what a draft would have said wherever a bot was asked, beside what was said then.

The draft keeps a state of its own from the first turn on. Who writes, where, when, and the seed of what is drawn by
chance are as they were, so that only the document makes a difference. If the draft hands over where nobody was called
then, it is silent from there on, until the turn in which the conversation was handed over then.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from app.bot.decide import decide
from app.bot.document import Version
from app.bot.scene import Arrived, Decision, Effect, Event, HandOff, Send, State, Trace, TurnInput
from app.bot.trials import words_of
from app.content import Buttons, ChoiceList, Content

OUTCOMES: Final = ("lost", "changed", "gained", "same")  # the first that a turn has is the conversation's
UNANSWERED: Final = frozenset({"missed", "missed_again", "unanswered", "silent"})  # codes of verdicts
TEXT: Final = 1_000  # characters kept of a message
AROUND: Final = 3  # equal turns kept before the first that differs
CHAT: Final = 40  # turns kept of a conversation

_given: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)
_output: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)
NOTHING: Final = Decision((), State(), Trace(""))


class Past(msgspec.Struct, frozen=True):
    """A stored turn: input and output as JSON; `output` is '' where the bot failed then. `at`: ms UTC."""

    at: int
    given: str
    output: str


class Shown(msgspec.Struct, frozen=True):
    """What was said: `who` is `bot` or `handoff` (then `text` is the reason); `choices` are buttons or rows; `rule`
    names who speaks, '' for the fallback."""

    who: str
    text: str
    choices: tuple[str, ...] = ()
    rule: str = ""


class Turn(msgspec.Struct, frozen=True):
    """What the customer said or else happened, and the answers then (`before`) and of the draft (`after`). `held`: the
    draft is not asked here, because it handed over earlier. `outcome`: same, changed, gained (newly answered), lost
    (newly unanswered)."""

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


class Step(msgspec.Struct, frozen=True):
    """One turn decided again. `after` is None where the draft was not asked."""

    outcome: str
    given: TurnInput
    before: Decision
    after: Decision | None


def play(bot: Version, past: Sequence[Past]) -> Played:
    """`past`: turns of one conversation, oldest first."""
    steps, unreadable = again(bot, past)
    counts = dict.fromkeys(OUTCOMES, 0)
    for step in steps:
        if step.after is not None:
            counts[step.outcome] += 1
    outcome = next((name for name in OUTCOMES if counts[name]), "same")
    held = sum(step.after is None for step in steps)
    return Played(outcome, counts, held, unreadable, () if outcome == "same" else chat(steps))


def again(bot: Version, past: Sequence[Past]) -> tuple[list[Step], int]:
    """Every turn that can be read, decided again, and how many cannot."""
    steps: list[Step] = []
    state: State | None = None
    silent = False
    for turn in past:
        try:
            given = _given.decode(turn.given)
            before = _output.decode(turn.output) if turn.output else NOTHING
        except msgspec.DecodeError:
            continue
        after = None
        if not silent:
            then = given.scene.state
            after = decided(
                bot, given, then if state is None else msgspec.structs.replace(state, seed=then.seed, turns=then.turns)
            )
            state = after.state
        steps.append(Step("same" if after is None else outcome_of(before, after), given, before, after))
        # A turn that follows a hand-off of then exists because a person had given the conversation back.
        silent = (silent or (after is not None and hands_over(after))) and not hands_over(before)
    return steps, len(past) - len(steps)


def decided(bot: Version, given: TurnInput, state: State) -> Decision:
    """Where deciding fails the customer gets no answer, as it is live."""
    try:
        return decide(bot, msgspec.structs.replace(given.scene, state=state), given.event, given.now)
    except Exception:
        return Decision((), state, NOTHING.trace)


def outcome_of(before: Decision, after: Decision) -> str:
    was, now = answers(before), answers(after)
    if was != now:
        return "gained" if now else "lost"
    return "same" if before.effects == after.effects or seen(before.effects) == seen(after.effects) else "changed"


def answers(decision: Decision) -> bool:
    """Whether a rule spoke; a fallback is no answer."""
    return decision.trace.code not in UNANSWERED and any(isinstance(e, Send | HandOff) for e in decision.effects)


def hands_over(decision: Decision) -> bool:
    return any(isinstance(effect, HandOff) for effect in decision.effects)


def seen(effects: Iterable[Effect]) -> list[object]:
    """What the customer and the team see of it, without the ids behind buttons and rows."""
    return [
        (without_ids(effect.content), effect.quote) if isinstance(effect, Send) else effect.reason
        for effect in effects
        if isinstance(effect, Send | HandOff)
    ]


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


def chat(steps: Sequence[Step]) -> tuple[Turn, ...]:
    first = next(at for at, step in enumerate(steps) if step.outcome != "same")
    begin = max(0, first - AROUND)
    return tuple(drawn(step) for step in steps[begin : begin + CHAT])


def drawn(step: Step) -> Turn:
    event = step.given.event
    asked = (event.text or words_of(event.content))[:TEXT] if isinstance(event, Arrived) else ""
    after = () if step.after is None else shown(step.after)
    return Turn(step.outcome, step.given.now, asked, shown(step.before), after, event, step.after is None)


def shown(decision: Decision) -> tuple[Shown, ...]:
    found = []
    for effect in decision.effects:
        if isinstance(effect, Send):
            found.append(Shown("bot", said(effect.content), titles(effect.content), effect.rule))
        elif isinstance(effect, HandOff):
            found.append(Shown("handoff", effect.reason[:TEXT], (), effect.rule))
    return tuple(found)


def said(content: Content) -> str:
    return words_of(content)[:TEXT]


def titles(content: Content) -> tuple[str, ...]:
    """What can be pressed or picked."""
    if isinstance(content, Buttons):
        return tuple(choice.title for choice in content.choices)
    if isinstance(content, ChoiceList):
        return tuple(choice.title for section in content.sections for choice in section.choices)
    return ()
