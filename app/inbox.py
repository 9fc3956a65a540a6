"""What comes in: one message, one transaction.

`receive` stores the message, lets the bot decide and writes everything that follows from it (state, turn, replies in
the outbox) in the caller's single unit of work. Nothing is acknowledged before that unit is committed.
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
    Arrived,
    Close,
    ContactView,
    Decision,
    Effect,
    HandOff,
    Scene,
    Send,
    SetField,
    State,
    Tag,
    TurnInput,
)
from app.capabilities import Capabilities
from app.connectors.base import Address, Inbound, Malformed, Notice, Outbound
from app.content import Delete, Edit, Reaction, System, Text
from app.db import Tx
from app.models import Found
from app.poison import Guard
from app.store import contacts, conversations, messages, outbox, raws, turns
from app.store import jobs as job_rows
from app.store import media as media_rows

LATE = 60_000  # a message is placed when we heard it, unless the network says it is more than this older (ms)
DAY = 86_400_000

_json = msgspec.json.Encoder()
_address: msgspec.json.Decoder[Address] = msgspec.json.Decoder(Address)
_state: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
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


class Outcome(msgspec.Struct, frozen=True):
    """`slot_used`: a reply took the free sender slot that came with the call."""

    message_id: int = 0
    conversation_id: int = 0
    duplicate: bool = False
    slot_used: bool = False


DUPLICATE = Outcome(duplicate=True)


def receive(tx: Tx, intake: Intake, here: Here, inbound: Inbound, slot: bool = False) -> Outcome:
    """Store one message once, decide, queue what the bot says. `slot`: a sender is free, a reply may start at once."""
    found = _find(tx, here.id, inbound)
    if found is None or found.known:
        return DUPLICATE
    assert found.conversation_id is not None
    message_id, conversation_id = tx.new_id(), found.conversation_id
    at = inbound.at if tx.now - inbound.at > LATE else tx.now
    if not _store(tx, here.id, found, inbound, message_id, at):
        return DUPLICATE
    _keep_raw(tx, intake, here.id, found, inbound, message_id)
    _apply(tx, here.id, found, inbound, message_id)
    version_id = found.version_id or here.version_id
    slot_used = False
    if version_id is not None and _answers(intake, found, inbound, tx.now):
        case = _Case(here, found, inbound, message_id, conversation_id, slot)
        slot_used = _turn(tx, intake, case, version_id)
    else:
        _heard(tx, found, inbound, message_id, at)
    _tell(tx, events.MESSAGE_CREATED, conversation_id, message_id)
    return Outcome(message_id, conversation_id, slot_used=slot_used)


def keep_notice(tx: Tx, intake: Intake, channel_id: int, notice: Notice) -> None:
    """An update about the account: kept as it came, shown on the channel's page."""
    tx.run(
        raws.INSERT, id=tx.new_id(), channel_id=channel_id, conversation_id=None, message_id=None, field=notice.field,
        body=notice.raw, at=notice.at, expires_at=tx.now + intake.raw_age,
    )  # fmt: skip
    tx.publish(events.Event(events.CHANNEL_UPDATED, ("channels", f"channel-{channel_id}")))


def quarantine(tx: Tx, intake: Intake, channel_id: int | None, reason: str, malformed: Malformed) -> None:
    """An update that could not be used: kept, counted under "needs attention"."""
    tx.run(
        raws.QUARANTINE, id=tx.new_id(), channel_id=channel_id, reason=reason, detail=malformed.reason,
        body=malformed.raw, at=tx.now, expires_at=tx.now + intake.raw_age,
    )  # fmt: skip
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))


# ---- who wrote, and where it goes -----------------------------------------------------------------------------------


def _find(tx: Tx, channel_id: int, inbound: Inbound) -> Found | None:
    """The sender and the conversation, locked; both are made on first sight. None: a late repeat of what was erased."""
    aliases = inbound.sender.aliases()
    kind, value = aliases[0] if aliases else ("group", inbound.group or inbound.provider_id)
    query = {
        "kind": kind, "value": value, "channel_id": channel_id, "thread": inbound.group,
        "provider_id": inbound.provider_id,
    }  # fmt: skip
    found = tx.one(contacts.FOUND, **query)
    if found is not None and found.conversation_id is not None and tx.lock("conversation", found.conversation_id):
        found = tx.one(contacts.FOUND, **query)
    if found is None and contacts.is_erased(tx, channel_id, inbound.provider_id):
        return None
    if found is None or found.conversation_id is None or inbound.previous or _changed(found, inbound):
        stranger = _introduce(tx, channel_id, inbound, aliases or ((kind, value),))
        found = stranger or tx.one(contacts.FOUND, **query)
    return found


def _changed(found: Found, inbound: Inbound) -> bool:
    """A name, alias or address is new, so the contact has to be looked at with care."""
    sender = inbound.sender
    return (
        (bool(inbound.name) and inbound.name != found.name)
        or (bool(sender.username) and sender.username != found.username)
        or _encode(_merged(found.address, sender)) != found.address
    )


def _merged(known: str, sender: Address) -> Address:
    """What is known of the address, completed by what this payload says."""
    old = _address.decode(known) if known else Address()
    return Address(*(new or before for new, before in zip(_names(sender), _names(old), strict=True)))


def _names(address: Address) -> tuple[str, ...]:
    return tuple(getattr(address, name) for name in address.__struct_fields__)


def _introduce(tx: Tx, channel_id: int, inbound: Inbound, aliases: tuple[tuple[str, str], ...]) -> Found | None:
    """Make or complete the contact and its conversation. A stranger is returned; anybody else has to be read again."""
    sender = inbound.sender
    phone = sender.phone or sender.wa_id
    contact_id, new = contacts.resolve(
        tx, aliases, name=inbound.name, phone=phone, username=sender.username,
        previous=inbound.previous.aliases() if inbound.previous else (),
    )  # fmt: skip
    if new:
        address = _encode(sender)
        conversation_id = conversations.insert(tx, channel_id, contact_id, inbound.group, address)
        return Found(
            contact_id, inbound.name, phone, sender.username, "", "[]", "{}", tx.now, conversation_id, address, "{}",
            None, "bot", 0, 0, "", 0,
        )  # fmt: skip
    known = tx.one(conversations.ADDRESS, channel_id=channel_id, contact_id=contact_id, thread=inbound.group) or ""
    conversations.open_conversation(
        tx, channel_id, contact_id, inbound.group, _encode(sender if inbound.previous else _merged(known, sender))
    )
    return None


# ---- the message ----------------------------------------------------------------------------------------------------


def _store(tx: Tx, channel_id: int, found: Found, inbound: Inbound, message_id: int, at: int) -> bool:
    """False if this provider id was stored before."""
    return bool(
        tx.run(
            messages.INSERT_IN, id=message_id, conversation_id=found.conversation_id, channel_id=channel_id,
            direction="out" if inbound.echo else "in", author="phone" if inbound.echo else "contact",
            kind=content.kind(inbound.content), text=content.text(inbound.content),
            content=content.encode(inbound.content), provider_id=inbound.provider_id, reply_to=inbound.reply_to,
            status="accepted" if inbound.echo else "received", at=at, sent_at=inbound.at,
        )
    )  # fmt: skip


def _keep_raw(tx: Tx, intake: Intake, channel_id: int, found: Found, inbound: Inbound, message_id: int) -> None:
    tx.run(
        raws.INSERT, id=tx.new_id(), channel_id=channel_id, conversation_id=found.conversation_id,
        message_id=message_id, field="message", body=inbound.raw, at=tx.now, expires_at=tx.now + intake.raw_age,
    )  # fmt: skip


def _apply(tx: Tx, channel_id: int, found: Found, inbound: Inbound, message_id: int) -> None:
    """Contents that change something else: edits, deletions, files to fetch."""
    match inbound.content:
        case Edit(target=target, content=new):
            tx.run(
                messages.EDIT, channel_id=channel_id, provider_id=target, conversation_id=found.conversation_id,
                content=content.encode(new), text=content.text(new), at=tx.now,
            )  # fmt: skip
        case Delete(target=target):
            tx.run(
                messages.REVOKE, channel_id=channel_id, provider_id=target, conversation_id=found.conversation_id,
                at=tx.now,
            )  # fmt: skip
        case content.Media() as media if media.provider_id or media.url:
            want_media(tx, channel_id, message_id, media)
        case _:
            pass


def want_media(tx: Tx, channel_id: int, message_id: int, media: content.Media) -> None:
    """A file to fetch at once: its row, and the job that survives failure (P9)."""
    media_id = tx.new_id()
    tx.run(
        media_rows.INSERT, id=media_id, channel_id=channel_id, message_id=message_id, provider_id=media.provider_id,
        url=media.url, mime=media.mime, filename=getattr(media, "filename", ""), sha256=media.sha256, now=tx.now,
    )  # fmt: skip
    tx.run(
        job_rows.INSERT, id=tx.new_id(), kind="media.fetch", subject=str(media_id), payload="{}", due_at=tx.now,
        now=tx.now,
    )  # fmt: skip


def _answers(intake: Intake, found: Found, inbound: Inbound, now: int) -> bool:
    """Only a fresh message of a customer is answered, and only while nobody else has the conversation."""
    quiet = inbound.echo or inbound.history or inbound.standby or found.mode != "bot"
    tells_nothing = isinstance(inbound.content, Reaction | System | Edit | Delete)
    return not (quiet or tells_nothing or bool(inbound.group) or now - inbound.at > intake.answer_age)


def _heard(tx: Tx, found: Found, inbound: Inbound, message_id: int, at: int) -> None:
    """A message without a turn: it counts as unread for whoever has the conversation."""
    counts = not (inbound.echo or inbound.history or inbound.standby)
    tx.run(
        conversations.HEARD, id=found.conversation_id, unread=int(counts), heard_at=0 if inbound.echo else inbound.at,
        at=at, last_id=message_id, snippet=content.text(inbound.content)[:160],
    )  # fmt: skip


# ---- the turn -------------------------------------------------------------------------------------------------------


class _Case(msgspec.Struct, frozen=True):
    """One stored message on its way through the turn. `slot`: a sender is free."""

    here: Here
    found: Found
    inbound: Inbound
    message_id: int
    conversation_id: int
    slot: bool


class _Said(msgspec.Struct, frozen=True):
    """What the bot made of it: effects, its new state, the whole decision as JSON and its kind of verdict, or why it
    failed."""

    effects: tuple[Effect, ...]
    state: State
    output: str = ""
    code: str = ""
    error: str = ""


def _turn(tx: Tx, intake: Intake, case: _Case, version_id: int) -> bool:
    """Decide and write what follows. The turn has its message's id. Returns whether the slot was used."""
    given = TurnInput(_scene(case), _event(case.inbound), tx.now)
    began = time.perf_counter_ns()
    said = _decide(intake, version_id, given, case)
    took = (time.perf_counter_ns() - began) // 1000
    tx.run(
        turns.INSERT, id=case.message_id, conversation_id=case.conversation_id, message_id=case.message_id,
        version_id=version_id, input=_encode(given), output=said.output, code=said.code, error=said.error,
        took_us=took, at=tx.now,
    )  # fmt: skip
    if said.error:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
    spent, effects = budget.spend(case.found.budget, said.effects, tx.now)
    state = left(said.state) if budget.is_used_up(effects) else said.state
    keeps = _keeps(case, state, version_id)
    return _carry_out(tx, intake, case, effects, state, spent, keeps)


def _keeps(case: _Case, state: State, version_id: int) -> int | None:
    """The version that a conversation goes on with, whatever is published: while a flow runs, the one it began with. A
    channel without a version (the simulator's) leaves it to whoever chose one."""
    return version_id if state.frames else case.found.version_id if case.here.version_id is None else None


def _scene(case: _Case) -> Scene:
    found, here = case.found, case.here
    state = State(seed=case.conversation_id & 0xFFFFFFFF) if found.state == "{}" else _state.decode(found.state)
    if found.version_id is None and state.frames:
        state = left(state)  # a person had the conversation meanwhile, which ends the flow
    return Scene(state, _contact(found), here.capabilities, here.name, here.network)


def _contact(found: Found) -> ContactView:
    return ContactView(
        id=str(found.contact_id), name=found.name, first_name=found.name.split(" ", 1)[0], phone=found.phone,
        username=found.username, language=found.language,
        tags=() if found.tags == "[]" else _tags.decode(found.tags),
        fields={} if found.fields == "{}" else _fields.decode(found.fields), first_seen=found.created_at,
    )  # fmt: skip


def _event(inbound: Inbound) -> Arrived:
    # The text of a text is not kept twice: without one, the content's own is read.
    text = "" if isinstance(inbound.content, Text) else content.text(inbound.content)
    return Arrived(inbound.content, text, inbound.reply_to, inbound.referral)


def _decide(intake: Intake, version_id: int, given: TurnInput, case: _Case) -> _Said:
    """The pure decision, guarded: one that raises, or ended the process before, is stored as failed and says
    nothing."""
    name, before = case.inbound.provider_id, given.scene.state
    if intake.guard.is_poison(name):
        return _Said((), before, error="The process ended twice while deciding this message; it was left unanswered.")
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
    tx: Tx, intake: Intake, case: _Case, effects: tuple[Effect, ...], state: State, spent: str, keeps: int | None
) -> bool:
    """Replies into the outbox, what is noted about the contact, the conversation after the turn. The first reply starts
    at once if nothing waits."""
    found, inbound = case.found, case.inbound
    sends = [effect for effect in effects if isinstance(effect, Send)]
    handed = next((effect for effect in effects if isinstance(effect, HandOff)), None)
    at_once = case.slot and bool(sends) and not found.pending
    last_id, snippet = case.message_id, content.text(inbound.content)
    for step, send in enumerate(sends):
        last_id = _queue(tx, intake, case, step, send, at_once and step == 0)
        snippet = content.text(send.content)
    if len(sends) > at_once:
        tx.after_commit(intake.wake, case.here.id)
    if len(effects) > len(sends):
        noted.note(tx, found.contact_id, effects)
    closed = handed is None and any(isinstance(effect, Close) for effect in effects)
    tx.run(
        conversations.AFTER_TURN, id=case.conversation_id, state=_encode(state), version_id=keeps, budget=spent,
        mode="waiting" if handed else "bot", places=found.places + len(sends), unread=1 if handed or not sends else 0,
        waiting_since=tx.now if handed else None, waiting_for=handed.reason if handed else "",
        closed_at=tx.now if closed else None, heard_at=inbound.at, at=tx.now, last_id=last_id, snippet=snippet[:160],
    )  # fmt: skip
    if handed:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
    return at_once


def _queue(tx: Tx, intake: Intake, case: _Case, step: int, send: Send, at_once: bool) -> int:
    """One reply: its message and its place in the outbox, already `sending` if it starts at once."""
    reply_id, channel_id = tx.new_id(), case.here.id
    reply_to = case.inbound.provider_id if send.quote else ""
    tx.run(
        messages.INSERT_OUT, id=reply_id, conversation_id=case.conversation_id, channel_id=channel_id, author="bot",
        user_id=None, kind=content.kind(send.content), text=content.text(send.content),
        content=content.encode(send.content), reply_to=reply_to, status="queued", rule=send.rule,
        turn_id=case.message_id, step=step, at=tx.now,
    )  # fmt: skip
    tx.run(
        outbox.INSERT, message_id=reply_id, channel_id=channel_id, conversation_id=case.conversation_id,
        place=case.found.places + step + 1, state="sending" if at_once else "queued", due_at=tx.now,
        attempts=1 if at_once else 0, now=tx.now,
    )  # fmt: skip
    if at_once:
        to = _address.decode(case.found.address)
        outbound = Outbound(f"{intake.install}.{reply_id}", to, send.content, reply_to)
        tx.after_commit(intake.send, Delivery(reply_id, case.conversation_id, channel_id, 1, outbound))
    return reply_id


def _tell(tx: Tx, type_: str, conversation_id: int, message_id: int) -> None:
    data = b'{"conversation_id":"%d","id":"%d"}' % (conversation_id, message_id)
    tx.publish(events.Event(type_, ("conversations", f"conversation-{conversation_id}"), data))


def _encode(value: object) -> str:
    return _json.encode(value).decode()


def decision_of(output: str) -> Decision:
    """The stored decision of a turn."""
    return msgspec.json.decode(output, type=Decision)
