"""Conversations: one chat on one channel, who has it, and the bot's memory of it."""

from typing import Any

import msgspec

from app.db import Query, Statement, Tx
from app.models import Conversation


class Reached(msgspec.Struct, frozen=True):
    """Where a message to somebody goes: which of those who were asked for, their number, and the conversation."""

    asked: int
    phone: str
    id: int
    places: int
    heard_at: int


CONVERSATION = Query(
    """
    select id, channel_id, contact_id, thread, address, mode, taken_by, waiting_since, closed_at, places, heard_at
    from conversation where id = :id
    """,
    Conversation,
)
HEARD_AT = Query("select heard_at from conversation where id = :id", int)
INSERT = Statement(
    """
    insert into conversation (id, channel_id, contact_id, thread, address, last_at, created_at)
    values (:id, :channel_id, :contact_id, :thread, :address, :now, :now)
    """
)
# By the names of `AFTER_TURN`, so that a conversation is written once as it is after its first turn.
BEGIN = Statement(
    """
    insert into conversation
      (id, channel_id, contact_id, thread, address, created_at, state, version_id, mode, budget, places, unread,
       waiting_since, waiting_for, closed_at, heard_at, last_at, last_id, snippet)
    values
      (:id, :channel_id, :contact_id, :thread, :address, :now, :state, :version_id, :mode, :budget, :places, :unread,
       :waiting_since, :waiting_for, :closed_at, :heard_at, :at, :last_id, :snippet)
    """
)
BY_CONTACT = Query(
    "select id from conversation where channel_id = :channel_id and contact_id = :contact_id and thread = :thread", int
)
ADDRESS = Query(
    "select address from conversation where channel_id = :channel_id and contact_id = :contact_id and thread = :thread",
    str,
)
SET_ADDRESS = Statement("update conversation set address = :address where id = :id")
AFTER_TURN = Statement(
    """
    with v (id, state, version_id, mode, budget, places, unread, waiting_since, waiting_for, closed_at, heard_at, at,
            last_id, snippet) as (
      values (:id, :state, cast(:version_id as bigint), :mode, :budget, :places, :unread,
              cast(:waiting_since as bigint), :waiting_for, cast(:closed_at as bigint), :heard_at, :at, :last_id,
              :snippet))
    update conversation
    set state = v.state, version_id = v.version_id, mode = v.mode, budget = v.budget, places = v.places,
        unread = conversation.unread + v.unread, waiting_since = v.waiting_since, waiting_for = v.waiting_for,
        closed_at = v.closed_at, heard_at = v.heard_at, last_at = v.at, last_id = v.last_id, snippet = v.snippet
    from v where conversation.id = v.id
    """,
    """
    update conversation
    set state = :state, version_id = :version_id, mode = :mode, budget = :budget, places = :places,
        unread = unread + :unread, waiting_since = :waiting_since, waiting_for = :waiting_for, closed_at = :closed_at,
        heard_at = :heard_at, last_at = :at, last_id = :last_id, snippet = :snippet
    where id = :id
    """,
)
# After a turn that no message caused: when the customer wrote, and which message is the newest, stay as they are.
AFTER_RESUMED = Statement(
    """
    update conversation
    set state = :state, version_id = :version_id, mode = :mode, budget = :budget, places = :places,
        unread = unread + :unread, waiting_since = :waiting_since, waiting_for = :waiting_for, closed_at = :closed_at
    where id = :id
    """
)
UNREAD = Statement("update conversation set unread = unread + :count where id = :id")
SPOKE = Statement("update conversation set last_at = :at, last_id = :last_id, snippet = :snippet where id = :id")
DECIDES = Query(
    """
    select coalesce(v.version_id, h.version_id, 0)
    from conversation v join channel h on h.id = v.channel_id
    where v.id = :id
    """,
    int,
)
CHANNEL = Query(
    """
    select h.id, h.name, h.connector, h.version_id
    from conversation v join channel h on h.id = v.channel_id
    where v.id = :id and h.removed_at is null
    """,
    lambda id, name, connector, version_id: (int(id), str(name), str(connector), version_id),
)
HEARD = Statement(
    """
    with v (id, unread, heard_at, at, last_id, snippet) as (values (:id, :unread, :heard_at, :at, :last_id, :snippet))
    update conversation
    set unread = conversation.unread + v.unread,
        closed_at = case when v.unread > 0 then null else conversation.closed_at end,
        heard_at = case when v.heard_at > conversation.heard_at then v.heard_at else conversation.heard_at end,
        last_id = case when v.at >= last_at then v.last_id else conversation.last_id end,
        snippet = case when v.at >= last_at then v.snippet else conversation.snippet end,
        last_at = case when v.at >= last_at then v.at else last_at end
    from v where conversation.id = v.id
    """
)
NEXT_PLACE = Query("update conversation set places = places + 1 where id = :id returning places", int)
SAID = Statement(
    """
    update conversation
    set last_at = :at, last_id = :last_id, snippet = :snippet, unread = 0, closed_at = null
    where id = :id
    """
)
# Of contacts, their conversation on a channel, with the number that is known of them.
REACHED_EACH = Query(
    """
    with asked (place, channel_id, contact_id) as (values (:place, :channel_id, :contact_id))
    select a.place, c.phone, v.id, v.places, v.heard_at
    from asked a
    cross join contact c
    join conversation v on v.channel_id = a.channel_id and v.contact_id = c.id and v.thread = ''
    where c.id = a.contact_id
    """,
    Reached,
)
# A program's message: whoever has the conversation keeps it.
TOLD_EACH = Statement(
    """
    with v (id, places, at, last_id, snippet) as (values (:id, :places, :at, :last_id, :snippet))
    update conversation set places = v.places, last_at = v.at, last_id = v.last_id, snippet = v.snippet
    from v where conversation.id = v.id
    """
)
TOLD = Statement("update conversation set last_at = :at, last_id = :last_id, snippet = :snippet where id = :id")
# A person who takes, gives back or closes a conversation ends the flow in it: without a version of its own, the bot
# leaves the flow (`inbox`).
TAKE = Statement(
    """
    update conversation
    set mode = 'person', taken_by = :user_id,
        taken_at = case when mode = 'person' and taken_by = :user_id then taken_at else :now end,
        waiting_since = null, waiting_for = '', unread = 0, closed_at = null, version_id = null
    where id = :id
    """
)
GIVE_BACK = Statement(
    """
    update conversation
    set mode = 'bot', taken_by = null, taken_at = null, waiting_since = null, waiting_for = '', budget = '',
        closed_at = null, version_id = null
    where id = :id and mode <> 'bot'
    """
)
CLOSE = Statement(
    """
    update conversation
    set mode = 'bot', taken_by = null, taken_at = null, waiting_since = null, waiting_for = '', unread = 0,
        budget = '', closed_at = :now, version_id = null
    where id = :id
    """
)
# Somebody came from an ad; an answer within a day is free, and so is what follows for 72 hours.
ENTERED = Statement("update conversation set entered_at = :at where id = :id and entered_at < :at")
FREE_UNTIL = Statement("update conversation set free_until = :free_until where id = :id and free_until < :free_until")
FREE = Query(
    """
    select v.free_until, v.entered_at, coalesce((
      select min(m.at) from message m
      where m.conversation_id = v.id and m.at >= v.entered_at and m.direction = 'out'
        and m.status in ('accepted', 'sent', 'delivered', 'read', 'played')), 0)
    from conversation v where v.id = :id
    """,
    lambda told, entered, answered: (int(told), int(entered), int(answered)),
)
HAND_OVER = Statement(
    """
    update conversation
    set mode = 'waiting', waiting_since = :now, waiting_for = :reason, closed_at = null, version_id = null
    where id = :id and mode = 'bot'
    """
)
SEEN = Statement("update conversation set unread = 0 where id = :id and unread > 0")
PIN_VERSION = Statement("update conversation set version_id = :version_id, state = '{}', budget = '' where id = :id")


def begin(tx: Tx, id: int, channel_id: int, contact_id: int, thread: str, address: str) -> dict[str, Any]:
    """A conversation in which nothing was said yet: its row, to be completed before it is written."""
    return tx.later(
        BEGIN, id=id, channel_id=channel_id, contact_id=contact_id, thread=thread, address=address,
        now=tx.now, state="{}", version_id=None, mode="bot", budget="", places=0, unread=0, waiting_since=None,
        waiting_for="", closed_at=None, heard_at=0, at=tx.now, last_id=None, snippet="",
    )  # fmt: skip


def open_conversation(tx: Tx, channel_id: int, contact_id: int, thread: str, address: str) -> int:
    """The conversation of this contact on this channel, created if it is the first message."""
    found = tx.one(BY_CONTACT, channel_id=channel_id, contact_id=contact_id, thread=thread)
    if found is not None:
        tx.run(SET_ADDRESS, id=found, address=address)
        return found
    return insert(tx, channel_id, contact_id, thread, address)


def insert(tx: Tx, channel_id: int, contact_id: int, thread: str, address: str) -> int:
    """The first message of a contact on a channel."""
    created = tx.new_id()
    tx.later(
        INSERT, id=created, channel_id=channel_id, contact_id=contact_id, thread=thread, address=address, now=tx.now
    )
    return created
