"""Versions of a bot: what differs, publishing now or at a time, rolling back, and which conversations are behind."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import bots, documents, i18n, older, planned
from app.bot.spoken import ROLES
from app.changes import Change, changes
from app.errors import Conflict, Invalid
from app.i18n import _, fmt, ngettext
from app.routes import code
from app.routes.bots import draft_values, head_values, number_of, place, read_bot
from app.routes.respond import form, page, redirect, refused
from app.store import bots as store

if TYPE_CHECKING:
    from app.runtime import Runtime

SHOWN: Final = 100  # changes that are told one by one


async def index(request: Request) -> Response:
    bot = await read_bot(request)
    db = request.state.rt.db
    values = await head_values(request, bot)
    found = await db.reader.all(store.VERSIONS, bot_id=bot.id)
    record = await db.reader.all(store.PUBLICATIONS, bot_id=bot.id)
    return await page(request, "bots/versions.html", versions=found, record=record, **values)


async def show(request: Request) -> Response:
    """One version's document."""
    bot = await read_bot(request)
    number = request.path_params["number"]
    text = await bots.text_of(request.state.rt.db.reader, bot, number)
    values = await head_values(request, bot)
    return await page(request, "bots/version.html", number=number, lines=code.document(text), **values)


async def diff(request: Request) -> Response:
    """What changed from one version to another; 0 is the draft."""
    bot = await read_bot(request)
    reader = request.state.rt.db.reader
    old, new = number_of(request, "from"), number_of(request, "to")
    before, after = await bots.text_of(reader, bot, old), await bots.text_of(reader, bot, new)
    found = await reader.all(store.VERSIONS, bot_id=bot.id)
    values = await head_values(request, bot) | {"old": old, "new": new, "versions": found}
    return await page(request, "bots/diff.html", **values | await asyncio.to_thread(compared, before, after))


class Told(msgspec.Struct, frozen=True):
    """A change as it is drawn."""

    change: Change
    lines: list[code.Line]


def compared(old: str, new: str) -> dict[str, Any]:
    """How two documents differ, for a template: by rule, and line by line."""
    found = changes(old, new)
    told = [Told(one, code.comparison(one.lines)) for one in (found or [])[:SHOWN]]
    more = max(0, len(found or []) - SHOWN)
    return {"lines": code.comparison(documents.diff(old, new)), "told": told, "more_changes": more, "roles": ROLES}


async def confirm(request: Request) -> Response:
    """Where the draft shall be live, and what changes by that."""
    return await page(request, "bots/publish.html", **await publish_values(request, await read_bot(request)))


async def publish_values(request: Request, bot: store.Bot) -> dict[str, Any]:
    db = request.state.rt.db
    newest = await bots.text_of(db.reader, bot, bot.last_number) if bot.last_number else ""
    return {
        **await draft_values(request, bot),
        **await asyncio.to_thread(compared, newest or bot.draft, bot.draft),
        "channels": await db.read(store.list_channels),
        "zone": i18n.current.get().zone,
        "note": "",
        "at": "",
        "later": False,
        "chosen": None,
        "error": "",
        "errors": {},
    }


async def publish(request: Request) -> Response:
    """The draft goes live now, or at the time that was given."""
    rt: Runtime = request.state.rt
    bot = await read_bot(request)
    fields = await form(request)
    chosen = [int(text) for text in fields.many("channel") if text.isdecimal() and len(text) < 19]
    note, at = fields.text("note", limit=5000), fields.text("at", limit=40)
    anyway, later = fields.text("anyway", limit=10) == "yes", fields.text("when", limit=10) == "later"
    try:
        if later:
            done = await plan(request, bot, chosen, note, at, anyway=anyway)
        else:
            number = await bots.publish(rt, bot.id, chosen, note, request.state.user, anyway=anyway)
            said = _("Version {n} is live.") if chosen else _("Version {n} is published. It is live nowhere yet.")
            done = said.format(n=number)
    except (Invalid, Conflict) as error:
        shown = error if isinstance(error, Invalid) else Invalid(error.said)
        given = {"note": note, "at": at, "later": later, "chosen": frozenset(chosen)}
        return await refused(request, "bots/publish.html", shown, **await publish_values(request, bot) | given)
    return redirect(request, place(request, "bots.versions", bot.id), done=done)


async def plan(request: Request, bot: store.Bot, chosen: list[int], note: str, at: str, *, anyway: bool) -> str:
    """The draft goes live at a time in the person's own zone; what to say about that."""
    rt: Runtime = request.state.rt
    moment = planned.moment(at, i18n.zone(i18n.current.get().zone), rt.clock.now())
    number = await planned.plan(rt, bot.id, chosen, note, moment, request.state.user, anyway=anyway)
    return _("Version {n} goes live on {when}.").format(n=number, when=fmt.datetime(moment))


async def cancel(request: Request) -> Response:
    """A planned version does not go live."""
    bot = await read_bot(request)
    planned_id = (await form(request)).number("planned") or 0
    await planned.cancel(request.state.rt, bot.id, planned_id)
    done = _("Cancelled. The version is kept, and can be put live by hand.")
    return redirect(request, place(request, "bots.versions", bot.id), done=done)


async def move(request: Request) -> Response:
    """Conversations on an older version leave their flow."""
    bot = await read_bot(request)
    fields = await form(request)
    channel_id, number = fields.number("channel") or 0, fields.number("version") or 0
    count = await older.move(request.state.rt, bot.id, channel_id, number)
    done = ngettext("{n} conversation left its flow.", "{n} conversations left their flows.", count).format(n=count)
    return redirect(request, place(request, "bots.versions", bot.id), done=done)


async def roll_back(request: Request) -> Response:
    """A channel goes to a version that was published before."""
    bot = await read_bot(request)
    fields = await form(request)
    channel_id, number = fields.number("channel") or 0, fields.number("version") or 0
    rt: Runtime = request.state.rt
    found = await rt.db.reader.one(store.BY_NUMBER, bot_id=bot.id, number=number)
    if found is None:
        raise Invalid(_("Choose a version and a channel."))
    await bots.roll_back(rt, channel_id, found.id, request.state.user)
    name = rt.channels.get(channel_id).row.name
    done = _("Version {n} answers on {channel} now.").format(n=number, channel=name)
    return redirect(request, place(request, "bots.versions", bot.id), done=done)
