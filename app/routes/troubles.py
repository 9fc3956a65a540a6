"""Errors of Parley itself in groups: pages for admins."""

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from app import troubles
from app.errors import NotFound
from app.i18n import _
from app.routes.respond import form, page, redirect
from app.store import error_groups

if TYPE_CHECKING:
    from app.runtime import Runtime

ROWS: Final = 100


async def index(request: Request) -> Response:
    rt: Runtime = request.state.rt
    state = request.query_params.get("state", "")
    state = state if state in troubles.STATES else "open"
    await rt.troubles.write(rt.db)
    groups = await rt.db.reader.all(error_groups.LIST, state=state, limit=ROWS)
    return await page(request, "settings/errors.html", groups=groups, state=state, states=state_names())


async def show(request: Request) -> Response:
    found = await request.state.rt.db.reader.one(error_groups.ONE, id=request.path_params["id"])
    if found is None:
        raise NotFound(_("There is no such group of errors."))
    return await page(request, "settings/error.html", group=found, states=state_names())


async def mark(request: Request) -> Response:
    state = (await form(request)).text("state", limit=20)
    await troubles.mark(request.state.rt.db, request.path_params["id"], state)
    return redirect(request, str(request.app.url_path_for("errors")), done=_("Noted."))


def state_names() -> dict[str, str]:
    return {"open": _("Open"), "resolved": _("Resolved"), "ignored": _("Ignored")}
