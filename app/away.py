"""What came while a channel was away: stored like anything else, listed, and answered only on a person's word.

Somebody decides for one conversation or for all: the bot answers (once for all that a person wrote), nobody does, or
it waits for a person. Whoever answers or takes the conversation has decided, too.
"""

from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from app import events, gather
from app.case import Intake
from app.connectors.base import Inbound
from app.db import Tx
from app.errors import Invalid
from app.models import Found
from app.said import N_, mark
from app.store import away as store
from app.store import conversations
from app.store import jobs as job_rows

if TYPE_CHECKING:
    from app.runtime import Runtime

Decision = Literal["answer", "skip", "hand_over"]
DECISIONS: Final[tuple[str, ...]] = get_args(Decision)
REASON: Final = mark("Wrote while the channel was away.")


def hold(tx: Tx, channel_id: int, found: Found, inbound: Inbound, message_id: int) -> None:
    """One more of them."""
    referral = msgspec.json.encode(inbound.referral).decode() if inbound.referral else ""
    tx.run(
        store.INSERT, message_id=message_id, conversation_id=found.conversation_id, channel_id=channel_id,
        last_heard=found.heard_at, referral=referral,
    )  # fmt: skip
    tell(tx, channel_id)


async def decide(rt: "Runtime", channel_id: int, decision: str, conversation_id: int | None = None) -> int:
    """For one conversation, or for all of the channel. Returns for how many. Raises `Invalid`, `NotFound`."""
    if decision not in DECISIONS:
        raise Invalid(N_("Choose one of {names}.", names=", ".join(DECISIONS)))
    rt.channels.get(channel_id)
    waiting = await rt.db.reader.all(store.CONVERSATIONS, channel_id=channel_id)
    chosen = [id for id in waiting if conversation_id in (None, id)]
    for id in chosen:
        await rt.db.write(settle, rt.channels.intake, channel_id, id, decision, key=id)
    return len(chosen)


def settle(tx: Tx, intake: Intake, channel_id: int, conversation_id: int, decision: str) -> None:
    """The decision about one conversation. One that was decided meanwhile is left alone."""
    tx.lock("conversation", conversation_id)
    last_heard = tx.one(store.LAST_HEARD, conversation_id=conversation_id)
    if last_heard is None:
        return
    if decision == "answer":
        _answer(tx, intake, conversation_id, last_heard)
    else:
        tx.run(store.DROP, conversation_id=conversation_id)
        if decision == "skip":
            tx.run(conversations.SEEN, id=conversation_id)
        else:
            tx.run(conversations.HAND_OVER, id=conversation_id, reason=REASON, now=tx.now)
    tx.publish(events.in_conversation(events.CONVERSATION_UPDATED, conversation_id, 0, "conversations"))
    tell(tx, channel_id)


def _answer(tx: Tx, intake: Intake, conversation_id: int, last_heard: int) -> None:
    """One turn for them, and for what is being gathered at this moment."""
    tx.one(job_rows.END_GATHERING, subject=str(conversation_id))
    tx.run(store.GATHER, conversation_id=conversation_id)
    tx.run(store.DROP, conversation_id=conversation_id)
    tx.run(conversations.SEEN, id=conversation_id)
    gather.answer(tx, intake, conversation_id, msgspec.json.encode(gather.Begun(last_heard)).decode())


def tell(tx: Tx, channel_id: int) -> None:
    """The list changed."""
    data = b'{"id":"%d"}' % channel_id
    tx.publish(events.Event(events.CHANNEL_UPDATED, (f"channel-{channel_id}",), data))
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
