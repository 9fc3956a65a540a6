"""API keys on the settings page: making one, which is shown once, and deleting it."""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app import tokens
from app.audit import entry, logged
from app.errors import Invalid
from app.i18n import _
from app.routes import limits
from app.routes.respond import Form, form, page, redirect, refused
from app.security import access

if TYPE_CHECKING:
    from app.runtime import Runtime

PAGE: Final = "settings/key.html"
MOST: Final = 100  # shown in the list; `GET /api/v1/tokens` has them all
DAYS: Final = (30, 90, 365, 0)


async def new(request: Request) -> Response:
    given = {"name": "", "scopes": ["read"], "days": "365", "rate": "", "seen": None}
    return await page(request, PAGE, **await choices(request), given=given, made=None, error="", errors={})


async def choices(request: Request) -> dict[str, Any]:
    """What this person can give: at most what they may do themselves."""
    words = {
        "read": _("Look at everything"),
        "send": _("Send messages, take over, give back, close"),
        "manage": _("Change bots and channels"),
        "admin": _("People, settings, webhooks and API keys"),
    }
    within = access.scopes_for(request.state.user.role)
    lasts = [(str(days), _("{n} days").format(n=days) if days else _("Until it is deleted")) for days in DAYS]
    base = f"{request.state.origin.scheme}://{request.state.origin.host}"
    channels = await limits.choosable(request.state.rt)
    given = {"base": base, "channels": channels, "lasts": lasts}
    return given | {"scopes": [(name, words[name]) for name in access.SCOPES if name in within]}


async def create(request: Request) -> Response:
    """The page with the key, which nobody can look up again."""
    rt: Runtime = request.state.rt
    fields = await form(request)
    given: dict[str, Any] = {
        "name": fields.text("name", limit=300),
        "scopes": fields.many("scopes"),
        "days": fields.text("days", limit=20),
        "rate": fields.text("rate", limit=20),
        "seen": await limits.chosen(rt, fields),
    }
    user = request.state.user
    try:
        made = await tokens.create(
            rt, name=given["name"], scopes=given["scopes"], days=fields.number("days"), rate=rate_of(fields),
            within=access.scopes_for(user.role), user_id=user.id, channels=given["seen"],
        )  # fmt: skip
    except Invalid as error:
        return await refused(request, PAGE, error, **await choices(request), given=given, made=None)
    return await page(request, PAGE, **await choices(request), given=given, made=made, error="", errors={})


def rate_of(fields: Form) -> float | None:
    """Requests a second; nothing is as everybody. Raises `Invalid`."""
    text = fields.text("rate", limit=20)
    if not text:
        return None
    number = fields.number("rate")
    if number is None:
        said = _("The rate is a number of requests a second; 0 is unlimited.")
        raise Invalid(said, fields={"rate": said})
    return float(number)


async def delete(request: Request) -> Response:
    key_id = request.path_params["id"]
    await request.state.rt.db.write(logged, entry("token.deleted", key_id), tokens.delete_key, key_id)
    done = _("The key was deleted. It opens nothing any more.")
    return redirect(request, f"{request.app.url_path_for('settings')}#keys", done=done)
