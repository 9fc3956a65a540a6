"""A program asks a bot for something by name: `when: {trigger: NAME}` in its document, or a flow as `flow:NAME`."""

from typing import Annotated, Any

import msgspec

from app import due, sending
from app.routes.api.endpoint import Body, Call
from app.routes.api.messages import Phone, UserId, recipient
from app.views import Id

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=due.LONGEST_NAME)]
Data = Annotated[dict[str, Any], msgspec.Meta(description="Values that the bot remembers under these names.")]


class Asking(Body, frozen=True):
    name: Name
    data: Data = msgspec.field(default_factory=dict)


class AskingSomebody(Body, frozen=True):
    """`channel` by name or id; `to` as in sending a message."""

    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    to: Phone | UserId
    name: Name
    data: Data = msgspec.field(default_factory=dict)


class Asked(msgspec.Struct, frozen=True):
    """`turn_id` is null where the bot had no turn: a person has the conversation, or no bot answers there."""

    conversation_id: Id
    turn_id: Id | None


async def trigger(call: Call, body: Asking) -> Asked:
    """What the bot says to it is queued when this is answered. Sent twice, it is done twice."""
    turn = await due.trigger(call.rt, call.id, body.name, body.data)
    return Asked(str(call.id), None if turn is None else str(turn))


async def trigger_somebody(call: Call, body: AskingSomebody) -> Asked:
    """The same for a number, a contact or a user id: a conversation that is not there yet begins."""
    live = await sending.live_channel(call.rt, body.channel)
    to = await recipient(call.rt.db.reader, body.to)
    conversation_id = await call.rt.db.write(sending.reach, live.row.id, to)
    turn = await due.trigger(call.rt, conversation_id, body.name, body.data)
    return Asked(str(conversation_id), None if turn is None else str(turn))
