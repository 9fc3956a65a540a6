"""What comes in: one message, one transaction.

`receive` stores the message, lets the bot decide and writes everything that follows from it (state, turn, replies in
the outbox) in the caller's single unit of work. Nothing is acknowledged before that unit is committed.
"""

from collections.abc import Sequence

import msgspec

from app import account_facts, away, content, events, gather, handoff, message_templates, saying, senders, turns, window
from app.bot.scene import Arrived
from app.case import Case, Heard, Here, Intake
from app.connectors.account import Known, TemplateNews
from app.connectors.base import Inbound, Malformed, Notice
from app.content import Delete, Edit, Picked, Pressed, Reaction, System, Text
from app.db import Together, Tx
from app.models import Found
from app.store import contacts, conversations, early, merges, messages, raws, search
from app.store import jobs as job_rows
from app.store import media as media_rows

LATE = 60_000  # a message is placed when we heard it, unless the network says it is more than this older (ms)
DAY = 86_400_000


class Outcome(msgspec.Struct, frozen=True):
    """`slot_used`: a reply took the free sender slot that came with the call."""

    message_id: int = 0
    conversation_id: int = 0
    duplicate: bool = False
    slot_used: bool = False


DUPLICATE = Outcome(duplicate=True)


def receive(tx: Tx, intake: Intake, here: Here, inbound: Inbound, slot: bool = False) -> Outcome:
    """Store one message once, decide, queue what the bot says. `slot`: a sender is free, a reply may start at once."""
    found = senders.find(tx, here.id, inbound)
    if found is None or found.known:
        return DUPLICATE
    message_id = tx.new_id()
    if not tx.run(messages.INSERT_IN, **_row(tx, here.id, found, inbound, message_id)):
        return DUPLICATE
    inbound = _overtaken(tx, here.id, found, inbound)
    return _follow(tx, intake, here, found, inbound, message_id, slot)


def receive_all(tx: Tx, calls: Sequence[tuple[Intake, Here, Inbound, bool]]) -> list[Outcome]:
    """`receive` for several. What belongs to one that came before it, or is unusual, comes after the others."""
    found = senders.find_all(tx, [(here.id, inbound) for _, here, inbound, _ in calls])
    usual = {}
    for place, (one, (intake, here, inbound, slot)) in enumerate(zip(found, calls, strict=True)):
        if one is not None:
            message_id = tx.new_id()
            tx.later(messages.INSERT_IN, **_row(tx, here.id, one, inbound, message_id))
            usual[place] = _follow(tx, intake, here, one, inbound, message_id, slot)
    return [usual.get(place) or receive(tx, *call) for place, call in enumerate(calls)]


RECEIVE = Together(receive, receive_all)


def _follow(
    tx: Tx, intake: Intake, here: Here, found: Found, inbound: Inbound, message_id: int, slot: bool
) -> Outcome:  # fmt: skip
    """All that follows from a message that was just stored."""
    assert found.conversation_id is not None
    conversation_id = found.conversation_id
    saying.tell(tx, conversation_id, events.MESSAGE_CREATED, message_id)
    if found.merges:
        merges.heard_as(tx, message_id, inbound.sender.aliases())
    if inbound.lasts:
        tx.run(messages.EXPIRE, id=message_id, at=inbound.at + inbound.lasts * 1000)
    _keep_raw(tx, intake, here.id, found, inbound, message_id)
    early_change = _apply(tx, intake, here.id, found, inbound, message_id)
    if inbound.referral and not (inbound.echo or inbound.history):
        tx.run(conversations.ENTERED, id=conversation_id, at=inbound.at)
    version_id = found.version_id or here.version_id
    slot_used = False
    answers = version_id is not None and _is_for_the_bot(intake, version_id, found, inbound)
    if answers and inbound.away:
        away.hold(tx, here.id, found, inbound, message_id)
        _heard(tx, found, inbound, message_id, unread=1)
    elif answers and version_id is not None and tx.now - inbound.at <= intake.answer_age:
        quiet = gather.quiet_of(intake, version_id)
        if quiet and not isinstance(inbound.content, Pressed | Picked | Reaction):
            gather.hold(tx, intake, here, found, inbound, message_id, quiet)
            _heard(tx, found, inbound, message_id, unread=0)
        else:
            if quiet and gather.end(tx, intake, conversation_id):
                found = tx.one(contacts.FOUND_BY_CONVERSATION, id=conversation_id) or found
            slot_used = _answer(tx, intake, here, found, inbound, message_id, slot)
    else:
        tells_nothing = early_change or isinstance(inbound.content, Delete) or _is_aside(inbound)
        counts = not (inbound.echo or inbound.history or inbound.standby or tells_nothing)
        _heard(tx, found, inbound, message_id, unread=int(counts))
        if _takes_over(inbound):
            handoff.took_on_phone(tx, conversation_id)
    return Outcome(message_id, conversation_id, slot_used=slot_used)


def keep_notice(tx: Tx, intake: Intake, channel_id: int, connector: str, notice: Notice) -> None:
    """An update about the account: kept as it came, with what of it is understood. Told again, it is kept once."""
    if notice.at and tx.one(raws.KNOWN, channel_id=channel_id, field=notice.field, at=notice.at, body=notice.raw):
        return
    tx.run(
        raws.INSERT, id=tx.new_id(), channel_id=channel_id, conversation_id=None, message_id=None, field=notice.field,
        body=notice.raw, at=notice.at or tx.now, expires_at=tx.now + intake.raw_age,
    )  # fmt: skip
    for news in notice.news:
        if isinstance(news, TemplateNews):
            message_templates.learn(tx, channel_id, news, notice.at or tx.now)
        elif isinstance(news, Known):
            contacts.resolve(tx, news.aliases, name=news.name, phone=news.phone, username=news.username)
        else:
            owner = account_facts.owner(tx, channel_id, connector, news)
            account_facts.note(tx, owner, news, notice.at or tx.now)
    tx.after_commit(intake.due, "net", tx.now)
    tx.publish(events.Event(events.CHANNEL_UPDATED, ("channels", f"channel-{channel_id}")))


def quarantine(tx: Tx, intake: Intake, channel_id: int | None, reason: str, malformed: Malformed) -> None:
    """An update that could not be used: kept, counted under "needs attention"."""
    tx.run(
        raws.QUARANTINE, id=tx.new_id(), channel_id=channel_id, reason=reason, detail=malformed.reason,
        body=malformed.raw, at=tx.now, expires_at=tx.now + intake.raw_age,
    )  # fmt: skip
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))


# ---- the message ----------------------------------------------------------------------------------------------------


def _at(tx: Tx, inbound: Inbound) -> int:
    return inbound.at if tx.now - inbound.at > LATE else tx.now


def _row(tx: Tx, channel_id: int, found: Found, inbound: Inbound, message_id: int) -> dict[str, object]:
    at = _at(tx, inbound)
    return {
        "id": message_id, "conversation_id": found.conversation_id, "channel_id": channel_id,
        "direction": "out" if inbound.echo else "in", "author": "phone" if inbound.echo else "contact",
        "kind": content.kind(inbound.content), "text": content.text(inbound.content),
        "content": content.encode(inbound.content), "provider_id": inbound.provider_id, "reply_to": inbound.reply_to,
        "status": "accepted" if inbound.echo else "received", "at": at, "sent_at": inbound.at,
    }  # fmt: skip


def _keep_raw(tx: Tx, intake: Intake, channel_id: int, found: Found, inbound: Inbound, message_id: int) -> None:
    tx.later(
        raws.INSERT, id=tx.new_id(), channel_id=channel_id, conversation_id=found.conversation_id,
        message_id=message_id, field="message", body=inbound.raw, at=tx.now, expires_at=tx.now + intake.raw_age,
    )  # fmt: skip


def _apply(tx: Tx, intake: Intake, channel_id: int, found: Found, inbound: Inbound, message_id: int) -> bool:
    """Contents that change something else: edits, deletions, files to fetch, whether the person may be written to. Each
    side changes its own messages only, whatever id it names. Returns whether it waits for the message that it
    changes."""
    direction = "out" if inbound.echo else "in"
    match inbound.content:
        case Edit(target=target) | Delete(target=target) as change:
            if _change(tx, channel_id, found, direction, change):
                tx.run(search.ONE_AGAIN, channel_id=channel_id, provider_id=target)
            elif not senders.was_here(tx, channel_id, target):
                tx.run(early.INSERT, channel_id=channel_id, provider_id=target, message_id=message_id, now=tx.now)
                return True
        case System(what="person_blocked"):
            tx.run(contacts.OPT_OUT, id=found.contact_id, now=tx.now)
        case System(what="person_unblocked"):
            tx.run(contacts.OPT_IN, id=found.contact_id)
        case content.Media() as media if media.provider_id or media.url:
            _want_media(tx, intake, channel_id, message_id, media)
        case _:
            pass
    return False


def _change(tx: Tx, channel_id: int, found: Found, direction: str, change: Edit | Delete) -> int:
    """Returns how many messages it changed: one, or none."""
    which = {
        "channel_id": channel_id, "provider_id": change.target, "conversation_id": found.conversation_id,
        "direction": direction, "at": tx.now,
    }  # fmt: skip
    if isinstance(change, Delete):
        return tx.run(messages.REVOKE, **which)
    return tx.run(messages.EDIT, content=content.encode(change.content), text=content.text(change.content), **which)


def _overtaken(tx: Tx, channel_id: int, found: Found, inbound: Inbound) -> Inbound:
    """What is left of a message that was just stored, when its edits or its deletion came first: the newest words are
    answered, and what was deleted is not."""
    name = {"channel_id": channel_id, "provider_id": inbound.provider_id}
    direction = "out" if inbound.echo else "in"
    changes = tx.all(early.OF, conversation_id=found.conversation_id, direction=direction, **name)
    if changes:
        tx.run(early.DROP, **name)
    for change in map(content.decode, changes):
        if isinstance(change, Delete):
            return msgspec.structs.replace(inbound, content=change)
        if isinstance(change, Edit):
            _change(tx, channel_id, found, direction, change)
            if isinstance(inbound.content, Text) and isinstance(change.content, Text):
                inbound = msgspec.structs.replace(inbound, content=change.content)
    return inbound


def _want_media(tx: Tx, intake: Intake, channel_id: int, message_id: int, media: content.Media) -> None:
    """A file to fetch at once: its row, and the job that survives failure (P9)."""
    media_id = tx.new_id()
    tx.run(
        media_rows.INSERT, id=media_id, channel_id=channel_id, message_id=message_id, provider_id=media.provider_id,
        url=media.url, mime=media.mime, filename=getattr(media, "filename", ""), sha256=media.sha256, now=tx.now,
    )  # fmt: skip
    tx.run(
        job_rows.INSERT, id=tx.new_id(), kind="media.fetch", subject=str(media_id), payload="{}", due_at=tx.now,
        now=tx.now, conversation_id=None, lane="net",
    )  # fmt: skip
    tx.after_commit(intake.due, "net", tx.now)


def _is_for_the_bot(intake: Intake, version_id: int, found: Found, inbound: Inbound) -> bool:
    """Only a message of a customer is answered, and only while nobody else has the conversation. A reaction is one only
    for a bot that listens to them."""
    quiet = inbound.echo or inbound.history or inbound.standby or found.mode != "bot"
    tells_nothing = isinstance(inbound.content, System | Edit | Delete)
    if isinstance(inbound.content, Reaction):
        tells_nothing = not (inbound.content.emoji and _hears_reactions(intake, version_id))
    aside = bool(inbound.group) and not inbound.addressed
    return not (quiet or tells_nothing or aside)


def _takes_over(inbound: Inbound) -> bool:
    """The business wrote on another device, so a person has the conversation. What an agent of the network wrote takes
    nothing."""
    said = not isinstance(inbound.content, System | Edit | Delete | Reaction)
    return inbound.echo and not (inbound.history or inbound.standby) and said


def _is_aside(inbound: Inbound) -> bool:
    """What came of a call, which was told already."""
    return isinstance(inbound.content, System) and inbound.content.what.startswith("call_")


def _hears_reactions(intake: Intake, version_id: int) -> bool:
    try:
        return intake.bots.get(version_id).hears_reactions
    except KeyError:
        return False


def _heard(tx: Tx, found: Found, inbound: Inbound, message_id: int, *, unread: int, at: int | None = None) -> None:
    """A message without a turn, or without one yet. `unread`: 1 if it counts for whoever has the conversation."""
    tx.later(
        conversations.HEARD, id=found.conversation_id, unread=unread,
        heard_at=inbound.at if window.opens(inbound) else 0,
        at=_at(tx, inbound) if at is None else at, last_id=message_id, snippet=content.text(inbound.content)[:160],
    )  # fmt: skip


def _answer(
    tx: Tx, intake: Intake, here: Here, found: Found, inbound: Inbound, message_id: int, slot: bool
) -> bool:  # fmt: skip
    """The turn of this message, unless what was gathered before it led to a hand-off. Returns whether the slot was
    used."""
    assert found.conversation_id is not None
    version_id = found.version_id or here.version_id
    heard = Heard(message_id, inbound.provider_id, content.text(inbound.content), inbound.at)
    if version_id is None or found.mode != "bot":
        _heard(tx, found, inbound, message_id, unread=1, at=tx.now)
        return False
    case = Case(
        here, found, found.conversation_id, message_id, inbound.provider_id, _event(inbound), found.heard_at, heard,
        slot,
    )  # fmt: skip
    return turns.take(tx, intake, case, version_id)


def _event(inbound: Inbound) -> Arrived:
    # The text of a text is not kept twice: without one, the content's own is read.
    text = "" if isinstance(inbound.content, Text) else content.text(inbound.content)
    return Arrived(inbound.content, text, inbound.reply_to, inbound.referral)
