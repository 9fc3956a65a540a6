"""The bot's whole behaviour: what it was given in, what it does out. No clock, no network, no database, no randomness.

Bounded by construction: a turn makes at most 20 effects and 64 KB of text, and the work before that does not grow with
the number of rules (contract: design, section 4).
"""

from typing import Any

import msgspec

from app.bot.asked import Asked
from app.bot.document import Version
from app.bot.expect import chosen
from app.bot.expect import read as read_answer
from app.bot.guards import told
from app.bot.index import whole
from app.bot.match import Found, match
from app.bot.program import Asking
from app.bot.run import Machine, Place, left, opened, title
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
from app.bot.turn import Turn, after, names
from app.bot.values import MISSING, Room
from app.bot.words import words
from app.content import Delete, Edit, Note, Picked, Pressed, Reaction, System, kind
from app.content import text as text_of
from app.said import N_, Said, Sentence, mark

SILENT = (System, Edit, Delete, Note)
# Rules of one turn that answer and let others go on.
MOST_GOING_ON = 20
SENTENCES = {
    "word": mark("{said} “{words}”, a word of rule {rule}."),
    "phrase": mark("{said} “{words}”, a phrase of rule {rule}."),
    "starts": mark("{said} “{words}” at the beginning, as rule {rule} asks."),
    "exact": mark("{said} exactly “{words}”, as rule {rule} asks."),
    "all": mark("{said} “{words}”, all that rule {rule} asks."),
    "fuzzy": mark("{said} “{words}”, nearly “{meant}” of rule {rule}."),
    "with": mark("{said} “{words}”, and rule {rule} had what else it asks for: {facts}."),
    "event": mark("Rule {rule} had all that it asks for: {facts}."),
    "pattern": mark("{said} “{words}”, which fits a pattern of rule {rule}."),
    "missed": mark("No rule has these words; the fallback answered."),
    "missed_again": mark("No rule had these words {count} times in a row; the fallback went on to its last steps."),
    "unanswered": mark("No rule has these words and there is no fallback."),
    "silent": mark("A message of this kind ({kind}) is not answered."),
    "stale": mark("Nothing waits for this any more."),
    "no_trigger": mark("No rule listens to this."),
    "answer": mark("{said} “{words}”, the answer to {place}, question {number}: {name}."),
    "again": mark("{said} “{words}”, which does not fit {place}, question {number}: {name}; it was asked again."),
    "gave_up": mark("{said} “{words}”, which does not fit {place}, question {number}: {name}, one time too often."),
    "cancelled": mark("{said} “{words}”, which leaves {place} at question {number}: {name}."),
    "interrupted": mark("{said} “{words}”, for which rule {rule} may interrupt {place}."),
    "event_interrupted": mark("Rule {rule} may interrupt {place} and had all that it asks for: {facts}."),
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
    if isinstance(event.content, SILENT) or (isinstance(event.content, Reaction) and not event.content.emoji):
        return silent(scene, event)
    if state.waiting is not None and state.waiting.kind == "answer":
        places = opened(bot, state)
        if places:
            return answer(bot, scene, event, now, places)
        scene = without_flow(scene)
    return listen(bot, scene, event, now)


def silent(scene: Scene, event: Arrived, near: tuple[NearMiss, ...] = ()) -> Decision:
    """Nothing is answered and nothing changes."""
    return Decision((), scene.state, trace("silent", None, (), near, kind=kind(event.content)))


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
    machine = machine_for(bot, scene, event, now)
    before: list[Sentence] = []
    seen, missed = trace("silent"), 0
    while True:
        plan = bot.plans[hit.order]
        machine.perform(plan)
        seen = matched(bot.names, plan, said, hit)
        if not plan.goes_on or machine.waiting is not None or machine.turn.over or len(before) >= MOST_GOING_ON:
            break
        hit = match(bot.index, asked, hit.order)
        if hit.order < 0:
            if not machine.answered and asked.reaction is None:
                before.append(seen.verdict)
                missed, seen = fall_back(bot, scene, machine, asked, hit)
            break
        before.append(seen.verdict)
    return machine.decision(msgspec.structs.replace(seen, before=tuple(before)), missed)


def fall_back(bot: Version, scene: Scene, machine: Machine, asked: Asked, hit: Found) -> tuple[int, Trace]:
    """The fallback as part of a turn: fallbacks in a row, and the verdict."""
    plan, missed, seen = missing(bot, scene, asked, hit)
    if plan is not None:
        machine.perform(plan)
    return missed, seen


def answer(bot: Version, scene: Scene, event: Arrived, now: int, places: list[Place]) -> Decision:
    """A question is open. In this order: one of its choices; a word that leaves the flow; a rule that may interrupt,
    after which the question is asked again; an answer that fits; one that does not."""
    said, asked = hear(bot, scene, event, now)
    text, button = asked.text, asked.button
    program, at = places[-1]
    asking: Asking = program.code[at]
    machine = machine_for(bot, scene, event, now)
    machine.places = places
    where = {"place": title(program), "number": asking.number, "name": asking.save, "said": said, "words": text[:100]}
    own = f"{program.shown}/{asking.save}"
    if asked.reaction is not None:
        return interrupted(bot, machine, said, asked, title(program)) or silent(scene, event)
    if not chosen(asking.expected, text, button):
        if asking.cancel and {whole(asked.words, text), " ".join(button or ())} & asking.cancel:
            return cancel(bot, scene, event, now, machine, own, where)
        interruption = interrupted(bot, machine, said, asked, title(program))
        if interruption is not None:
            return interruption
    value = read_answer(asking.expected, event.content, text, button)
    waiting = scene.state.waiting
    tries = waiting.tries + 1 if waiting is not None else 1
    code = "answer"
    if value is not MISSING:
        machine.turn.choices = ()
        machine.set(asking.save, value)
        machine.go_on(at + 1)
    elif tries <= asking.retries:
        code = "again"
        machine.ask(program, at, asking, asking.again, tries)
    elif asking.otherwise >= 0:
        code = "gave_up"
        machine.turn.choices = ()
        machine.go_on(asking.otherwise)
    else:
        return listen(bot, without_flow(scene), event, now)
    machine.run()
    verdict = N_(SENTENCES[code], **where)
    return machine.decision(Trace(verdict, own, asking.line, (text[:100],) if text else (), code=code), 0)


def interrupted(bot: Version, machine: Machine, said: Said, asked: Asked, place: Sentence) -> Decision | None:
    """The first rule that may answer while a question is open, if one fits; then the question is asked again."""
    hit = match(bot.interrupts.index, asked) if bot.interrupts is not None else None
    if hit is None or hit.order < 0 or bot.interrupts is None:
        return None
    plan = bot.interrupts.plans[hit.order]
    machine.perform(plan)
    words = "”, “".join(hit.matched)
    code = "interrupted" if hit.matched else "event_interrupted"
    seen = trace(
        code, plan, hit.matched, said=said, words=words, rule=plan.name, place=place, facts=told(hit.held)
    )  # fmt: skip
    return machine.decision(seen, 0)


def cancel(
    bot: Version, scene: Scene, event: Arrived, now: int, machine: Machine, own: str, where: dict[str, Any]
) -> Decision:
    """The flows are left. What the question has to say to that is said, else the rules are asked."""
    program, at = machine.places[-1]
    asking: Asking = program.code[at]
    if asking.cancelled is None:
        return listen(bot, without_flow(scene), event, now)
    machine.places = []
    machine.turn.rule, machine.turn.choices = own, ()
    machine.turn.say(asking.cancelled, scene.state.seed)
    return machine.decision(Trace(N_(SENTENCES["cancelled"], **where), own, asking.line, code="cancelled"), 0)


def without_flow(scene: Scene) -> Scene:
    return msgspec.structs.replace(scene, state=left(scene.state))


def machine_for(bot: Version, scene: Scene, event: Arrived, now: int) -> Machine:
    known = names(scene, event, now)
    return Machine(bot, Turn(scene.capabilities, "", Room(known), scene.state), scene, known, now)


def hear(bot: Version, scene: Scene, event: Arrived, now: int) -> tuple[Said, Asked]:
    """How it was said (for the verdict), and the message as rules are asked about it."""
    said, text, found, button = read(event, scene.state, bot.pairs)
    return said, Asked(scene, event, now, text, found, button, bot.opening, lambda: names(scene, event, now))


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


def matched(names: tuple[str, ...], plan: Plan, said: Said, hit: Found) -> Trace:
    """The verdict on a rule that fits."""
    params: dict[str, Any] = {"said": said, "words": "”, “".join(hit.matched), "rule": plan.name}
    if hit.held:
        params["facts"] = told(hit.held)
    if hit.meant:
        params["meant"] = hit.meant
    return trace(hit.how, plan, hit.matched, nearly(names, hit), **params)


def trace(
    code: str, plan: Plan | None = None, matched: tuple[str, ...] = (), near: tuple[NearMiss, ...] = (), **params: Any
) -> Trace:
    verdict = N_(SENTENCES[code], **params)
    name, line = (plan.name, plan.line) if plan is not None else ("", 0)
    return Trace(verdict, name, line, matched, near, code=code)


def nearly(names: tuple[str, ...], hit: Found) -> tuple[NearMiss, ...]:
    """Rules that had words in the message too, or conditions: they stand later, or asked for more."""
    if not hit.also and not hit.failed:
        return ()
    first = names[hit.order] if hit.order >= 0 else ""
    later = [
        NearMiss(names[order], 1.0, N_("Has “{word}” too, but {first} stands first", word=word, first=first))
        for order, word in hit.also
    ]
    failed = [NearMiss(names[order], 0.5, why) for order, why in hit.failed]
    return tuple((later + failed)[:3])


def act(plan: Plan, bot: Version, scene: Scene, event: Arrived, now: int, seen: Trace, missed: int) -> Decision:
    """Runs the steps of a plan."""
    state, can = scene.state, scene.capabilities
    if plan.effects is not None and plan.longest <= can.text:
        return Decision(plan.effects, after(state, missed, state.choices), seen)
    if plan.program is not None and not plan.steps:
        machine = machine_for(bot, scene, event, now)
        machine.begin(plan.program)
        machine.run()
        return machine.decision(seen, missed)
    turn = Turn(can, plan.name, Room(names(scene, event, now)), state)
    for at, step in enumerate(plan.steps):
        if isinstance(step, Handing):
            turn.hand(step.reason.render(turn.room).strip(), step.team.render(turn.room).strip())
            break  # nothing more is said
        else:
            turn.say(step, state.seed + at)
    return Decision(tuple(turn.effects), after(state, missed, turn.choices), turn.explained(seen))
