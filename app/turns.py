"""A turn: the bot decides about one event, and what follows is written in the caller's unit of work.

The event is a message that was just stored (`take`) or something else that happened to a conversation (`resume`): the
time of a wait is over, a call came back, the API asks for a flow. A conversation that a person has, or that waits for
one, gets no turn: the bot is silent there until it is given back.
"""

import time
import traceback

import msgspec

from app import budget, effects, events
from app.bot.decide import decide
from app.bot.scene import ContactView, Effect, Event, Scene, State, TurnInput
from app.bot.standing import left
from app.case import Case, Heard, Here, Intake
from app.connectors import CONNECTORS
from app.db import Tx
from app.models import Found
from app.store import contacts, conversations, turns

_json = msgspec.json.Encoder()
_state: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
_input: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)
_tags: msgspec.json.Decoder[tuple[str, ...]] = msgspec.json.Decoder(tuple[str, ...])
_fields: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


class _Seen(msgspec.Struct, frozen=True):
    """A `Scene` as its turn keeps it: of what the channel can show, the digest (`store.turns.GIVEN`)."""

    state: State
    contact: ContactView
    capabilities: str
    channel: str
    network: str
    last_heard: int
    opted_out: bool


class _Given(msgspec.Struct, frozen=True):
    """A `TurnInput` as its turn keeps it."""

    scene: _Seen
    event: Event
    now: int


class _Said(msgspec.Struct, frozen=True):
    """What the bot made of it: effects, its new state, the whole decision as JSON and its kind of verdict, or why it
    failed."""

    effects: tuple[Effect, ...]
    state: State
    output: str = ""
    code: str = ""
    error: str = ""


def resume(
    tx: Tx,
    intake: Intake,
    conversation_id: int,
    event: Event,
    name: str,
    *,
    heard: Heard | None = None,
    last_heard: int | None = None,
    seen: Here | None = None,
) -> int | None:
    """A turn of its own, later than what caused it. `name` tells the event apart from every other, e.g. by its job.

    Of messages that were gathered, `heard` is the last one, `last_heard` when the person wrote before them, `seen`
    where a simulated customer wrote. Returns the turn's id; None if there was none: the conversation or its channel is
    gone, a person has it, no bot is live there, or the event is about nothing that is waited for."""  # fmt: skip
    tx.lock("conversation", conversation_id)
    found = tx.one(contacts.FOUND_BY_CONVERSATION, id=conversation_id)
    channel = tx.one(conversations.CHANNEL, id=conversation_id)
    if found is None or channel is None or found.mode != "bot":
        return None
    here = _here(tx, conversation_id, channel, seen)
    version_id = found.version_id or here.version_id
    if version_id is None:
        return None
    before = found.heard_at if last_heard is None else last_heard
    turn_id = heard.id if heard else tx.new_id()
    case = Case(here, found, conversation_id, turn_id, name, event, before, heard)
    given, said, took = _decided(tx, intake, case, version_id)
    nothing = not said.error and not said.effects and said.state == given.scene.state
    if nothing and heard is None:
        return None
    _write(tx, intake, case, version_id, given, said, took)
    return turn_id


def take(tx: Tx, intake: Intake, case: Case, version_id: int) -> bool:
    """The turn of a message, which has its id. Returns whether the slot was used."""
    return _write(tx, intake, case, version_id, *_decided(tx, intake, case, version_id))


def _here(tx: Tx, conversation_id: int, channel: tuple[int, str, str, int | None], seen: Here | None) -> Here:
    """The channel as it is now. One without a version is the simulator's: whoever chose a version also chose the
    network that it is tried on, which the last turn knows."""
    id, name, network, version_id = channel
    if seen is not None and version_id is None:
        return seen
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
    digest, body = case.here.shows
    if digest not in intake.stored:
        tx.run(turns.INSERT_CAPABILITIES, digest=digest, body=body)
        tx.after_commit(intake.stored.add, digest)
    tx.later(
        turns.INSERT, id=case.turn_id, conversation_id=case.conversation_id,
        message_id=case.heard.id if case.heard else None, version_id=version_id, input=_kept(given, digest),
        capabilities=digest, output=said.output, code=said.code, error=said.error, took_us=took, at=tx.now,
    )  # fmt: skip
    if said.error:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
    spent, wanted = budget.spend(case.found.budget, said.effects, tx.now)
    state = left(said.state) if budget.is_used_up(wanted) else said.state
    after = effects.After(state, spent, _keeps(case, state, version_id))
    return effects.carry_out(tx, intake, case, wanted, after)


def _keeps(case: Case, state: State, version_id: int) -> int | None:
    """The version that a conversation goes on with, whatever is published: while a flow runs, the one it began with. A
    channel without a version (the simulator's) leaves it to whoever chose one."""
    if state.frames or state.asked:
        return version_id
    return case.found.version_id if case.here.version_id is None else None


def _scene(case: Case) -> Scene:
    found, here = case.found, case.here
    state = State(seed=case.conversation_id & 0xFFFFFFFF) if found.state == "{}" else _state.decode(found.state)
    if found.version_id is None and (state.frames or state.asked):
        # A person had the conversation meanwhile: that ends the flow, and what was held for it is theirs.
        state = msgspec.structs.replace(left(state), held=())
    opted_out = found.opted_out_at is not None
    return Scene(state, _contact(found), here.capabilities, here.name, here.network, case.last_heard, opted_out)


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
    except Exception:
        return _Said((), before, error=traceback.format_exc(limit=-8))
    finally:
        intake.guard.end(at)
    return _Said(decision.effects, decision.state, _encode(decision), decision.trace.code)


def _kept(given: TurnInput, digest: str) -> str:
    scene = given.scene
    seen = _Seen(scene.state, scene.contact, digest, scene.channel, scene.network, scene.last_heard, scene.opted_out)
    return _encode(_Given(seen, given.event, given.now))


def _encode(value: object) -> str:
    return _json.encode(value).decode()
