"""Answering with more than words: a file, a template with its values, or buttons; the composer's other faces."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app import handoff, media, message_templates
from app.content import AnyMedia, Audio, Buttons, Choice, Document, Image, Sticker, Template, Video
from app.errors import Conflict, Invalid, NotFound
from app.files import Kept
from app.i18n import _, fmt
from app.looking import FALLBACK, sniff
from app.routes import inbox
from app.routes import media as media_names
from app.routes.message_templates import copy, preview
from app.routes.respond import Form, form, fragment, page, redirect, refused
from app.store import message_templates as store
from app.store.threads import Head
from app.template import FILES, Parts, filled, sending, slots, wrong

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

MOST: Final = 200  # templates to choose from
KINDS: Final[dict[str, type[AnyMedia]]] = {
    "image": Image,
    "video": Video,
    "audio": Audio,
    "document": Document,
    "sticker": Sticker,
}
# What the first bytes do not tell: documents that are archives, and plain text.
BY_NAME: Final = {
    "txt": "text/plain", "doc": "application/msword", "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}  # fmt: skip


# ---- pages -----------------------------------------------------------------------------------------------------------


async def attach(request: Request) -> Response:
    """A form for a file."""
    return await drawn(request, "inbox/file.html", await file_values(request, await inbox.read_head(request)))


async def pick(request: Request) -> Response:
    """Which template; those that can be sent now, the person's language first."""
    head = await inbox.read_head(request)
    return await drawn(request, "inbox/templates.html", await pick_values(request, head))


async def fill(request: Request) -> Response:
    """The values of one template, with how it will read."""
    head = await inbox.read_head(request)
    row = await template_of(request, head)
    return await drawn(request, "inbox/template.html", fill_values(request, head, row, {}))


async def draw(request: Request) -> Response:
    """The preview while somebody types."""
    head = await inbox.read_head(request)
    row = await template_of(request, head)
    parts = message_templates.parts_of(row)
    shown = filled(parts, values_of(await form(request), parts))
    return await fragment(request, "inbox/_template_preview.html", head=head, row=row, **preview(shown))


async def buttons(request: Request) -> Response:
    """A form for a text with buttons."""
    head = await inbox.read_head(request)
    return await drawn(request, "inbox/buttons.html", button_values(request, head, "", []))


async def drawn(request: Request, template: str, values: dict[str, Any]) -> Response:
    return await page(request, template, **(values | {"error": "", "errors": {}}))


async def file_values(request: Request, head: Head) -> dict[str, Any]:
    values = await inbox.composer_values(request, head)
    can = inbox.capabilities_of(head.connector)
    kinds = {kind: max(sizes.values()) for kind, sizes in can.media.items() if sizes}
    accepted = sorted({mime for kind, sizes in can.media.items() for mime in sizes})
    listed = [(name_of(kind), fmt.size(most)) for kind, most in kinds.items() if kind != "sticker"]
    return values | {"accepted": ",".join(accepted), "limits_by_kind": listed, "caption": ""}


def name_of(kind: str) -> str:
    return {
        "image": _("Pictures"), "video": _("Videos"), "audio": _("Sound"), "document": _("Documents"),
    }.get(kind, kind)  # fmt: skip


async def pick_values(request: Request, head: Head) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    rows = await rt.db.reader.all(store.USABLE, channel_id=head.channel_id, limit=MOST)
    language = head.contact_language.replace("-", "_").split("_")[0]
    usual = [row for row in rows if row.category != "AUTHENTICATION"]
    ordered = sorted(usual, key=lambda row: (bool(language) and row.language.split("_")[0] != language, row.name))
    found = [(row, message_templates.parts_of(row)) for row in ordered]
    fetched = await rt.db.reader.one(store.FETCHED_AT, channel_id=head.channel_id)
    return {**inbox.head_values(request, head), "found": found, "fetched_at": fetched}


def fill_values(request: Request, head: Head, row: store.Row, given: dict[str, str]) -> dict[str, Any]:
    parts = message_templates.parts_of(row)
    first = {"first_name": head.name.split(" ", 1)[0], "name": head.name}
    guessed = {f"body.{name}": value for name, value in first.items()}
    values = {slot.key: given.get(slot.key, guessed.get(slot.key, "")) for slot in slots(parts)}
    shown = preview(filled(parts, values))
    return {**inbox.head_values(request, head), "row": row, "slots": slots(parts), "values": values, **shown}


def button_values(request: Request, head: Head, text: str, titles: list[str]) -> dict[str, Any]:
    can = inbox.capabilities_of(head.connector)
    titles = [*titles, *[""] * (can.buttons - len(titles))][: max(can.buttons, 1)]
    return {**inbox.head_values(request, head), "text": text, "titles": titles, "title_length": can.button_title}


# ---- sending ---------------------------------------------------------------------------------------------------------


async def send_file(request: Request) -> Response:
    """A file with a caption. What is too big or of the wrong type is refused before it is stored."""
    rt: Runtime = request.state.rt
    head = await inbox.read_head(request)
    data = await form(request)
    caption = data.text("caption", limit=4_000)
    upload = data.file("file")
    try:
        if upload is None:
            raise Invalid(_("Choose a file."), fields={"file": _("Choose a file.")})
        said, kept = await file_content(rt, head, upload, caption)
        user: User = request.state.user
        await handoff.reply(rt, head.id, said, user.id, kept)
    except (Invalid, Conflict) as error:
        values = await file_values(request, head) | {"caption": caption}
        return await again(request, "inbox/file.html", error, values)
    finally:
        await data.data.close()
    return sent(request, head)


async def file_content(rt: "Runtime", head: Head, upload: UploadFile, caption: str) -> tuple[AnyMedia, Kept]:
    """The content to send and where its bytes are kept. Raises `Invalid`."""
    head_bytes = await upload.read(16)
    filename = media_names.download_name(upload.filename or "", 0, FALLBACK)
    mime = mime_of(head_bytes, filename)
    kinds = inbox.capabilities_of(head.connector).media
    kind = next((kind for kind, sizes in kinds.items() if mime in sizes), "")
    if not kind:
        raise unfit(_("This network takes no files of this type."))
    size = upload.size or 0
    if not 0 < size <= kinds[kind][mime]:
        raise unfit(
            _("The file has {size}; at most {most} go.").format(size=fmt.size(size), most=fmt.size(kinds[kind][mime]))
        )
    values: dict[str, Any] = {"mime": mime, "size": size}
    if kind in ("image", "video", "document"):
        values["caption"] = caption
    elif caption:
        raise unfit(_("A file of this kind has no caption."), "caption")
    if kind == "document":
        values["filename"] = filename
    if rt.media.free() < media.DISK_RESERVE:
        raise Conflict(_("The disk is nearly full, so no file can be kept."))
    sha256 = await keep(rt, upload)
    return KINDS[kind](**values), Kept(sha256, size, mime, filename)


def unfit(said: str, field: str = "file") -> Invalid:
    return Invalid(said, fields={field: said})


def mime_of(start: bytes, filename: str) -> str:
    """By the first bytes; where they do not tell, by the name, as far as documents go."""
    found = sniff(start)
    ending = filename.rpartition(".")[2].lower()
    return BY_NAME.get(ending, found) if found == FALLBACK else found


async def keep(rt: "Runtime", upload: UploadFile) -> str:
    """Its bytes in the store, under their hash."""
    with tempfile.NamedTemporaryFile(dir=rt.media.folder / "part", delete=False) as part:
        path = Path(part.name)
    try:
        await anyio.to_thread.run_sync(copy, upload, path)
        return await rt.media.take_file(path)
    finally:
        path.unlink(missing_ok=True)


async def send_template(request: Request) -> Response:
    """An approved template with its values. What Meta would refuse is refused here, by its field."""
    rt: Runtime = request.state.rt
    head = await inbox.read_head(request)
    row = await template_of(request, head)
    parts = message_templates.parts_of(row)
    data = await form(request)
    values = values_of(data, parts)
    try:
        file, kept = await header_file(rt, head, data, parts)
        problems = wrong(parts, values | ({"header": "file"} if file else {}))
        if problems:
            raise Invalid(_("Something is missing."), fields=problems)
        components = sending(parts, values | ({"header": ""} if file else {}))
        above = file if isinstance(file, Image | Video | Document) else None
        said = await message_templates.fitting(
            rt.db.reader, head.channel_id, Template(row.name, row.language, components, file=above)
        )
        user: User = request.state.user
        await handoff.reply(rt, head.id, said, user.id, kept)
    except (Invalid, Conflict) as error:
        return await again(request, "inbox/template.html", error, fill_values(request, head, row, values))
    finally:
        await data.data.close()
    return sent(request, head)


async def header_file(rt: "Runtime", head: Head, data: Form, parts: Parts) -> tuple[AnyMedia | None, Kept | None]:
    """The file that was chosen for the header, if one was."""
    upload = data.file("file")
    if upload is None or parts.header_kind not in FILES:
        return None, None
    file, kept = await file_content(rt, head, upload, "")
    if str(file.__struct_config__.tag).upper() != parts.header_kind:
        raise unfit(_("The header takes a file of another kind."), "header")
    return file, kept


async def send_buttons(request: Request) -> Response:
    """A text with buttons, whose titles are what is heard when one is pressed."""
    rt: Runtime = request.state.rt
    head = await inbox.read_head(request)
    data = await form(request)
    text, titles = data.text("text", limit=4_000), [title.strip() for title in data.many("title") if title.strip()]
    try:
        if not text or not titles:
            raise Invalid(_("A message with buttons has a text and at least one button."))
        said = Buttons(text, tuple(Choice(title, title) for title in titles))
        user: User = request.state.user
        await handoff.reply(rt, head.id, said, user.id)
    except (Invalid, Conflict) as error:
        return await again(request, "inbox/buttons.html", error, button_values(request, head, text, titles))
    return sent(request, head)


def values_of(data: Form, parts: Parts) -> dict[str, str]:
    return {slot.key: data.text(f"value.{slot.key}", limit=4_000) for slot in slots(parts)}


async def template_of(request: Request, head: Head) -> store.Row:
    """Raises `NotFound` for a template of another channel."""
    rt: Runtime = request.state.rt
    row = await rt.db.reader.one(store.BY_ID, id=request.path_params["template"])
    if row is None or row.channel_id != head.channel_id:
        raise NotFound(_("There is no such template. It may have been deleted."))
    return row


async def again(request: Request, template: str, error: Invalid | Conflict, values: dict[str, Any]) -> Response:
    values.pop("error", None), values.pop("errors", None)
    return await refused(request, template, error, **values)


def sent(request: Request, head: Head) -> Response:
    return redirect(request, inbox.address(request, head.id), done=_("On its way."))
