"""Logging in and out."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app import second_factor
from app.audit import Actor, entry, logged
from app.db import Tx
from app.errors import TooMany
from app.i18n import _, fmt, ngettext, tell
from app.routes import respond, two_step
from app.security import passwords, sessions, throttle
from app.security.redirects import safe_path
from app.store import users

if TYPE_CHECKING:
    from app.runtime import Runtime


async def show(request: Request) -> Response:
    target = safe_path(request.query_params.get("next", "/"))
    if request.state.user is not None:
        return respond.redirect(request, target)
    return await form(request, target)


async def form(request: Request, target: str, *, status: int = 200, email: str = "", error: str = "") -> Response:
    is_set_up = bool(await request.state.rt.db.reader.one(users.COUNT_OWNERS))
    values = {"target": target, "email": email, "error": error, "is_set_up": is_set_up}
    return await respond.page(request, "login.html", status=status, **values)


async def enter(request: Request) -> Response:
    """Check the tries, the name and the password; the same answer and the same time whoever is asked for."""
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    email, target = fields.text("email", limit=254), safe_path(fields.text("next", limit=500) or "/")
    ip = request.state.origin.ip
    try:
        request.app.state.throttle.begin(ip)
        await rt.db.read(throttle.check, email, ip, rt.clock.now())
    except TooMany as error:
        return await too_many(request, target, email, error)
    user = await rt.db.read(users.find_by_email, email)
    stored = await stored_password(rt, user)
    password = fields.text("password", limit=10_000, strip=False)
    if not await passwords.verify(stored, password) or user is None or stored is None:
        line = entry("login.failed", email, actor=Actor("?", None, ip))
        left = await rt.db.write(logged, line, throttle.failed, email, ip)
        rt.metrics.count("logins", result="refused")
        return await form(request, target, status=422, email=email, error=wrong(left))
    request.app.state.throttle.succeeded(ip)
    rehashed = await passwords.hash_password(password) if passwords.is_outdated(stored) else None
    if await second_factor.standing(rt, user.id) is not None:
        if rehashed is not None:
            await rt.db.write(rehash, user.id, rehashed)
        return two_step.ask(request, user, target)
    agent = request.headers.get("user-agent", "")
    line = entry("login", user.email, actor=Actor(user.email, user.id, ip))
    token = await rt.db.write(logged, line, begin, user, agent, ip, rehashed)
    rt.metrics.count("logins", result="in")
    return with_session(request, respond.redirect(request, target), token)


async def stored_password(rt: "Runtime", user: users.User | None) -> str | None:
    """None for who may not come in. Asked of the database all the same: who is not there is as much work (S5)."""
    found = await rt.db.reader.one(users.PASSWORD, id=0 if user is None else user.id)
    return None if user is None or user.disabled_at is not None else found


async def ask_again(request: Request) -> Response:
    """Who is logged in gives the password once more, before what is secret or cannot be undone (S6)."""
    return await again(request, safe_path(request.query_params.get("next", "/")))


async def again(request: Request, target: str, *, status: int = 200, error: str = "") -> Response:
    return await respond.page(request, "confirm.html", status=status, target=target, error=error)


async def confirm(request: Request) -> Response:
    rt: Runtime = request.state.rt
    fields = await respond.form(request)
    user, ip, target = request.state.user, request.state.origin.ip, safe_path(fields.text("next", limit=500) or "/")
    try:
        request.app.state.throttle.begin(ip)
        await rt.db.read(throttle.check, user.email, ip, rt.clock.now())
    except TooMany as error:
        return await again(request, target, status=429, error=tell(error.said))
    stored = await stored_password(rt, user)
    if not await passwords.verify(stored, fields.text("password", strip=False)):
        await rt.db.write(throttle.failed, user.email, ip)
        return await again(request, target, status=422, error=_("That is not your password."))
    request.app.state.throttle.succeeded(ip)
    token = await rt.db.write(sessions.renew, request.state.session)
    return with_session(request, respond.redirect(request, target), token)


def begin(tx: Tx, user: users.User, agent: str, ip: str, rehashed: str | None) -> str:
    throttle.forget(tx, user.email, ip)
    if rehashed is not None:
        rehash(tx, user.id, rehashed)
    return sessions.begin(tx, user.id, agent=agent, ip=ip)


def rehash(tx: Tx, user_id: int, password_hash: str) -> None:
    tx.run(users.REHASH, id=user_id, password_hash=password_hash)


def with_session(request: Request, response: Response, token: str) -> Response:
    respond.set_cookie(response, request.app.state.cookies.header(token, request.state.origin.secure))
    return response


def wrong(left: int) -> str:
    if not left:
        return _("E-mail or password is not right. The next try has to wait a little.")
    said = ngettext("{n} try left before a pause.", "{n} tries left before a pause.", left).format(n=left)
    return _("E-mail or password is not right.") + " " + said


async def too_many(request: Request, target: str, email: str, error: TooMany) -> Response:
    request.state.rt.troubles.hit("login", request.state.origin.ip)
    wait = fmt.duration(round(error.retry_after * 1000))
    sentence = _("Too many tries. Wait {wait}, then try again.").format(wait=wait)
    response = await form(request, target, status=429, email=email, error=sentence)
    response.headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
    return response


async def leave(request: Request) -> Response:
    rt: Runtime = request.state.rt
    session = request.state.session
    line = entry("logout", session.user.email)
    await rt.db.write(logged, line, sessions.end, session.user.id, session.login.id_hash)
    response = respond.redirect(request, request.app.url_path_for("login"))
    respond.set_cookie(response, request.app.state.cookies.end_header(request.state.origin.secure))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
