"""First start: an owner through the one-time link, then the business and a bot that already works."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app import users as people
from app.db import Tx
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _
from app.routes import respond
from app.routes.login import with_session
from app.security import sessions

if TYPE_CHECKING:
    from app.runtime import Runtime

GONE = "This set-up link does not work: it was used, is older than 30 minutes, or belongs to an earlier start."


async def show(request: Request) -> Response:
    token = request.query_params.get("token", "")
    check_token(request, token)
    return await respond.page(request, "setup.html", token=token, name="", email="", error="", errors={})


async def create(request: Request) -> Response:
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    token = fields.text("token", limit=100)
    check_token(request, token)
    values = {"name": fields.text("name", limit=200), "email": fields.text("email", limit=300)}
    try:
        user_id = await people.create_owner(rt, password=fields.text("password", strip=False), **values)
    except Invalid as error:
        return await respond.refused(request, "setup.html", error, token=token, **values)
    except Conflict:
        request.app.state.setup.use_up()
        raise NotFound(_(GONE)) from None
    request.app.state.setup.use_up()
    session = await rt.db.write(begin, user_id, request.headers.get("user-agent", ""), request.state.origin.ip)
    return with_session(request, respond.redirect(request, "/"), session)


def begin(tx: Tx, user_id: int, agent: str, ip: str) -> str:
    return sessions.begin(tx, user_id, agent=agent, ip=ip)


def check_token(request: Request, token: str) -> None:
    if not request.app.state.setup.fits(token):
        raise NotFound(_(GONE))
