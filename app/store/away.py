"""Messages that came while a channel was away, until somebody says what becomes of them."""

import msgspec

from app.db import Query, Reader, Statement

SHOWN = 50


class Chat(msgspec.Struct, frozen=True):
    """A conversation with such messages: how many, and the newest one's id, words, kind and time (ms UTC)."""

    conversation_id: int
    name: str
    phone: str
    count: int
    newest_id: int
    text: str
    kind: str
    at: int


class Left(msgspec.Struct, frozen=True):
    """How many of a channel's messages and conversations wait so."""

    channel_id: int
    channel: str
    messages: int
    conversations: int


INSERT = Statement(
    """
    insert into away (message_id, conversation_id, channel_id, last_heard, referral)
    values (:message_id, :conversation_id, :channel_id, :last_heard, :referral)
    """
)
CHATS = Query(
    """
    select g.conversation_id, c.name, c.phone, g.count, g.newest_id, m.text, m.kind, m.at
    from (select conversation_id, count(*) as count, max(message_id) as newest_id from away
          where channel_id = :channel_id group by conversation_id having max(message_id) > :after) g
    join message m on m.id = g.newest_id
    join conversation v on v.id = g.conversation_id
    join contact c on c.id = v.contact_id
    order by g.newest_id limit :limit
    """,
    Chat,
)
CONVERSATIONS = Query(
    "select distinct conversation_id from away where channel_id = :channel_id order by conversation_id", int
)
LEFT = Query(
    """
    select h.id, h.name, count(*), count(distinct a.conversation_id)
    from channel h join away a on a.channel_id = h.id
    where h.removed_at is null
    group by h.id, h.name order by h.name
    """,
    Left,
)
LAST_HEARD = Query("select min(last_heard) from away where conversation_id = :conversation_id", lambda at: at)
GATHER = Statement(
    """
    insert into gathered (message_id, conversation_id, referral)
    select message_id, conversation_id, referral from away where conversation_id = :conversation_id
    """
)
DROP = Statement("delete from away where conversation_id = :conversation_id")
DROP_CHANNEL = Statement("delete from away where channel_id = :channel_id")


async def list_chats(db: Reader, channel_id: int, limit: int = SHOWN) -> list[Chat]:
    """Those that wait longest first."""
    return await db.all(CHATS, channel_id=channel_id, after=0, limit=limit)


async def list_left(db: Reader) -> list[Left]:
    return await db.all(LEFT)
