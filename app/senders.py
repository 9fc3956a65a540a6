"""Who wrote, and where it goes: the sender and the conversation, both made on first sight.

`find` takes care of everything: names that turn out to be one person's, what is new about somebody, a new number.
`find_all` looks for those who wait together in a few statements, and leaves to `find` whoever needs that care.
"""

from collections.abc import Sequence

import msgspec

from app.connectors.base import Address, Inbound
from app.db import Tx
from app.models import Found, Stranger
from app.store import contacts, conversations, messages

_json = msgspec.json.Encoder()
_address: msgspec.json.Decoder[Address] = msgspec.json.Decoder(Address)


def find_all(tx: Tx, arrivals: Sequence[tuple[int, Inbound]]) -> list[Found | None]:
    """For each (channel, message) of several, where no other unit runs meanwhile: a stranger, who is made, or somebody
    known with a conversation that says nothing new about them. None for every other, for what is known by its name
    (`messages.KNOWN`), and for who wrote more than once among these: `find` comes after."""
    places = _apart(arrivals)
    asked = [{"channel_id": arrivals[place][0], "provider_id": arrivals[place][1].provider_id} for place in places]
    unusual = set(tx.each(messages.KNOWN, asked))
    owners = contacts.owners(tx, {name for names in places.values() for name in names})
    found: list[Found | None] = [None] * len(arrivals)
    known: dict[int, int] = {}
    strangers: list[int] = []
    for place, names in places.items():
        channel_id, inbound = arrivals[place]
        if (channel_id, inbound.provider_id) in unusual:
            continue
        owned = {owners[name] for name in names if name in owners}
        if not owned:
            strangers.append(place)
        elif len(owned) == 1 and owned.isdisjoint(known.values()):
            known[place] = owned.pop()
    for place, one in tx.each(contacts.FOUND_EACH, [_whom(place, known[place], *arrivals[place]) for place in known]):
        if not _changed(one, arrivals[place][1]):
            found[place] = one
    for place in strangers:
        found[place] = _stranger(tx, *arrivals[place])
    return found


def _apart(arrivals: Sequence[tuple[int, Inbound]]) -> dict[int, set[tuple[str, str]]]:
    """The places of messages that have nothing to do with one before them, and all names of their senders."""
    seen: set[tuple[str, str]] = set()
    apart = {}
    for place, (channel_id, inbound) in enumerate(arrivals):
        names = contacts.with_twins(inbound.sender.aliases())
        own = {*names, (str(channel_id), inbound.provider_id)}
        if names and not inbound.previous and seen.isdisjoint(own):
            apart[place] = names
        seen |= own
    return apart


def _whom(place: int, contact_id: int, channel_id: int, inbound: Inbound) -> dict[str, int | str]:
    return {"place": place, "contact_id": contact_id, "channel_id": channel_id, "thread": inbound.group}


def _stranger(tx: Tx, channel_id: int, inbound: Inbound) -> Stranger:
    """A contact and a conversation for somebody whose names nobody has."""
    sender, address = inbound.sender, encode(inbound.sender)
    phone, contact_id = sender.phone or sender.wa_id, tx.new_id()
    tx.later(
        contacts.INSERT_CONTACT, id=contact_id, name=inbound.name, phone=phone, username=sender.username,
        language=inbound.language, now=tx.now,
    )  # fmt: skip
    for kind, value in sender.aliases():
        tx.later(contacts.INSERT_IDENTITY, kind=kind, value=value, contact_id=contact_id, now=tx.now)
    conversation_id = tx.new_id()
    row = conversations.begin(tx, conversation_id, channel_id, contact_id, inbound.group, address)
    return Stranger(
        contact_id, inbound.name, phone, sender.username, inbound.language, "[]", "{}", tx.now, conversation_id,
        address, "{}", None, "bot", 0, 0, "", 0, 0, None, None, 0, row,
    )  # fmt: skip


def find(tx: Tx, channel_id: int, inbound: Inbound) -> Found | None:
    """The sender and the conversation, locked; both are made on first sight. None: a late repeat of what was erased, or
    of what is stored under another name of the sender."""
    aliases = inbound.sender.aliases()
    kind, value = aliases[0] if aliases else ("group", inbound.group or inbound.provider_id)
    query = {
        "kind": kind, "value": value, "channel_id": channel_id, "thread": inbound.group,
        "provider_id": inbound.provider_id,
    }  # fmt: skip
    found = tx.one(contacts.FOUND, **query)
    if found is not None and found.conversation_id is not None and tx.lock("conversation", found.conversation_id):
        found = tx.one(contacts.FOUND, **query)
    if found is None and was_here(tx, channel_id, inbound.provider_id):
        return None
    if found is None or found.conversation_id is None or inbound.previous or _changed(found, inbound):
        stranger = _introduce(tx, channel_id, inbound, aliases or ((kind, value),))
        found = stranger or tx.one(contacts.FOUND, **query)
    return found


def was_here(tx: Tx, channel_id: int, provider_id: str) -> bool:
    """Stored, or erased since."""
    return bool(tx.each(messages.STORED, [{"channel_id": channel_id, "provider_id": provider_id}]))


def _changed(found: Found, inbound: Inbound) -> bool:
    """A name, alias or address is new, so the contact has to be looked at with care."""
    sender = inbound.sender
    return (
        (bool(inbound.name) and inbound.name != found.name)
        or (bool(sender.username) and sender.username != found.username)
        or (bool(inbound.language) and not found.language)
        or encode(_merged(found.address, sender)) != found.address
    )


def _merged(known: str, sender: Address) -> Address:
    """What is known of the address, completed by what this payload says."""
    old = _address.decode(known) if known else Address()
    return Address(*(new or before for new, before in zip(_names(sender), _names(old), strict=True)))


def _names(address: Address) -> tuple[str, ...]:
    return tuple(getattr(address, name) for name in address.__struct_fields__)


def _introduce(tx: Tx, channel_id: int, inbound: Inbound, aliases: tuple[tuple[str, str], ...]) -> Found | None:
    """Make or complete the contact and its conversation. A stranger is returned; anybody else has to be read again."""
    sender = inbound.sender
    phone = sender.phone or sender.wa_id
    contact_id, new = contacts.resolve(
        tx, aliases, name=inbound.name, phone=phone, username=sender.username, language=inbound.language,
        previous=inbound.previous.aliases() if inbound.previous else (),
    )  # fmt: skip
    if new:
        address = encode(sender)
        conversation_id = conversations.insert(tx, channel_id, contact_id, inbound.group, address)
        return Found(
            contact_id, inbound.name, phone, sender.username, inbound.language, "[]", "{}", tx.now, conversation_id,
            address, "{}", None, "bot", 0, 0, "", 0, 0, None, None, 0,
        )  # fmt: skip
    known = tx.one(conversations.ADDRESS, channel_id=channel_id, contact_id=contact_id, thread=inbound.group) or ""
    conversations.open_conversation(
        tx, channel_id, contact_id, inbound.group, encode(sender if inbound.previous else _merged(known, sender))
    )
    return None


def encode(address: Address) -> str:
    return _json.encode(address).decode()
