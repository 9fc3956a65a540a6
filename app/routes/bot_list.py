"""The list of bots, and how one comes into it: from a starter, or from a file."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import bots, documents
from app.errors import Conflict, Invalid, ParleyError
from app.i18n import _, tell
from app.routes.bots import both, place, tidy
from app.routes.respond import form, fragment, page, redirect, refused
from app.store import bots as store

if TYPE_CHECKING:
    from app.runtime import Runtime


async def index(request: Request) -> Response:
    return await page(request, "bots/index.html", **await list_values(request))


async def listing(request: Request) -> Response:
    """The list itself, for the bell."""
    return await fragment(request, "bots/_list.html", **await list_values(request))


async def list_values(request: Request) -> dict[str, Any]:
    db = request.state.rt.db
    live = await db.read(store.list_channels)
    return {
        "bots": await db.read(store.list_bots),
        "live": live,
        "idle": [channel for channel in live if channel.version_id is None],
        "starters": documents.starters(),
        "error": "",
        "errors": {},
        "given": {},
        "topics": ("bots", "channels"),
    }


async def create(request: Request) -> Response:
    """A bot from a starter, under a name of its own."""
    fields = await form(request)
    name, starter = fields.text("name", limit=200), fields.text("starter", limit=80)
    try:
        bot_id = await bots.create_from(request.state.rt, starter, name, request.state.user)
    except (Invalid, Conflict) as error:
        return await again(request, error, {"name": name, "starter": starter})
    return redirect(request, place(request, "bots.show", bot_id), done=_("The bot is there. Change what it says."))


async def upload(request: Request) -> Response:
    """A file becomes a new bot, or is shown beside the draft of the bot that it names."""
    rt: Runtime = request.state.rt
    fields = await form(request)
    file = fields.file("file")
    try:
        if file is None:
            raise Invalid(_("Choose a file first."), fields={"file": _("Choose a file first.")})
        data = await file.read()
        await file.close()
        text = tidy(decode(data))
        await rt.versions.aside(check_document, text)
        name = await rt.versions.aside(documents.name_of, text)
        known = await rt.db.reader.one(store.BY_NAME, name=store.fold(name))
        if known is None:
            bot_id = await bots.create(rt, "", text, request.state.user)
            return redirect(request, place(request, "bots.show", bot_id), done=_("The bot was imported."))
    except (Invalid, Conflict) as error:
        return await again(request, error, {})
    if known.draft == text:
        return redirect(request, place(request, "bots.show", known.id), done=_("The draft is the same as the file."))
    return await both(request, known, text, imported=True)


async def again(request: Request, error: ParleyError, given: dict[str, str]) -> Response:
    """The list with what was wrong with its forms."""
    shown = error if isinstance(error, Invalid) else Invalid(error.said, fields=error.fields)
    return await refused(request, "bots/index.html", shown, **await list_values(request) | {"given": given})


def decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        sentence = _("The file is not text in UTF-8.")
        raise Invalid(sentence, fields={"file": sentence}) from None


def check_document(text: str) -> None:
    """Raises `Invalid` naming the first error: a file that cannot be read names no bot."""
    found = documents.read(text)
    if not found.name:
        first = found.problems[0]
        sentence = _("Line {line}: {message}").format(line=first.line, message=tell(documents.sentence(first)))
        raise Invalid(_("The file was not imported."), fields={"file": sentence})
