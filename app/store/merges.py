"""Merges of contacts: what both were before and which rows moved, until the merge is undone or the contact erased.

Of somebody who is made of several, each message is kept with the names by which it came: by them it finds its way back.
"""

from typing import Any, Final

import msgspec

from app.db import Query, Statement, Tx
from app.store import joining

MOVED: Final = ("message", "turn", "raw_update", "job")


class Card(msgspec.Struct, frozen=True):
    """A contact as it was. `tags` and `fields` are JSON."""

    name: str
    phone: str
    username: str
    language: str
    tags: str
    fields: str
    opted_out_at: int | None


class Chat(msgspec.Struct, frozen=True):
    """A conversation of the one that went, as it was. `keep_id`: the one it went into, with what that was; None for one
    that was handed over whole."""

    id: int
    channel_id: int
    thread: str
    created_at: int
    was: joining.Thread
    keep_id: int | None = None
    keep_was: joining.Thread | None = None


class Before(msgspec.Struct, frozen=True):
    """`keep_names` and `gone_names` are those of each, `pointers` who had gone into the one that went before."""

    keep: Card
    gone: Card
    keep_names: list[tuple[str, str]]
    gone_names: list[tuple[str, str]]
    pointers: list[int]
    chats: list[Chat]


class Merge(msgspec.Struct, frozen=True):
    """`before` is JSON of `Before`."""

    id: int
    keep_id: int
    gone_id: int
    at: int
    before: str


CARD = Query("select name, phone, username, language, tags, fields, opted_out_at from contact where id = :id", Card)
NAMES = Query("select kind, value from identity where contact_id = :id order by kind, value", lambda *row: row)
POINTERS = Query("select id from contact where merged_into = :id order by id", int)
CHATS = Query(
    "select id, channel_id, thread, created_at from conversation where contact_id = :id order by id", lambda *row: row
)
INSERT = Statement(
    """
    insert into contact_merge (id, keep_id, gone_id, at, before) values (:id, :keep_id, :gone_id, :at, :before)
    """
)
COUNT = Statement("update contact set merges = merges + :count where id = :id")
OF_CONTACT = Query(
    "select id, keep_id, gone_id, at, before from contact_merge where keep_id = :id order by id desc limit 50", Merge
)
NEWEST = Query(
    "select id, keep_id, gone_id, at, before from contact_merge where keep_id = :id order by id desc limit 1", Merge
)
NOTE = {
    what: Statement(
        f"""
        insert into merge_moved (merge_id, what, row_id, from_id)
        select :merge_id, '{what}', id, :gone from {what} where conversation_id = :gone
        """
    )
    for what in MOVED
}
NOTE_MESSAGES, NOTE_TURNS, NOTE_RAW, NOTE_JOBS = NOTE.values()
HEARD_AS = Statement(
    """
    insert into heard_as (message_id, names, at) values (:message_id, :names, :now)
    on conflict (message_id) do nothing
    """
)


def heard_as(tx: Tx, message_id: int, names: tuple[tuple[str, str], ...]) -> None:
    tx.later(HEARD_AS, message_id=message_id, names=msgspec.json.encode(names).decode(), now=tx.now)


def remember(tx: Tx, keep: int, gone: int, pairs: list[tuple[int, int | None]]) -> None:
    """Before anything moves. `pairs`: each conversation of `gone`, and the one of `keep` that it goes into, if any."""
    merge_id = tx.new_id()
    into = dict(pairs)
    chats = [
        Chat(id, channel_id, thread, created_at, *_were(tx, id, into.get(id)))
        for id, channel_id, thread, created_at in tx.all(CHATS, id=gone)
    ]
    cards = tx.one(CARD, id=keep), tx.one(CARD, id=gone)
    assert cards[0] is not None and cards[1] is not None
    names = tx.all(NAMES, id=keep), tx.all(NAMES, id=gone)
    before = Before(cards[0], cards[1], *names, tx.all(POINTERS, id=gone), chats)
    text = msgspec.json.encode(before).decode()
    tx.run(INSERT, id=merge_id, keep_id=keep, gone_id=gone, at=tx.now, before=text)
    tx.run(COUNT, id=keep, count=1)
    for chat in chats:
        if chat.keep_id is not None:
            for note in (NOTE_MESSAGES, NOTE_TURNS, NOTE_RAW, NOTE_JOBS):
                tx.run(note, merge_id=merge_id, gone=chat.id)


def _were(tx: Tx, gone: int, keep: int | None) -> tuple[Any, ...]:
    was = tx.one(joining.THREAD, id=gone)
    return (was,) if keep is None else (was, keep, tx.one(joining.THREAD, id=keep))


# ---- back -----------------------------------------------------------------------------------------------------------

CONVERSATIONS = Query(
    "select id, channel_id, thread, created_at, address from conversation where contact_id = :id order by id",
    lambda *row: row,
)
SINCE = Query(
    """
    select m.id, m.direction, coalesce(h.names, '[]') from message m
    left join heard_as h on h.message_id = m.id
    where m.conversation_id = :id and (m.at >= :at or h.at >= :at)
      and not exists (
        select 1 from merge_moved d where d.merge_id = :merge_id and d.what = 'message' and d.row_id = m.id)
    order by m.at, m.id
    """,
    lambda id, direction, names: (int(id), str(direction), str(names)),
)
MOVED_MESSAGES = Query(
    "select row_id from merge_moved where merge_id = :merge_id and what = 'message' and from_id = :from_id", int
)
INSERT_CHAT = Statement(
    """
    insert into conversation (id, channel_id, contact_id, thread, address, last_at, created_at)
    values (:id, :channel_id, :contact_id, :thread, :address, :created_at, :created_at)
    """
)
GIVE_BACK = Statement("update conversation set contact_id = :contact_id where id = :id")
MOVE_MESSAGE = Statement("update message set conversation_id = :to_id where id = :id and conversation_id = :id_from")
_BACK = "and id in (select row_id from merge_moved where merge_id = :merge_id and what = '{0}' and from_id = :from_id)"
BACK = {
    what: Statement(f"update {what} set conversation_id = :to_id where conversation_id = :id {_BACK.format(what)}")
    for what in ("turn", "raw_update", "job")
}
TURNS_BACK, RAW_BACK, JOBS_BACK = BACK.values()
TURN_OF = Statement("update turn set conversation_id = :to_id where id = :id")
RAW_OF = Statement(
    "update raw_update set conversation_id = :to_id where conversation_id = :id_from and message_id = :id"
)
OUTBOX_OF = Statement("update outbox set conversation_id = :to_id where message_id = :id")
GATHERED_OF = Statement("update gathered set conversation_id = :to_id where message_id = :id")
# A job of these kinds is known by its conversation.
JOBS_NAMED = Statement("update job set subject = :subject where conversation_id = :id and kind in ('quiet', 'gather')")
WAITS = Statement(
    """
    update job
    set conversation_id = :to_id, subject = case when kind in ('quiet', 'gather') then :subject else subject end
    where conversation_id = :id and kind in ('timer', 'call', 'quiet', 'gather')
    """
)
NEWEST_UNREAD = Query(
    """
    select id from message where conversation_id = :id and direction = 'in' order by at desc, id desc limit :limit
    """,
    int,
)
SUMMARY = Query(
    "select id, at, text from message where conversation_id = :id order by at desc, id desc limit 1", lambda *row: row
)
LAST_HEARD = Query(
    """
    select at from message where conversation_id = :id and direction = 'in' order by at desc, id desc limit 1
    """,
    int,
)
TEAM = Query("select id from team where id = :id", int)
OWN = Statement(
    "update identity set contact_id = :to_id where kind = :kind and value = :value and contact_id = :from_id"
)
CARD_BACK = Statement(
    """
    update contact set name = :name, phone = :phone, username = :username, language = :language, tags = :tags,
                       fields = :fields, opted_out_at = :opted_out_at
    where id = :id
    """
)
UNPOINT = Statement("update contact set merged_into = null where id = :id and merged_into = :keep_id")
POINT = Statement("update contact set merged_into = :gone_id where id = :id and merged_into = :keep_id")
DROP = Statement("delete from contact_merge where id = :id")
