"""A notification's body → arrivals. Contract §2 and §6.

Three roads, by how usual the update is: typed (messages and statuses in their plain envelope), tolerant (any envelope),
and per field. Each update is read on its own; one that cannot be read becomes `Malformed` and the rest goes on.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from app.connectors.base import Arrival, Malformed
from app.connectors.whatsapp_cloud.fields import READERS, read_field
from app.connectors.whatsapp_cloud.message import message_arrival
from app.connectors.whatsapp_cloud.place import Place, account_of, contacts_in
from app.connectors.whatsapp_cloud.status import status_arrival
from app.connectors.wire import (
    RawObject,
    an_object,
    anything,
    elements,
    mended,
    milliseconds,
    parts,
)


class _Value(msgspec.Struct, forbid_unknown_fields=True):
    messaging_product: str
    metadata: msgspec.Raw
    contacts: list[msgspec.Raw] = []
    messages: list[msgspec.Raw] = []
    statuses: list[msgspec.Raw] = []


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    value: _Value
    field: Literal["messages"]


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    changes: list[_Change]


class _Notification(msgspec.Struct, forbid_unknown_fields=True):
    object: str
    entry: list[_Entry]


_usual = msgspec.json.Decoder(_Notification)


def parse_notification(body: bytes) -> list[Arrival]:
    """Everything that a body tells, in its order. Raises `ValueError` if the body is not a JSON object."""
    if b"u0000" in body:
        return list(_tolerant(body))
    try:
        notification = _usual.decode(body)
    except (ValueError, RecursionError):
        return list(_tolerant(body))
    arrivals: list[Arrival] = []
    for entry in notification.entry:
        for change in entry.changes:
            _read_usual(change.value, arrivals)
    return arrivals if arrivals else list(_tolerant(body))


def _read_usual(value: _Value, arrivals: list[Arrival]) -> None:
    metadata = bytes(value.metadata)
    account, business = account_of(metadata)
    place = Place("messages", account, business, metadata, 0, contacts_in(value.contacts))
    arrivals.extend([message_arrival(place, bytes(raw)) for raw in value.messages])
    arrivals.extend([status_arrival(place, bytes(raw)) for raw in value.statuses])


def _tolerant(body: bytes) -> Iterator[Arrival]:
    text = mended(body)
    if not parts(text):
        an_object(text)
    # Lone surrogates stop the reader even where it only skips: the mended text is read, what was received is kept.
    yield from _envelope(text, Place("", mended=text, received=body) if text != body else Place(""))


def _envelope(text: bytes, blank: Place) -> Iterator[Arrival]:
    envelope = parts(text)
    if "entry" not in envelope:
        # A bare change, or a bare value: the dashboard's test button and some history chunks have no envelope.
        yield from _change(text if "value" in envelope else b'{"value":%b}' % text, {}, blank)
        return
    for entry in elements(envelope["entry"]):
        members = parts(entry)
        changes = elements(members.get("changes"))
        if not changes:
            yield Malformed("", "entry without changes", bytes(entry))
        for change in changes:
            yield from _change(bytes(change), members, blank)


def _change(raw: bytes, entry: RawObject, blank: Place) -> Iterator[Arrival]:
    change = parts(raw)
    if "value" not in change:
        yield Malformed("", "change without a value", raw)
        return
    value = bytes(change["value"])
    members = parts(value)
    yield from read_field(_place(_field(change, members), members, entry, blank), members, value)


def _field(change: RawObject, value: RawObject) -> str:
    """The field's name; without an envelope the value's own list tells it."""
    name = _plain(change.get("field"))
    if isinstance(name, str) and name:
        return name
    if "messages" in value or "statuses" in value:
        return "messages"
    return next((key for key in READERS if key in value), "unknown")


def _place(field: str, value: RawObject, entry: RawObject, blank: Place) -> Place:
    """Which of our numbers the value is about, by whichever of the contract's ways it tells."""
    metadata = bytes(value.get("metadata") or value.get("recipient") or value.get("phone_number_settings") or b"null")
    account, business = account_of(metadata)
    at = milliseconds({"time": _plain(entry.get("time"))}, "time")
    contacts = contacts_in(elements(value.get("contacts")))
    return Place(field, account, business, metadata, at, contacts, blank.mended, blank.received)


def _plain(raw: msgspec.Raw | None) -> object:
    """A text or number; None for anything else."""
    try:
        found = anything(bytes(raw)) if raw else None
    except ValueError:
        return None
    return found if isinstance(found, str | int) else None
