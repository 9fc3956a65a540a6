"""What happens without a message and without anything waited for: somebody asks for a rule or flow by name, or nobody
has written for a while. It begins at once, on top of what waits; after it a question is asked again. Pure."""

import re
from typing import Any, Final

import msgspec

from app.bot.asked import Asked
from app.bot.document import Version
from app.bot.keep import Measure, whole
from app.bot.match import Found, by_facts
from app.bot.resume import ended, within
from app.bot.run import Machine, machine
from app.bot.scalars import NAME, TAKEN
from app.bot.scene import Decision, Quiet, Scene, Trace, Triggered, WatchQuiet
from app.bot.verdict import matched, nearly, trace
from app.said import N_, Sentence, mark

FLOW: Final = "flow:"
MOST_DATA: Final = 50
MOST_GOING_ON: Final = 20  # rules of one turn that answer and let others go on
NOTHING: Final = N_("Nothing said")
SENTENCES: Final = {
    "started": mark("{place} was asked for by name."),
    "no_flow": mark("There is no flow “{name}” in this bot."),
}


def triggered(bot: Version, scene: Scene, event: Triggered, now: int) -> Decision:
    """A flow is started, or the rules that listen to this name are."""
    run = machine(bot, scene, event, now)
    remember(run, event.data)
    if not event.name.startswith(FLOW):
        return prompted(bot, scene, event, now, run)
    name = event.name.removeprefix(FLOW)
    program = run.bot.programs.get(f"flow {name}")
    if program is None:
        return Decision((), scene.state, Trace(N_(SENTENCES["no_flow"], name=name[:100]), code="no_flow"))
    run.begin(program)
    run.run()
    place = N_("flow {name}", name=name)
    return run.decision(Trace(N_(SENTENCES["started"], place=place), program.shown, code="started"), scene.state.missed)


def remember(run: Machine, data: dict[str, Any]) -> None:
    """What came with it, by name."""
    measure = Measure()
    for name, value in list(data.items())[:MOST_DATA]:
        if re.fullmatch(NAME, name) and name not in TAKEN:
            run.set(name, whole(run.turn.room, value, measure))
        else:
            run.turn.room.problem(N_("“{name}” cannot be the name of a value; it was left out", name=name[:40]))


def quiet(bot: Version, scene: Scene, event: Quiet, now: int) -> Decision:
    """Nobody wrote for so long. The rules of the longest inactivity that is over are asked, then the next is watched
    for."""
    passed = (now - scene.last_heard) // 1_000 if scene.last_heard else event.seconds
    decision = prompted(bot, scene, event, now, machine(bot, scene, event, now), longest(bot, passed))
    following = next((seconds for seconds in bot.inactivity if seconds > passed), 0)
    return watching(decision, following - passed) if following else decision


def longest(bot: Version, passed: int) -> int:
    return max((seconds for seconds in bot.inactivity if seconds <= passed), default=0)


def watching(decision: Decision, seconds: int) -> Decision:
    """The decision, and an eye on whether somebody writes; not where a person has the conversation now."""
    if ended(decision):
        return decision
    return msgspec.structs.replace(decision, effects=tuple(within([*decision.effects, WatchQuiet(seconds)])))


def prompted(bot: Version, scene: Scene, event: Triggered | Quiet, now: int, run: Machine, passed: int = 0) -> Decision:
    """The rules answer one after the other as long as they let others go on."""
    asked = Asked(scene, event, now, hours=bot.hours, names=lambda: run.names, inactive=passed)
    hit = by_facts(bot.index, asked)
    if hit.order < 0:
        return Decision((), scene.state, trace("no_trigger", None, (), nearly(bot.names, hit)))
    before: list[Sentence] = []
    below, run.places = run.places, []
    while True:
        plan = run.bot.plans[hit.order]
        done = run.perform(plan)
        seen = matched(bot.names, plan, NOTHING, hit)
        following = by_facts(bot.index, asked, hit.order) if plan.goes_on and done else Found(-1)
        if following.order < 0 or len(before) >= MOST_GOING_ON:
            run.rejoin(below)
            return run.decision(msgspec.structs.replace(seen, before=tuple(before)), scene.state.missed)
        before.append(seen.verdict)
        hit = following
