"""Adding a channel: which network, its first steps, and on to the steps that are left."""

import secrets
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import bots, connecting
from app.configuring import fold
from app.connectors import CONNECTORS
from app.connectors.base import Connector
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _
from app.routes import faces, states
from app.routes.channels import GUIDES, address, read_settings
from app.routes.respond import form, page, redirect, refused
from app.security.permissions import Action, may
from app.store import channel_pages
from app.store import channels as channel_rows

if TYPE_CHECKING:
    from app.runtime import Runtime


async def kinds(request: Request) -> Response:
    """Which network; where there is only one, straight on to it."""
    found = [connector for connector in CONNECTORS.values() if connector.settings]
    if len(found) == 1:
        return redirect(request, str(request.app.url_path_for("channels.connect", kind=found[0].kind)))
    return await page(request, "channels/kinds.html", kinds=found, faces=faces)


async def new(request: Request) -> Response:
    """The first steps: make an app at the network, paste what it gives."""
    connector = connector_of(request)
    values = {"verify_token": secrets.token_urlsafe(16)}
    shown = await new_values(request, connector, await free_name(request.state.rt, connector), values)
    return await page(request, form_of(connector), **shown, error="", errors={})


async def create(request: Request) -> Response:
    """A new channel, connected at once; on to the steps that are left."""
    rt: Runtime = request.state.rt
    connector = connector_of(request)
    fields = await form(request)
    name, given = fields.text("name", limit=200), read_settings(connector, fields)
    version_id = fields.number("version") if may(request.state.user, Action.BUILD) else None
    if version_id:
        await rt.versions.load(version_id)  # before anything is made
    try:
        channel_id = await connecting.add(rt.channels, connector.kind, name, given)
    except (Invalid, Conflict) as error:
        shown = {key: value for key, value in given.items() if not is_secret(connector, key) or key == "verify_token"}
        wrong = Invalid(error.said, fields=error.fields)
        return await refused(
            request, form_of(connector), wrong, **await new_values(request, connector, name, shown, version_id)
        )
    if version_id:
        await bots.roll_back(rt, channel_id, version_id, request.state.user)
    linked = states.is_linked(connector.kind)
    done = _("The channel is there. Link the phone.") if linked else _("The channel is there. A few steps are left.")
    return redirect(request, address(request, channel_id), done=done)


def form_of(connector: Connector) -> str:
    return "channels/new_linked.html" if states.is_linked(connector.kind) else "channels/new.html"


async def new_values(
    request: Request, connector: Connector, name: str, values: dict[str, str], version_id: int | None = None
) -> dict[str, Any]:
    """What the form shows. Where there is one bot, it is chosen beforehand: whoever made it wants it to answer."""
    answerers = await request.state.rt.db.read(channel_pages.list_answerers)
    only = answerers[0].version_id if len(answerers) == 1 else 0
    chosen = only if version_id is None else version_id
    versions = [(str(one.version_id), one.bot) for one in answerers]
    shown = {"connector": connector, "guide": GUIDES.get(connector.kind), "name": name, "values": values}
    return shown | {"versions": versions, "version": str(chosen), "faces": faces}


async def free_name(rt: "Runtime", connector: Connector) -> str:
    """What a first channel of a network is called; nothing if that is taken."""
    name = connector.label.split(" ", 1)[0]
    return "" if await rt.db.reader.one(channel_rows.NAME_OWNER, name=fold(name)) else name


def connector_of(request: Request) -> Connector:
    connector = CONNECTORS.get(request.path_params["kind"])
    if connector is None or not connector.settings:
        raise NotFound(_("There is no such connector."))
    return connector


def is_secret(connector: Connector, name: str) -> bool:
    return any(setting.name == name and setting.secret for setting in connector.settings)
