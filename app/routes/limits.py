"""Which channels a person, a team or an API key sees, in Settings."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import teams, within
from app.errors import Invalid, NotFound
from app.i18n import _
from app.models import ChannelRow
from app.routes.respond import Form, form, page, redirect, refused
from app.said import N_
from app.store import channels, tokens, users

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE = "settings/limits.html"


async def show(request: Request) -> Response:
    return await page(request, PAGE, **await values(request))


async def values(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    id = request.path_params["id"]
    kind, name = await holder(rt, id)
    seen = (await within.everybodys(rt.db.reader)).get(id)
    return {
        "id": id, "kind": kind, "name": name, "seen": seen, "channels": await choosable(rt), "error": "", "errors": {}
    }  # fmt: skip


async def choosable(rt: "Runtime") -> list[ChannelRow]:
    """The channels of which somebody may see some only."""
    return [row for row in await rt.db.reader.all(channels.ALL) if row.connector != "simulator"]


async def chosen(rt: "Runtime", fields: Form) -> within.Channels:
    """What was ticked: None for every channel. Raises `NotFound`."""
    only = fields.text("which", limit=10) == "some"
    return await within.named(rt, fields.many("channels")) if only else None


async def holder(rt: "Runtime", id: int) -> tuple[str, str]:
    """What this id names, and its name. Raises NotFound."""
    user = await rt.db.reader.one(users.BY_ID, id=id)
    if user is not None:
        return "person", user.name
    team = next((team for team in await teams.list_all(rt) if team.id == id), None)
    if team is not None:
        return "team", team.name
    key = await rt.db.reader.one(tokens.KEY, id=id)
    if key is None:
        raise NotFound(N_("There is no such thing."))
    return "key", key.name


async def save(request: Request) -> Response:
    rt: Runtime = request.state.rt
    id, fields = request.path_params["id"], await form(request)
    kind, _name = await holder(rt, id)
    wanted = await chosen(rt, fields)
    try:
        if kind == "person":
            await within.limit_user(rt, id, wanted, request.state.user)
        else:
            await (within.limit_team if kind == "team" else within.limit_key)(rt, id, wanted)
    except Invalid as error:
        return await refused(request, PAGE, error, **await values(request))
    back = {"person": "settings", "team": "teams", "key": "settings"}[kind]
    return redirect(request, request.app.url_path_for(back), done=_("Saved."))
