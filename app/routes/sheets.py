"""Contacts as CSV: the file to download, and a file brought in after a look at what it would do.

Between the look and the deed the file stays in the page, so nothing of it is on the disk that nobody wanted.
"""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app import audit, people, sheets
from app.errors import Invalid
from app.i18n import _, fmt, ngettext
from app.routes.api.endpoint import Csv
from app.routes.respond import form, page, redirect, refused
from app.said import N_

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE: Final = "contacts/import.html"
SAMPLE: Final = 8  # rows of the preview
BODY: Final = 4 * sheets.LARGEST  # as a form encodes it


async def export(request: Request) -> Response:
    """Everybody, or everybody with the tag."""
    rt: Runtime = request.state.rt
    tag = request.query_params.get("tag", "").replace("\0", "")[: people.LONGEST_TAG]
    await rt.db.write(audit.write, audit.entry("contacts.exported", tag))
    return Csv(sheets.written(rt.db.reader, tag), headers=Csv.attachment("contacts.csv"))


async def ask(request: Request) -> Response:
    return await page(request, PAGE, **blank())


def blank() -> dict[str, Any]:
    return {"sheet": None, "csv": "", "sample": [], "error": "", "errors": {}, "most": sheets.MOST}


async def preview(request: Request) -> Response:
    """What the file would do; nothing is stored."""
    file = (await form(request)).file("file")
    try:
        if file is None:
            raise Invalid(N_("Choose a file."), fields={"file": N_("Choose a CSV file.")})
        data = await file.read(sheets.LARGEST + 1)
        await file.close()
        text = sheets.decode(data)
        sheet = sheets.read(text)
    except Invalid as error:
        return await refused(request, PAGE, error, **blank())
    shown = {"sheet": sheet, "csv": text, "sample": sheet.rows[:SAMPLE]}
    return await page(request, PAGE, **blank() | shown)


async def bring_in(request: Request) -> Response:
    rt: Runtime = request.state.rt
    try:
        sheet = sheets.read((await form(request)).text("csv", limit=2 * sheets.LARGEST, strip=False))
    except Invalid as error:
        return await refused(request, PAGE, error, **blank())
    stored, wrong = await sheets.bring_in(rt.db, sheet)
    done = _("{made} made, {changed} completed.").format(
        made=fmt.number(stored.made), changed=fmt.number(stored.changed)
    )
    if left := len(wrong) + len(sheet.wrong):
        done += " " + ngettext("{n} row was left out.", "{n} rows were left out.", left).format(n=fmt.number(left))
    return redirect(request, str(request.app.url_path_for("contacts")), done=done)
