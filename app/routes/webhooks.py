"""Webhooks on the dashboard: where events are sent, what became of each delivery, and trying it."""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import feed, webhooks
from app.audit import entry, logged
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _, tell
from app.routes.respond import Form, form, page, redirect, refused
from app.store import channels as channel_rows
from app.store import webhooks as store

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE: Final = "settings/webhook.html"
EDIT: Final = "settings/webhook_edit.html"
SHOWN: Final = 30


async def new(request: Request) -> Response:
    return await page(request, EDIT, **await choices(request), **nothing())


def nothing() -> dict[str, Any]:
    """The form before anything was typed."""
    return {"webhook": None, "given": {"url": "", "types": [], "channel": ""}, "error": "", "errors": {}}


async def choices(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    rows = [row for row in await rt.db.reader.all(channel_rows.ALL) if row.connector != "simulator"]
    channels = [("", _("All channels")), *((str(row.id), row.name) for row in rows)]
    return {"types": type_names(), "channels": channels, "outbound_allow": rt.settings.outbound_allow}


def type_names() -> list[tuple[str, str]]:
    """The kinds of events, in words."""
    words = {
        "message.created": _("A message came or was written"),
        "message.updated": _("A message was sent, delivered, read or failed, or its file was fetched"),
        "conversation.updated": _("A conversation was taken, given back, closed or waits for a person"),
        "template.updated": _("A template was reviewed, changed or rated"),
        "channel.updated": _("A channel works, stopped or was changed"),
        "bot.updated": _("A bot was changed or published"),
    }
    return [(name, words.get(name, name)) for name in sorted(feed.TYPES, key=list(words).index)]


async def typed(request: Request) -> tuple[dict[str, Any], int | None]:
    """What was typed, and the channel's id. Raises `NotFound` for a channel that was removed meanwhile."""
    fields: Form = await form(request)
    given = {
        "url": fields.text("url", limit=2000),
        "types": fields.many("types"),
        "channel": fields.text("channel", limit=20),
    }
    channel = fields.number("channel")
    return given, None if channel is None else request.state.rt.channels.get(channel).row.id


async def create(request: Request) -> Response:
    """The webhook's page with its secret, which nobody can look up again."""
    rt: Runtime = request.state.rt
    given, channel = await typed(request)
    try:
        made, secret = await rt.webhooks.create(given["url"], given["types"], channel, request.state.user.id)
    except (Invalid, Conflict) as error:
        return await refused(request, EDIT, error, **await choices(request), **nothing() | {"given": given})
    return await shown(request, await read(rt, made), secret=secret)


async def edit(request: Request) -> Response:
    row = await read(request.state.rt, request.path_params["id"])
    given = {"url": row.url, "types": row.types.split(), "channel": str(row.channel_id or "")}
    values = nothing() | {"webhook": row, "given": given}
    return await page(request, EDIT, **await choices(request), **values)


async def change(request: Request) -> Response:
    rt: Runtime = request.state.rt
    row = await read(rt, request.path_params["id"])
    given, channel = await typed(request)
    try:
        await rt.webhooks.change(row.id, given["url"], given["types"], channel)
    except Invalid as error:
        values = nothing() | {"webhook": row, "given": given}
        return await refused(request, EDIT, error, **await choices(request), **values)
    return to_page(request, row.id, _("Saved."))


async def show(request: Request) -> Response:
    return await shown(request, await read(request.state.rt, request.path_params["id"]))


async def shown(
    request: Request, row: store.Webhook, *, secret: str = "", tested: tuple[int, str] | None = None
) -> Response:
    """The page. `tested`: the status of a test (0: none came) and what is wrong, empty if nothing is."""
    rt: Runtime = request.state.rt
    before = request.query_params.get("before", "")
    first = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else 2**62
    found = await rt.db.reader.all(store.LIST, webhook_id=row.id, before=first, limit=SHOWN + 1)
    channel = rt.channels.by_id.get(row.channel_id or 0)
    return await page(
        request, PAGE, webhook=row, host=host_of(row), deliveries=found[:SHOWN], more=len(found) > SHOWN,
        older=bool(before), pretty=pretty, channel=channel and channel.row.name, secret=secret, tested=tested,
    )  # fmt: skip


def host_of(row: store.Webhook) -> str:
    """What people know the receiver by."""
    return urlsplit(row.url).netloc


def pretty(body: str) -> str:
    return msgspec.json.format(body, indent=2)


async def test(request: Request) -> Response:
    rt: Runtime = request.state.rt
    row = await read(rt, request.path_params["id"])
    status, said = await rt.webhooks.test(row.id)
    return await shown(request, row, tested=(status, tell(said)))


async def rotate(request: Request) -> Response:
    rt: Runtime = request.state.rt
    secret = await rt.webhooks.rotate(request.path_params["id"])
    return await shown(request, await read(rt, request.path_params["id"]), secret=secret)


async def switch(request: Request) -> Response:
    rt: Runtime = request.state.rt
    webhook_id, on = request.path_params["id"], (await form(request)).text("on", limit=5) == "yes"
    await rt.db.write(logged, entry("webhook.changed", webhook_id), webhooks.switch, webhook_id, on)
    rt.webhooks.wake()
    done = _("Switched on. What happens from now on is sent.") if on else _("Switched off. Nothing is sent any more.")
    return to_page(request, webhook_id, done)


async def replay(request: Request) -> Response:
    rt: Runtime = request.state.rt
    delivery = (await form(request)).number("delivery")
    if delivery is None:
        raise NotFound(_("There is no such delivery."))
    await rt.db.write(webhooks.replay, request.path_params["id"], delivery)
    rt.webhooks.wake()
    return to_page(request, request.path_params["id"], _("It is sent again now."))


async def delete(request: Request) -> Response:
    webhook_id = request.path_params["id"]
    await request.state.rt.db.write(logged, entry("webhook.deleted", webhook_id), webhooks.delete, webhook_id)
    return redirect(request, f"{request.app.url_path_for('settings')}#webhooks", done=_("The webhook was deleted."))


async def read(rt: "Runtime", webhook_id: int) -> store.Webhook:
    row = await rt.db.reader.one(store.BY_ID, id=webhook_id)
    if row is None:
        raise NotFound(_("There is no such webhook."))
    return row


def to_page(request: Request, webhook_id: int, done: str) -> Response:
    return redirect(request, str(request.app.url_path_for("webhooks.show", id=webhook_id)), done=done)
