"""What goes on without a message of the customer: a time that has come, and messages that were held meanwhile. Pure.

A flow that waits keeps what it waits for in its own frame, so that it is found again below whatever began on top of it.
"""

from typing import Any, Final

import msgspec

from app.bot.calling import Calling, failure
from app.bot.document import Version
from app.bot.program import Asking, Pausing
from app.bot.run import Machine, machine
from app.bot.scene import (
    Arrived,
    Call,
    CallResult,
    Close,
    Decision,
    Effect,
    HandOff,
    Scene,
    Send,
    StartTimer,
    State,
    TimerFired,
    Trace,
    Waiting,
)
from app.bot.standing import Place, reminding, title
from app.bot.turn import MOST_EFFECTS, said_in
from app.bot.values import OUTPUT
from app.content import text as text_of
from app.said import N_, Sentence, joined, mark

MOST_HELD: Final = 10
HOLDS: Final = 60_000  # ms: what takes longer holds no message
KEPT: Final = (HandOff, StartTimer, Call, Close)

SENTENCES: Final = {
    "stale": mark("Nothing waits for this any more."),
    "held": mark("{place} waits; the message is answered after that."),
    "called": mark("{place} asked {request} and got {what}."),
    "called_below": mark("{place} asked {request} and got {what}; it goes on after what is running now."),
    "call_failed": mark("{place} asked {request}, which failed. {what}"),
    "call_failed_below": mark("{place} asked {request}, which failed. {what} It goes on after what is running now."),
    "reminded": mark("No answer yet to {place}, question {number}: {name}."),
    "timed_out": mark("No answer in time to {place}, question {number}: {name}."),
    "waited": mark("The wait of {place} is over."),
    "waited_below": mark("The wait of {place} is over; it goes on after what is running now."),
}


def resumed(bot: Version, scene: Scene, event: TimerFired | CallResult, now: int) -> Decision:
    """A time has come, or a call came back. What nobody waits for does nothing."""
    run = machine(bot, scene, event, now)
    kind = Pausing if isinstance(event, TimerFired) else Calling
    for at, place in enumerate(run.places):
        if place.token == event.token and isinstance(place.instruction(), kind):
            return came(run, scene, event, at)
    waiting = scene.state.waiting
    if run.places and waiting is not None and waiting.kind == "answer" and isinstance(event, TimerFired):
        if event.token == waiting.token and waiting.due:
            return timed_out(run, scene)
        if event.token == reminding(waiting.token):
            return remind(run, scene, waiting)
    return Decision((), scene.state, verdict("stale"))


def remind(run: Machine, scene: Scene, waiting: Waiting) -> Decision:
    """The question stays open."""
    place = run.places[-1]
    asking: Asking = place.instruction()
    if asking.reminder is None:
        return Decision((), scene.state, verdict("stale"))
    run.waiting, run.turn.rule = waiting, f"{place.program.shown}/{asking.save}"
    run.turn.say(asking.reminder[1], scene.state.seed)
    return run.decision(about(asking, place, "reminded"), scene.state.missed)


def timed_out(run: Machine, scene: Scene) -> Decision:
    """The flow goes on as the question says, or is left."""
    place = run.places[-1]
    asking: Asking = place.instruction()
    seen = about(asking, place, "timed_out")
    run.turn.choices = ()
    if asking.timeout is None or asking.timeout[1] < 0:
        run.places.clear()
    else:
        run.go_on(asking.timeout[1])
    return go_on(run, scene, seen, top=True)


def about(asking: Asking, place: Place, code: str) -> Trace:
    seen = verdict(code, place, place=title(place.program), number=asking.number, name=asking.save)
    return msgspec.structs.replace(seen, rule=f"{place.program.shown}/{asking.save}")


def came(run: Machine, scene: Scene, event: TimerFired | CallResult, at: int) -> Decision:
    """A flow's wait is over. Below another flow it is only noted: that one ends first."""
    place, top = run.places[at], at == len(run.places) - 1
    where: dict[str, Any] = {"place": title(place.program)}
    if isinstance(event, CallResult):
        answered = run.came_back(at, event)
        where["request"] = event.request or place.instruction().method
        where["what"] = str(event.status) if answered else failure(event)
        code = "called" if answered else "call_failed"
    else:
        run.places[at] = Place(place.program, place.at + 1)
        code = "waited"
    top = top or run.turn.over
    return go_on(run, scene, verdict(code if top else f"{code}_below", place, **where), top=top)


def go_on(run: Machine, scene: Scene, seen: Trace, *, top: bool) -> Decision:
    if top:
        run.run()
        return run.decision(seen, scene.state.missed)
    state = scene.state
    frames = tuple(place.frame() for place in run.places)
    state = msgspec.structs.replace(state, frames=frames, variables=run.variables)
    return Decision((), state, run.turn.explained(seen))


# ---- messages that arrive meanwhile ----------------------------------------------------------------------------------


def holds(waiting: Waiting | None, now: int) -> bool:
    """Whether messages are kept until it is over: a call takes as long as it takes, but nobody waits for one longer."""
    if waiting is None or waiting.kind == "answer":
        return False
    return (now if waiting.kind == "call" else waiting.due) - waiting.since <= HOLDS


def hold(scene: Scene, event: Arrived, places: list[Place]) -> Decision:
    """The message is answered later; of too many the newest are kept."""
    state, place = scene.state, places[-1]
    seen = verdict("held", place, place=title(place.program))
    if len(state.held) >= MOST_HELD:
        said = N_("More than {most} messages were held; the first was left out", most=MOST_HELD)
        seen = msgspec.structs.replace(seen, problems=(said,))
    return Decision((), msgspec.structs.replace(state, held=(*state.held, event)[-MOST_HELD:]), seen)


def merged(held: tuple[Arrived, ...]) -> Arrived:
    """Several messages as one, as if they had been gathered."""
    last = held[-1]
    if len(held) == 1:
        return last
    burst = [content for event in held for content in (*event.burst, event.content)][:-1]
    text = "\n".join(text for event in held if (text := said_in(event)))
    referral = next((event.referral for event in reversed(held) if event.referral), None)
    return Arrived(last.content, text, last.reply_to, referral, tuple(burst[-MOST_HELD:]))


def below(state: State) -> bool:
    """Whether a flow waits below the question that is open."""
    return any(len(frame.at) > 1 for frame in state.frames)


def ended(decision: Decision) -> bool:
    """Whether the bot has given the conversation away."""
    return any(isinstance(effect, HandOff | Close) for effect in decision.effects)


def without_held(decision: Decision, problem: Sentence | None = None) -> Decision:
    trace = decision.trace
    if problem is not None:
        trace = msgspec.structs.replace(trace, problems=(*trace.problems[:9], problem))
    return Decision(decision.effects, msgspec.structs.replace(decision.state, held=()), trace)


def together(first: Decision, second: Decision) -> Decision:
    """Both as one turn, within what a turn may do: messages beyond are left out from the end, other effects last."""
    kept = within([*first.effects, *second.effects])
    full = len(kept) < len(first.effects) + len(second.effects)
    one, other = first.trace, second.trace
    more = (N_("This turn said more than is possible; the rest was left out"),) if full else ()
    trace = Trace(
        joined([one.verdict, other.verdict]),
        one.rule,
        one.line,
        one.matched,
        other.near,
        (*one.degraded, *other.degraded),
        tuple(dict.fromkeys((*one.problems, *other.problems, *more)))[:10],
        one.code,
    )
    return Decision(tuple(kept), second.state, trace)


def within(effects: list[Effect]) -> list[Effect]:
    """As many as a turn may have: messages go first, the last of them before the others; what a conversation cannot go
    on without stays."""
    said, kept = 0, list[Effect]()
    for effect in effects:
        said += len(text_of(effect.content)) if isinstance(effect, Send) else 0
        if not isinstance(effect, Send) or said <= OUTPUT:
            kept.append(effect)
    ranks = [0 if isinstance(effect, KEPT) else 2 if isinstance(effect, Send) else 1 for effect in kept]
    best = sorted(range(len(kept)), key=lambda at: (ranks[at], at))[:MOST_EFFECTS]
    return [kept[at] for at in sorted(best)]


def verdict(code: str, at: Place | None = None, **params: Any) -> Trace:
    rule, line = "", 0
    if at is not None:
        rule, line = at.program.shown, getattr(at.instruction(), "line", 0)
    return Trace(N_(SENTENCES[code], **params), rule, line, code=code)
