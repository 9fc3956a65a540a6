"""One turn as it comes about: what is said and asked for so far, within what a turn may do."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.bot.degrade import fit, fit_quote
from app.bot.scene import Arrived, ContactView, Effect, Event, HandOff, Scene, Send, State, Trace
from app.bot.steps import Saying
from app.bot.values import OUTPUT, Room
from app.bot.words import READ_LIMIT
from app.capabilities import Capabilities
from app.content import Content, Reaction, Text
from app.content import text as text_of
from app.said import N_, Sentence

MOST_EFFECTS = 20
LONGEST_TAG = 35


def after(state: State, missed: int, choices: tuple[tuple[str, str], ...]) -> State:
    """The state of the next turn; the seed moves on by one step of a linear congruence."""
    seed = (state.seed * 6364136223846793005 + 1442695040888963407) & 0x7FFF_FFFF_FFFF_FFFF
    return State(
        missed, choices, state.variables, seed, state.turns + 1, state.frames, state.waiting, state.held, state.asked
    )


class Turn:
    """The effects of one turn as they come about, within what a turn may do. `over`: the bot gave the conversation away
    or closed it, after which nothing more is done. `answers`: a message came, which can be quoted. `at`: when what is
    said is sent (ms UTC, 0: now)."""

    __slots__ = ("answers", "at", "can", "choices", "effects", "left", "notes", "over", "room", "rule")

    def __init__(self, can: Capabilities, rule: str, room: Room, state: State, *, answers: bool = True) -> None:
        self.can, self.rule, self.room, self.answers = can, rule, room, answers
        self.effects: list[Effect] = []
        self.notes: list[Sentence] = []
        self.choices = state.choices
        self.left = OUTPUT
        self.over = False
        self.at = 0

    def say(self, step: Saying, seed: int) -> None:
        pick = (seed >> 17) % len(step.texts) if len(step.texts) > 1 else 0
        content: Content | None
        if step.ready is not None:
            content = step.ready[pick]
        else:
            content = step.build(self.room, step.texts[pick].render(self.room).strip())
        if content is not None:
            self.show(content, step.quote)

    def show(self, content: Content, quoted: bool = False) -> None:
        """Says this, in the form that the channel can show. `quoted`: about the message that came."""
        if isinstance(content, Reaction) and not self.answers:
            self.room.problem(N_("There is no message to react to; the reaction was left out"))
            return
        if isinstance(content, Text) and not content.text:
            self.room.problem(N_("A text came out empty and was not sent"))
            return
        shown = fit(content, self.can, self.room.speech.language)
        quote, lost = fit_quote(content, self.can) if quoted and self.answers else (False, ())
        self.notes += [note for note in (*shown.notes, *lost) if note not in self.notes]
        if shown.choices:
            self.choices = shown.choices
        for at, part in enumerate(shown.contents):
            self.send(part, quote and at == 0)

    def send(self, content: Content, quote: bool) -> None:
        self.left -= len(text_of(content))
        if self.left < 0:
            self.room.problem(N_("This turn said more than is possible; the rest was left out"))
        else:
            self.add(Send(content, self.rule, quote, self.at))

    def add(self, effect: Effect) -> None:
        if len(self.effects) >= MOST_EFFECTS:
            self.room.problem(N_("This turn said more than is possible; the rest was left out"))
        else:
            self.effects.append(effect)

    def keep(self, *effects: Effect) -> None:
        """What a conversation cannot go on without is never lost: it takes the last places if the turn is full."""
        del self.effects[MOST_EFFECTS - len(effects) :]
        self.effects += effects

    def hand(self, reason: str, team: str) -> None:
        self.keep(HandOff(reason, self.rule, team))
        self.over = True

    def explained(self, seen: Trace) -> Trace:
        """The trace with what could not be shown and what went wrong."""
        if not self.notes and not self.room.problems:
            return seen
        return msgspec.structs.replace(seen, degraded=tuple(self.notes), problems=tuple(self.room.problems))


def languages(variables: Mapping[str, Any], contact: ContactView) -> tuple[str, ...]:
    """What the customer reads: what the conversation remembers as `language`, else what is known of the contact."""
    chosen = variables.get("language")
    return (*([chosen[:LONGEST_TAG]] if isinstance(chosen, str) else ()), contact.language)


def names(scene: Scene, event: Event, now: int) -> dict[str, Any]:
    """What texts can read."""
    contact = scene.contact
    return {
        **scene.state.variables,
        "contact": {
            "id": contact.id,
            "name": contact.name,
            "first_name": contact.first_name,
            "phone": contact.phone,
            "username": contact.username,
            "language": contact.language,
            "tags": contact.tags,
            "fields": contact.fields,
            "first_seen": contact.first_seen,
        },
        "message": {"text": said_in(event)[:READ_LIMIT]},
        "channel": scene.channel,
        "network": scene.network,
        "now": now,
        "window_open": is_open(scene, event, now),
    }


def is_open(scene: Scene, event: Event, now: int) -> bool:
    """Whether the network takes more than templates now, as far as is known."""
    if isinstance(event, Arrived) or not scene.capabilities.window or not scene.last_heard:
        return True
    return now < scene.last_heard + scene.capabilities.window * 1000


def said_in(event: Event) -> str:
    """What the customer wrote, if that is what happened."""
    return event.text or text_of(event.content) if isinstance(event, Arrived) else ""
