"""What became of a send: the outcome is written, and the next message of the conversation may go.

Every function is a unit of work. A message leaves the outbox when its outcome is certain; an unknown outcome waits
for a receipt, then is held for a person. Statuses only go forward (P23).
"""

from collections.abc import Sequence

import msgspec

from app import content, events
from app.connectors.base import Address, Problem, Receipt, Status
from app.content import Content, Delete, Edit
from app.db import Together, Tx
from app.models import Message
from app.store import contacts, conversations, messages, outbox, receipts, search

UNKNOWN_FOR = 120_000  # ms an unknown outcome waits for a receipt before a person is asked (P19)
RANK = {
    **dict.fromkeys(("queued", "unknown", "discarded"), 0),
    "accepted": 1,
    "failed": 2,
    "sent": 2,
    "delivered": 3,
    "read": 4,
    "played": 5,
}


def advances(current: str, new: str) -> bool:
    """Whether a status may replace another: forward only; a failure replaces only what has not arrived."""
    if new == "failed":
        return current in ("queued", "unknown", "discarded", "accepted", "sent")
    if current == "failed":
        return RANK[new] >= RANK["delivered"]
    return RANK[new] > RANK[current]


def accepted(
    tx: Tx, channel_id: int, message_id: int, conversation_id: int, provider_id: str, learned: Address | None
) -> None:
    """The network took it. Receipts that came before this answer are applied now."""
    tx.run(messages.ACCEPTED, id=message_id, provider_id=provider_id, now=tx.now)
    tx.run(outbox.DROP, message_id=message_id)
    early = tx.all(receipts.WAITING, channel_id=channel_id, provider_id=provider_id)
    if early:
        tx.run(receipts.CLAIM, channel_id=channel_id, provider_id=provider_id, message_id=message_id)
        for status, problem in sorted(early, key=lambda row: RANK[row[0]]):
            _advance(tx, message_id, status, problem)
    if learned:
        _learn(tx, conversation_id, learned)
    changed(tx, conversation_id, message_id)


Taken = tuple[int, int, int, str, Address | None]


def accepted_all(tx: Tx, calls: Sequence[Taken]) -> list[None]:
    """`accepted` for several."""
    early = set(tx.each(receipts.EARLY, [{"channel_id": call[0], "provider_id": call[3]} for call in calls]))
    for call in calls:
        channel_id, message_id, conversation_id, provider_id, learned = call
        if learned or (channel_id, provider_id) in early:
            accepted(tx, *call)
            continue
        tx.later(messages.ACCEPTED, id=message_id, provider_id=provider_id, now=tx.now)
        tx.later(outbox.DROP, message_id=message_id)
        changed(tx, conversation_id, message_id)
    return [None] * len(calls)


ACCEPTED = Together(accepted, accepted_all)


def taken(
    tx: Tx, channel_id: int, message_id: int, conversation_id: int, provider_id: str, learned: Address | None,
    lasts: int, said: Content,
) -> None:  # fmt: skip
    """`accepted`, of what disappears after `lasts` seconds (0: it does not), or changes an earlier message of ours."""
    accepted(tx, channel_id, message_id, conversation_id, provider_id, learned)
    if lasts:
        tx.run(messages.EXPIRE, id=message_id, at=tx.now + lasts * 1000)
    where = {"channel_id": channel_id, "conversation_id": conversation_id, "at": tx.now, "direction": "out"}
    if isinstance(said, Delete | Edit):
        tx.run(search.ONE_AGAIN, channel_id=channel_id, provider_id=said.target)
    if isinstance(said, Delete):
        tx.run(messages.REVOKE, provider_id=said.target, **where)
    elif isinstance(said, Edit):
        new = {"content": content.encode(said.content), "text": content.text(said.content)}
        tx.run(messages.EDIT, provider_id=said.target, **new, **where)


def accepted_unnamed(tx: Tx, message_id: int, conversation_id: int, problem: Problem) -> None:
    """The network took it, but what it calls it cannot be kept, e.g. because another message has that name."""
    tx.run(messages.ACCEPTED_UNNAMED, id=message_id, problem=encode(problem), now=tx.now)
    tx.run(outbox.DROP, message_id=message_id)
    changed(tx, conversation_id, message_id)


def _learn(tx: Tx, conversation_id: int, address: Address) -> None:
    """The answer told another name of the recipient, e.g. the `wa_id` of a number that was dialled, or the LID behind
    it. Whoever was known by that name alone is the same person."""
    row = tx.one(conversations.CONVERSATION, id=conversation_id)
    if row is None:
        return
    keep, *others = sorted(contacts.owners_of(tx, address.aliases()) | {row.contact_id})
    for gone in others:
        contacts.merge(tx, keep, gone)
    for kind, value in address.aliases():
        tx.run(contacts.INSERT_IDENTITY, kind=kind, value=value, contact_id=keep, now=tx.now)


def unsure(tx: Tx, message_id: int, conversation_id: int, problem: Problem) -> None:
    """Bytes went out and no clear answer came back: never repeated by itself."""
    text = encode(problem)
    tx.run(
        outbox.SET_STATE, message_id=message_id, state="unknown", due_at=tx.now + UNKNOWN_FOR, problem=text, now=tx.now
    )
    _advance(tx, message_id, "unknown", text)
    changed(tx, conversation_id, message_id)


def again(tx: Tx, message_id: int, attempt: int, due_at: int, problem: Problem) -> None:
    """Surely not taken, worth another try at `due_at`. Told twice, it does not disturb the attempt after it."""
    text = encode(problem)
    tx.run(outbox.AGAIN, message_id=message_id, attempts=attempt, due_at=due_at, problem=text, now=tx.now)


def failed(tx: Tx, message_id: int, conversation_id: int, problem: Problem) -> None:
    """Surely not taken and not worth another try."""
    tx.run(outbox.DROP, message_id=message_id)
    _advance(tx, message_id, "failed", encode(problem))
    changed(tx, conversation_id, message_id)
    attention(tx)


def held(tx: Tx, message_id: int, conversation_id: int) -> None:
    """No receipt came in time: shown with "Resend" and "Discard"; the conversation goes on behind it."""
    row = tx.one(outbox.STATE, message_id=message_id)
    if row == "unknown":
        tx.run(outbox.SET_STATE, message_id=message_id, state="held", due_at=0, problem="", now=tx.now)
        changed(tx, conversation_id, message_id)
        attention(tx)


def receipt(tx: Tx, channel_id: int, install: str, receipt: Receipt) -> int | None:
    """Record one receipt once. Returns the conversation whose outbox may go on, if this settled something."""
    message = _message_of(tx, channel_id, install, receipt)
    problem = encode(receipt.problem) if receipt.problem else ""
    new = tx.run(
        receipts.INSERT, channel_id=channel_id, provider_id=receipt.provider_id, status=receipt.status.value,
        message_id=message.id if message else None, at=receipt.at, problem=problem, now=tx.now,
    )  # fmt: skip
    if not new or message is None or message.direction != "out":
        return None
    if receipt.free_until:
        tx.run(conversations.FREE_UNTIL, id=message.conversation_id, free_until=receipt.free_until)
    settled = message.status in ("queued", "unknown") and bool(tx.run(outbox.DROP, message_id=message.id))
    if message.provider_id is None:
        tx.run(messages.SET_PROVIDER, id=message.id, provider_id=receipt.provider_id)
    if advances(message.status, receipt.status.value):
        tx.run(messages.SET_STATUS, id=message.id, status=receipt.status.value, problem=problem)
        changed(tx, message.conversation_id, message.id)
        if receipt.status is Status.FAILED:
            attention(tx)
    return message.conversation_id if settled else None


def _message_of(tx: Tx, channel_id: int, install: str, receipt: Receipt) -> Message | None:
    """By what we sent along with the message, else by the network's id."""
    owner, _, number = receipt.opaque.partition(".")
    if owner == install and number.isdigit() and len(number) < 20:
        message = tx.one(messages.MESSAGE, id=int(number))
        if message is not None and message.channel_id == channel_id:
            return message
    return tx.one(messages.BY_PROVIDER, channel_id=channel_id, provider_id=receipt.provider_id)


def _advance(tx: Tx, message_id: int, status: str, problem: str) -> None:
    message = tx.one(messages.MESSAGE, id=message_id)
    if message is not None and (advances(message.status, status) or (status, message.status) == ("unknown", "queued")):
        tx.run(messages.SET_STATUS, id=message_id, status=status, problem=problem)


def changed(tx: Tx, conversation_id: int, message_id: int) -> None:
    tx.publish(events.in_conversation(events.MESSAGE_UPDATED, conversation_id, message_id))


def attention(tx: Tx) -> None:
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention", "conversations")))


def encode(problem: Problem) -> str:
    return msgspec.json.encode(problem).decode()
