"""First start: an owner through the one-time link, then the business and a bot that already works."""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app import bots, demo, documents, i18n
from app import users as people
from app.db import Tx
from app.errors import Conflict, Invalid, NotFound
from app.i18n import _
from app.routes import respond
from app.routes.login import with_session
from app.security import sessions
from app.store import settings as stored

if TYPE_CHECKING:
    from app.runtime import Runtime

BUSINESS: Final = "setup_business.html"
NAME: Final = 80
GONE: Final = "This set-up link does not work: it was used, is older than 30 minutes, or belongs to an earlier start."


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
    return with_session(request, respond.redirect(request, request.app.url_path_for("setup.business")), session)


async def business(request: Request) -> Response:
    return await respond.page(request, BUSINESS, **choices(), given={}, error="", errors={})


def choices() -> dict[str, Any]:
    return {"zones": i18n.zone_names(), "starters": documents.starters()}


async def save_business(request: Request) -> Response:
    """Keep what was said, make the bot and put it live; then on to the phone that talks to it."""
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    given = {name: fields.text(name, limit=500) for name in ("business", "zone", "starter", "demo")}
    try:
        await rt.db.write(stored.save_all, check_business(given))
        if given["demo"] and given["starter"]:
            await demo.fill(rt, starter=given["starter"], user_id=request.state.user.id)
            return respond.redirect(request, request.app.url_path_for("home"))
        bot_id = await make_bot(request, given["starter"])
    except (Invalid, Conflict) as error:
        return await respond.refused(request, BUSINESS, error, **choices(), given=given)
    target = request.app.url_path_for("simulator")
    return respond.redirect(request, f"{target}?bot={bot_id}" if bot_id else target)


def check_business(given: dict[str, str]) -> dict[str, str]:
    """The settings to store. Raises Invalid by field."""
    errors = {}
    name = " ".join(given["business"].split())
    if not name or len(name) > NAME:
        errors["business"] = _("Between 1 and {n} characters.").format(n=NAME)
    if given["zone"] not in i18n.zone_names():
        errors["zone"] = _("Choose one of the list.")
    if errors:
        raise Invalid(_("Something is missing."), fields=errors)
    return {"business": name, "zone": given["zone"]}


async def make_bot(request: Request, starter: str) -> int | None:
    """The chosen starter, live on every channel that has no bot; None where none was chosen."""
    if not starter:
        return None
    rt, user = request.state.rt, request.state.user
    bot_id = await bots.create_from(rt, starter, "", user)
    await bots.publish(rt, bot_id, None, "", user)
    return bot_id


def begin(tx: Tx, user_id: int, agent: str, ip: str) -> str:
    return sessions.begin(tx, user_id, agent=agent, ip=ip)


def check_token(request: Request, token: str) -> None:
    if not request.app.state.setup.fits(token):
        raise NotFound(_(GONE))
