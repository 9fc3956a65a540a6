"""What is told of a turn: the sentence that says why, and the rules that nearly fitted."""

from typing import Any

from app.bot.guards import told
from app.bot.match import Found
from app.bot.scene import NearMiss, Trace
from app.bot.steps import Plan
from app.said import N_, Said, Sentence, mark

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
    "no_trigger": mark("No rule listens to this."),
    "answer": mark("{said} “{words}”, the answer to {place}, question {number}: {name}."),
    "again": mark("{said} “{words}”, which does not fit {place}, question {number}: {name}; it was asked again."),
    "gave_up": mark("{said} “{words}”, which does not fit {place}, question {number}: {name}, one time too often."),
    "cancelled": mark("{said} “{words}”, which leaves {place} at question {number}: {name}."),
    "interrupted": mark("{said} “{words}”, for which rule {rule} may interrupt {place}."),
    "event_interrupted": mark("Rule {rule} may interrupt {place} and had all that it asks for: {facts}."),
    "relayed": mark("The message was given to {handler}."),
    "relay_held": mark("{handler} has not answered yet; it is given the message after that."),
    "relay_answered": mark("{handler} answered."),
    "given_back": mark("A person gave the conversation back; the bot answers the next message."),
}


def matched(names: tuple[str, ...], plan: Plan, said: Said, hit: Found) -> Trace:
    """The verdict on a rule that fits."""
    params: dict[str, Any] = {"said": said, "words": "”, “".join(hit.matched), "rule": plan.name}
    if hit.held:
        params["facts"] = told(hit.held)
    if hit.meant:
        params["meant"] = hit.meant
    return trace(hit.how, plan, hit.matched, nearly(names, hit), **params)


def interruption(plan: Plan, said: Said, hit: Found, place: Sentence) -> Trace:
    """The verdict on a rule that answers while `place` waits."""
    params: dict[str, Any] = {"said": said, "words": "”, “".join(hit.matched), "rule": plan.name, "place": place}
    if not hit.matched:
        params["facts"] = told(hit.held)
    return trace("interrupted" if hit.matched else "event_interrupted", plan, hit.matched, **params)


def trace(
    code: str, plan: Plan | None = None, matched: tuple[str, ...] = (), near: tuple[NearMiss, ...] = (), **params: Any
) -> Trace:
    verdict = N_(SENTENCES[code], **params)
    name, line = (plan.name, plan.line) if plan is not None else ("", 0)
    return Trace(verdict, name, line, matched, near, code=code)


def passed_over(names: tuple[str, ...], hit: Found) -> tuple[NearMiss, ...]:
    """The rule that would have answered if nobody had been asked anything."""
    if hit.order < 0:
        return ()
    return (NearMiss(names[hit.order], 1.0, N_("Would have answered, but an open question goes before rules")),)


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
