"""Files of contacts over the API: taken in, looked at, begun, followed."""

from typing import Annotated, Final

import msgspec

from app import i18n, import_files, imports
from app.errors import NotFound
from app.routes.api.endpoint import FIRST, Body, Call, Csv, CsvUpload, Page, Paging, Query, key_of, page
from app.said import N_
from app.store import imports as store
from app.views import Id, Time

LARGEST: Final = imports.LARGEST + 1  # one byte more, so that the refusal says why
Becomes = Annotated[str, msgspec.Meta(max_length=64)]


class Import(msgspec.Struct, frozen=True):
    """A file of contacts. `state`: ready, running, done or failed; `done_bytes` of `size` bytes and `lines` lines are
    worked off, of which `made` and `changed` contacts came and `wrong` rows did not fit. `mapping` says for each of
    `columns` what it becomes: phone, name, language, tags, opted_out, the name of a field, or '' for nothing."""

    id: Id
    name: str
    state: store.State
    size: int
    done_bytes: int
    lines: int
    made: int
    changed: int
    wrong: int
    columns: list[str]
    mapping: list[str]
    created_at: Time
    ended_at: Time | None


class Misfit(msgspec.Struct, frozen=True):
    line: int
    phone: str
    why: str


class Preview(msgspec.Struct, frozen=True):
    """Of the first thousand rows: how many fit, and the first hundred that do not. `more`: the file goes on."""

    fit: int
    wrong: list[Misfit]
    more: bool


class Named(Query, frozen=True):
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Start(Body, frozen=True):
    """`mapping`: for each column what it becomes; as the import says where it is left out."""

    mapping: Annotated[tuple[Becomes, ...], msgspec.Meta(max_length=import_files.MOST_COLUMNS)] | None = None


async def take(call: Call, query: Named, body: CsvUpload) -> Import:
    """The body is the file: UTF-8, its first line names the columns. Nothing is brought in before `start`."""
    return shown(
        await imports.get(call.rt.db, await imports.take(call.rt, query.name, body.pieces, call.caller.user_id))
    )


async def index(call: Call, query: Paging) -> Page[Import]:
    """Those of the last week, newest first."""
    (before,) = key_of(query.cursor, 1) or (FIRST,)
    found = await call.rt.db.reader.all(store.NEWEST, before=before, limit=query.limit + 1)
    rows, cursor = page(found, query.limit, lambda row: (row.id,))
    return Page([shown(row) for row in rows], cursor)


async def show(call: Call) -> Import:
    return shown(await imports.get(call.rt.db, call.id))


async def preview(call: Call, body: Start) -> Preview:
    """What the first rows would do; nothing is stored."""
    one = await imports.get(call.rt.db, call.id)
    columns = imports.decoded(one.columns)
    mapping = import_files.checked(
        columns, list(body.mapping) if body.mapping is not None else imports.decoded(one.mapping)
    )
    found = await imports.preview(call.rt, one, mapping)
    wrong = [Misfit(row.number, row.text, i18n.tell(row.why)) for row in found.wrong[:100]]
    return Preview(found.fit, wrong, found.more)


async def start(call: Call, body: Start) -> Import:
    """Bring the contacts in, in the background; also goes on where it failed."""
    await imports.begin(call.rt, call.id, None if body.mapping is None else list(body.mapping))
    return await show(call)


async def wrong(call: Call) -> Csv:
    """The rows that did not fit, each with its line and why."""
    one = await imports.get(call.rt.db, call.id)
    if not one.wrong:
        raise NotFound(N_("Every row fitted so far."))
    return Csv(imports.wrong_rows(call.rt, one), headers=Csv.attachment("wrong-rows.csv"))


async def delete(call: Call) -> None:
    """Forget the file. What was brought in stays."""
    await imports.drop(call.rt, call.id)


def shown(row: store.Import) -> Import:
    return Import(
        str(row.id), row.name, row.state, row.size, row.at_byte, row.lines, row.made, row.changed, row.wrong,
        imports.decoded(row.columns), imports.decoded(row.mapping), row.created_at, row.ended_at,
    )  # fmt: skip
