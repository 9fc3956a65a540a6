"""What the library tells → arrivals. Nothing here raises on a message that it cannot read."""

import importlib
import json
from typing import Any, Final

from app.connectors.base import Arrival, Inbound, Malformed, Receipt, Status
from app.connectors.whatsapp_web.contents import content_of, fields_of, is_forwarded, quoted_by
from app.connectors.whatsapp_web.places import address, is_person
from app.content import Unsupported

PEER: Final = "peer"  # traffic between the owner's own devices
STATUSES: Final = {1: Status.DELIVERED, 9: Status.DELIVERED, 4: Status.READ, 6: Status.PLAYED}


def read_message(account: str, told: Any) -> Arrival | None:
    """One message; None for what is not from or to one person, and for what says nothing.

    Messages that the owner typed on the phone are echoes, in the conversation with the person they went to. What may be
    seen only once is never kept: neither its file nor the keys to it.
    """
    info, source = told.Info, told.Info.MessageSource
    if not is_person(source.Chat) or source.IsGroup or info.Category == PEER or not fields_of(told.Message):
        return None
    once = told.IsViewOnce or told.IsViewOnceV2 or told.IsViewOnceV2Extension or _once(told.Message)
    content = Unsupported(what="view_once") if once else content_of(told.Message)
    if content is None:
        return None
    echo = bool(source.IsFromMe)
    person = address(source.Chat, source.RecipientAlt if echo else source.SenderAlt)
    raw = as_json(info if once else told)
    if not info.ID:
        return Malformed(account, "message without an id", raw)
    return Inbound(
        account=account,
        provider_id=info.ID,
        sender=person,
        at=info.Timestamp,
        content=content,
        raw=raw,
        name="" if echo else info.Pushname,
        reply_to="" if once else quoted_by(told.Message),
        forwarded=not once and is_forwarded(told.Message),
        echo=echo,
    )


def _once(message: Any) -> bool:
    return any(
        part.viewOnce
        for field, part in message.ListFields()
        if field.message_type and "viewOnce" in field.message_type.fields_by_name
    )


def read_unreadable(account: str, told: Any) -> Arrival | None:
    """A message that could not be decrypted. The sender's phone is asked for it again by the library, and then it comes
    as any other; one that is for phones only never does."""
    source = told.Info.MessageSource
    if not told.IsUnavailable or not is_person(source.Chat) or source.IsGroup or not told.Info.ID:
        return None
    echo = bool(source.IsFromMe)
    person = address(source.Chat, source.RecipientAlt if echo else source.SenderAlt)
    content = Unsupported(what="unavailable")
    return Inbound(account, told.Info.ID, person, told.Info.Timestamp, content, as_json(told), echo=echo)


def read_receipts(account: str, told: Any) -> list[Arrival]:
    """What became of messages that we sent; receipts of the owner's own devices say nothing about that."""
    status, source = STATUSES.get(told.Type), told.MessageSource
    if status is None or source.IsFromMe or source.IsGroup or not is_person(source.Chat):
        return []
    raw, who = as_json(told), address(source.Chat, source.SenderAlt)
    return [Receipt(account, id, status, told.Timestamp * 1000, raw, recipient=who) for id in told.MessageIDs]


def as_json(told: Any) -> bytes:
    """As people and programs can read it; bytes are base64."""
    # Only there with the library, without which nothing is told.
    to_dict = importlib.import_module("google.protobuf.json_format").MessageToDict
    return json.dumps(to_dict(told), ensure_ascii=False).encode(errors="replace")
