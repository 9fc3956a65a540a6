"""One message object → `Inbound`. Contract §3 and §4."""

import re
from typing import Any, Literal

import msgspec

from app.connectors.base import Address, Arrival, Inbound, Malformed
from app.connectors.whatsapp_cloud.contents import content_of
from app.connectors.whatsapp_cloud.place import Place, contact_for, person, raw_update
from app.connectors.wire import an_object, digits, member, milliseconds, string
from app.content import Text


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    body: str


class _PlainText(msgspec.Struct, forbid_unknown_fields=True):
    """Nine messages in ten: a text without a quote, an advert or a group. Whatever differs takes the tolerant road."""

    id: str
    timestamp: str
    type: Literal["text"]
    text: _Body
    from_: str = msgspec.field(name="from", default="")
    from_user_id: str = ""
    from_parent_user_id: str = ""


_plain = msgspec.json.Decoder(_PlainText)
_CHANGED = re.compile(r"changed from (\S+) to (\S+)")


def message_arrival(
    place: Place, raw: bytes, *, echo: bool = False, history: bool = False, standby: bool = False
) -> Arrival:
    """The message in `raw`; a `Malformed` if it has no id or nobody sent it."""
    usual = not (echo or history or standby)
    plain = _plain_arrival(place, raw) if usual else None
    if plain:
        return plain
    try:
        message = an_object(raw)
    except ValueError as problem:
        return Malformed(place.account, f"message: {problem}", raw_update(place, "message", raw))
    return read_message(place, message, raw, echo=echo, history=history, standby=standby)


def _plain_arrival(place: Place, raw: bytes) -> Inbound | None:
    try:
        found = _plain.decode(raw)
        at = int(found.timestamp)
    except (ValueError, RecursionError):
        return None
    if not found.id or not 0 <= at <= 4_102_444_800 or not (found.from_ or found.from_user_id):
        return None
    known = contact_for(place.contacts, found.from_user_id, found.from_)
    sender = person(found.from_user_id, found.from_parent_user_id, found.from_, known)
    return Inbound(
        place.account,
        found.id,
        sender,
        at * 1000,
        Text(found.text.body),
        raw_update(place, "message", raw, known),
        known.name if known else "",
    )


def read_message(
    place: Place,
    message: dict[str, Any],
    raw: bytes,
    *,
    other: Address | None = None,
    echo: bool = False,
    history: bool = False,
    standby: bool = False,
) -> Arrival:
    """A message already decoded. `other` is the customer where the message itself does not say (history threads).

    For an echo the sender is the person it was written to: that is the conversation where it belongs.
    """
    number, user_id, parent = _names(message, echo)
    known = contact_for(place.contacts, user_id, number)
    sender = other or person(user_id, parent, number, known)
    provider_id = string(message, "id")
    kept = raw_update(place, "message", raw, known)
    if not provider_id:
        return Malformed(place.account, "message without an id", kept)
    sender, previous = _moved(message, sender)
    if not sender.aliases():
        return Malformed(place.account, "message that names nobody", kept)
    context = member(message, "context")
    return Inbound(
        account=place.account,
        provider_id=provider_id,
        sender=sender,
        at=milliseconds(message, "timestamp") or place.at,
        content=content_of(message),
        raw=kept,
        name=known.name if known else "",
        reply_to=string(context, "id"),
        forwarded=context.get("forwarded") is True or context.get("frequently_forwarded") is True,
        referral=member(message, "referral") or None,
        group=string(message, "group_id"),
        echo=echo,
        history=history,
        standby=standby,
        previous=previous,
    )


def _names(message: dict[str, Any], echo: bool) -> tuple[str, str, str]:
    """Number, user id and parent id of the customer in this message."""
    if echo:
        return string(message, "to"), string(message, "to_user_id"), string(message, "to_parent_user_id")
    return string(message, "from"), string(message, "from_user_id"), string(message, "from_parent_user_id")


def _moved(message: dict[str, Any], old: Address) -> tuple[Address, Address | None]:
    """After a change of number or id: the person's new address and the old one. Otherwise the address as it is."""
    system = member(message, "system")
    what = string(system, "type") if string(message, "type") == "system" else ""
    if not what.endswith(("changed_number", "changed_user_id")):
        return old, None
    before, after = _spelled_out(string(system, "body"))
    new = Address(
        phone=digits(string(system, "wa_id")),
        wa_id=digits(string(system, "wa_id")) or digits(string(system, "new_wa_id")) or digits(after),
        user_id=string(system, "user_id") or ("" if digits(after) else after),
        parent_user_id=string(system, "parent_user_id"),
    )
    previous = Address(
        phone=old.phone,
        wa_id=old.wa_id or digits(before),
        user_id=string(system, "previous_user_id") or ("" if digits(before) else before) or old.user_id,
        parent_user_id=string(system, "previous_parent_user_id") or old.parent_user_id,
    )
    return (new, previous) if new.aliases() else (old, None)


def _spelled_out(body: str) -> tuple[str, str]:
    """Old and new id from the sentence: the first roll-outs gave them nowhere else."""
    found = _CHANGED.search(body)
    return (found[1], found[2].rstrip(".")) if found else ("", "")
