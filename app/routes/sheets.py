"""Contacts as files: the one to download, and files brought in: taken in, looked at, begun, followed."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app import audit, import_files, imports, people, sheets
from app.errors import Invalid, NotFound
from app.i18n import _
from app.routes.api.endpoint import Csv
from app.routes.respond import form, fragment, page, redirect, refused
from app.said import N_
from app.security import limits
from app.store import imports as store
from app.store.imports import Import

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE: Final = "contacts/import.html"
RECENT: Final = 10
PIECE: Final = 256_000
BODY: Final = imports.LARGEST + 1_000_000  # with what a form puts around it


async def export(request: Request) -> Response:
    """Everybody, or everybody with the tag."""
    rt: Runtime = request.state.rt
    tag = request.query_params.get("tag", "").replace("\0", "")[: people.LONGEST_TAG]
    request.app.state.limits.take(f"export:user:{request.state.user.id}", limits.EXPORT)
    await rt.db.write(audit.write, audit.entry("contacts.exported", tag))
    return Csv(sheets.written(rt.db.reader, tag), headers=Csv.attachment("contacts.csv"))


async def ask(request: Request) -> Response:
    return await page(request, PAGE, **await blank(request))


async def blank(request: Request) -> dict[str, Any]:
    recent = await request.state.rt.db.reader.all(store.NEWEST, before=2**62, limit=RECENT)
    return {"recent": recent, "error": "", "errors": {}, "most": imports.LARGEST}


async def take(request: Request) -> Response:
    """Keep the file and show what it would do; nothing is brought in."""
    rt: Runtime = request.state.rt
    file = (await form(request)).file("file")
    try:
        if file is None:
            raise import_files.wrong_file(N_("Choose a CSV file."))
        id = await imports.take(rt, file.filename or "", pieces(file), request.state.user.id)
    except Invalid as error:
        return await refused(request, PAGE, error, **await blank(request))
    return redirect(request, address(request, id))


async def pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE):
        yield piece
    await file.close()


async def show(request: Request) -> Response:
    """A file that waits, with what its first rows would do; or how far it is."""
    one = await imports.get(request.state.rt.db, request.path_params["id"])
    if one.state != "ready":
        return await page(request, "contacts/imported.html", one=one)
    mapping = imports.decoded(one.mapping)
    return await page(request, "contacts/mapping.html", **await looked(request, one, mapping), error="", errors={})


async def looked(request: Request, one: Import, mapping: list[str]) -> dict[str, Any]:
    """`look` None: the columns do not fit, so no row was tried."""
    try:
        wanted = import_files.checked(imports.decoded(one.columns), mapping)
        look = await imports.preview(request.state.rt, one, wanted)
    except Invalid:
        look = None
    columns = list(zip(imports.decoded(one.columns), mapping, strict=False))
    return {"one": one, "columns": columns, "look": look, "known": sheets.KNOWN, "people": people}


async def begin(request: Request) -> Response:
    """With `look`, show what these columns would do; else begin."""
    rt: Runtime = request.state.rt
    one = await imports.get(rt.db, request.path_params["id"])
    fields = await form(request)
    columns = imports.decoded(one.columns)
    mapping = [chosen(fields.text(f"column.{n}", limit=64), name) for n, name in enumerate(columns)]
    try:
        import_files.checked(columns, mapping)
        if fields.on("look"):
            shown = await looked(request, one, mapping)
            return await page(request, "contacts/mapping.html", **shown, error="", errors={})
        await imports.begin(rt, one.id, None if one.state == "failed" else mapping)
    except Invalid as error:
        return await refused(request, "contacts/mapping.html", error, **await looked(request, one, mapping))
    return redirect(request, address(request, one.id))


def chosen(value: str, column: str) -> str:
    """A field is named as its column is."""
    return sheets.column(column) if value == "field" else value


async def progress(request: Request) -> Response:
    one = await imports.get(request.state.rt.db, request.path_params["id"])
    return await fragment(request, "contacts/_progress.html", version=repr(one), one=one)


async def wrong(request: Request) -> Response:
    rt: Runtime = request.state.rt
    one = await imports.get(rt.db, request.path_params["id"])
    if not one.wrong:
        raise NotFound(_("Every row fitted so far."))
    return Csv(imports.wrong_rows(rt, one), headers=Csv.attachment("wrong-rows.csv"))


async def drop(request: Request) -> Response:
    await imports.drop(request.state.rt, request.path_params["id"])
    to = str(request.app.url_path_for("contacts.import"))
    return redirect(request, to, done=_("The file was deleted. What was brought in stays."))


def address(request: Request, id: int) -> str:
    return str(request.app.url_path_for("contacts.imported", id=id))
