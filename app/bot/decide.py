"""The bot's whole behaviour: what it was given in, what it does out. No clock, no network, no database, no randomness.

Bounded by construction: a turn makes at most 20 effects and 64 KB of text, and the work before that does not grow with
the number of rules (contract: design, section 4).
"""

from datetime import datetime
from typing import Any

import msgspec

from app.bot.document import Version
from app.bot.expect import Here, chosen
from app.bot.expect import read as read_answer
from app.bot.index import whole
from app.bot.match import PATTERN_READS, Found, match
from app.bot.program import Asking
from app.bot.resume import ended, hold, holds, merged, resumed, together, without_held
from app.bot.run import Machine, Place, left, machine, opened, title
from app.bot.scene import (
    Arrived,
    CallResult,
    Decision,
    Event,
    GivenBack,
    NearMiss,
    Scene,
    State,
    TimerFired,
    Trace,
)
from app.bot.steps import Handing, Plan
from app.bot.turn import Turn, after, languages, names
from app.bot.values import MISSING, Room
from app.bot.words import words
from app.content import Delete, Edit, Note, Picked, Pressed, Reaction, System, kind
from app.content import text as text_of
from app.said import N_, Said, Sentence, mark

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
    "no_trigger": mark("No rule listens to this."),
    "answer": mark("{said} “{words}”, the answer to {place}, question {number}: {name}."),
    "again": mark("{said} “{words}”, which does not fit {place}, question {number}: {name}; it was asked again."),
    "gave_up": mark("{said} “{words}”, which does not fit {place}, question {number}: {name}, one time too often."),
    "cancelled": mark("{said} “{words}”, which leaves {place} at question {number}: {name}."),
    "interrupted": mark("{said} “{words}”, for which rule {rule} may interrupt {place}."),
    "given_back": mark("A person gave the conversation back; the bot answers the next message."),
}


def decide(bot: Version, scene: Scene, event: Event, now: int) -> Decision:
    """What the bot does about one event. The same input always gives the identical decision; never raises.

    `now` is milliseconds UTC.
    """
    decision = happen(bot, scene, event, now)
    return release(bot, scene, decision, now) if decision.state.held else decision


def happen(bot: Version, scene: Scene, event: Event, now: int) -> Decision:
    state = scene.state
    bot = bot.in_language(*languages(state.variables, scene.contact))
    if isinstance(event, TimerFired | CallResult):
        return resumed(bot, scene, event, now)
    if isinstance(event, GivenBack):
        return Decision((), State(0, (), state.variables, state.seed, state.turns), trace("given_back"))
    if not isinstance(event, Arrived):
        return Decision((), state, trace("no_trigger"))
    if isinstance(event.content, SILENT):
        return Decision((), state, trace("silent", kind=kind(event.content)))
    if state.waiting is not None:
        if places := opened(bot, state):
            return (answer if state.waiting.kind == "answer" else meanwhile)(bot, scene, event, now, places)
        scene = without_flow(scene)
    return listen(bot, scene, event, now)


def meanwhile(bot: Version, scene: Scene, event: Arrived, now: int, places: list[Place]) -> Decision:
    """A flow waits for its time or a call. A rule that may interrupt answers at once; any other does if it takes long;
    else the message is held."""
    said, text, found, button = read(event, scene.state)
    hit = interrupting(bot, text, found, button)
    if hit.order >= 0:
        return interrupt(bot, scene, event, now, hit, said, title(places[-1].program))
    if holds(scene.state.waiting, now):
        return hold(scene, event, places)
    decision = listen(bot, scene, event, now)
    return msgspec.structs.replace(decision, state=left(decision.state)) if ended(decision) else decision


def release(bot: Version, scene: Scene, first: Decision, now: int) -> Decision:
    """Answers what was held as soon as nothing holds it, as one message. What was written before a question was asked
    is no answer to it."""
    state = first.state
    if ended(first):
        return without_held(first)
    if holds(state.waiting, now):
        return first
    if state.waiting is not None and state.waiting.kind == "answer":
        return without_held(first, N_("What was written before the question was asked is not taken as its answer"))
    event = merged(state.held)
    scene = msgspec.structs.replace(scene, state=without_held(first).state)
    return together(first, happen(bot, scene, event, now))


def listen(bot: Version, scene: Scene, event: Arrived, now: int) -> Decision:
    """The rules are asked: no question is open."""
    said, text, found, button = read(event, scene.state)
    hit = match(bot.index, text[:PATTERN_READS], found, button)
    if hit.order >= 0:
        plan = bot.plans[hit.order]
        seen = trace(
            hit.how, plan, hit.matched, nearly(bot, hit), said=said, words="”, “".join(hit.matched), rule=plan.name
        )
        return act(plan, bot, scene, event, now, seen, missed=0)
    return miss(bot, scene, event, now, found, hit)


def answer(bot: Version, scene: Scene, event: Arrived, now: int, places: list[Place]) -> Decision:
    """A question is open. In this order: one of its choices; a word that leaves the flow; a rule that may interrupt,
    after which the question is asked again; an answer that fits; one that does not."""
    said, text, found, button = read(event, scene.state)
    program, at = places[-1].program, places[-1].at
    asking: Asking = program.code[at]
    running = machine(bot, scene, event, now)
    place = title(program)
    where = {"place": place, "number": asking.number, "name": asking.save, "said": said, "words": text[:100]}
    own = f"{program.shown}/{asking.save}"
    if not chosen(asking.expected, text, button):
        if asking.cancel and {whole(found, text), " ".join(button or ())} & asking.cancel:
            return cancel(bot, scene, event, now, running, own, where)
        hit = interrupting(bot, text, found, button)
        if hit.order >= 0:
            return interrupt(bot, scene, event, now, hit, said, place)
    value = read_answer(asking.expected, event.content, text, button, here(bot, now))
    waiting = scene.state.waiting
    tries = waiting.tries + 1 if waiting is not None else 1
    code = "answer"
    if value is not MISSING:
        running.turn.choices = ()
        running.set(asking.save, value)
        running.go_on(at + 1)
    elif tries <= asking.retries:
        code = "again"
        running.ask(program, at, asking, asking.again, tries)
    elif asking.otherwise >= 0:
        code = "gave_up"
        running.turn.choices = ()
        running.go_on(asking.otherwise)
    else:
        return listen(bot, without_flow(scene), event, now)
    running.run()
    verdict = N_(SENTENCES[code], **where)
    return running.decision(Trace(verdict, own, asking.line, (text[:100],) if text else (), code=code), 0)


def interrupting(bot: Version, text: str, found: list[str], button: list[str] | None) -> Found:
    return match(bot.interrupts.index, text[:PATTERN_READS], found, button) if bot.interrupts is not None else Found(-1)


def interrupt(
    bot: Version, scene: Scene, event: Arrived, now: int, hit: Found, said: Said, place: Sentence
) -> Decision:
    """A rule answers, then what ran goes on waiting: a question is asked again."""
    assert bot.interrupts is not None
    plan = bot.interrupts.plans[hit.order]
    assert plan.program is not None
    running = machine(bot, scene, event, now)
    seen = trace(
        "interrupted", plan, hit.matched, said=said, words="”, “".join(hit.matched), rule=plan.name, place=place
    )
    running.begin(plan.program)
    running.run()
    return running.decision(seen, 0)


def cancel(
    bot: Version, scene: Scene, event: Arrived, now: int, running: Machine, own: str, where: dict[str, Any]
) -> Decision:
    """The flows are left. What the question has to say to that is said, else the rules are asked."""
    asking: Asking = running.places[-1].instruction()
    if asking.cancelled is None:
        return listen(bot, without_flow(scene), event, now)
    running.places = []
    running.turn.rule, running.turn.choices = own, ()
    running.turn.say(asking.cancelled, scene.state.seed)
    return running.decision(Trace(N_(SENTENCES["cancelled"], **where), own, asking.line, code="cancelled"), 0)


def here(bot: Version, now: int) -> Here:
    return Here(datetime.fromtimestamp(now / 1_000, bot.speech.zone), bot.language)


def without_flow(scene: Scene) -> Scene:
    return msgspec.structs.replace(scene, state=left(scene.state))


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
        seen = trace("missed_again", bot.then, (), near, count=missed)
        return act(bot.then, bot, scene, event, now, seen, missed=0)
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


def act(plan: Plan, bot: Version, scene: Scene, event: Arrived, now: int, seen: Trace, missed: int) -> Decision:
    """Runs the steps of a plan, on top of what waits."""
    state, can = scene.state, scene.capabilities
    if plan.effects is not None and plan.longest <= can.text:
        return Decision(plan.effects, after(state, missed, state.choices), seen)
    if plan.program is not None and not plan.steps:
        running = machine(bot, scene, event, now)
        running.begin(plan.program)
        running.run()
        return running.decision(seen, missed)
    turn = Turn(can, plan.name, Room(names(scene, event, now), bot.speech), state)
    for at, step in enumerate(plan.steps):
        if isinstance(step, Handing):
            turn.hand(step.reason.render(turn.room).strip(), step.team.render(turn.room).strip())
            break  # nothing more is said
        else:
            turn.say(step, state.seed + at)
    return Decision(tuple(turn.effects), after(state, missed, turn.choices), turn.explained(seen))
