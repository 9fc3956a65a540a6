"""Carries out what a turn asks for, in the turn's unit: replies into the outbox, notes and marks on the contact, whose
the conversation is, what is to happen later, and the conversation as it is after the turn.

Who opted out gets nothing unasked: a turn that no message of theirs caused says nothing to them. What they ask is still
answered, so that the opt-out itself can be confirmed, and taken back.
"""

import msgspec

from app import calls, content, events, noted, promises, saying, teams
from app.bot.scene import Assign, Close, Effect, HandOff, Note, Send, State
from app.case import Case, Delivery, Intake
from app.connectors.base import Address, Outbound, Problem
from app.db import Tx
from app.models import Stranger
from app.store import conversations

OPTED_OUT = Problem("bot.opted_out", "The person opted out.")

_json = msgspec.json.Encoder()
_address: msgspec.json.Decoder[Address] = msgspec.json.Decoder(Address)


class After(msgspec.Struct, frozen=True):
    """The bot's memory after the turn: its state, its reply budget as JSON, the version it goes on with."""

    state: State
    budget: str
    version_id: int | None


def carry_out(tx: Tx, intake: Intake, case: Case, effects: tuple[Effect, ...], after: After) -> bool:
    """Everything. The first reply starts at once if a sender is free and nothing waits; returns whether it did."""
    said = [(step, effect) for step, effect in enumerate(effects) if isinstance(effect, Send) and effect.at <= tx.now]
    if len(effects) > len(said):
        _do_the_rest(tx, intake, case, effects)
    if case.found.opted_out_at is not None and case.heard is None:
        for step, send in said:
            saying.withhold(tx, case.conversation_id, case.here.id, case.turn_id, step, send, OPTED_OUT)
        said = []
    at_once = case.slot and bool(said) and not case.found.pending
    last = (case.heard.id, case.heard.snippet) if case.heard else (0, "")
    for place, (step, send) in enumerate(said):
        last = _say(tx, intake, case, step, place, send, at_once and place == 0), content.text(send.content)
    if len(said) > at_once:
        tx.after_commit(intake.wake, case.here.id)
    _leave(tx, case, effects, after, len(said), last)
    return at_once


def _say(tx: Tx, intake: Intake, case: Case, step: int, place: int, send: Send, at_once: bool) -> int:
    """One reply: its message and its place in the outbox. Returns the message's id."""
    conversation_id, channel_id = case.conversation_id, case.here.id
    reply_to = send.reply_to or (case.heard.provider_id if send.quote and case.heard else "")
    send = saying.aimed(send, reply_to)
    reply_id = saying.insert(tx, conversation_id, channel_id, case.turn_id, step, send, reply_to)
    saying.queue(tx, conversation_id, channel_id, reply_id, case.found.places + place + 1, at_once=at_once)
    if at_once:
        to = _address.decode(case.found.address)
        outbound = Outbound(f"{intake.install}.{reply_id}", to, send.content, reply_to)
        tx.after_commit(intake.send, Delivery(reply_id, conversation_id, channel_id, 1, outbound))
    return reply_id


def _do_the_rest(tx: Tx, intake: Intake, case: Case, effects: tuple[Effect, ...]) -> None:
    """All but what is said now. What cannot be done is told in the thread."""
    undone: list[tuple[str, str]] = []
    for effect in effects:
        match effect:
            case Note(text=text, rule=rule):
                saying.remark(tx, case.conversation_id, case.here.id, content.Note(text), case.turn_id, rule)
            case Assign(to=to) if not teams.assign(tx, case.conversation_id, to):
                undone.append(("bot.nobody", to))
            case HandOff(team=team) if team and not teams.assign_team(tx, case.conversation_id, team):
                undone.append(("bot.no_team", team))
            case _:
                pass
    noted.note(tx, case.found.contact_id, effects)
    calls.order(tx, case.turn_id, case.conversation_id, effects, intake.due)
    if not promises.make(tx, intake, case, effects):
        undone.append(("bot.too_many", ""))
    for what, name in undone:
        said = content.System(what, data={"name": name})
        saying.remark(tx, case.conversation_id, case.here.id, said, case.turn_id)


def _leave(tx: Tx, case: Case, effects: tuple[Effect, ...], after: After, said: int, last: tuple[int, str]) -> None:
    """The conversation as it is from here on. Without a message, nobody was heard and nothing is unread."""
    handed = next((effect for effect in effects if isinstance(effect, HandOff)), None)
    closed = handed is None and any(isinstance(effect, Close) for effect in effects)
    values = {
        "id": case.conversation_id, "state": _json.encode(after.state).decode(), "version_id": after.version_id,
        "budget": after.budget, "mode": "waiting" if handed else "bot", "places": case.found.places + said,
        "waiting_since": tx.now if handed else None, "waiting_for": handed.reason if handed else "",
    }  # fmt: skip
    if case.heard:
        answered = bool(said or after.state.held or after.state.asked) and not handed  # it is answered after the wait
        values |= {
            "unread": 0 if answered else case.heard.count, "closed_at": tx.now if closed else None,
            "heard_at": case.heard.at, "at": tx.now, "last_id": last[0], "snippet": last[1][:160],
        }  # fmt: skip
        if isinstance(case.found, Stranger) and case.found.row:
            case.found.row.update(values)
        else:
            tx.later(conversations.AFTER_TURN, **values)
    else:
        closed_at = None if handed else tx.now if closed else case.found.closed_at
        tx.run(conversations.AFTER_RESUMED, **values, unread=1 if handed else 0, closed_at=closed_at)
        if said:
            saying.spoke(tx, case.conversation_id, *last)
        else:
            saying.tell(tx, case.conversation_id, events.CONVERSATION_UPDATED)
    if handed:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
