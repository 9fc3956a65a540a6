"""The link of an invitation: who follows it chooses a password and is in."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app import invitations
from app.errors import Invalid
from app.i18n import _
from app.routes import respond
from app.routes.login import with_session

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE = "invitation.html"


def link(request: Request, token: str) -> str:
    """Where an invitation is accepted, at the address under which others reach this installation, if it is known."""
    origin, rt = request.state.origin, request.state.rt
    base = rt.settings.public_url or f"{origin.scheme}://{origin.host}"
    return f"{base}{request.app.url_path_for('invitation')}?token={token}"


async def show(request: Request) -> Response:
    token = request.query_params.get("token", "")
    invited = await invitations.find(request.state.rt, token)
    return await respond.page(
        request, PAGE, token=token, invited=invited, name=invited.name, error="", errors={}
    )  # fmt: skip


async def accept(request: Request) -> Response:
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    token, name = fields.text("token", limit=100), fields.text("name", limit=200)
    invited = await invitations.find(rt, token)
    try:
        session = await invitations.accept(
            rt, token, name=name, password=fields.text("password", strip=False),
            agent=request.headers.get("user-agent", ""), ip=request.state.origin.ip,
        )  # fmt: skip
    except Invalid as error:
        return await respond.refused(request, PAGE, error, token=token, invited=invited, name=name)
    home = request.app.url_path_for("home")
    return with_session(request, respond.redirect(request, home, done=_("Welcome. You are in.")), session)
