"""Linking a phone to a channel: its QR code, the code to type instead, and ending the link."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import linking, qr
from app.connectors.abilities import Linking
from app.connectors.states import SENTENCES
from app.errors import Conflict, NotFound
from app.i18n import _
from app.models import ChannelRow
from app.routes import faces, states
from app.routes.respond import form, fragment, redirect
from app.store import channels as channel_rows

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime


async def show(request: Request) -> Response:
    """How linking stands, refreshed as codes come and go."""
    row = await read_row(request)
    return await fragment(request, "channels/_linking.html", **values(request, row))


async def link(request: Request) -> Response:
    """Show codes again, or ask for one to be typed on the phone."""
    rt: Runtime = request.state.rt
    row = await read_row(request)
    how = (await form(request)).text("how", limit=10)
    try:
        if how == "code":
            await linking.ask_code(rt.channels, row.id)
        else:
            await linking.link(rt.channels, row.id)
    except Conflict as refused:
        return redirect(request, address(request, row.id), done=str(refused.said))
    return redirect(request, address(request, row.id))


async def unlink(request: Request) -> Response:
    rt: Runtime = request.state.rt
    row = await read_row(request)
    await linking.unlink(rt.channels, row.id)
    return redirect(request, address(request, row.id), done=_("The phone is not linked any more."))


def values(request: Request, row: ChannelRow) -> dict[str, Any]:
    """What the part of the page shows that links. A code is on a page only while it can be used."""
    rt: Runtime = request.state.rt
    live = rt.channels.by_id.get(row.id)
    found = linking.shown(rt.channels, row.id) or Linking()
    return {
        "channel": row,
        "linked": states.is_linked(row.connector),
        "link": found,
        "drawing": qr.draw(found.qr) if found.qr else None,
        "link_state": live.state.state.value if live else row.state,
        "link_ended": live is None or live.ended,
        "look": states.shown(stand(row, live)),
        "note": _(SENTENCES[found.note]) if found.note else "",
        "faces": faces,
    }


def stand(row: ChannelRow, live: "Live | None") -> states.Stood:
    """As it is now: what is written of it may be a moment older."""
    now = live.state if live and row.halted_at is None else None
    return states.Stood(
        row.connector,
        now.state.value if now else row.state,
        now.code if now else row.state_code,
        now.detail if now else row.state_detail,
        row.halted_at,
        row.verified_at,
        row.heard_at,
    )


async def read_row(request: Request) -> ChannelRow:
    rt: Runtime = request.state.rt
    row = await rt.db.reader.one(channel_rows.BY_ID, id=request.path_params["id"])
    if row is None:
        raise NotFound(_("There is no such channel. It may have been removed."))
    return row


def address(request: Request, channel_id: int) -> str:
    return str(request.app.url_path_for("channels.show", id=channel_id))
