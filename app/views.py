"""Messages and conversations as programs see them: in the API, in events and in webhooks, always alike."""

from typing import Annotated, Any, Final

import msgspec

from app import events
from app.db import Reader
from app.events import StoredEvent
from app.store import listing

# At most 19 digits, and never more than 63 bits hold.
ID: Final = "^([0-9]{1,18}|[0-8][0-9]{18}|9[01][0-9]{17})$"
Id = Annotated[str, msgspec.Meta(pattern=ID, description="An id: digits, as text.")]
Time = Annotated[int, msgspec.Meta(description="Milliseconds since 1970, UTC.")]


class Message(msgspec.Struct, frozen=True):
    """One message. `content` has its `kind` and what that kind holds; `author` is contact, bot, user, program or phone;
    `problem` says why it failed, null where it did not."""

    id: Id
    conversation_id: Id
    channel_id: Id
    direction: str
    author: str
    user_id: Id | None
    content: dict[str, Any]
    provider_id: str | None
    reply_to: str | None
    status: str
    problem: dict[str, Any] | None
    rule: str
    at: Time
    edited_at: Time | None
    deleted_at: Time | None


class Conversation(msgspec.Struct, frozen=True):
    """A chat with one person on one channel. `mode` says who has it; `unread` counts what nobody looked at;
    `assigned_to` is a user, `team_id` a team that it is for."""

    id: Id
    channel_id: Id
    contact_id: Id
    name: str
    phone: str
    mode: str
    taken_by: Id | None
    waiting_for: str
    waiting_since: Time | None
    closed_at: Time | None
    unread: int
    heard_at: Time | None
    last_at: Time
    snippet: str
    created_at: Time
    assigned_to: Id | None
    team_id: Id | None


def message(row: listing.Entry) -> Message:
    return Message(
        str(row.id), str(row.conversation_id), str(row.channel_id), row.direction, row.author,
        None if row.user_id is None else str(row.user_id),
        {"deleted": True} if row.deleted_at else msgspec.json.decode(row.content), row.provider_id or None,
        row.reply_to or None, row.status, msgspec.json.decode(row.problem) if row.problem.startswith("{") else None,
        row.rule, row.at, row.edited_at, row.deleted_at,
    )  # fmt: skip


def conversation(row: listing.Chat) -> Conversation:
    return Conversation(
        str(row.id), str(row.channel_id), str(row.contact_id), row.name, row.phone, row.mode,
        None if row.taken_by is None else str(row.taken_by), row.waiting_for, row.waiting_since, row.closed_at,
        row.unread, row.heard_at or None, row.last_at, row.snippet, row.created_at,
        None if row.assigned_to is None else str(row.assigned_to), None if row.team_id is None else str(row.team_id),
    )  # fmt: skip


async def about(db: Reader, event: StoredEvent) -> Message | Conversation | None:
    """The thing that an event is about, as it is now; None for what is told by its ids alone, or is gone."""
    data = msgspec.json.decode(event.data, type=dict[str, Any])
    if event.type in (events.MESSAGE_CREATED, events.MESSAGE_UPDATED) and "id" in data:
        row = await db.one(listing.MESSAGE, id=int(data["id"]))
        return None if row is None else message(row)
    if event.type == events.CONVERSATION_UPDATED and "conversation_id" in data:
        chat = await db.one(listing.CHAT, id=int(data["conversation_id"]))
        return None if chat is None else conversation(chat)
    return None
