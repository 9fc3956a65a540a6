"""In front of every handler: who asks, may they, is it their own page that asks, and not too often.

Afterwards `request.state` holds `rt`, `user` (User or None), `session` (Session or None), `csrf`, `seq` (the event
position the page is drawn at), `origin`, `nonce`, and `i18n` speaks the visitor's language.
"""

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import i18n, within
from app.audit import Actor, acting
from app.db import DatabaseError
from app.errors import NotFound, Unauthenticated
from app.routes.site import Entry, Handler
from app.said import N_
from app.security import csrf, limits, permissions, sessions
from app.security.hosts import network
from app.security.redirects import safe_path
from app.store import settings as stored
from app.store.users import Session

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)
MAX_FILES: Final = 10
MAX_FIELDS: Final = 100
MAX_PART: Final = 1_000_000
SMALL: Final = 65_536
LARGE_BODIES: Final = 8
LARGEST_ID: Final = 2**63 - 1


def guard(entry: Entry) -> Handler:
    """The handler of one line of the site map with its checks."""

    async def endpoint(request: Request) -> Response:
        check_ids(request)
        await recognise(request)
        count(request)
        if entry.may is not None:
            if request.state.user is None:
                raise Unauthenticated(N_("Log in to go on."))
            permissions.require(request.state.user, entry.may)
            seen = await within.of_user(request.state.rt.db.reader, request.state.user)
            await within.enter(request.state.rt.db.reader, seen, entry.path, request.path_params.get("id"))
        if request.method not in csrf.SAFE:
            await check_source(request)
        if entry.fresh and not sessions.is_confirmed(request.state.session, request.state.rt.clock.now()):
            return ask_again(request)
        return await entry.handler(request)

    return endpoint


def ask_again(request: Request) -> Response:
    """To the page that asks for the password, and from there back to where the person was."""
    came = request.scope["path"] if request.method == "GET" else urlsplit(request.headers.get("referer", "")).path
    address = f"{request.app.url_path_for('confirm')}?next={quote(safe_path(came))}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def check_ids(request: Request) -> None:
    if any(isinstance(value, int) and value > LARGEST_ID for value in request.path_params.values()):
        raise NotFound(N_("There is no such thing."))


async def recognise(request: Request) -> None:
    """Find the session; remember at most once a minute that it is in use."""
    rt: Runtime = request.state.rt
    state = request.state
    state.seq = rt.bus.seq
    session = await find_session(request)
    state.session, state.user = session, session.user if session else None
    state.csrf = session.login.csrf if session else ""
    defaults = await settings_of(request)
    user = state.user
    if user is not None:
        acting.set(Actor(user.email, user.id, state.origin.ip))
    i18n.speak((user and user.language) or defaults["language"], (user and user.zone) or defaults["zone"])
    if session and rt.clock.now() - session.login.seen_at > sessions.TOUCH_EVERY:
        try:
            await rt.db.write(sessions.touch, session.login.id_hash)
        except DatabaseError:
            log.warning("a session's last use could not be noted")  # looking must work on a full disk


async def find_session(request: Request) -> Session | None:
    rt: Runtime = request.state.rt
    cookies: sessions.Cookies = request.app.state.cookies
    token = cookies.read(request.cookies, request.state.origin.secure)
    return await rt.db.read(sessions.find, token, rt.clock.now()) if token else None


async def settings_of(request: Request) -> dict[str, str]:
    """The installation's settings, read once a request."""
    found: dict[str, str] | None = getattr(request.state, "settings", None)
    if found is None:
        found = request.state.settings = await request.state.rt.db.read(stored.read_all)
    return found


def count(request: Request) -> None:
    """Anonymous visitors by address, users by session (S14)."""
    buckets: limits.Limits = request.app.state.limits
    session: Session | None = request.state.session
    if session:
        buckets.take(f"session:{session.login.id_hash}", limits.SESSION)
    else:
        buckets.take(f"anonymous:{network(request.state.origin.ip)}", limits.ANONYMOUS)


async def check_source(request: Request) -> None:
    """S8: the request comes from our own page, and from this session's."""
    origin, settings = request.state.origin, request.state.rt.settings
    csrf.check_origin(request.headers, csrf.origins(origin.scheme, origin.host, settings.public_url))
    fields = await read_form(request)
    if request.state.session:
        given = request.headers.get(csrf.HEADER) or fields.get(csrf.FIELD)
        csrf.check_token(request.state.csrf, given if isinstance(given, str) else "")


async def read_form(request: Request) -> Any:
    """The body's fields, within the limits of S16; reading twice costs nothing. Of large bodies eight are read at
    once (S15): whoever waits is not read from meanwhile."""
    length = request.headers.get("content-length", "")
    large = not (length.isdigit() and int(length) <= SMALL)
    async with request.app.state.bodies if large else nullcontext():
        return await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_PART)
