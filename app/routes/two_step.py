"""Two-step log-in: switching it on with a QR code, recovery codes, and the second page of a log-in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from app import second_factor
from app.errors import Conflict, Invalid, TooMany
from app.i18n import _, tell
from app.routes import respond
from app.routes.guard import settings_of
from app.security import sessions, totp
from app.security.redirects import safe_path
from app.store import users

if TYPE_CHECKING:
    from markupsafe import Markup

    from app.runtime import Runtime

PAGE: Final = "two_step.html"
CODE_PAGE: Final = "login_code.html"
COOKIE: Final = "parley_step"
LASTS: Final = 5 * 60_000


# ---- on one's own account -------------------------------------------------------------------------------------------


async def show(request: Request) -> Response:
    """How it stands; where it is off, a new QR code to begin with."""
    rt: Runtime = request.state.rt
    standing = await second_factor.standing(rt, request.state.user.id)
    sealed = "" if standing else second_factor.begin(rt, request.state.user)
    return await respond.page(request, PAGE, **await values(request, sealed), error="", errors={})


async def values(request: Request, sealed: str = "", codes: list[str] | None = None) -> dict[str, Any]:
    """`sealed` is the seed that is being set up; `codes` are recovery codes, shown this once."""
    rt: Runtime = request.state.rt
    user = request.state.user
    seed = second_factor.opened(rt.keys, user.id, sealed) if sealed else None
    issuer = (await settings_of(request))["business"]
    return {
        "standing": await second_factor.standing(rt, user.id),
        "sealed": sealed,
        "seed": " ".join(seed[at : at + 4] for at in range(0, len(seed), 4)) if seed else "",
        "picture": drawn(totp.address(seed, user.email, issuer)) if seed else "",
        "codes": codes or [],
    }


def drawn(text: str) -> "Markup":
    """A QR code as SVG without script or style; dark on light in both themes, because cameras want it so."""
    import segno
    from markupsafe import Markup

    code = segno.make_qr(text, error="m")
    return Markup(code.svg_inline(omitsize=True, border=4, light="#fff", svgclass=None, lineclass=None))


async def confirm(request: Request) -> Response:
    """Switch it on with the first code; the answer shows the recovery codes."""
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    sealed, code = fields.text("sealed", limit=400), fields.text("code", limit=40)
    user, this = request.state.user, request.state.session
    try:
        codes = await second_factor.confirm(rt, user, sealed, code, keep=this.login.id_hash)
    except (Invalid, TooMany) as error:
        return await respond.refused(request, PAGE, error, **await values(request, sealed))
    except Conflict:
        return back(request)
    token = await rt.db.write(sessions.renew, this)
    response = await respond.page(request, PAGE, **await values(request, codes=codes), error="", errors={})
    respond.set_cookie(response, request.app.state.cookies.header(token, request.state.origin.secure))
    return response


async def renew(request: Request) -> Response:
    """Other recovery codes in place of those before."""
    code = (await respond.form(request)).text("code", limit=40)
    try:
        codes = await second_factor.new_recovery_codes(request.state.rt, request.state.user, code)
    except (Invalid, TooMany) as error:
        return await respond.refused(request, PAGE, error, **await values(request))
    return await respond.page(request, PAGE, **await values(request, codes=codes), error="", errors={})


async def switch_off(request: Request) -> Response:
    fields = await respond.form(request)
    password, code = fields.text("off_password", strip=False), fields.text("off_code", limit=40)
    try:
        await second_factor.switch_off(
            request.state.rt, request.state.user, password=password, code=code, ip=request.state.origin.ip
        )
    except (Invalid, TooMany) as error:
        return await respond.refused(request, PAGE, error, **await values(request))
    to = request.app.url_path_for("account")
    return respond.redirect(request, to, done=_("Two-step log-in is off. Your password alone lets you in."))


def back(request: Request) -> Response:
    return respond.redirect(request, request.app.url_path_for("two_step"))


# ---- the second page of a log-in ------------------------------------------------------------------------------------


class Ticket:
    """Carried by the browser between the two pages: this user gave the right password, until then."""

    def __init__(self, keys: Callable[[], list[bytes]]) -> None:
        self._keys = keys

    @property
    def signer(self) -> Signer:
        return Signer(self._keys(), salt="two-step")

    def write(self, user: users.User, now: int) -> str:
        return self.signer.sign(f"{user.id}-{user.token_version}-{now + LASTS}").decode("ascii")

    def read(self, value: str, now: int) -> tuple[int, int] | None:
        """(user id, token version), or None where it is not ours or too old."""
        try:
            user_id, version, until = self.signer.unsign(value).decode("ascii").split("-")
        except (BadSignature, UnicodeError):
            return None
        return (int(user_id), int(version)) if now < int(until) else None


def ask(request: Request, user: users.User, target: str) -> Response:
    """The password was right: on to the page that asks for a code."""
    rt: Runtime = request.state.rt
    response = respond.redirect(request, f"{request.app.url_path_for('login.code')}?next={target}")
    ticket = request.app.state.ticket.write(user, rt.clock.now())
    secure = request.state.origin.secure
    response.set_cookie(COOKIE, ticket, max_age=LASTS // 1000, httponly=True, samesite="lax", secure=secure)
    return response


async def ask_code(request: Request) -> Response:
    if await whose(request) is None:
        return respond.redirect(request, request.app.url_path_for("login"))
    return await code_form(request, safe_path(request.query_params.get("next", "/")))


async def code_form(request: Request, target: str, *, status: int = 200, error: str = "") -> Response:
    return await respond.page(request, CODE_PAGE, status=status, target=target, error=error)


async def whose(request: Request) -> users.User | None:
    """Who gave the password a moment ago, and may still log in."""
    rt: Runtime = request.state.rt
    found = request.app.state.ticket.read(request.cookies.get(COOKIE, ""), rt.clock.now())
    user = await rt.db.reader.one(users.BY_ID, id=found[0]) if found else None
    if user is None or not found or user.disabled_at is not None or user.token_version != found[1]:
        return None
    return user


async def enter_code(request: Request) -> Response:
    """The second factor; with it the session begins."""
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    target = safe_path(fields.text("next", limit=500) or "/")
    user = await whose(request)
    if user is None:
        return respond.redirect(request, request.app.url_path_for("login"))
    try:
        request.app.state.throttle.begin(request.state.origin.ip)
        token = await second_factor.log_in(
            rt, user, fields.text("code", limit=40), agent=request.headers.get("user-agent", ""),
            ip=request.state.origin.ip,
        )  # fmt: skip
    except (Invalid, TooMany) as error:
        rt.metrics.count("logins", result="refused")
        response = await code_form(request, target, status=error.status, error=tell(error.said))
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
        return response
    request.app.state.throttle.succeeded(request.state.origin.ip)
    rt.metrics.count("logins", result="in")
    response = respond.redirect(request, target)
    respond.set_cookie(response, request.app.state.cookies.header(token, request.state.origin.secure))
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response
