"""One's own account: how the dashboard speaks and looks, the password, the open sessions."""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app import i18n, second_factor
from app import users as people
from app.audit import entry, logged
from app.errors import Invalid, NotFound
from app.i18n import _
from app.routes import respond
from app.routes.guard import settings_of
from app.security import sessions
from app.store import users

if TYPE_CHECKING:
    from app.runtime import Runtime


# What each calls itself; the first that is found counts, because later ones are named by others too.
BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


async def show(request: Request) -> Response:
    return await respond.page(request, "account.html", **await values(request))


async def values(request: Request) -> dict[str, Any]:
    rt: Runtime = request.state.rt
    logins = await rt.db.reader.all(users.LOGINS, user_id=request.state.user.id, now=rt.clock.now())
    return {
        "logins": [(login, browser(login.agent)) for login in logins],
        "two_step": await second_factor.standing(rt, request.state.user.id),
        "this": request.state.session.login.id_hash,
        "languages": i18n.language_names(),
        "zones": i18n.zone_names(),
        "errors": {},
        "error": "",
    }


def browser(agent: str) -> str:
    """A browser as people call it, from what it says of itself; what is not known is shown as it is."""
    found = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if not found:
        return agent
    return _("{browser} on {system}").format(browser=found, system=system) if system else found


async def update(request: Request) -> Response:
    fields = await respond.form(request)
    given = {name: fields.text(name, limit=200) for name in ("name", "language", "zone", "theme")}
    try:
        await people.change_taste(request.state.rt, request.state.user, **given)
    except Invalid as error:
        return await respond.refused(request, "account.html", error, **await values(request))
    defaults = await settings_of(request)
    i18n.speak(given["language"] or defaults["language"], given["zone"] or defaults["zone"])
    return back(request, _("Saved."))


async def set_password(request: Request) -> Response:
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    current, new = fields.text("current", strip=False), fields.text("password", strip=False)
    keep = request.state.session.login.id_hash
    try:
        await people.change_password(rt, request.state.user, current=current, new=new, keep=keep)
    except Invalid as error:
        return await respond.refused(request, "account.html", error, **await values(request))
    token = await rt.db.write(sessions.renew, request.state.session)
    response = back(request, _("Your password is changed. Every other session was logged out."))
    respond.set_cookie(response, request.app.state.cookies.header(token, request.state.origin.secure))
    return response


async def end_session(request: Request) -> Response:
    """End one session of one's own, or with `all` every other."""
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    user, this = request.state.user, request.state.session.login.id_hash
    if fields.on("all"):
        await rt.db.write(logged, entry("session.ended", user.email, "all"), sessions.end_all, user.id, this)
        return back(request, _("Every other session was logged out."))
    line = entry("session.ended", user.email)
    if not await rt.db.write(logged, line, sessions.end, user.id, fields.text("session", limit=64)):
        raise NotFound(_("That session is over already."))
    return back(request, _("The session was logged out."))


def back(request: Request, done: str) -> Response:
    return respond.redirect(request, request.app.url_path_for("account"), done=done)


async def waiting(request: Request) -> Response:
    """The number beside Inbox."""
    return await respond.fragment(request, "_waiting.html", **await respond.shell(request))
