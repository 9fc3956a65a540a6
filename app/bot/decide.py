"""The bot's whole behaviour: what it was given in, what it does out. No clock, no network, no database, no randomness.

Bounded by construction: a turn makes at most 20 effects and 64 KB of text, and the work before that does not grow with
the number of rules (contract: design, section 4).
"""

from datetime import datetime
from typing import Any

import msgspec

from app.bot.asked import Asked
from app.bot.document import Version
from app.bot.expect import Here, chosen
from app.bot.expect import read as read_answer
from app.bot.index import whole
from app.bot.match import Found, match
from app.bot.program import Asking
from app.bot.prompted import MOST_GOING_ON, quiet, triggered, watching
from app.bot.relay import answered, keep, relay, waits, without
from app.bot.resume import below, ended, hold, holds, merged, resumed, together, without_held
from app.bot.run import Machine, machine
from app.bot.scene import (
    Arrived,
    CallResult,
    Decision,
    Event,
    GivenBack,
    NearMiss,
    Quiet,
    Scene,
    State,
    TimerFired,
    Trace,
    Triggered,
)
from app.bot.standing import Place, left, opened, title
from app.bot.steps import Handing, Plan
from app.bot.turn import Turn, after, languages, names
from app.bot.values import MISSING, Room
from app.bot.verdict import SENTENCES, interruption, matched, nearly, passed_over, trace
from app.bot.words import words
from app.content import Delete, Edit, Note, Picked, Pressed, Reaction, System, kind
from app.content import text as text_of
from app.said import N_, Said, Sentence

SILENT = (System, Edit, Delete, Note)


def decide(bot: Version, scene: Scene, event: Event, now: int) -> Decision:
    """What the bot does about one event. The same input always gives the identical decision; never raises.

    `now` is milliseconds UTC.
    """
    decision = happen(bot, scene, event, now)
    if decision.state.held:
        decision = release(bot, scene, decision, now)
    return watching(decision, bot.inactivity[0]) if bot.inactivity and isinstance(event, Arrived) else decision


def happen(bot: Version, scene: Scene, event: Event, now: int) -> Decision:
    state = scene.state
    bot = bot.in_language(*languages(state.variables, scene.contact))
    if isinstance(event, CallResult) and state.asked is not None and event.token == state.asked.token:
        return relayed(bot, scene, event, now)
    if isinstance(event, TimerFired | CallResult):
        return resumed(bot, scene, event, now)
    if isinstance(event, GivenBack):
        return Decision((), State(0, (), state.variables, state.seed, state.turns), trace("given_back"))
    if isinstance(event, Triggered):
        return triggered(bot, scene, event, now)
    if isinstance(event, Quiet):
        return quiet(bot, scene, event, now)
    if isinstance(event.content, SILENT) or (isinstance(event.content, Reaction) and not event.content.emoji):
        return silent(scene, event)
    if waits(state.asked, now):
        return keep(scene, event)
    if state.waiting is not None:
        if places := opened(bot, state):
            return (answer if state.waiting.kind == "answer" else meanwhile)(bot, scene, event, now, places)
        scene = without_flow(scene)
    if bot.handler is not None and not isinstance(event.content, Reaction):
        return relay(bot, bot.handler, scene, event, now)
    return listen(bot, scene, event, now)


def relayed(bot: Version, scene: Scene, event: CallResult, now: int) -> Decision:
    """The bot's handler answered, or the rules do. A question that was asked meanwhile stays open."""
    done = answered(bot, scene, event, now)
    if isinstance(done, Decision):
        return done
    assert scene.state.asked is not None
    message, scene = scene.state.asked.message, without(scene)
    if scene.state.waiting is not None:
        return Decision((), scene.state, Trace(done, code="relay_failed"))
    decision = listen(bot, scene, message, now)
    seen = msgspec.structs.replace(decision.trace, before=(done, *decision.trace.before))
    return msgspec.structs.replace(decision, trace=seen)


def silent(scene: Scene, event: Arrived, near: tuple[NearMiss, ...] = ()) -> Decision:
    """Nothing is answered and nothing changes."""
    return Decision((), scene.state, trace("silent", None, (), near, kind=kind(event.content)))


def meanwhile(bot: Version, scene: Scene, event: Arrived, now: int, places: list[Place]) -> Decision:
    """A flow waits for its time or a call. A rule that may interrupt answers at once; any other does if it takes long;
    else the message is held. A reaction is not: it asks nothing."""
    said, asked = hear(bot, scene, event, now)
    hit = interrupting(bot, asked)
    if hit.order >= 0:
        return interrupt(bot, scene, event, now, hit, said, title(places[-1].program))
    if holds(scene.state.waiting, now):
        return hold(scene, event, places) if asked.reaction is None else silent(scene, event)
    decision = listen(bot, scene, event, now)
    return msgspec.structs.replace(decision, state=left(decision.state)) if ended(decision) else decision


def release(bot: Version, scene: Scene, first: Decision, now: int) -> Decision:
    """Answers what was held as soon as nothing holds it, as one message. What was written before a question was asked
    is no answer to it."""
    state = first.state
    if ended(first):
        return without_held(first)
    if waits(state.asked, now):
        return first
    asks = state.waiting is not None and state.waiting.kind == "answer"
    if holds(state.waiting, now) or (asks and below(state)):
        return first
    if asks:
        return without_held(first, N_("What was written before the question was asked is not taken as its answer"))
    event = merged(state.held)
    scene = msgspec.structs.replace(scene, state=without_held(first).state)
    return together(first, happen(bot, scene, event, now))


def listen(bot: Version, scene: Scene, event: Arrived, now: int) -> Decision:
    """No question is open: the rules are asked."""
    said, asked = hear(bot, scene, event, now)
    hit = match(bot.index, asked)
    if hit.order < 0:
        return miss(bot, scene, event, now, asked, hit)
    plan = bot.plans[hit.order]
    if plan.goes_on:
        return go_on(bot, scene, event, now, said, asked, hit)
    return act(plan, bot, scene, event, now, matched(bot.names, plan, said, hit), missed=0)


def go_on(bot: Version, scene: Scene, event: Arrived, now: int, said: Said, asked: Asked, hit: Found) -> Decision:
    """Rules answer one after the other as long as they let others go on. All are asked about the message as it came. If
    none of them said anything and no other rule fits, the fallback does."""
    running = machine(bot, scene, event, now)
    before: list[Sentence] = []
    seen, missed = trace("silent"), 0
    while True:
        plan = bot.plans[hit.order]
        done = running.perform(plan)
        seen = matched(bot.names, plan, said, hit)
        if not (plan.goes_on and done) or len(before) >= MOST_GOING_ON:
            break
        hit = match(bot.index, asked, hit.order)
        if hit.order < 0:
            if not running.answered and asked.reaction is None:
                before.append(seen.verdict)
                missed, seen = fall_back(bot, scene, running, asked, hit)
            break
        before.append(seen.verdict)
    return running.decision(msgspec.structs.replace(seen, before=tuple(before)), missed)


def fall_back(bot: Version, scene: Scene, running: Machine, asked: Asked, hit: Found) -> tuple[int, Trace]:
    """The fallback as part of a turn: fallbacks in a row, and the verdict."""
    plan, missed, seen = missing(bot, scene, asked, hit)
    if plan is not None:
        running.perform(plan)
    return missed, seen


def answer(bot: Version, scene: Scene, event: Arrived, now: int, places: list[Place]) -> Decision:
    """A question is open. In this order: one of its choices; a word that leaves the flow; a rule that may interrupt,
    after which the question is asked again; an answer that fits; one that does not."""
    said, asked = hear(bot, scene, event, now)
    text, button = asked.text, asked.button
    program, at = places[-1].program, places[-1].at
    asking: Asking = program.code[at]
    running = machine(bot, scene, event, now)
    place = title(program)
    where = {"place": place, "number": asking.number, "name": asking.save, "said": said, "words": text[:100]}
    own = f"{program.shown}/{asking.save}"
    if not chosen(asking.expected, text, button) or asked.reaction is not None:
        if asking.cancel and {whole(asked.words, text), " ".join(button or ())} & asking.cancel:
            return cancel(bot, scene, event, now, running, own, where)
        hit = interrupting(bot, asked)
        if hit.order >= 0:
            return interrupt(bot, scene, event, now, hit, said, place)
        if asked.reaction is not None:
            return silent(scene, event)
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
    near = passed_over(bot.names, match(bot.index, asked))
    verdict = N_(SENTENCES[code], **where)
    return running.decision(Trace(verdict, own, asking.line, (text[:100],) if text else (), near, code=code), 0)


def interrupting(bot: Version, asked: Asked) -> Found:
    return match(bot.interrupts.index, asked) if bot.interrupts is not None else Found(-1)


def interrupt(
    bot: Version, scene: Scene, event: Arrived, now: int, hit: Found, said: Said, place: Sentence
) -> Decision:
    """A rule answers, then what ran goes on waiting: a question is asked again."""
    assert bot.interrupts is not None
    plan = bot.interrupts.plans[hit.order]
    running = machine(bot, scene, event, now)
    running.perform(plan)
    return running.decision(interruption(plan, said, hit, place), 0)


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


def hear(bot: Version, scene: Scene, event: Arrived, now: int) -> tuple[Said, Asked]:
    """How it was said (for the verdict), and the message as rules are asked about it."""
    said, text, found, button = read(event, scene.state, bot.pairs)
    return said, Asked(scene, event, now, text, found, button, bot.hours, lambda: names(scene, event, now))


def read(event: Arrived, state: State, pairs: str = "") -> tuple[Said, str, list[str], list[str] | None]:
    """How it was said (for the verdict), the text, its words, and the words of a pressed button's id."""
    content = event.content
    text = event.text or text_of(content)
    if isinstance(content, Pressed | Picked):
        said = N_("Pressed") if isinstance(content, Pressed) else N_("Picked")
        return said, text, words(text, pairs), words(content.id, pairs)
    found = words(text, pairs)
    if state.choices and len(found) == 1 and found[0].isdecimal() and len(found[0]) < 4:
        number = int(found[0])
        if 1 <= number <= len(state.choices):
            identity, title = state.choices[number - 1]
            return N_("Answered {number} for", number=number), title, words(title, pairs), words(identity, pairs)
    return N_("Said"), text, found, None


def miss(bot: Version, scene: Scene, event: Arrived, now: int, asked: Asked, hit: Found) -> Decision:
    """No rule matched: the fallback, or its last steps when it is often enough in a row. A reaction that no rule asks
    for is no question."""
    if asked.reaction is not None:
        return silent(scene, event, nearly(bot.names, hit))
    plan, missed, seen = missing(bot, scene, asked, hit)
    if plan is None:
        return Decision((), after(scene.state, missed, scene.state.choices), seen)
    return act(plan, bot, scene, event, now, seen, missed)


def missing(bot: Version, scene: Scene, asked: Asked, hit: Found) -> tuple[Plan | None, int, Trace]:
    """What is done when no rule matched, the fallbacks in a row after it, and the verdict."""
    failed = nearly(bot.names, hit)
    near = tuple(bot.index.near.find(asked.words, bot.names)) or failed
    missed = scene.state.missed + 1
    if bot.then is not None and missed >= bot.after:
        return bot.then, 0, trace("missed_again", bot.then, (), near, count=missed)
    if bot.fallback is not None:
        return bot.fallback, missed, trace("missed", bot.fallback, (), near)
    return None, missed, trace("unanswered", None, (), near)


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
