"""What was sent is changed or taken back, where the network can still do that: the change goes out like a message, and
ours changes once the network took it."""

from typing import TYPE_CHECKING

import msgspec

from app import content, events
from app.content import Delete, Edit, Text
from app.db import Tx
from app.errors import Conflict, NotFound
from app.said import N_
from app.store import conversations, messages, outbox

if TYPE_CHECKING:
    from app.runtime import Runtime


class Ours(msgspec.Struct, frozen=True):
    """A message that we sent, as far as it matters here."""

    conversation_id: int
    channel_id: int
    provider_id: str
    kind: str
    status: str
    at: int
    deleted: bool


async def correct(rt: "Runtime", message_id: int, text: str, user_id: int | None = None) -> None:
    """The text of a text becomes another. Raises `NotFound`, `Conflict` where that cannot be any more, `Invalid`."""
    await _send(rt, message_id, Text(text), user_id)


async def take_back(rt: "Runtime", message_id: int, user_id: int | None = None) -> None:
    """The message goes from the customer's phone. Raises as `correct` does."""
    await _send(rt, message_id, None, user_id)


async def _send(rt: "Runtime", message_id: int, new: Text | None, user_id: int | None) -> None:
    row = await rt.db.reader.one(messages.OURS, id=message_id)
    if row is None:
        raise NotFound(N_("There is no such message of ours."))
    ours = Ours(*row)
    live = rt.channels.get(ours.channel_id)
    can = live.connector.capabilities
    seconds = can.delete if new is None else can.edit
    said = Delete(ours.provider_id) if new is None else Edit(ours.provider_id, new)
    if not seconds:
        raise Conflict(N_("This network changes no messages that were sent."))
    if new is not None and ours.kind != "text":
        raise Conflict(N_("Only the text of a text can be changed."))
    if not ours.provider_id or ours.status == "failed" or ours.deleted:
        raise Conflict(N_("This message did not arrive, or was taken back."))
    if rt.clock.now() - ours.at > seconds * 1000:
        raise Conflict(N_("It is too late: the network changes messages for {n} minutes.", n=seconds // 60))
    if problem := live.connector.check(said):
        raise Conflict(problem.title)
    await rt.db.write(queue, ours, said, user_id, key=ours.conversation_id)
    live.sender.wake()


def queue(tx: Tx, ours: Ours, said: Edit | Delete, user_id: int | None) -> None:
    """Behind what waits for this person already."""
    tx.lock("conversation", ours.conversation_id)
    message_id = tx.new_id()
    place = tx.one(conversations.NEXT_PLACE, id=ours.conversation_id)
    tx.run(
        messages.INSERT_OUT, id=message_id, conversation_id=ours.conversation_id, channel_id=ours.channel_id,
        author="program" if user_id is None else "user", user_id=user_id, kind=content.kind(said),
        text=content.text(said), content=content.encode(said), reply_to="", status="queued", rule="", turn_id=None,
        step=None, at=tx.now,
    )  # fmt: skip
    tx.run(
        outbox.INSERT, message_id=message_id, channel_id=ours.channel_id, conversation_id=ours.conversation_id,
        place=place, state="queued", due_at=tx.now, attempts=0, now=tx.now,
    )  # fmt: skip
    tx.publish(events.in_conversation(events.MESSAGE_CREATED, ours.conversation_id, message_id))
