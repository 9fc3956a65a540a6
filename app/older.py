"""Conversations that finish a flow on an older version, and moving them on.

The rule: a conversation that is moved leaves its flow. Nothing is sent then; the next message is answered by the
version that the channel answers with. What the contact is known by (tags, fields) stays.
"""

from typing import TYPE_CHECKING, Final

from app import bots, events
from app.db import Tx
from app.errors import NotFound
from app.said import N_
from app.store import bots as bot_rows
from app.store import older as store

if TYPE_CHECKING:
    from app.runtime import Runtime

AT_ONCE: Final = 100  # conversations a unit


async def move(rt: "Runtime", bot_id: int, channel_id: int, number: int) -> int:
    """The channel's conversations on this version leave their flows. Returns how many. Raises `NotFound`."""
    version = await rt.db.reader.one(bot_rows.BY_NUMBER, bot_id=bot_id, number=number)
    if version is None:
        raise NotFound(N_("The bot has no version {number}.", number=number))
    total = moved = await rt.db.bulk(leave, bot_id, channel_id, version.id)
    while moved == AT_ONCE:
        moved = await rt.db.bulk(leave, bot_id, channel_id, version.id)
        total += moved
    return total


def leave(tx: Tx, bot_id: int, channel_id: int, version_id: int) -> int:
    """Some of them, few enough for one unit; how many."""
    moved = 0
    for conversation_id in tx.all(store.BEHIND, channel_id=channel_id, version_id=version_id, limit=AT_ONCE):
        tx.lock("conversation", conversation_id)
        if tx.run(store.LEAVE, id=conversation_id, version_id=version_id):
            tx.run(store.DROP_WAITING, conversation_id=conversation_id)
            moved += 1
    if moved:
        bots.tell(tx, bot_id)
        tx.publish(events.Event(events.CONVERSATION_UPDATED, ("conversations",)))
    return moved
