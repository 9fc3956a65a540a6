"""The index of messages' words: what is missing from it, and what is found by it.

Messages are indexed in the order of their ids, so the last one in the index says how far it reaches. What is found is
listed by id, newest first, because both indexes keep that order.
"""

import msgspec

from app.db import Query, Statement
from app.store import listing


class Named(msgspec.Struct, frozen=True):
    id: int
    name: str


class Said(msgspec.Struct, frozen=True):
    """What the index takes of a message."""

    id: int
    conversation_id: int
    channel_id: int
    author: str
    kind: str
    text: str
    at: int
    deleted_at: int | None


class Hit(listing.Entry, frozen=True):
    """A message that was found, with whom it is and where."""

    text: str
    contact_id: int
    name: str
    phone: str
    username: str
    channel: str
    connector: str


NEWEST = Query("select id from message where id > 0 order by id desc limit 1", int)
INDEXED = Query("select rowid from message_word order by rowid desc limit 1", int)
_SAID = "select id, conversation_id, channel_id, author, kind, text, at, deleted_at from message"
NEXT = Query(f"{_SAID} where id > :after and id <= :until order by id limit :limit", Said)
SAID = Query(f"{_SAID} where id = :id", Said)
PUT = Statement("insert into message_word (rowid, words) values (:id, :words)")
DROP = Statement("delete from message_word where rowid = :id")
CHANGED = Query("select message_id from message_changed order by message_id limit 1", int)
# The row is taken before the message is read: who changes it again waits, and leaves a row of its own.
TAKE = Query(
    """
    delete from message_changed
    where message_id in (select message_id from message_changed order by message_id limit :limit)
    returning message_id
    """,
    int,
)
AGAIN = Statement(
    """
    insert into message_changed (message_id) select m.id from message m where m.conversation_id = :conversation_id
    on conflict (message_id) do update set message_id = excluded.message_id
    """
)
ONE_AGAIN = Statement(
    """
    insert into message_changed (message_id)
    select m.id from message m where m.channel_id = :channel_id and m.provider_id = :provider_id
    on conflict (message_id) do update set message_id = excluded.message_id
    """
)
# A channel that was removed keeps its messages.
CHANNELS = Query("select id, name from channel order by name, id limit 200", Named)
OF_CONTACT = Query("select id from conversation where contact_id = :contact_id order by id limit 200", int)

FOUND = Query(
    """
    select m.id, m.conversation_id, m.channel_id, m.direction, m.author, m.user_id, m.content,
           coalesce(m.provider_id, ''), m.reply_to, m.status, m.problem, m.rule, m.at, m.edited_at, m.deleted_at,
           m.text, c.id, c.name, c.phone, c.username, h.name, h.connector
    from message_word w
    join message m on m.id = w.rowid
    join conversation v on v.id = m.conversation_id
    join contact c on c.id = v.contact_id
    join channel h on h.id = m.channel_id
    where message_word match :wanted and w.rowid < :before and m.deleted_at is null and m.at >= :since and m.at < :until
    order by w.rowid desc limit :limit
    """,
    Hit,
)
