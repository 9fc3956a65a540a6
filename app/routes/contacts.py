"""Contacts: the list with search and tag, one contact with everything known of them, and what people do with it.

The list pages by key, newest first; a search shows its first rows. Addresses keep `q` and `tag`.
"""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import erase, people, unmerge, within
from app.db import Reader
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _, fmt, ngettext
from app.routes import faces, kinds, known
from app.routes.respond import Form, form, is_number, page, redirect, refused
from app.sending import to_phone
from app.store import inbox as inbox_rows
from app.store import people as store
from app.store import tags

if TYPE_CHECKING:
    from app.runtime import Runtime

ROWS: Final = 50
MANY: Final = 10_001  # counting stops here
MOST_TAGS: Final = 60  # in the menu
CHATS: Final = 20
ASKED: Final = ("phone", "name", "language", "tags")  # of a new contact


class Shown(msgspec.Struct, frozen=True):
    """The list as it is drawn. `count` is of all rows, `older` the key that the next page stays below, or 0."""

    q: str
    tag: str
    rows: list[store.Listed]
    count: str
    older: int
    first: bool

    def query(self, **other: str | int) -> str:
        """What keeps the list, with something else: `?tag=vip`."""
        kept = {name: value for name, value in ({"q": self.q, "tag": self.tag} | other).items() if value}
        return f"?{urlencode(kept)}" if kept else ""


async def index(request: Request) -> Response:
    rt: Runtime = request.state.rt
    shown = await rt.db.read(read_list, request.query_params)
    in_use = await rt.db.reader.all(tags.IN_USE, limit=MOST_TAGS)
    return await page(request, "contacts/index.html", list=shown, in_use=in_use, faces=faces, tags_of=people.decoded)


async def read_list(db: Reader, params: Any) -> Shown:
    q = " ".join(params.get("q", "").replace("\0", "").split())[:80]
    tag = params.get("tag", "").replace("\0", "")[: people.LONGEST_TAG]
    count = await counted(db, tag)
    if q:
        return Shown(q, tag, await people.search(db, q, tag), count, 0, True)
    before = params.get("before", "")
    start = int(before) if is_number(before) else 2**62
    if tag:
        rows = await db.all(store.LIST_TAGGED, tag=tag, before=start, limit=ROWS + 1)
    else:
        rows = await db.all(store.LIST, before=start, limit=ROWS + 1)
    return Shown(q, tag, rows[:ROWS], count, rows[ROWS - 1].id if len(rows) > ROWS else 0, start == 2**62)


async def counted(db: Reader, tag: str) -> str:
    """How many there are, counted up to ten thousand."""
    if tag:
        found = await db.one(store.COUNT_TAGGED, tag=tag, many=MANY) or 0
    else:
        found = (await db.one(store.COUNT, many=MANY) or 0) - (await db.one(store.COUNT_MERGED) or 0)
    return f"{fmt.number(MANY - 1)}+" if found >= MANY else fmt.number(max(0, found))


# ---- one contact -----------------------------------------------------------------------------------------------------


async def show(request: Request) -> Response:
    return await page(request, "contacts/show.html", **await values(request, await read(request)))


async def read(request: Request) -> store.Person:
    rt: Runtime = request.state.rt
    found = await rt.db.reader.one(store.PERSON, id=request.path_params["id"])
    if found is None:
        raise NotFound(_("There is no such contact. It may have been erased or merged into another."))
    return found


async def values(request: Request, person: store.Person) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    aliases = await rt.db.reader.all(store.ALIASES, contact_id=person.id)
    chats = await rt.db.reader.all(inbox_rows.OF_CONTACT, contact_id=person.id, limit=CHATS)
    said = await rt.db.read(known.newest_said, [chat.id for chat in chats])
    return {
        **drawn(person),
        "aliases": aliases,
        "merges": await rt.db.read(unmerge.list_all, person.id),
        "chats": chats,
        "timeline": known.timeline(person, aliases, chats, said),
        "given": {"name": person.name, "language": person.language, "tags": ", ".join(people.decoded(person.tags))},
        "list": {"query": "?view=all", "here": 0},
        "kinds": kinds,
        "error": "",
        "errors": {},
    }


def drawn(person: store.Person) -> dict[str, Any]:
    return {
        "person": person,
        "title": faces.title(person.name, person.phone, person.username),
        "tags": people.decoded(person.tags),
        "fields": [(name, typed(value)) for name, value in people.decoded(person.fields).items()],
        "faces": faces,
    }


def typed(value: Any) -> str:
    """A field as it stands in a form: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else people.encoded(value)


async def update(request: Request) -> Response:
    """The form of what is noted about a contact."""
    rt: Runtime = request.state.rt
    person = await read(request)
    fields = await form(request)
    try:
        await rt.db.write(people.change, person.id, people.checked(wanted(fields, people.decoded(person.fields))))
    except Invalid as error:
        given = {name: fields.text(name, limit=100_000) for name in ("name", "language", "tags")}
        shown = await values(request, person) | {"given": given}
        shown.pop("error"), shown.pop("errors")
        return await refused(request, "contacts/show.html", error, **shown)
    return redirect(request, address(request, person.id), done=_("Saved."))


def wanted(given: Form, had: dict[str, Any]) -> people.Change:
    """What the form says. A field that reads as it did stays what it was, of whatever type; one left empty goes."""
    fields: dict[str, Any] = {}
    for name, value in had.items():
        text = given.text(f"field.{name}", limit=100_000)
        if f"field.{name}" in given.data and text != typed(value).strip():
            fields[name] = like(text, value) if text else None
    new = given.text("new_name", limit=1000)
    if new:
        fields[new] = given.text("new_value", limit=100_000) or None
    return people.Change(
        given.text("name", limit=100_000), given.text("language", limit=100),
        people.tags_of(given.text("tags", limit=100_000)), fields,
    )  # fmt: skip


def like(text: str, old: Any) -> Any:
    """A number stays a number where it can."""
    if isinstance(old, int | float):
        try:
            return msgspec.json.decode(text, type=bool | int | float)
        except msgspec.DecodeError:
            return text
    return text


async def new(request: Request) -> Response:
    return await page(request, "contacts/new.html", given=dict.fromkeys(ASKED, ""), error="", errors={})


async def create(request: Request) -> Response:
    rt: Runtime = request.state.rt
    fields = await form(request)
    given = {name: fields.text(name, limit=100_000) for name in ASKED}
    change = people.Change(given["name"], given["language"], people.tags_of(given["tags"]))
    try:
        contact_id = await rt.db.write(people.create, phone_of(given["phone"]), people.checked(change))
    except (Invalid, Conflict) as error:
        shown = error if error.fields else Invalid(error.said, fields={"phone": error.said})
        return await refused(request, "contacts/new.html", shown, given=given)
    return redirect(request, address(request, contact_id), done=_("The contact is here."))


def phone_of(text: str) -> str:
    try:
        return to_phone(text).address.phone
    except Invalid as error:
        raise Invalid(error.said, fields={"phone": error.said}) from None


async def consent(request: Request) -> Response:
    """Opt out or in again, as somebody asked for it outside of the chat."""
    rt: Runtime = request.state.rt
    person = await read(request)
    out = (await form(request)).text("out", limit=3) == "1"
    await rt.db.write(people.change, person.id, people.Change(opted_out=out))
    done = _("Opted out: the bot only answers.") if out else _("Opted in again.")
    return redirect(request, address(request, person.id), done=done)


async def change_many(request: Request) -> Response:
    """Everybody who is ticked gets or loses a tag, gets a field, or opts out."""
    rt: Runtime = request.state.rt
    fields = await form(request)
    ids = [int(id) for id in fields.many("id") if is_number(id)][: people.MANY]
    what, value = fields.text("what", limit=20), fields.text("value", limit=people.LONGEST_VALUE)
    tag = people.tags_of(value)
    name, _sign, content = value.partition("=")
    changes = {
        "tag": people.Change(tags=tag), "untag": people.Change(tags=tag),
        "field": people.Change(fields={name.strip(): content.strip() or None}), "out": people.Change(),
    }  # fmt: skip
    if not ids or what not in changes or (what != "out" and not value):
        raise Invalid(_("Tick somebody, choose what to do, and write with what."))
    people.checked(changes[what])
    wanted = {
        "tag": people.ManyChange(add_tags=tag), "untag": people.ManyChange(remove_tags=tag),
        "field": people.ManyChange(fields=changes[what].fields or {}), "out": people.ManyChange(opted_out=True),
    }[what]  # fmt: skip
    for id in ids:
        await within.look(rt.db.reader, "contact", id)
    changed, _missing = await rt.db.write(people.change_many, ids, wanted)
    done = ngettext("{n} contact was changed.", "{n} contacts were changed.", changed).format(n=fmt.number(changed))
    return redirect(
        request, str(request.app.url_path_for("contacts")) + read_back(fields.text("list", limit=500)), done=done
    )


def read_back(query: str) -> str:
    """The list that somebody came from: only what is one of ours goes into the address."""
    kept = {name: value for name, value in parse_qsl(query.removeprefix("?")) if name in ("q", "tag", "before")}
    return f"?{urlencode(kept)}" if kept else ""


# ---- what cannot be taken back ---------------------------------------------------------------------------------------


async def ask_erase(request: Request) -> Response:
    rt: Runtime = request.state.rt
    person = await read(request)
    chats = await rt.db.reader.all(inbox_rows.OF_CONTACT, contact_id=person.id, limit=CHATS)
    return await page(request, "contacts/erase.html", chats=chats, **drawn(person))


async def forget(request: Request) -> Response:
    person = await read(request)
    count = await erase.contact(request.state.rt, person.id)
    done = _("Erased, with {n} messages.").format(n=fmt.number(count))
    return redirect(request, str(request.app.url_path_for("contacts")), done=done)


async def ask_merge(request: Request) -> Response:
    """Who is the same person: found by name or number, then both side by side."""
    rt: Runtime = request.state.rt
    person = await read(request)
    q = " ".join(request.query_params.get("q", "").replace("\0", "").split())[:80]
    found = [row for row in await rt.db.read(people.search, q) if row.id != person.id][:20] if q else []
    other = request.query_params.get("other", "")
    chosen = await rt.db.reader.one(store.PERSON, id=int(other)) if is_number(other) else None
    both: list[dict[str, Any]] = []
    if chosen is not None and chosen.id != person.id:
        both = [await rt.db.read(summary, one) for one in (person, chosen)]
    return await page(request, "contacts/merge.html", q=q, found=found, both=both, **drawn(person))


async def summary(db: Reader, person: store.Person) -> dict[str, Any]:
    chats = await db.all(inbox_rows.OF_CONTACT, contact_id=person.id, limit=CHATS)
    return {**drawn(person), "chats": len(chats), "aliases": await db.all(store.ALIASES, contact_id=person.id)}


async def merge(request: Request) -> Response:
    rt: Runtime = request.state.rt
    keep = request.path_params["id"]
    await people.unite(rt.db, keep, (await form(request)).number("other") or 0)
    return redirect(request, address(request, keep), done=_("They are one contact now."))


async def ask_unmerge(request: Request) -> Response:
    """What undoing the newest merge does, before it is done."""
    person = await read(request)
    return await page(request, "contacts/unmerge.html", past=await newest_merge(request), **drawn(person))


async def take_apart(request: Request) -> Response:
    person, merge_id = await read(request), (await form(request)).number("merge") or 0
    back = await unmerge.undo(request.state.rt.db, person.id, merge_id)
    return redirect(
        request, address(request, back), done=_("They are two contacts again. This is the one that is back.")
    )


async def newest_merge(request: Request) -> unmerge.Past:
    rt: Runtime = request.state.rt
    found = await rt.db.read(unmerge.list_all, request.path_params["id"])
    if not found:
        raise NotFound(_("There is no merge to undo here."))
    return found[0]


def address(request: Request, contact_id: int) -> str:
    return str(request.app.url_path_for("contacts.show", id=contact_id))
