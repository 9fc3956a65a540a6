"""What happened: the list of event types, and the bus that tells subscribers after the commit.

The stream is a doorbell: an event names what changed (`topics`) and the page fetches it. `seq` is the commit order and
the only thing a resume may use.
"""

from collections.abc import Callable
from typing import Final

import msgspec

MESSAGE_CREATED: Final = "message.created"
MESSAGE_UPDATED: Final = "message.updated"
CONVERSATION_UPDATED: Final = "conversation.updated"
CHANNEL_UPDATED: Final = "channel.updated"
BOT_UPDATED: Final = "bot.updated"
TEMPLATE_UPDATED: Final = "template.updated"
ATTENTION_UPDATED: Final = "attention.updated"

TYPES: Final = frozenset(
    {
        *(MESSAGE_CREATED, MESSAGE_UPDATED, CONVERSATION_UPDATED, CHANNEL_UPDATED, BOT_UPDATED, TEMPLATE_UPDATED),
        ATTENTION_UPDATED,
    }
)


class Event(msgspec.Struct, frozen=True):
    """One thing that happened. `topics`: plural for a list, singular with key for one thing (`conversations`,
    `conversation-42`). `data`: JSON object with ids as strings."""

    type: str
    topics: tuple[str, ...]
    data: bytes = b"{}"


def in_conversation(type: str, conversation_id: int, message_id: int = 0, *topics: str) -> Event:
    """About a message of a conversation, or the conversation itself (0); `topics` besides that of the conversation."""
    data = b'{"conversation_id":"%d"}' % conversation_id
    if message_id:
        data = b'{"conversation_id":"%d","id":"%d"}' % (conversation_id, message_id)
    return Event(type, (*topics, f"conversation-{conversation_id}"), data)


class StoredEvent(msgspec.Struct, frozen=True):
    """An event with its place in commit order and its time (ms UTC)."""

    seq: int
    at: int
    type: str
    topics: tuple[str, ...]
    data: bytes


Listener = Callable[[list[StoredEvent]], None]
