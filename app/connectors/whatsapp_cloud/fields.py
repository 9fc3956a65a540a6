"""The fields of a webhook, each with its reader. Contract §2 (`messages`) and §6; an unknown field becomes a `Notice`.

A reader gets the place, the members of `value` as bytes, and `value` itself; it yields at least one arrival.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from app.connectors.account import Known
from app.connectors.base import Address, Arrival, Inbound, Malformed, Notice
from app.connectors.whatsapp_cloud.message import message_arrival, read_message
from app.connectors.whatsapp_cloud.news import news_in
from app.connectors.whatsapp_cloud.place import Place, contact_for, contacts_in, person, raw_update
from app.connectors.whatsapp_cloud.status import status_arrival
from app.connectors.wire import (
    RawObject,
    an_object,
    anything,
    digits,
    elements,
    member,
    milliseconds,
    parts,
    string,
)
from app.content import System

Reader = Callable[[Place, RawObject, bytes], Iterator[Arrival]]


def read_field(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """All updates under one field; the whole value as a notice where none can be told apart."""
    count = 0
    for arrival in READERS.get(place.field, _one_notice)(place, value, raw):
        count += 1
        yield arrival
    if not count:
        yield from _one_notice(place, value, raw)


def _one_notice(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    field = place.field or "unknown"
    yield Notice(place.account, field, place.at, raw_update(place, "value", raw), news_in(field, raw))


def _messages(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    for message in elements(value.get("messages")):
        yield message_arrival(place, bytes(message))
    for status in elements(value.get("statuses")):
        yield status_arrival(place, bytes(status))
    yield from _notices(place, value, "errors")


def _notices(place: Place, value: RawObject, key: str) -> Iterator[Arrival]:
    """Every element of a list as a notice of its own."""
    for element in elements(value.get(key)):
        yield Notice(place.account, place.field, place.at, raw_update(place, key, bytes(element)))


def _echoes(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    for echo in elements(value.get("message_echoes")):
        yield message_arrival(place, bytes(echo), echo=True)
    yield from _notices(place, value, "errors")


def _standby(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """The same shapes as `messages`, one level deeper, and echoes whose message lies one deeper again."""
    inner = parts(value.get("standby", b""))
    if "contacts" in inner:
        place = msgspec.structs.replace(place, contacts=contacts_in(elements(inner["contacts"])))
    for message in elements(inner.get("messages")):
        yield message_arrival(place, bytes(message), standby=True)
    for status in elements(inner.get("statuses")):
        yield status_arrival(place, bytes(status))
    for echo in elements(inner.get("message_echoes")):
        yield _standby_echo(place, bytes(echo))
    yield from _notices(place, inner, "errors")


def _standby_echo(place: Place, raw: bytes) -> Arrival:
    try:
        echo = an_object(raw)
    except ValueError as problem:
        return Malformed(place.account, f"echo: {problem}", raw_update(place, "message", raw))
    return read_message(place, _flattened(echo), raw, echo=True, standby=True)


def _flattened(echo: dict[str, Any]) -> dict[str, Any]:
    """The inner message with the outer id and time; a `recipient` that is no number is a user id."""
    message = member(echo, "message") | {key: echo[key] for key in ("id", "timestamp") if key in echo}
    recipient = string(message, "recipient")
    return message | ({"to_user_id": recipient} if recipient and not digits(recipient) else {})


def _history(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """Chunks of threads; files of earlier messages come as plain `messages` or `message_echoes` of this field."""
    for message in elements(value.get("messages")):
        yield message_arrival(place, bytes(message), history=True)
    for echo in elements(value.get("message_echoes")):
        yield message_arrival(place, bytes(echo), history=True, echo=True)
    for chunk in elements(value.get("history")):
        yield from _history_chunk(place, parts(chunk))
    yield from _notices(place, value, "errors")


def _history_chunk(place: Place, chunk: RawObject) -> Iterator[Arrival]:
    for thread in elements(chunk.get("threads")):
        yield from _thread(place, bytes(thread))
    yield from _notices(place, chunk, "errors")


def _thread(place: Place, raw: bytes) -> Iterator[Arrival]:
    members = parts(raw)
    try:
        thread: dict[str, Any] = {key: anything(bytes(members[key])) for key in ("id", "context") if key in members}
    except ValueError as problem:
        yield Malformed(place.account, f"thread: {problem}", raw_update(place, "thread", raw))
        return
    other = _customer(thread)
    for message in elements(members.get("messages")):
        yield _old_message(place, bytes(message), other)


def _customer(thread: dict[str, Any]) -> Address:
    context, number = member(thread, "context"), digits(string(thread, "id"))
    return Address(
        phone=number,
        wa_id=digits(string(context, "wa_id")) or number,
        user_id=string(context, "user_id"),
        username=string(context, "username"),
    )


def _old_message(place: Place, raw: bytes, other: Address) -> Arrival:
    """Written by the customer or, if it comes from the business's own number, by the business."""
    try:
        message = an_object(raw)
    except ValueError as problem:
        return Malformed(place.account, f"message: {problem}", raw_update(place, "message", raw))
    author = digits(string(message, "from"))
    named = bool(other.wa_id) and author not in (other.wa_id, other.phone)
    ours = bool(author) and (author == place.business or named)
    return read_message(place, message, raw, other=other if other.aliases() else None, echo=ours, history=True)


def _preferences(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """Marketing stopped or resumed: said by the person, so it belongs to the conversation and must be obeyed."""
    for element in elements(value.get("user_preferences")):
        yield _about_person(place, bytes(element), "user_preferences")


def _id_updates(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    for element in elements(value.get("user_id_update")):
        yield _about_person(place, bytes(element), "user_changed_user_id")


def _handover(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """Control of a conversation passed between an agent of the network and us."""
    yield _about_person(place, raw, "control_passed")


def _about_person(place: Place, raw: bytes, what: str) -> Arrival:
    """A system message made of an update that has a person and a time but no message id.

    The id is built from what makes the update unique, so that a repeated delivery is recognised.
    """
    try:
        told = an_object(raw)
    except ValueError as problem:
        return Malformed(place.account, f"{what}: {problem}", raw_update(place, "update", raw))
    user_id, parent = _current(told, "user_id"), _current(told, "parent_user_id")
    number = string(told, "wa_id") or string(member(told, "sender"), "phone_number")
    known = contact_for(place.contacts, user_id, number)
    sender = person(user_id, parent, number, known)
    kept = raw_update(place, "update", raw, known)
    if not sender.aliases():
        return Malformed(place.account, f"{what} that names nobody", kept)
    previous = Address(user_id=_previous(told, "user_id"), parent_user_id=_previous(told, "parent_user_id"))
    who, when = sender.aliases()[0][1], string(told, "timestamp")
    return Inbound(
        account=place.account,
        provider_id=":".join(filter(None, (what, who, when, string(told, "category"), string(told, "value")))),
        sender=sender,
        at=milliseconds(told, "timestamp") or place.at,
        content=System(what=what, text=string(told, "detail"), data=told),
        raw=kept,
        name=known.name if known else "",
        previous=previous if previous.aliases() else None,
    )


def _calls(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """A call belongs to the conversation with whoever was at the other end. Steps in between are only kept."""
    for element in elements(value.get("calls")):
        kept = raw_update(place, "calls", bytes(element))
        yield _call(place, bytes(element)) or Notice(place.account, place.field, place.at, kept)
    yield from _notices(place, value, "statuses")
    yield from _notices(place, value, "errors")


def _call(place: Place, raw: bytes) -> Arrival | None:
    """None for a step that tells people nothing, or about nobody."""
    try:
        told = an_object(raw)
    except ValueError as problem:
        return Malformed(place.account, f"call: {problem}", raw_update(place, "calls", raw))
    ours = string(told, "direction") == "BUSINESS_INITIATED"
    what = CALLS.get(string(told, "event"), string(told, "event"))
    role = "to" if ours else "from"
    number, user_id = string(told, role), string(told, f"{role}_user_id")
    known = contact_for(place.contacts, user_id, number) or (place.contacts[0] if len(place.contacts) == 1 else None)
    sender = person(user_id, "", number if known is None else known.wa_id or number, known)
    if not what.startswith("call") or not string(told, "id") or not sender.aliases():
        return None
    data = {key: value for key, value in told.items() if key != "session"}
    return Inbound(
        account=place.account,
        provider_id=f"{string(told, 'id')}:{string(told, 'event')}",
        sender=sender,
        at=milliseconds(told, "timestamp") or place.at,
        content=System(what="call_out" if ours and what == "call" else what, data=data),
        raw=raw_update(place, "calls", raw, known),
        name=known.name if known else "",
    )


def _book(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
    """The phone's own address book, where a number is used beside the phone app: names for people."""
    for element in elements(value.get("state_sync")):
        kept = raw_update(place, "state_sync", bytes(element))
        yield Notice(place.account, place.field, place.at, kept, tuple(_entry(bytes(element))))
    yield from _notices(place, value, "errors")


def _entry(raw: bytes) -> Iterator[Known]:
    try:
        told = an_object(raw)
    except ValueError:
        return
    entry = member(told, "contact")
    number = digits(string(entry, "phone_number"))
    names = (("bsuid", string(entry, "user_id")), ("wa_id", number), ("phone", number))
    aliases = tuple(pair for pair in names if pair[1])
    if string(told, "action") == "add" and aliases:
        name = string(entry, "full_name") or string(entry, "first_name")
        yield Known(aliases, name, number, string(entry, "username"))


CALLS = {"connect": "call", "terminate": "call_ended"}


def _current(told: dict[str, Any], key: str) -> str:
    return string(told, key) or string(member(told, key), "current")


def _previous(told: dict[str, Any], key: str) -> str:
    return string(member(told, key), "previous")


def _listed(key: str) -> Reader:
    """A reader for fields that are a list of notices, with problems beside it."""

    def read(place: Place, value: RawObject, raw: bytes) -> Iterator[Arrival]:
        yield from _notices(place, value, key)
        yield from _notices(place, value, "statuses")
        yield from _notices(place, value, "errors")

    return read


READERS: dict[str, Reader] = {
    "messages": _messages,
    "smb_message_echoes": _echoes,
    "standby": _standby,
    "history": _history,
    "user_preferences": _preferences,
    "user_id_update": _id_updates,
    "messaging_handovers": _handover,
    "calls": _calls,
    "smb_app_state_sync": _book,
    "automatic_events": _listed("automatic_events"),
    "group_lifecycle_update": _listed("groups"),
    "group_participants_update": _listed("groups"),
    "group_settings_update": _listed("groups"),
    "group_status_update": _listed("groups"),
}
