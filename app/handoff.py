"""Who has a conversation: the bot, nobody yet (waiting), or a person. A person's word silences the bot until given
back."""

import logging
from typing import TYPE_CHECKING

import msgspec

from app import content, events, settle, window
from app.connectors.abilities import MarksRead
from app.connectors.base import SendFailed
from app.content import Content
from app.db import Statement, Tx
from app.errors import Conflict, Invalid, NotFound
from app.files import Kept
from app.models import Conversation
from app.said import N_
from app.store import away, conversations, gathered, jobs, messages, outbox
from app.store import media as media_rows

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)


async def reply(
    rt: "Runtime", conversation_id: int, said: Content, user_id: int, kept: Kept | None = None
) -> int:  # fmt: skip
    """A person answers: the conversation is theirs, the message is queued, `kept` is its file. Returns its id. Raises
    `Invalid`, `NotFound`, `Conflict` once free replies are over."""
    row = await rt.db.reader.one(conversations.CONVERSATION, id=conversation_id)
    if row is None:
        raise NotFound(N_("There is no such conversation."))
    live = rt.channels.by_id.get(row.channel_id)
    if live is None:
        raise Conflict(N_("The channel of this conversation was removed, so nothing can be sent."))
    problem = live.connector.check(said if kept is None else named(said, "0"))
    if problem is not None:
        wrong = problem.detail or problem.title
        raise Invalid(wrong, fields={"text": wrong})
    window.check(live.connector.capabilities, said, row.heard_at, rt.clock.now())
    message_id = await rt.db.write(say, conversation_id, said, user_id, kept, key=conversation_id)
    live.sender.wake()
    return message_id


async def take(rt: "Runtime", conversation_id: int, user_id: int) -> None:
    """The person has it now; the bot is silent."""
    await rt.db.write(_take, conversation_id, user_id, key=conversation_id)


async def give_back(rt: "Runtime", conversation_id: int) -> None:
    """The bot answers again."""
    await rt.db.write(_set, conversation_id, conversations.GIVE_BACK, key=conversation_id)


async def close(rt: "Runtime", conversation_id: int) -> None:
    """Done: the bot answers when the customer writes again."""
    await rt.db.write(_close, conversation_id, key=conversation_id)


async def seen(rt: "Runtime", conversation_id: int) -> None:
    """A person opened it: nothing is unread, and the customer sees so where the network shows read marks."""
    if await rt.db.write(_seen, conversation_id, key=conversation_id):
        await _mark_read(rt, conversation_id)


async def _mark_read(rt: "Runtime", conversation_id: int) -> None:
    """A courtesy: if the network does not take it, nothing is lost."""
    row = await rt.db.reader.one(conversations.CONVERSATION, id=conversation_id)
    live = rt.channels.by_id.get(row.channel_id) if row else None
    last = await rt.db.reader.one(messages.LAST_HEARD, conversation_id=conversation_id)
    if live is None or last is None or not isinstance(live.session, MarksRead):
        return
    try:
        await live.session.mark_read(last, typing=False)
    except SendFailed as failure:
        log.info("channel %s did not take a read mark: %s", live.row.name, failure.problem.code)


async def resend(rt: "Runtime", message_id: int) -> None:
    """A held message goes out again: a person decided that it did not arrive."""
    channel_id = await rt.db.write(_resend, message_id)
    live = rt.channels.by_id.get(channel_id)
    if live:
        live.sender.wake()


async def discard(rt: "Runtime", message_id: int) -> None:
    """A held message is given up."""
    await rt.db.write(_discard, message_id)


def named(said: Content, media_id: str) -> Content:
    """The message with the id of its stored file."""
    if isinstance(said, content.Template):
        return msgspec.structs.replace(said, file=said.file and msgspec.structs.replace(said.file, media_id=media_id))
    return msgspec.structs.replace(said, media_id=media_id) if isinstance(said, content.Media) else said


def say(tx: Tx, conversation_id: int, said: Content, user_id: int, kept: Kept | None = None) -> int:
    """Take the conversation and queue a person's message behind what is already there."""
    tx.lock("conversation", conversation_id)
    row = _conversation(tx, conversation_id)
    _end_waiting(tx, conversation_id)
    message_id, media_id = tx.new_id(), tx.new_id()
    said = said if kept is None else named(said, str(media_id))
    tx.run(conversations.TAKE, id=conversation_id, user_id=user_id, now=tx.now)
    place = tx.one(conversations.NEXT_PLACE, id=conversation_id)
    tx.run(
        messages.INSERT_OUT, id=message_id, conversation_id=conversation_id, channel_id=row.channel_id, author="user",
        user_id=user_id, kind=content.kind(said), text=content.text(said), content=content.encode(said), reply_to="",
        status="queued", rule="", turn_id=None, step=None, at=tx.now,
    )  # fmt: skip
    if kept is not None:
        tx.run(
            media_rows.INSERT_STORED, id=media_id, channel_id=row.channel_id, message_id=message_id, mime=kept.mime,
            filename=kept.filename, sha256=kept.sha256, size=kept.size, now=tx.now,
        )  # fmt: skip
    tx.run(
        outbox.INSERT, message_id=message_id, channel_id=row.channel_id, conversation_id=conversation_id, place=place,
        state="queued", due_at=tx.now, attempts=0, now=tx.now,
    )  # fmt: skip
    tx.run(conversations.SAID, id=conversation_id, at=tx.now, last_id=message_id, snippet=content.text(said)[:160])
    _changed(tx, conversation_id, events.MESSAGE_CREATED, message_id)
    return message_id


def took_on_phone(tx: Tx, conversation_id: int) -> None:
    """Somebody of the business wrote on a device of their own: the bot is silent until it is given back."""
    _end_waiting(tx, conversation_id)
    tx.run(conversations.TAKE, id=conversation_id, user_id=None, now=tx.now)
    _changed(tx, conversation_id, events.CONVERSATION_UPDATED)


def _end_waiting(tx: Tx, conversation_id: int) -> None:
    """The bot waits for nothing here any more, and nobody has to decide about what came while it was away. What it
    promised for a time stays, and is decided about then."""
    tx.run(jobs.DROP_WAITING, conversation_id=conversation_id)
    tx.run(gathered.DROP, conversation_id=conversation_id)
    tx.run(away.DROP, conversation_id=conversation_id)


def _take(tx: Tx, conversation_id: int, user_id: int) -> None:
    tx.lock("conversation", conversation_id)
    _conversation(tx, conversation_id)
    _end_waiting(tx, conversation_id)
    tx.run(conversations.TAKE, id=conversation_id, user_id=user_id, now=tx.now)
    _changed(tx, conversation_id, events.CONVERSATION_UPDATED)


def _set(tx: Tx, conversation_id: int, statement: Statement) -> None:
    _conversation(tx, conversation_id)
    if tx.run(statement, id=conversation_id):
        _changed(tx, conversation_id, events.CONVERSATION_UPDATED)


def _seen(tx: Tx, conversation_id: int) -> bool:
    if not tx.run(conversations.SEEN, id=conversation_id):
        return False
    _changed(tx, conversation_id, events.CONVERSATION_UPDATED)
    return True


def _close(tx: Tx, conversation_id: int) -> None:
    tx.lock("conversation", conversation_id)
    _conversation(tx, conversation_id)
    _end_waiting(tx, conversation_id)
    tx.run(conversations.CLOSE, id=conversation_id, now=tx.now)
    _changed(tx, conversation_id, events.CONVERSATION_UPDATED)


def _resend(tx: Tx, message_id: int) -> int:
    message = tx.one(messages.MESSAGE, id=message_id)
    if message is None or tx.one(outbox.STATE, message_id=message_id) != "held":
        raise Conflict(N_("This message is no longer held: its outcome is known by now."))
    place = tx.one(conversations.NEXT_PLACE, id=message.conversation_id)
    tx.run(outbox.QUEUE_AGAIN, message_id=message_id, place=place, now=tx.now)
    tx.run(messages.SET_STATUS, id=message_id, status="queued", problem="")
    settle.changed(tx, message.conversation_id, message_id)
    settle.attention(tx)
    return message.channel_id


def _discard(tx: Tx, message_id: int) -> None:
    message = tx.one(messages.MESSAGE, id=message_id)
    if message is None or tx.one(outbox.STATE, message_id=message_id) != "held":
        raise Conflict(N_("This message is no longer held: its outcome is known by now."))
    tx.run(outbox.DROP, message_id=message_id)
    tx.run(messages.SET_STATUS, id=message_id, status="discarded", problem="")
    settle.changed(tx, message.conversation_id, message_id)
    settle.attention(tx)


def _conversation(tx: Tx, conversation_id: int) -> Conversation:
    row = tx.one(conversations.CONVERSATION, id=conversation_id)
    if row is None:
        raise NotFound(N_("There is no such conversation."))
    return row


def _changed(tx: Tx, conversation_id: int, type_: str, message_id: int = 0) -> None:
    tx.publish(events.in_conversation(type_, conversation_id, message_id, "conversations", "attention"))
