"""What came while a channel was away: the list on its page, and what somebody decides about it."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import away
from app.i18n import ngettext
from app.models import ChannelRow
from app.routes import faces, kinds
from app.routes.linking import address, read_row
from app.routes.respond import form, fragment, is_htmx, redirect
from app.store import away as store

if TYPE_CHECKING:
    from app.runtime import Runtime


async def show(request: Request) -> Response:
    found = await values(request, await read_row(request))
    return await fragment(request, "channels/_away.html", version=repr((found["away"], found["away_count"])), **found)


async def decide(request: Request) -> Response:
    """For one conversation, or for all that are listed."""
    rt: Runtime = request.state.rt
    row = await read_row(request)
    fields = await form(request)
    count = await away.decide(rt, row.id, fields.required("decision", limit=20), fields.number("conversation"))
    if is_htmx(request):
        return await fragment(request, "channels/_away.html", **await values(request, row))
    done = ngettext("{n} conversation was decided.", "{n} conversations were decided.", count).format(n=count)
    return redirect(request, address(request, row.id), done=done)


async def values(request: Request, row: ChannelRow) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    left = {one.channel_id: one for one in await rt.db.read(store.list_left)}
    return {
        "channel": row,
        "away": await rt.db.read(store.list_chats, row.id),
        "away_count": left[row.id].conversations if row.id in left else 0,
        "faces": faces,
        "kinds": kinds,
    }
