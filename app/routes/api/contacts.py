"""Contacts over the API: who wrote or was written to, what is noted about them, and forgetting them."""

from typing import Annotated

import msgspec

from app import erase, people
from app.db import Tx
from app.errors import NotFound
from app.routes.api.endpoint import FIRST, Body, Call, Once, Page, Paging, key_of, page
from app.said import N_
from app.sending import to_phone
from app.store import people as store
from app.store import threads
from app.views import Id, Time

Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
FieldName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Value = Annotated[str, msgspec.Meta(max_length=people.LONGEST_VALUE)] | int | float | bool
Name = Annotated[str, msgspec.Meta(max_length=people.LONGEST_NAME)]
Language = Annotated[str, msgspec.Meta(pattern="^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", max_length=35)]


class Contact(msgspec.Struct, frozen=True):
    """A person. `phone` may be empty; `fields` are what bots and programs noted."""

    id: Id
    name: str
    phone: str
    username: str
    language: str
    tags: list[str]
    fields: dict[str, msgspec.Raw]
    opted_out_at: Time | None
    created_at: Time


class Alias(msgspec.Struct, frozen=True):
    """A name by which a network knows somebody; `retired_at`: another took its place."""

    kind: str
    value: str
    retired_at: Time | None


class Aliases(msgspec.Struct, frozen=True):
    aliases: list[Alias]


class Filter(Paging, frozen=True):
    """`q`: names that begin so, case ignored (the first of them, without further pages); `phone`: exactly this."""

    q: Annotated[str, msgspec.Meta(max_length=80)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""


class NewContact(Body, frozen=True):
    phone: Annotated[str, msgspec.Meta(min_length=6, max_length=40)]
    name: Name = ""
    language: Language = ""
    tags: tuple[Tag, ...] = ()
    fields: dict[FieldName, Value] = msgspec.field(default_factory=dict)


class Change(Body, frozen=True):
    """What is left out stays; `tags` takes the place of all tags; a field that is null goes."""

    name: Name | None = None
    language: Language | None = None
    tags: tuple[Tag, ...] | None = None
    fields: dict[FieldName, Value | None] | None = None
    opted_out: bool | None = None


class Created(msgspec.Struct, frozen=True):
    id: Id


class Erased(msgspec.Struct, frozen=True):
    messages: int


async def index(call: Call, query: Filter) -> Page[Contact]:
    """Newest first."""
    reader = call.rt.db.reader
    if query.phone:
        number = to_phone(query.phone).address.phone
        found = await reader.all(store.KNOWN_AS, value=number, limit=query.limit)
        return Page([_shown(row) for row in found], None)
    if query.q:
        found = await reader.all(store.NAMED, name=query.q, name_end=threads.after(query.q), limit=query.limit)
        return Page([_shown(row) for row in found], None)
    key = key_of(query.cursor, 1) or (FIRST,)
    found = await reader.all(store.PEOPLE, before=key[0], limit=query.limit + 1)
    shown, cursor = page(found, query.limit, lambda row: (row.id,))
    return Page([_shown(row) for row in shown], cursor)


async def create(call: Call, body: NewContact) -> Once[Created]:
    phone = to_phone(body.phone).address.phone
    wanted = people.Change(body.name, body.language, body.tags, dict(body.fields))
    return await call.once(_create, phone, wanted)


def _create(tx: Tx, phone: str, wanted: people.Change) -> Created:
    return Created(str(people.create(tx, phone, wanted)))


async def show(call: Call) -> Contact:
    row = await call.rt.db.reader.one(store.PERSON, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such contact."))
    return _shown(row)


async def change(call: Call, body: Change) -> Contact:
    fields = None if body.fields is None else dict(body.fields)
    wanted = people.Change(body.name, body.language, body.tags, fields, body.opted_out)
    await call.rt.db.write(people.change, call.id, wanted)
    return await show(call)


async def aliases(call: Call) -> Aliases:
    """Every name that a network ever gave this person."""
    await show(call)
    rows = await call.rt.db.reader.all(threads.ALIASES, contact_id=call.id)
    return Aliases([Alias(row.kind, row.value, row.retired_at) for row in rows])


async def delete(call: Call) -> Erased:
    """Erase the person and everything of theirs: messages, files, notes, names. It cannot be undone."""
    return Erased(await erase.contact(call.rt, call.id))


def _shown(row: store.Person) -> Contact:
    return Contact(
        str(row.id), row.name, row.phone, row.username, row.language, msgspec.json.decode(row.tags),
        msgspec.json.decode(row.fields, type=dict[str, msgspec.Raw]), row.opted_out_at, row.created_at,
    )  # fmt: skip
