"""Templates of a channel: what there is and how it stands, one as on the phone, and making and changing them."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app import message_templates
from app.connectors.account import KeepsTemplates
from app.connectors.base import SendFailed
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _
from app.looking import sniff
from app.markup import render
from app.models import ChannelRow
from app.routes import faces, template_form
from app.routes.respond import Form, form, fragment, page, redirect, refused
from app.routes.template_form import Fields
from app.said import mark
from app.store import channels as channel_rows
from app.store import message_templates as store
from app.store.message_templates import Row
from app.template import FILES, Parts, filled, read, slots

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE: Final = 50
SAMPLE: Final = 16 * 1024 * 1024
TONES: Final = {
    "APPROVED": "ok",
    "PENDING": "accent",
    "IN_APPEAL": "accent",
    "DRAFT": "",
    "REJECTED": "bad",
    "DISABLED": "bad",
    "PAUSED": "warn",
}
WORDS: Final = {
    "APPROVED": mark("Approved"),
    "PENDING": mark("In review"),
    "IN_APPEAL": mark("In appeal"),
    "DRAFT": mark("Draft"),
    "REJECTED": mark("Rejected"),
    "DISABLED": mark("Disabled"),
    "PAUSED": mark("Paused"),
    "PENDING_DELETION": mark("Being deleted"),
    "DELETED": mark("Deleted"),
    "LIMIT_EXCEEDED": mark("Over the limit"),
    "ARCHIVED": mark("Archived"),
    "LOCKED": mark("Locked"),
    "UTILITY": mark("Utility"),
    "MARKETING": mark("Marketing"),
    "AUTHENTICATION": mark("Authentication"),
    "GREEN": mark("Good quality"),
    "YELLOW": mark("Medium quality"),
    "RED": mark("Low quality"),
}


def words(code: str) -> str:
    """The network's word in the reader's language; one that is not known here stands as it is."""
    return _(WORDS[code]) if code in WORDS else code.replace("_", " ").capitalize()


def tone(status: str) -> str:
    return TONES.get(status, "warn")


def preview(parts: Parts) -> dict[str, Any]:
    """What `_preview.html` draws."""
    return {"parts": parts, "said": render(parts.body), "cards": [(card, render(card.body)) for card in parts.cards]}


# ---- the list --------------------------------------------------------------------------------------------------------


async def index(request: Request) -> Response:
    row = await channel_of(request)
    values = await list_values(request, row)
    return await page(request, "message_templates/index.html", topics=(f"templates-{row.id}",), **values)


async def listing(request: Request) -> Response:
    """The list again, when something about it is told; from its beginning to where it was unfolded."""
    row = await channel_of(request)
    values = await list_values(request, row)
    version = repr((values["rows"], values["fetched_at"], values["counts"]))
    return await fragment(request, "message_templates/_list.html", version=version, **values)


async def list_values(request: Request, row: ChannelRow) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    name, _dot, language = request.query_params.get("after", "")[:600].partition("/")
    found = await rt.db.reader.all(store.LIST, channel_id=row.id, name=name, language=language, limit=PAGE + 1)
    rows = found[:PAGE]
    return {
        "channel": row,
        "rows": [(one, message_templates.parts_of(one)) for one in rows],
        "after": f"{rows[-1].name}/{rows[-1].language}" if len(found) > PAGE else "",
        "here_after": request.query_params.get("after", "")[:600],
        "counts": dict(await rt.db.reader.all(store.COUNT, channel_id=row.id)),
        "fetched_at": await rt.db.reader.one(store.FETCHED_AT, channel_id=row.id),
        "connected": keeps(rt, row.id),
        "words": words,
        "tone": tone,
        "faces": faces,
    }


def keeps(rt: "Runtime", channel_id: int) -> bool:
    """Whether the account to which the templates belong is entered."""
    live = rt.channels.by_id.get(channel_id)
    return live is not None and isinstance(live.session, KeepsTemplates) and bool(live.opened.config.get("waba_id"))


async def fetch(request: Request) -> Response:
    """Ask the network for all of them."""
    row = await channel_of(request)
    count = await message_templates.fetch(request.state.rt, row.id)
    return redirect(request, to_list(request, row.id), done=_("{n} templates fetched.").format(n=count))


# ---- one template ----------------------------------------------------------------------------------------------------


async def show(request: Request) -> Response:
    """How it stands, as on the phone, and its form where it may be changed."""
    row = await template_of(request)
    values = await template_values(request, row)
    topics = (f"templates-{row.channel_id}",)
    return await page(request, "message_templates/show.html", topics=topics, error="", errors={}, **values)


async def state(request: Request) -> Response:
    """How it stands, when something about it is told; the whole page where its form belongs there now."""
    row = await template_of(request)
    values = await template_values(request, row)
    if values["changeable"] and "fixed" in request.query_params:
        return redirect(request, to_template(request, row.id))
    return await fragment(request, "message_templates/_state.html", version=repr(row), **values)


async def template_values(request: Request, row: Row, fields: Fields | None = None) -> dict[str, Any]:
    parts = message_templates.parts_of(row)
    fillable = slots(parts)
    values = form_values(fields or template_form.shown(message_templates.draft_of(row), parts))
    if not changeable(row, parts):
        values |= preview(filled(parts, {slot.key: slot.example for slot in fillable}))
    return {
        "row": row,
        "channel": await channel_row(request, row.channel_id),
        "slots": fillable,
        "changeable": changeable(row, parts),
        "words": words,
        "tone": tone,
        **values,
    }


def changeable(row: Row, parts: Parts) -> bool:
    """Whether the form takes it: its review is over, and it holds nothing that the form does not know."""
    open_now = row.status == message_templates.DRAFT or row.status in message_templates.EDITABLE
    return open_now and not (parts.others or parts.cards) and row.category != "AUTHENTICATION"


def form_values(fields: Fields) -> dict[str, Any]:
    """The form, and its preview with the examples filled in."""
    parts = read(template_form.draft(fields).components)
    examples = {**{f"body.{name}": value for name, value in fields.examples.items()}, "header": fields.header_example}
    return {
        "fields": fields,
        "categories": [(code, _(label)) for code, label in template_form.CATEGORIES],
        "headers": [(code, _(label)) for code, label in template_form.HEADERS],
        "kinds": [(code, _(label)) for code, label in template_form.BUTTONS],
        "files": FILES,
        **preview(filled(parts, examples)),
    }


async def new(request: Request) -> Response:
    row = await channel_of(request)
    settings = request.state.settings
    fields = Fields(language=settings["language"].replace("-", "_"))
    values = {"channel": row, "row": None, "words": words, "tone": tone, **form_values(fields)}
    return await page(request, "message_templates/show.html", error="", errors={}, **values)


async def draw(request: Request) -> Response:
    """The preview while somebody types, with a field for each variable's example."""
    given = fields_of(await form(request))
    return await fragment(request, "message_templates/_draft.html", errors={}, **form_values(given))


async def create(request: Request) -> Response:
    """A draft, or with `submit` at once for review."""
    rt: Runtime = request.state.rt
    row = await channel_of(request)
    data = await form(request)
    fields = fields_of(data)
    try:
        fields = await with_sample(rt, row.id, data, fields)
        template_id = await message_templates.create(rt, row.id, template_form.draft(fields))
    except (Invalid, Conflict) as error:
        values = {"channel": row, "row": None, "words": words, "tone": tone, **form_values(fields)}
        return await refused(request, "message_templates/show.html", error, **values)
    finally:
        await data.data.close()
    return await finished(request, template_id, data)


async def change(request: Request) -> Response:
    rt: Runtime = request.state.rt
    row = await template_of(request)
    data = await form(request)
    fields = fields_of(data)
    if row.status != message_templates.DRAFT:
        fields = msgspec.structs.replace(fields, name=row.name, language=row.language)
    try:
        fields = await with_sample(rt, row.channel_id, data, fields)
        await message_templates.change(rt, row.id, template_form.draft(fields))
    except (Invalid, Conflict) as error:
        return await refused(
            request, "message_templates/show.html", error, **await template_values(request, row, fields)
        )
    finally:
        await data.data.close()
    if row.status != message_templates.DRAFT:
        done = _("Handed in again. The network reviews the new text.")
        return redirect(request, to_template(request, row.id), done=done)
    return await finished(request, row.id, data)


async def finished(request: Request, template_id: int, data: Form) -> Response:
    """On to the template, submitted if that was asked for."""
    if not data.on("submit"):
        return redirect(request, to_template(request, template_id), done=_("Saved as a draft."))
    row = await message_templates.get(request.state.rt.db.reader, template_id)
    try:
        await message_templates.submit(request.state.rt, template_id)
    except (Invalid, Conflict) as error:
        return await refused(request, "message_templates/show.html", error, **await template_values(request, row))
    return redirect(request, to_template(request, template_id), done=_("Submitted. The review may take a day."))


async def delete(request: Request) -> Response:
    row = await template_of(request)
    await message_templates.delete(request.state.rt, row.id)
    done = _("“{name}” is deleted.").format(name=row.name)
    return redirect(request, to_list(request, row.channel_id), done=done)


# ---- reading ---------------------------------------------------------------------------------------------------------


def fields_of(data: Form) -> Fields:
    return template_form.read({name: data.text(name, limit=4_000) for name in data.data if name != "csrf"})


async def with_sample(rt: "Runtime", channel_id: int, data: Form, fields: Fields) -> Fields:
    """An example for the header's file goes to the network at once, which gives a handle to name it by."""
    upload = data.file("file")
    if upload is None or fields.header_kind not in FILES:
        return fields
    _live, session = message_templates.keeper(rt, channel_id)
    mime = sniff(await upload.read(16))
    wanted = {"IMAGE": ("image/jpeg", "image/png"), "VIDEO": ("video/mp4",), "DOCUMENT": ("application/pdf",)}
    if mime not in wanted[fields.header_kind] or (upload.size or 0) > SAMPLE:
        said = _("An example is a file of type {types} of at most 16 MB.").format(
            types=", ".join(wanted[fields.header_kind])
        )
        raise Invalid(said, fields={"header": said})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample"
        await anyio.to_thread.run_sync(copy, upload, path)
        try:
            handle = await session.sample(path, mime, (upload.filename or "sample")[:100])
        except SendFailed as failure:
            raise message_templates.refusal(failure) from failure
    return msgspec.structs.replace(fields, sample=handle)


def copy(upload: UploadFile, path: Path) -> None:
    upload.file.seek(0)
    with path.open("wb") as file:
        while piece := upload.file.read(256 * 1024):
            file.write(piece)


async def channel_row(request: Request, channel_id: int) -> ChannelRow:
    rt: Runtime = request.state.rt
    row = await rt.db.reader.one(channel_rows.BY_ID, id=channel_id)
    if row is None:
        raise NotFound(_("There is no such channel. It may have been removed."))
    return row


async def channel_of(request: Request) -> ChannelRow:
    """Raises `NotFound`, also for a network without templates."""
    rt: Runtime = request.state.rt
    row = await channel_row(request, request.path_params["id"])
    live = rt.channels.by_id.get(row.id)
    if live is None or not isinstance(live.session, KeepsTemplates):
        raise NotFound(_("This network has no templates."))
    return row


async def template_of(request: Request) -> Row:
    return await message_templates.get(request.state.rt.db.reader, request.path_params["id"])


def to_list(request: Request, channel_id: int) -> str:
    return str(request.app.url_path_for("templates", id=channel_id))


def to_template(request: Request, template_id: int) -> str:
    return str(request.app.url_path_for("templates.show", id=template_id))
