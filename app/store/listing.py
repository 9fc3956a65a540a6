"""What programs list: conversations and messages as plain rows, by key. All times ms UTC."""

import msgspec

from app.db import Query


class Chat(msgspec.Struct, frozen=True):
    """A conversation with whom it is."""

    id: int
    channel_id: int
    contact_id: int
    name: str
    phone: str
    mode: str
    taken_by: int | None
    waiting_for: str
    waiting_since: int | None
    closed_at: int | None
    unread: int
    heard_at: int
    last_at: int
    snippet: str
    created_at: int
    assigned_to: int | None
    team_id: int | None


class Entry(msgspec.Struct, frozen=True):
    """A message. `content` and `problem` are JSON."""

    id: int
    conversation_id: int
    channel_id: int
    direction: str
    author: str
    user_id: int | None
    content: str
    provider_id: str
    reply_to: str
    status: str
    problem: str
    rule: str
    at: int
    edited_at: int | None
    deleted_at: int | None


_CHAT = """
    select v.id, v.channel_id, v.contact_id, c.name, c.phone, v.mode, v.taken_by, v.waiting_for, v.waiting_since,
           v.closed_at, v.unread, v.heard_at, v.last_at, v.snippet, v.created_at, v.assigned_to, v.team_id
    from conversation v join contact c on c.id = v.contact_id
"""
_NEXT = "(v.last_at, v.id) < (:at, :id) order by v.last_at desc, v.id desc limit :limit"
CHATS = Query(f"{_CHAT} where {_NEXT}", Chat)
CHATS_BY_MODE = Query(f"{_CHAT} where v.mode = :mode and {_NEXT}", Chat)
CHATS_OF_CONTACT = Query(f"{_CHAT} where v.contact_id = :contact_id and {_NEXT}", Chat)
CHAT = Query(f"{_CHAT} where v.id = :id", Chat)

_MESSAGE = """
    select m.id, m.conversation_id, m.channel_id, m.direction, m.author, m.user_id, m.content,
           coalesce(m.provider_id, ''), m.reply_to, m.status, m.problem, m.rule, m.at, m.edited_at, m.deleted_at
    from message m
"""
MESSAGES = Query(
    f"""
    {_MESSAGE} where m.conversation_id = :conversation_id and (m.at, m.id) < (:at, :id)
    order by m.at desc, m.id desc limit :limit
    """,
    Entry,
)
MESSAGE = Query(f"{_MESSAGE} where m.id = :id", Entry)
# For exports: by id, which a new message or a change does not move.
CHATS_BY_ID = Query(f"{_CHAT} where v.id < :before order by v.id desc limit :limit", Chat)
MESSAGES_BY_ID = Query(f"{_MESSAGE} where m.id < :before order by m.id desc limit :limit", Entry)
