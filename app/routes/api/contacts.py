"""Contacts over the API: who wrote or was written to, what is noted about them, and forgetting them."""

from typing import Annotated, Final

import msgspec

from app import erase, i18n, people, sheets, unmerge, within
from app.db import Tx
from app.errors import Invalid, NotFound
from app.routes.api.endpoint import FIRST, Body, Call, Once, Page, Paging, key_of, page
from app.said import N_
from app.sending import to_phone
from app.store import inbox as inbox_rows
from app.store import people as store
from app.views import Id, Time

LARGEST: Final = 2 * sheets.LARGEST  # as JSON writes it
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=people.LONGEST_TAG)]
FieldName = Annotated[str, msgspec.Meta(pattern=people.FIELD_NAME)]
Value = Annotated[str, msgspec.Meta(max_length=people.LONGEST_VALUE)] | int | float | bool
Name = Annotated[str, msgspec.Meta(max_length=people.LONGEST_NAME)]
Language = Annotated[str, msgspec.Meta(pattern=people.LANGUAGE, max_length=35)]


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
    created_at: Time
    retired_at: Time | None


class Aliases(msgspec.Struct, frozen=True):
    aliases: list[Alias]


class Filter(Paging, frozen=True):
    """`q`: names that begin so, case ignored (the first of them, without further pages); `phone`: exactly this; `tag`:
    who has it. One of the three at a time."""

    q: Annotated[str, msgspec.Meta(max_length=80)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""
    tag: Annotated[str, msgspec.Meta(max_length=people.LONGEST_TAG)] = ""


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


class Merge(Body, frozen=True):
    """Who is the same person: this contact goes into the one in the address."""

    contact_id: Id


class Merged(msgspec.Struct, frozen=True):
    """A contact that went into this one, as it was called; `id` is of the merge."""

    id: Id
    contact_id: Id
    name: str
    phone: str
    username: str
    at: Time


class Merges(msgspec.Struct, frozen=True):
    merges: list[Merged]


class Unmerge(Body, frozen=True):
    """The newest of the contact's merges."""

    merge_id: Id


class Sheet(Body, frozen=True):
    """`csv` has a first line with the names of its columns, one of them `phone`; `apply` false only checks."""

    csv: Annotated[str, msgspec.Meta(max_length=sheets.LARGEST)]
    apply: bool = False


class WrongRow(msgspec.Struct, frozen=True):
    line: int
    phone: str
    why: str


class Imported(msgspec.Struct, frozen=True):
    """`rows` fit; of these `made` are new and `changed` were there, both 0 where nothing was to be applied."""

    rows: int
    made: int
    changed: int
    fields: list[str]
    wrong: list[WrongRow]


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
        return Page([shown(row) for row in found], None)
    if query.q:
        found = await reader.all(store.NAMED, name=query.q, name_end=inbox_rows.after(query.q), limit=query.limit)
        return Page([shown(row) for row in found], None)
    key = key_of(query.cursor, 1) or (FIRST,)
    if query.tag:
        found = await reader.all(store.TAGGED, tag=query.tag, before=key[0], limit=query.limit + 1)
    else:
        found = await reader.all(store.PEOPLE, before=key[0], limit=query.limit + 1)
    rows, cursor = page(found, query.limit, lambda row: (row.id,))
    return Page([shown(row) for row in rows], cursor)


async def create(call: Call, body: NewContact) -> Once[Created]:
    phone = to_phone(body.phone).address.phone
    wanted = people.Change(body.name, body.language, body.tags, dict(body.fields))
    return await call.once(_create, phone, wanted)


def _create(tx: Tx, phone: str, wanted: people.Change) -> Created:
    return Created(str(people.create(tx, phone, wanted)))


class Many(Body, frozen=True):
    """Who is there already is completed: tags are added, names and fields replaced."""

    contacts: Annotated[tuple[NewContact, ...], msgspec.Meta(min_length=1, max_length=sheets.UNIT)]


class Stored(msgspec.Struct, frozen=True):
    made: int
    changed: int


async def put_many(call: Call, body: Many) -> Once[Stored]:
    """Make or complete many at once; all of them, or none if one does not fit."""
    rows = []
    for number, one in enumerate(body.contacts):
        change = people.Change(one.name, one.language or None, one.tags, dict(one.fields))
        try:
            rows.append(sheets.Row(number, to_phone(one.phone).address.phone, people.checked(change)))
        except Invalid as error:
            raise Invalid(error.said, fields={f"contacts[{number}].phone": error.said}) from None
    return await call.once(_put_many, rows)


def _put_many(tx: Tx, rows: list[sheets.Row]) -> Stored:
    done = sheets.store_rows(tx, rows)
    return Stored(done.made, done.changed)


class ChangeMany(Body, frozen=True):
    """What is left out stays; a field that is null goes."""

    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=people.MANY)]
    add_tags: tuple[Tag, ...] = ()
    remove_tags: tuple[Tag, ...] = ()
    fields: dict[FieldName, Value | None] = msgspec.field(default_factory=dict)
    opted_out: bool | None = None


class ChangedMany(msgspec.Struct, frozen=True):
    """`missing`: those who are not there, or were merged into another."""

    changed: int
    missing: list[Id]


async def change_many(call: Call, body: ChangeMany) -> Once[ChangedMany]:
    """Change many at once; all of them, or none if one does not fit."""
    for id in body.ids:
        await within.look(call.rt.db.reader, "contact", int(id))
    wanted = people.ManyChange(body.add_tags, body.remove_tags, dict(body.fields), body.opted_out)
    return await call.once(_change_many, [int(id) for id in body.ids], wanted)


def _change_many(tx: Tx, ids: list[int], wanted: people.ManyChange) -> ChangedMany:
    changed, missing = people.change_many(tx, ids, wanted)
    return ChangedMany(changed, [str(id) for id in missing])


async def show(call: Call) -> Contact:
    row = await call.rt.db.reader.one(store.PERSON, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such contact."))
    return shown(row)


async def change(call: Call, body: Change) -> Contact:
    fields = None if body.fields is None else dict(body.fields)
    wanted = people.Change(body.name, body.language, body.tags, fields, body.opted_out)
    await call.rt.db.write(people.change, call.id, wanted)
    return await show(call)


async def aliases(call: Call) -> Aliases:
    """Every name that a network ever gave this person."""
    await show(call)
    rows = await call.rt.db.reader.all(store.ALIASES, contact_id=call.id)
    return Aliases([Alias(row.kind, row.value, row.created_at, row.retired_at) for row in rows])


async def merge(call: Call, body: Merge) -> Contact:
    """Two contacts are one person: names, conversations, tags and fields come together."""
    await people.unite(call.rt.db, call.id, int(body.contact_id))
    return await show(call)


async def merges(call: Call) -> Merges:
    """The merges that made this contact, newest first; the first can be undone."""
    await show(call)
    found = await call.rt.db.read(unmerge.list_all, call.id)
    return Merges(
        [Merged(str(row.id), str(row.contact_id), row.name, row.phone, row.username, row.at) for row in found]
    )


async def unmerge_(call: Call, body: Unmerge) -> Created:
    """Both are again who they were; what came since goes by the name it came from. The newest merge is undone first.
    The answer names the contact that is back."""
    return Created(str(await unmerge.undo(call.rt.db, call.id, int(body.merge_id))))


async def bring_in(call: Call, body: Sheet) -> Imported:
    """Contacts from CSV: who is there is completed, everybody else made. Rows that do not fit are named and left
    out."""
    sheet = sheets.read(body.csv.removeprefix("\ufeff").replace("\0", ""))
    stored, wrong = sheets.Stored(0, 0), sheet.wrong
    if body.apply:
        stored, late = await sheets.bring_in(call.rt.db, sheet)
        wrong = wrong + late
    told = [WrongRow(row.number, row.text, i18n.tell(row.why)) for row in wrong]
    return Imported(len(sheet.rows), stored.made, stored.changed, sheet.fields, told)


async def delete(call: Call) -> Erased:
    """Erase the person and everything of theirs: messages, files, notes, names. It cannot be undone."""
    return Erased(await erase.contact(call.rt, call.id))


def shown(row: store.Person) -> Contact:
    return Contact(
        str(row.id), row.name, row.phone, row.username, row.language, msgspec.json.decode(row.tags),
        msgspec.json.decode(row.fields, type=dict[str, msgspec.Raw]), row.opted_out_at, row.created_at,
    )  # fmt: skip
