"""A program sends a message to somebody: to a number, to a contact, or to a user id that the network gave.

The person is found by any name, or made; the message stands behind what waits for that person already. It does not take
the conversation from the bot: only a person's word does.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import content, events, window
from app.case import Here
from app.connectors.base import Address
from app.content import Content
from app.db import Tx
from app.errors import Conflict, Invalid, NotFound, ParleyError
from app.said import N_
from app.store import contacts, conversations, messages, outbox

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime

PHONE: Final = re.compile(r"\+?[0-9]{6,15}")
ASIDE: Final = re.compile(r"[\s().\-/]")

_json = msgspec.json.Encoder()


class Sent(msgspec.Struct, frozen=True):
    """What a sender is told at once: the message is stored and will be sent."""

    id: str
    status: str
    conversation_id: str
    contact_id: str


class Recipient(msgspec.Struct, frozen=True):
    """One of: a contact's id, or an address that the network knows."""

    contact_id: int | None = None
    address: Address = Address()


def to_phone(text: str) -> Recipient:
    """A number as people write it, with its country code. Raises `Invalid`."""
    return Recipient(address=Address(phone=digits(text)))


def digits(text: str) -> str:
    """The digits of a number as people write it. Raises `Invalid`."""
    plain = text if PHONE.fullmatch(text) else ASIDE.sub("", text)
    if not PHONE.fullmatch(plain):
        said = N_("A number has its country code and 6 to 15 digits, like +5511999990000.")
        raise Invalid(said, fields={"to": said})
    return plain.lstrip("+")


def check(live: "Live", said: Content) -> None:
    """Refuse before anything is stored what the network would refuse. Raises `Invalid`."""
    problem = live.connector.check(said)
    if problem is not None:
        wrong = problem.detail or problem.title
        raise Invalid(wrong, fields={"content": wrong})


async def live_channel(rt: "Runtime", name_or_id: str) -> "Live":
    """Raises `NotFound`."""
    known = rt.channels.named(name_or_id)
    if known is not None:
        return known
    row = await rt.channels.find(name_or_id)
    return rt.channels.get(row.id)


def send(tx: Tx, here: Here, to: Recipient, said: Content, reply_to: str = "", user_id: int | None = None) -> Sent:
    """Store the message and queue it. Raises `NotFound`, `Conflict` where there is no way to reach the contact, or
    where free replies are over."""
    contact_id, conversation_id = _reach(tx, here.id, to)
    tx.lock("conversation", conversation_id)
    window.check(here.capabilities, said, tx.one(conversations.HEARD_AT, id=conversation_id) or 0, tx.now)
    message_id = tx.new_id()
    place = tx.one(conversations.NEXT_PLACE, id=conversation_id)
    tx.run(messages.INSERT_OUT, **_message(tx, message_id, conversation_id, here.id, said, reply_to, user_id))
    tx.run(outbox.INSERT, **_queued(tx, message_id, conversation_id, here.id, place))
    tx.run(conversations.TOLD, id=conversation_id, at=tx.now, last_id=message_id, snippet=content.text(said)[:160])
    return _sent(tx, message_id, conversation_id, contact_id)


Wanted = tuple[Here, Recipient, Content, str, int | None]


def send_all(tx: Tx, wanted: Sequence[Wanted]) -> list[Sent | ParleyError]:
    """`send` for several, where no other unit runs meanwhile: those to numbers that are known and were written to
    before in a few statements, every other, and a second one to the same number, after them, one by one. A refusal is
    raised before anything is written, and is an answer here."""
    phones = dict[tuple[int, str], int]()
    for place, (here, to, *_) in enumerate(wanted):
        if to.contact_id is None and to.address == Address(phone=to.address.phone):
            phones.setdefault((here.id, to.address.phone), place)
    names = {("phone", phone) for _channel, phone in phones}
    owners = contacts.owners(tx, {*names, *(("wa_id", phone) for _kind, phone in names)})
    asked = []
    for (channel_id, phone), place in phones.items():
        owner = owners.get(("phone", phone))
        if owner is not None and owners.get(("wa_id", phone), owner) == owner:
            asked.append({"place": place, "channel_id": channel_id, "contact_id": owner})
    known = {each["place"]: each["contact_id"] for each in asked}
    done: dict[int, Sent | ParleyError] = {}
    for found in tx.each(conversations.REACHED_EACH, asked):
        here, to, said, reply_to, user_id = wanted[found.asked]
        if found.phone == to.address.phone:
            try:
                window.check(here.capabilities, said, found.heard_at, tx.now)
            except ParleyError as error:
                done[found.asked] = error
                continue
            message_id = tx.new_id()
            tx.later(messages.INSERT_OUT, **_message(tx, message_id, found.id, here.id, said, reply_to, user_id))
            tx.later(outbox.INSERT, **_queued(tx, message_id, found.id, here.id, found.places + 1))
            tx.later(
                conversations.TOLD_EACH, id=found.id, places=found.places + 1, at=tx.now, last_id=message_id,
                snippet=content.text(said)[:160],
            )  # fmt: skip
            done[found.asked] = _sent(tx, message_id, found.id, known[found.asked])
    return [done[place] if place in done else _tried(tx, one) for place, one in enumerate(wanted)]


def _tried(tx: Tx, wanted: Wanted) -> Sent | ParleyError:
    try:
        return send(tx, *wanted)
    except ParleyError as error:
        return error


def _message(
    tx: Tx, message_id: int, conversation_id: int, channel_id: int, said: Content, reply_to: str, user_id: int | None
) -> dict[str, Any]:
    return {
        "id": message_id, "conversation_id": conversation_id, "channel_id": channel_id, "author": "program",
        "user_id": user_id, "kind": content.kind(said), "text": content.text(said), "content": content.encode(said),
        "reply_to": reply_to, "status": "queued", "rule": "", "turn_id": None, "step": None, "at": tx.now,
    }  # fmt: skip


def _queued(tx: Tx, message_id: int, conversation_id: int, channel_id: int, place: int | None) -> dict[str, Any]:
    return {
        "message_id": message_id, "channel_id": channel_id, "conversation_id": conversation_id, "place": place,
        "state": "queued", "due_at": tx.now, "attempts": 0, "now": tx.now,
    }  # fmt: skip


def _sent(tx: Tx, message_id: int, conversation_id: int, contact_id: int) -> Sent:
    tx.publish(events.in_conversation(events.MESSAGE_CREATED, conversation_id, message_id, "conversations"))
    return Sent(str(message_id), "queued", str(conversation_id), str(contact_id))


def reach(tx: Tx, channel_id: int, to: Recipient) -> int:
    """The conversation with somebody on this channel, begun if there is none. Raises as `send` does."""
    return _reach(tx, channel_id, to)[1]


def _reach(tx: Tx, channel_id: int, to: Recipient) -> tuple[int, int]:
    """The contact and its conversation on this channel."""
    if to.contact_id is not None:
        return to.contact_id, _known(tx, channel_id, to.contact_id)
    aliases = to.address.aliases()
    contact_id, _new = contacts.resolve(tx, aliases, name="", phone=to.address.phone, username="")
    known = tx.one(conversations.ADDRESS, channel_id=channel_id, contact_id=contact_id, thread="")
    address = known or _json.encode(to.address).decode()
    return contact_id, conversations.open_conversation(tx, channel_id, contact_id, "", address)


def _known(tx: Tx, channel_id: int, contact_id: int) -> int:
    """The contact's conversation, begun with its number if there is none yet."""
    found = tx.one(conversations.BY_CONTACT, channel_id=channel_id, contact_id=contact_id, thread="")
    if found is not None:
        return found
    phone = tx.one(contacts.PHONE, id=contact_id)
    if phone is None:
        raise NotFound(N_("There is no such contact."))
    if not phone:
        raise Conflict(N_("This contact has no number, and never wrote on this channel."), code="unreachable")
    address = _json.encode(Address(phone=phone)).decode()
    return conversations.insert(tx, channel_id, contact_id, "", address)
