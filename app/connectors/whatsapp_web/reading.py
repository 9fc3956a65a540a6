"""What the library tells → arrivals. Nothing here raises on a message that it cannot read."""

import importlib
import json
from typing import Any, Final

import msgspec

from app.connectors.base import Address, Arrival, Inbound, Malformed, Receipt, Status
from app.connectors.whatsapp_web import groups
from app.connectors.whatsapp_web.contents import content_of, fields_of, is_forwarded, quoted_by
from app.connectors.whatsapp_web.places import address, is_group, is_person, text_of
from app.content import System, Unsupported

PEER: Final = "peer"  # traffic between the owner's own devices
STATUSES: Final = {1: Status.DELIVERED, 9: Status.DELIVERED, 4: Status.READ, 6: Status.PLAYED}


class Reader(msgspec.Struct, frozen=True):
    """What has to be known to read: the account, our own names, and in which groups we are meant (`groups`: "no",
    "yes" for mentions, or a prefix)."""

    account: str
    me: Address = Address()
    groups: str = groups.OFF

    @property
    def prefix(self) -> str:
        return "" if self.groups in (groups.OFF, groups.MENTIONS) else self.groups


def read_message(reader: Reader, told: Any) -> Arrival | None:
    """One message; None for what is meant for nobody here, and for what says nothing.

    Messages that the owner typed on the phone are echoes, in the conversation with the person they went to. What may be
    seen only once is never kept: neither its file nor the keys to it.
    """
    info, source = told.Info, told.Info.MessageSource
    if info.Category == PEER or not fields_of(told.Message):
        return None
    if is_group(source.Chat):
        return _read_group(reader, told)
    if not is_person(source.Chat) or source.IsGroup:
        return None
    once = told.IsViewOnce or told.IsViewOnceV2 or told.IsViewOnceV2Extension or _once(told.Message)
    content = Unsupported(what="view_once") if once else content_of(told.Message)
    if content is None:
        return None
    echo = bool(source.IsFromMe)
    lasts = _lasts(told.Message)
    person = address(source.Chat, source.RecipientAlt if echo else source.SenderAlt)
    if lasts or isinstance(content, System):
        person = msgspec.structs.replace(person, lasts=str(lasts))
    raw = as_json(info if once else told)
    if not info.ID:
        return Malformed(reader.account, "message without an id", raw)
    return Inbound(
        account=reader.account,
        provider_id=info.ID,
        sender=person,
        at=info.Timestamp,
        content=content,
        raw=raw,
        name="" if echo else info.Pushname,
        reply_to="" if once else quoted_by(told.Message),
        forwarded=not once and is_forwarded(told.Message),
        echo=echo,
        lasts=0 if isinstance(content, System) else lasts,
    )


def _read_group(reader: Reader, told: Any) -> Arrival | None:
    """What a member of a group says to us. Answered in the group, known by who said it."""
    info, source, message = told.Info, told.Info.MessageSource, told.Message
    content = None if _once(message) else content_of(message)
    if reader.groups == groups.OFF or source.IsFromMe or content is None or isinstance(content, System):
        return None
    if not groups.is_addressed(message, content, reader.me, reader.prefix):
        return None
    raw = as_json(told)
    if not info.ID:
        return Malformed(reader.account, "message without an id", raw)
    chat, lasts = text_of(source.Chat), _lasts(message)
    sender = address(source.Sender, source.SenderAlt)
    return Inbound(
        account=reader.account,
        provider_id=info.ID,
        sender=msgspec.structs.replace(sender, chat=chat, lasts=str(lasts) if lasts else ""),
        at=info.Timestamp,
        content=groups.bare(content, reader.me, reader.prefix),
        raw=raw,
        name=info.Pushname,
        reply_to=quoted_by(message),
        forwarded=is_forwarded(message),
        group=chat,
        addressed=True,
        lasts=lasts,
    )


def _lasts(message: Any) -> int:
    """Seconds after which it disappears; 0 for never. The setting itself says so, too."""
    if message.HasField("protocolMessage"):
        return int(message.protocolMessage.ephemeralExpiration)
    return max((int(context.expiration) for context in groups.contexts(message)), default=0)


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
    in_group = is_group(source.Chat)
    if status is None or source.IsFromMe or not (in_group or is_person(source.Chat)):
        return []
    raw, who = as_json(told), address(source.Sender if in_group else source.Chat, source.SenderAlt)
    return [Receipt(account, id, status, told.Timestamp * 1000, raw, recipient=who) for id in told.MessageIDs]


def as_json(told: Any) -> bytes:
    """As people and programs can read it; bytes are base64."""
    # Only there with the library, without which nothing is told.
    to_dict = importlib.import_module("google.protobuf.json_format").MessageToDict
    return json.dumps(to_dict(told), ensure_ascii=False).encode(errors="replace")
