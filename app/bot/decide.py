"""The bot's whole behaviour: what it was given in, what it does out. No clock, no network, no database, no randomness.

Bounded by construction: a turn makes at most 20 effects and 64 KB of text, and the work before that does not grow with
the number of rules (contract: design, section 4).
"""

from typing import Any

from app.bot.degrade import fit
from app.bot.document import Version
from app.bot.match import PATTERN_READS, Found, match
from app.bot.scene import (
    Arrived,
    CallResult,
    Decision,
    Effect,
    Event,
    GivenBack,
    HandOff,
    NearMiss,
    Scene,
    Send,
    State,
    TimerFired,
    Trace,
)
from app.bot.steps import Handing, Plan, Saying
from app.bot.values import OUTPUT, Room
from app.bot.words import READ_LIMIT, words
from app.capabilities import Capabilities
from app.content import Content, Delete, Edit, Note, Picked, Pressed, Reaction, System, Text, kind
from app.content import text as text_of
from app.said import N_, Said, Sentence, mark

MOST_EFFECTS = 20
SILENT = (Reaction, System, Edit, Delete, Note)
SENTENCES = {
    "word": mark("{said} “{words}”, a word of rule {rule}."),
    "phrase": mark("{said} “{words}”, a phrase of rule {rule}."),
    "starts": mark("{said} “{words}” at the beginning, as rule {rule} asks."),
    "exact": mark("{said} exactly “{words}”, as rule {rule} asks."),
    "all": mark("{said} “{words}”, all that rule {rule} asks."),
    "pattern": mark("{said} “{words}”, which fits a pattern of rule {rule}."),
    "missed": mark("No rule has these words; the fallback answered."),
    "missed_again": mark("No rule had these words {count} times in a row; the fallback went on to its last steps."),
    "unanswered": mark("No rule has these words and there is no fallback."),
    "silent": mark("A message of this kind ({kind}) is not answered."),
    "stale": mark("Nothing waits for this any more."),
    "no_trigger": mark("No rule listens to this."),
    "given_back": mark("A person gave the conversation back; the bot answers the next message."),
}


def decide(bot: Version, scene: Scene, event: Event, now: int) -> Decision:
    """What the bot does about one event. The same input always gives the identical decision; never raises.

    `now` is milliseconds UTC.
    """
    state = scene.state
    if isinstance(event, GivenBack):
        return Decision((), State(0, (), state.variables, state.seed, state.turns), trace("given_back"))
    if not isinstance(event, Arrived):
        return Decision((), state, trace("stale" if isinstance(event, TimerFired | CallResult) else "no_trigger"))
    if isinstance(event.content, SILENT):
        return Decision((), state, trace("silent", kind=kind(event.content)))
    said, text, found, button = read(event, state)
    hit = match(bot.index, text[:PATTERN_READS], found, button)
    if hit.order >= 0:
        plan = bot.plans[hit.order]
        seen = trace(
            hit.how, plan, hit.matched, nearly(bot, hit), said=said, words="”, “".join(hit.matched), rule=plan.name
        )
        return act(plan, bot, scene, event, now, seen, missed=0)
    return miss(bot, scene, event, now, found, hit)


def read(event: Arrived, state: State) -> tuple[Said, str, list[str], list[str] | None]:
    """How it was said (for the verdict), the text, its words, and the words of a pressed button's id."""
    content = event.content
    text = event.text or text_of(content)
    if isinstance(content, Pressed | Picked):
        said = N_("Pressed") if isinstance(content, Pressed) else N_("Picked")
        return said, text, words(text), words(content.id)
    found = words(text)
    if state.choices and len(found) == 1 and found[0].isdecimal() and len(found[0]) < 4:
        number = int(found[0])
        if 1 <= number <= len(state.choices):
            identity, title = state.choices[number - 1]
            return N_("Answered {number} for", number=number), title, words(title), words(identity)
    return N_("Said"), text, found, None


def miss(bot: Version, scene: Scene, event: Arrived, now: int, found: list[str], hit: Found) -> Decision:
    """No rule matched: the fallback, or its last steps when it is often enough in a row."""
    near = tuple(bot.index.near.find(found, bot.names)) or nearly(bot, hit)
    missed = scene.state.missed + 1
    if bot.then is not None and missed >= bot.after:
        return act(bot.then, bot, scene, event, now, trace("missed_again", bot.then, (), near, count=missed), missed=0)
    if bot.fallback is not None:
        return act(bot.fallback, bot, scene, event, now, trace("missed", bot.fallback, (), near), missed=missed)
    return Decision((), after(scene.state, missed, scene.state.choices), trace("unanswered", None, (), near))


def trace(
    code: str, plan: Plan | None = None, matched: tuple[str, ...] = (), near: tuple[NearMiss, ...] = (), **params: Any
) -> Trace:
    verdict = N_(SENTENCES[code], **params)
    name, line = (plan.name, plan.line) if plan is not None else ("", 0)
    return Trace(verdict, name, line, matched, near, code=code)


def nearly(bot: Version, hit: Found) -> tuple[NearMiss, ...]:
    """Rules that had words in the message too: they stand later, or asked for more."""
    if not hit.also and not hit.failed:
        return ()
    first = bot.names[hit.order] if hit.order >= 0 else ""
    later = [
        NearMiss(bot.names[order], 1.0, N_("Has “{word}” too, but {first} stands first", word=word, first=first))
        for order, word in hit.also
    ]
    failed = [
        NearMiss(bot.names[order], 0.5, N_("“{word}” was said, but it asks for more", word=word))
        for order, word in hit.failed
    ]
    return tuple((later + failed)[:3])


def after(state: State, missed: int, choices: tuple[tuple[str, str], ...]) -> State:
    """The state of the next turn; the seed moves on by one step of a linear congruence."""
    seed = (state.seed * 6364136223846793005 + 1442695040888963407) & 0x7FFF_FFFF_FFFF_FFFF
    return State(missed, choices, state.variables, seed, state.turns + 1, state.frames, state.waiting, state.held)


def act(plan: Plan, bot: Version, scene: Scene, event: Arrived, now: int, seen: Trace, missed: int) -> Decision:
    """Runs the steps of a plan."""
    state, can = scene.state, scene.capabilities
    if plan.effects is not None and plan.longest <= can.text:
        return Decision(plan.effects, after(state, missed, state.choices), seen)
    turn = Turn(can, plan.name, Room(names(scene, event, now)), state)
    for at, step in enumerate(plan.steps):
        if isinstance(step, Handing):
            turn.hand(step.reason.render(turn.room).strip())
        else:
            turn.say(step, state.seed + at)
    if turn.notes or turn.room.problems:
        seen = Trace(
            seen.verdict,
            seen.rule,
            seen.line,
            seen.matched,
            seen.near,
            tuple(turn.notes),
            tuple(turn.room.problems),
            seen.code,
        )
    return Decision(tuple(turn.effects), after(state, missed, turn.choices), seen)


class Turn:
    """The effects of one turn as they come about, within what a turn may do."""

    __slots__ = ("can", "choices", "effects", "left", "notes", "room", "rule")

    def __init__(self, can: Capabilities, rule: str, room: Room, state: State) -> None:
        self.can, self.rule, self.room = can, rule, room
        self.effects: list[Effect] = []
        self.notes: list[Sentence] = []
        self.choices = state.choices
        self.left = OUTPUT

    def say(self, step: Saying, seed: int) -> None:
        pick = (seed >> 17) % len(step.texts) if len(step.texts) > 1 else 0
        if step.ready is not None:
            content = step.ready[pick]
        else:
            content = step.build(self.room, step.texts[pick].render(self.room).strip())
        if isinstance(content, Text) and not content.text:
            self.room.problem(N_("A text came out empty and was not sent"))
            return
        shown = fit(content, self.can)
        self.notes += [note for note in shown.notes if note not in self.notes]
        if shown.choices:
            self.choices = shown.choices
        for part in shown.contents:
            self.send(part)

    def send(self, content: Content) -> None:
        self.left -= len(text_of(content))
        if len(self.effects) >= MOST_EFFECTS or self.left < 0:
            self.room.problem(N_("This turn said more than is possible; the rest was left out"))
        else:
            self.effects.append(Send(content, self.rule))

    def hand(self, reason: str) -> None:
        """A hand-off is never lost: it takes the last place if the turn is full."""
        del self.effects[MOST_EFFECTS - 1 :]
        self.effects.append(HandOff(reason, self.rule))


def names(scene: Scene, event: Arrived, now: int) -> dict[str, Any]:
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
        "message": {"text": (event.text or text_of(event.content))[:READ_LIMIT]},
        "channel": scene.channel,
        "network": scene.network,
        "now": now,
    }
