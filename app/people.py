"""Contacts as people work on them: made, changed, opted in and out. Erasing is in `erase`."""

from typing import Any, Final

import msgspec

from app import noted
from app.db import Tx
from app.errors import Conflict, Invalid, NotFound
from app.said import N_
from app.store import contacts
from app.store import people as store

LONGEST_NAME: Final = 200
LONGEST_VALUE: Final = 2000


class Change(msgspec.Struct, frozen=True):
    """What is to be different; None stays as it is. A field that is set to null goes."""

    name: str | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    fields: dict[str, Any] | None = None
    opted_out: bool | None = None


def get(tx: Tx, contact_id: int) -> store.Person:
    found = tx.one(store.PERSON, id=contact_id)
    if found is None:
        raise NotFound(N_("There is no such contact."))
    return found


def change(tx: Tx, contact_id: int, change: Change) -> None:
    """Raises `NotFound`, `Invalid` for more tags or fields than a contact holds."""
    tx.lock("contact", contact_id)
    old = get(tx, contact_id)
    tags = decoded(old.tags) if change.tags is None else list(dict.fromkeys(change.tags))
    fields = decoded(old.fields)
    for name, value in (change.fields or {}).items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    check(tags, fields)
    tx.run(
        store.CHANGE, id=contact_id, name=old.name if change.name is None else " ".join(change.name.split()),
        language=old.language if change.language is None else change.language, tags=encoded(tags),
        fields=encoded(fields),
    )  # fmt: skip
    if change.opted_out is not None:
        tx.run(contacts.OPT_OUT, id=contact_id, now=tx.now) if change.opted_out else tx.run(
            contacts.OPT_IN, id=contact_id
        )


def create(tx: Tx, phone: str, change_: Change) -> int:
    """A contact with this number (digits). Raises `Conflict` if there is one."""
    aliases = (("phone", phone),)
    if contacts.owners_of(tx, aliases):
        raise Conflict(N_("There is a contact with this number already."))
    contact_id, _new = contacts.resolve(tx, aliases, name="", phone=phone, username="")
    change(tx, contact_id, change_)
    return contact_id


def check(tags: list[str], fields: dict[str, Any]) -> None:
    if len(tags) > noted.MOST_TAGS:
        raise Invalid(N_("A contact has at most {most} tags.", most=noted.MOST_TAGS), fields={"tags": N_("Too many.")})
    if len(fields) > noted.MOST_FIELDS:
        raise Invalid(
            N_("A contact has at most {most} fields.", most=noted.MOST_FIELDS), fields={"fields": N_("Too many.")}
        )


def decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
