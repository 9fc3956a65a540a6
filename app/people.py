"""Contacts as people work on them: made, changed, opted in and out, merged. Erasing is in `erase`."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app import audit, events, noted
from app.db import Reader, Tx
from app.errors import Conflict, Invalid, NotFound
from app.said import N_
from app.store import contacts, tags
from app.store import inbox as inbox_rows
from app.store import people as store

LONGEST_NAME: Final = 200
LONGEST_TAG: Final = 100
LONGEST_VALUE: Final = 2000
LANGUAGE: Final = "^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$"
FIELD_NAME: Final = "^[A-Za-z][A-Za-z0-9_]{0,63}$"
_LANGUAGE: Final = re.compile(LANGUAGE)
_FIELD_NAME: Final = re.compile(FIELD_NAME)
FOUND: Final = 100  # rows of a search
MANY: Final = 200  # contacts that are changed in one commit


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
    had: list[str] = decoded(old.tags)
    has = had if change.tags is None else list(dict.fromkeys(change.tags))
    fields = decoded(old.fields)
    for name, value in (change.fields or {}).items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    check(has, fields)
    tags.settle(tx, contact_id, had, has)
    tx.run(
        store.CHANGE, id=contact_id, name=old.name if change.name is None else " ".join(change.name.split()),
        language=old.language if change.language is None else change.language, tags=encoded(has),
        fields=encoded(fields),
    )  # fmt: skip
    if change.opted_out is not None:
        noted.consent(tx, contact_id, given=not change.opted_out)


class ManyChange(msgspec.Struct, frozen=True):
    """What is to be different for many. A field that is set to null goes; `opted_out` None stays."""

    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    fields: dict[str, Any] = {}
    opted_out: bool | None = None


def change_many(tx: Tx, ids: Sequence[int], wanted: ManyChange) -> tuple[int, list[int]]:
    """Up to `MANY` contacts. Returns how many changed and who is not there. Raises as `change` does."""
    missing = []
    for id in sorted(set(ids)):  # locks are taken in one order
        row = tx.one(store.PERSON, id=id)
        if row is None:
            missing.append(id)
            continue
        kept = [tag for tag in decoded(row.tags) if tag not in wanted.remove_tags]
        change(tx, id, Change(tags=(*kept, *wanted.add_tags), fields=wanted.fields, opted_out=wanted.opted_out))
    return len(set(ids)) - len(missing), missing


def create(tx: Tx, phone: str, change_: Change) -> int:
    """A contact with this number (digits). Raises `Conflict` if there is one."""
    aliases = (("phone", phone),)
    if contacts.owners_of(tx, aliases):
        raise Conflict(N_("There is a contact with this number already."))
    contact_id, _new = contacts.resolve(tx, aliases, name="", phone=phone, username="")
    change(tx, contact_id, change_)
    return contact_id


def merge(tx: Tx, keep: int, gone: int) -> None:
    """Two contacts that somebody says are one person: `keep` gets all names, conversations, tags, and what it lacks of
    the other. It cannot be taken back. Raises `NotFound`, `Invalid` for a contact and itself."""
    if keep == gone:
        raise Invalid(N_("These are the same contact."))
    for contact_id in sorted((keep, gone)):
        tx.lock("contact", contact_id)
    kept, other = get(tx, keep), get(tx, gone)
    contacts.merge(tx, keep, gone)
    tx.run(
        contacts.RENAME, id=keep, name=kept.name or other.name, phone=kept.phone or other.phone,
        username=kept.username or other.username, language=other.language,
    )  # fmt: skip
    tx.publish(events.Event(events.CONVERSATION_UPDATED, ("conversations",)))


async def unite(db: Any, keep: int, gone: int) -> None:
    """`merge`, with its line in the audit log."""
    await db.write(audit.logged, audit.entry("contact.merged", keep, str(gone)), merge, keep, gone)


async def search(db: Reader, text: str, tag: str = "", limit: int = FOUND) -> list[store.Listed]:
    """Whose name, number or user name begins with this text, newest first; case is ignored."""
    name = text.removeprefix("@")
    phone = inbox_rows.dialled(text)
    return await db.all(
        store.SEARCH, name=name, name_end=inbox_rows.after(name), phone=phone, phone_end=inbox_rows.after(phone),
        tag=tag, limit=limit,
    )  # fmt: skip


def checked(change: Change) -> Change:
    """What somebody typed, with its edges trimmed. Raises `Invalid` naming every field that does not fit."""
    wrong = {}
    name = " ".join((change.name or "").split())
    if len(name) > LONGEST_NAME:
        wrong["name"] = N_("At most {n} characters.", n=LONGEST_NAME)
    if change.language and not _LANGUAGE.fullmatch(change.language):
        wrong["language"] = N_("A language is written like en or pt-BR.")
    if any(len(tag) > LONGEST_TAG for tag in change.tags or ()):
        wrong["tags"] = N_("A tag has at most {n} characters.", n=LONGEST_TAG)
    for field, value in (change.fields or {}).items():
        if not is_field(field):
            wrong["fields"] = N_("The name of a field has letters, digits and _, and begins with a letter.")
        elif isinstance(value, str) and len(value) > LONGEST_VALUE:
            wrong["fields"] = N_("A field holds at most {n} characters.", n=LONGEST_VALUE)
    if wrong:
        raise Invalid(N_("This contact was not saved."), fields=wrong)
    return change if change.name in (None, name) else msgspec.structs.replace(change, name=name)


def is_field(name: str) -> bool:
    return _FIELD_NAME.fullmatch(name) is not None


def check(tags: list[str], fields: dict[str, Any]) -> None:
    if len(tags) > noted.MOST_TAGS:
        raise Invalid(N_("A contact has at most {most} tags.", most=noted.MOST_TAGS), fields={"tags": N_("Too many.")})
    if len(fields) > noted.MOST_FIELDS:
        raise Invalid(
            N_("A contact has at most {most} fields.", most=noted.MOST_FIELDS), fields={"fields": N_("Too many.")}
        )


def tags_of(text: str) -> tuple[str, ...]:
    """Tags as a person writes them: separated by commas or line ends."""
    return tuple(dict.fromkeys(tag for part in text.replace("\n", ",").split(",") if (tag := " ".join(part.split()))))


def decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
