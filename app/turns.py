"""A turn: the bot decides about one event, and what follows is written in the caller's unit of work.

The event is a message that was just stored (`take`) or something else that happened to a conversation (`resume`): the
time of a wait is over, a call came back, the API asks for a flow. A conversation that a person has, or that waits for
one, gets no turn: the bot is silent there until it is given back.
"""

import time
import traceback
from collections.abc import Callable
from typing import Protocol

import msgspec

from app import budget, content, events, noted
from app.bot.decide import decide
from app.bot.document import Version
from app.bot.run import left
from app.bot.scene import (
    Close,
    ContactView,
    Effect,
    Event,
    HandOff,
    Scene,
    Send,
    SetField,
    State,
    Tag,
    TurnInput,
)
from app.capabilities import Capabilities
from app.connectors import CONNECTORS
from app.connectors.base import Address, Outbound
from app.db import Tx
from app.models import Found
from app.poison import Guard
from app.store import contacts, conversations, messages, outbox, turns

_json = msgspec.json.Encoder()
_address: msgspec.json.Decoder[Address] = msgspec.json.Decoder(Address)
_state: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
_input: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)
_tags: msgspec.json.Decoder[tuple[str, ...]] = msgspec.json.Decoder(tuple[str, ...])
_fields: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


class Delivery(msgspec.Struct, frozen=True):
    """One send that is committed as `sending`: from here on only its outcome is written."""

    message_id: int
    conversation_id: int
    channel_id: int
    attempt: int
    outbound: Outbound


class Here(msgspec.Struct, frozen=True):
    """The channel as a turn sees it."""

    id: int
    name: str
    network: str
    capabilities: Capabilities
    version_id: int | None


class Bots(Protocol):
    """Compiled versions by id, ready in memory."""

    def get(self, version_id: int) -> Version: ...


class Intake(msgspec.Struct, frozen=True):
    """What a unit may use besides its transaction: all of it pure or only read. Ages in ms."""

    bots: Bots
    guard: Guard
    install: str
    answer_age: int
    raw_age: int
    send: Callable[[Delivery], None]
    wake: Callable[[int], None]


class Heard(msgspec.Struct, frozen=True):
    """The stored message that a turn is about. `at` is when it was written (ms UTC)."""

    id: int
    provider_id: str
    snippet: str
    at: int


class Case(msgspec.Struct, frozen=True):
    """One event on its way through the turn. `name` is what a decision that ends the process is known by; `heard` is
    None where no message is the cause; `slot`: a sender is free."""

    here: Here
    found: Found
    conversation_id: int
    turn_id: int
    name: str
    event: Event
    heard: Heard | None = None
    slot: bool = False


class _Said(msgspec.Struct, frozen=True):
    """What the bot made of it: effects, its new state, the whole decision as JSON and its kind of verdict, or why it
    failed."""

    effects: tuple[Effect, ...]
    state: State
    output: str = ""
    code: str = ""
    error: str = ""


def resume(tx: Tx, intake: Intake, conversation_id: int, event: Event, name: str) -> int | None:
    """A turn without a message. `name` tells the event apart from every other, e.g. by its job. Returns the turn's id;
    None if there was none: the conversation or its channel is gone, a person has it, no bot is live there, or the event
    is about nothing that is waited for."""
    tx.lock("conversation", conversation_id)
    found = tx.one(contacts.FOUND_BY_CONVERSATION, id=conversation_id)
    channel = tx.one(conversations.CHANNEL, id=conversation_id)
    if found is None or channel is None or found.mode != "bot":
        return None
    here = _here(tx, conversation_id, channel)
    version_id = found.version_id or here.version_id
    if version_id is None:
        return None
    case = Case(here, found, conversation_id, tx.new_id(), name, event)
    given, said, took = _decided(tx, intake, case, version_id)
    if not said.error and not said.effects and said.state == given.scene.state:
        return None
    _write(tx, intake, case, version_id, given, said, took)
    return case.turn_id


def take(tx: Tx, intake: Intake, case: Case, version_id: int) -> bool:
    """The turn of a message, which has its id. Returns whether the slot was used."""
    return _write(tx, intake, case, version_id, *_decided(tx, intake, case, version_id))


def _here(tx: Tx, conversation_id: int, channel: tuple[int, str, str, int | None]) -> Here:
    """The channel as it is now. One without a version is the simulator's: whoever chose a version also chose the
    network that it is tried on, which the last turn knows."""
    id, name, network, version_id = channel
    last = tx.one(turns.LAST_INPUT, conversation_id=conversation_id) if version_id is None else None
    if last is not None:
        scene = _input.decode(last).scene
        return Here(id, name, scene.network, scene.capabilities, None)
    return Here(id, name, network, CONNECTORS[network].capabilities, version_id)


def _decided(tx: Tx, intake: Intake, case: Case, version_id: int) -> tuple[TurnInput, _Said, int]:
    """What the bot was given, what it said, and how long that took (µs)."""
    given = TurnInput(_scene(case), case.event, tx.now)
    began = time.perf_counter_ns()
    said = _decide(intake, version_id, given, case.name)
    return given, said, (time.perf_counter_ns() - began) // 1000


def _write(
    tx: Tx, intake: Intake, case: Case, version_id: int, given: TurnInput, said: _Said, took: int
) -> bool:  # fmt: skip
    """The turn and all that follows from it. Returns whether the slot was used."""
    tx.run(
        turns.INSERT, id=case.turn_id, conversation_id=case.conversation_id,
        message_id=case.heard.id if case.heard else None, version_id=version_id, input=_encode(given),
        output=said.output, code=said.code, error=said.error, took_us=took, at=tx.now,
    )  # fmt: skip
    if said.error:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
    spent, effects = budget.spend(case.found.budget, said.effects, tx.now)
    state = left(said.state) if budget.is_used_up(effects) else said.state
    keeps = _keeps(case, state, version_id)
    return _carry_out(tx, intake, case, effects, state, spent, keeps)


def _keeps(case: Case, state: State, version_id: int) -> int | None:
    """The version that a conversation goes on with, whatever is published: while a flow runs, the one it began with. A
    channel without a version (the simulator's) leaves it to whoever chose one."""
    return version_id if state.frames else case.found.version_id if case.here.version_id is None else None


def _scene(case: Case) -> Scene:
    found, here = case.found, case.here
    state = State(seed=case.conversation_id & 0xFFFFFFFF) if found.state == "{}" else _state.decode(found.state)
    if found.version_id is None and state.frames:
        state = left(state)  # a person had the conversation meanwhile, which ends the flow
    return Scene(state, _contact(found), here.capabilities, here.name, here.network, found.heard_at)


def _contact(found: Found) -> ContactView:
    return ContactView(
        id=str(found.contact_id), name=found.name, first_name=found.name.split(" ", 1)[0], phone=found.phone,
        username=found.username, language=found.language,
        tags=() if found.tags == "[]" else _tags.decode(found.tags),
        fields={} if found.fields == "{}" else _fields.decode(found.fields), first_seen=found.created_at,
    )  # fmt: skip


def _decide(intake: Intake, version_id: int, given: TurnInput, name: str) -> _Said:
    """The pure decision, guarded: one that raises, or ended the process before, is stored as failed and says
    nothing."""
    before = given.scene.state
    if intake.guard.is_poison(name):
        return _Said((), before, error="The process ended twice while deciding this; it was left unanswered.")
    at = intake.guard.begin(name)
    try:
        decision = decide(intake.bots.get(version_id), given.scene, given.event, given.now)
        _check(decision.effects)
    except Exception:
        return _Said((), before, error=traceback.format_exc(limit=-8))
    finally:
        intake.guard.end(at)
    return _Said(decision.effects, decision.state, _encode(decision), decision.trace.code)


def _check(effects: tuple[Effect, ...]) -> None:
    """Raises TypeError for an effect that is not carried out here: the turn is stored as failed and shown, rather than
    done in part."""
    for effect in effects:
        if not isinstance(effect, Send | HandOff | Tag | SetField | Close):
            raise TypeError(f"an effect that cannot be carried out: {effect!r}")


def _carry_out(
    tx: Tx, intake: Intake, case: Case, effects: tuple[Effect, ...], state: State, spent: str, keeps: int | None
) -> bool:
    """Replies into the outbox, what is noted about the contact, the conversation after the turn. The first reply starts
    at once if nothing waits."""
    found, heard = case.found, case.heard
    sends = [effect for effect in effects if isinstance(effect, Send)]
    handed = next((effect for effect in effects if isinstance(effect, HandOff)), None)
    at_once = case.slot and bool(sends) and not found.pending
    last_id, snippet = (heard.id, heard.snippet) if heard else (0, "")
    for step, send in enumerate(sends):
        last_id = _queue(tx, intake, case, step, send, at_once and step == 0)
        snippet = content.text(send.content)
    if len(sends) > at_once:
        tx.after_commit(intake.wake, case.here.id)
    if len(effects) > len(sends):
        noted.note(tx, found.contact_id, effects)
    closed = handed is None and any(isinstance(effect, Close) for effect in effects)
    after = {
        "id": case.conversation_id, "state": _encode(state), "version_id": keeps, "budget": spent,
        "mode": "waiting" if handed else "bot", "places": found.places + len(sends),
        "waiting_since": tx.now if handed else None, "waiting_for": handed.reason if handed else "",
    }  # fmt: skip
    if heard:
        tx.run(
            conversations.AFTER_TURN, **after, unread=1 if handed or not sends else 0,
            closed_at=tx.now if closed else None, heard_at=heard.at, at=tx.now, last_id=last_id, snippet=snippet[:160],
        )  # fmt: skip
    else:
        closed_at = None if handed else tx.now if closed else found.closed_at
        tx.run(conversations.AFTER_RESUMED, **after, unread=1 if handed else 0, closed_at=closed_at)
        if sends:
            tx.run(conversations.SPOKE, id=case.conversation_id, at=tx.now, last_id=last_id, snippet=snippet[:160])
        _tell(tx, case.conversation_id, last_id)
    if handed:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
    return at_once


def _queue(tx: Tx, intake: Intake, case: Case, step: int, send: Send, at_once: bool) -> int:
    """One reply: its message and its place in the outbox, already `sending` if it starts at once."""
    reply_id, channel_id = tx.new_id(), case.here.id
    reply_to = case.heard.provider_id if send.quote and case.heard else ""
    said = aimed(send.content, reply_to)
    tx.run(
        messages.INSERT_OUT, id=reply_id, conversation_id=case.conversation_id, channel_id=channel_id, author="bot",
        user_id=None, kind=content.kind(said), text=content.text(said),
        content=content.encode(said), reply_to=reply_to, status="queued", rule=send.rule,
        turn_id=case.turn_id, step=step, at=tx.now,
    )  # fmt: skip
    tx.run(
        outbox.INSERT, message_id=reply_id, channel_id=channel_id, conversation_id=case.conversation_id,
        place=case.found.places + step + 1, state="sending" if at_once else "queued", due_at=tx.now,
        attempts=1 if at_once else 0, now=tx.now,
    )  # fmt: skip
    if at_once:
        to = _address.decode(case.found.address)
        outbound = Outbound(f"{intake.install}.{reply_id}", to, said, reply_to)
        tx.after_commit(intake.send, Delivery(reply_id, case.conversation_id, channel_id, 1, outbound))
    return reply_id


def aimed(said: content.Content, reply_to: str) -> content.Content:
    """A bot's reaction names no message: it is on the one that came."""
    return content.Reaction(reply_to, said.emoji) if isinstance(said, content.Reaction) else said


def _tell(tx: Tx, conversation_id: int, last_id: int) -> None:
    """Nothing came in, so the pages hear of it only here. `last_id` is 0 if nothing was said."""
    type_, data = events.CONVERSATION_UPDATED, b'{"conversation_id":"%d"}' % conversation_id
    if last_id:
        type_, data = events.MESSAGE_CREATED, b'{"conversation_id":"%d","id":"%d"}' % (conversation_id, last_id)
    tx.publish(events.Event(type_, ("conversations", f"conversation-{conversation_id}"), data))


def _encode(value: object) -> str:
    return _json.encode(value).decode()
