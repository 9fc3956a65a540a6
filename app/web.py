"""Puts the dashboard together: addresses, what stands in front of all of them, and how a refusal looks.

Order for a request: id, origin and headers (`Front`) → host name → body limit → route → `guard` → handler. Provider
webhooks are taken by a wrapper around this application and never come here.
"""

import asyncio
import logging
import random
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.audit import MACHINE, acting
from app.db import DatabaseError
from app.errors import ParleyError, TooMany, Unauthenticated, Unavailable
from app.i18n import _, tell
from app.logs import request_id
from app.routes import assistants, respond, static, stream
from app.routes.api import ENDPOINTS, events, gate, openapi, socket
from app.routes.api.answering import handle
from app.routes.api.callers import Callers
from app.routes.api.endpoint import Caller, Endpoint
from app.routes.bodies import BodyLimit
from app.routes.finding import Finder
from app.routes.guard import LARGE_BODIES, guard, recognise
from app.routes.site import BODY, Entry, addresses
from app.routes.table import ROUTES
from app.routes.two_step import Ticket
from app.said import Sentence
from app.security import headers
from app.security.access import Signer
from app.security.flash import Flash
from app.security.hosts import Hosts
from app.security.limits import Limits, Refusals
from app.security.sessions import Cookies
from app.security.setup import SetupLink
from app.security.throttle import Throttle

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)
OPEN_HOSTS: Final = ("/hooks/", "/healthz", "/readyz")
RETRY_AFTER: Final = 5


class IdConvertor(Convertor[int]):
    """`{id:id}`: a row's id in an address; digits only, at most 19 of them."""

    regex = "[0-9]{1,19}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", IdConvertor())


def create_app(rt: "Runtime", setup: SetupLink | None = None) -> Starlette:
    """The dashboard as an ASGI application. What requests share beside the runtime is in `app.state`. `setup`: the link
    that was told when it started."""
    app = Starlette(
        routes=[
            *of_tables(),
            Route("/events", stream.Stream(rt), name="events"),
            Route(openapi.PREFIX + "/events", events.Events(), methods=["GET"], name="api.events"),
            Route("/mcp", assistants.Assistants(), name="assistants"),
            WebSocketRoute(openapi.PREFIX + "/socket", socket.serve, name="api.socket"),
            Mount("/static", static.serve),
        ],
        middleware=[Middleware(Front, rt=rt), Middleware(BodyLimit, most=BODY)],
        exception_handlers={
            ParleyError: on_refusal,
            HTTPException: on_http,
            DatabaseError: on_database,
        },
    )
    app.router = Finder(app.routes)
    app.state.url = addresses(app.routes)
    app.state.cookies = Cookies(rt.keys.derives("session-cookie"))
    app.state.flash = Flash(rt.keys.derives("flash"))
    app.state.hosts = Hosts(rt.settings)
    app.state.signer = Signer(rt.keys.derives("jwt-v1"), rt.install)
    app.state.limits, app.state.refusals = Limits(rt.clock), Refusals()
    app.state.callers = Callers()
    app.state.watch = events.Watch()
    app.state.throttle = Throttle(app.state.limits)
    app.state.setup = setup or SetupLink(rt.clock)
    app.state.ticket = Ticket(rt.keys.derives("two-step"))
    app.state.bodies = asyncio.Semaphore(LARGE_BODIES)
    app.state.actions = {entry.name: entry.may for entry in ROUTES}
    return app


@cache
def of_tables() -> tuple[BaseRoute, ...]:
    """The routes of both tables, compiled once: nothing in them belongs to one installation."""
    return (*map(route, ROUTES), *map(endpoint, ENDPOINTS))


def route(entry: Entry) -> BaseRoute:
    larger = [Middleware(BodyLimit, most=entry.body)] if entry.body != BODY else None
    return Route(entry.path, guard(entry), methods=[entry.method], name=entry.name, middleware=larger)


# What shows the thing of an address.
SHOWN = {line.path: line for line in ENDPOINTS if line.has_tag}


def endpoint(line: Endpoint) -> BaseRoute:
    larger = [Middleware(BodyLimit, most=line.largest)] if line.largest != BODY else None
    return Route(
        openapi.PREFIX + line.path,
        handle(line, SHOWN.get(line.path)),
        methods=[line.method],
        name=line.name,
        middleware=larger,
    )


class Front:
    """The outermost layer: gives a request its id, origin and nonce, its answer the headers, and a crash its page."""

    def __init__(self, app: ASGIApp, rt: "Runtime") -> None:
        self.app, self.rt = app, rt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        excess = gate.excess(scope, scope["app"].state, self.rt.clock) if scope["type"] == "http" else None
        if excess is not None:
            await self.refuse(scope, send, *excess)
            return
        state = scope["state"] = dict(scope.get("state") or {})
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        hosts: Hosts = scope["app"].state.hosts
        state["rt"], state["request_id"], state["nonce"] = self.rt, new_request_id(), nonce_for(scope["path"])
        state["origin"] = hosts.origin((scope.get("client") or ("", 0))[0], scope["scheme"], given)
        request_id.set(state["request_id"])
        server = (scope.get("server") or ("", 0))[0] or ""
        if not hosts.is_ours(given.get("host", ""), server) and not scope["path"].startswith(OPEN_HOSTS):
            await wrong_host(scope, receive, Answer(scope, send))
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        answer = Answer(scope, send)
        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            log.debug("the client left before its request was whole")
        except Exception as error:
            if answer.status:
                raise
            log.error("request %s failed", state["request_id"], exc_info=error)
            await (await crash_page(Request(scope), error))(scope, receive, answer)
        finally:
            self.rt.metrics.count_request(scope["method"], answer.status)

    async def refuse(self, scope: Scope, send: Send, caller: Caller, wait: float) -> None:
        """Too many: nothing is read, looked up or logged."""
        hosts: Hosts = scope["app"].state.hosts
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin = hosts.origin((scope.get("client") or ("", 0))[0], scope["scheme"], given)
        who = caller.user.email if caller.user else caller.name
        self.rt.troubles.hit("key", f"{who} · {origin.ip}")
        self.rt.metrics.count_request(scope["method"], 429)
        await scope["app"].state.refusals.turn()
        own, body = gate.refusal(caller, wait, new_request_id(), origin.scheme == "https")
        await send({"type": "http.response.start", "status": 429, "headers": own})
        await send({"type": "http.response.body", "body": body})


def new_request_id() -> str:
    """To find a request in the log. It need not be hard to guess, and asking the system for bytes lets other threads
    have the interpreter."""
    return f"{random.getrandbits(64):016x}"


def nonce_for(path: str) -> str:
    """Answers to programs are no pages."""
    return "" if path.startswith(openapi.PREFIX) else headers.new_nonce()


class Answer:
    """`send` that completes the headers and remembers the status."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self.send, self.status = scope, send, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            state = self.scope["state"]
            message["headers"] = headers.complete(
                list(message.get("headers", ())),
                status=self.status,
                nonce=state["nonce"],
                request_id=state["request_id"],
                https=state["origin"].scheme == "https",
            )
        await self.send(message)


async def wrong_host(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    text = _("This installation does not answer under that name. Set PARLEY_PUBLIC_URL to the address you use.")
    response = Response(text + "\n", 421, media_type="text/plain")
    await response(scope, receive, send)


# ---- refusals -------------------------------------------------------------------------------------------------------


async def on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, ParleyError)
    if isinstance(error, Unauthenticated) and not is_machine(request):
        return to_login(request)
    if isinstance(error, TooMany):
        await request.app.state.refusals.turn()
    response = await refusal(request, error.status, error.code, error.said, error.fields)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="parley"'
    if isinstance(error, TooMany):
        refused(request, limit_of(request))
        response.headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


async def on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    await hear_language(request)
    if error.status_code == 413:
        refused(request, "size")
    known = {
        400: ("bad_request", _("The request could not be read.")),
        404: ("not_found", _("There is no such page. It may have moved, or the link is incomplete.")),
        405: ("method_not_allowed", _("This address does not take that kind of request.")),
        413: ("too_large", _("This is larger than what is accepted here.")),
    }
    code, sentence = known.get(error.status_code, ("refused", str(error.detail)))
    response = await refusal(request, error.status_code, code, sentence, {})
    response.headers.update(error.headers or {})
    return response


def refused(request: Request, what: str) -> None:
    """Somebody ran into a limit: who, as far as it is known."""
    actor, ip = acting.get(), request.state.origin.ip
    known = actor is not MACHINE and actor.ip == ip and not actor.name.startswith("anonymous:")
    request.state.rt.troubles.hit(what, f"{actor.name} · {ip}" if known else ip)


def limit_of(request: Request) -> str:
    """By which name `routes/rates` knows the limit on requests that was reached."""
    path = request.scope["path"]
    if path.startswith(("/login", "/api/v1/auth/")) and request.method == "POST":
        return "login"
    if path.endswith("/export"):
        return "export"
    if path.startswith("/api/v1/") and acting.get() is not MACHINE:
        return "key"
    return "session" if getattr(request.state, "user", None) else "anonymous"


async def hear_language(request: Request) -> None:
    """An address that leads nowhere has no guard that found out who asks."""
    if not hasattr(request.state, "user") and not is_machine(request):
        with suppress(DatabaseError):
            await recognise(request)


async def on_database(request: Request, error: Exception) -> Response:
    log.warning("request %s: database: %s", request.state.request_id, error)
    sentence = _("The database cannot be used right now. What you did was not saved; try again in a moment.")
    response = await refusal(request, 503, "unavailable", sentence, {})
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


async def crash_page(request: Request, error: Exception) -> Response:
    sentence = _("Something went wrong here. The log has the details under the number {id}.").format(
        id=request.state.request_id
    )
    return await refusal(request, 500, "internal", sentence, {})


async def refusal(request: Request, status: int, code: str, said: Sentence, fields: dict[str, Sentence]) -> Response:
    """JSON to programs, a toast to htmx, a page to people."""
    sentence, wrong = tell(said), {name: tell(each) for name, each in fields.items()}
    if is_machine(request):
        body = {"code": code, "message": sentence, "request_id": request.state.request_id}
        return JSONResponse(
            {"error": body | ({"fields": wrong} if wrong else {})},
            status,
        )
    if respond.is_htmx(request):
        response = await respond.fragment(request, "_toast.html", status=status, sentence=sentence)
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#toasts", "beforeend"
        return response
    return await respond.fragment(request, "error.html", status=status, sentence=sentence, back=came_from(request))


def came_from(request: Request) -> str:
    """The page of ours on which the form stood that was refused; "" after a GET or from elsewhere."""
    parts = urlsplit(request.headers.get("referer", ""))
    ours = request.method == "POST" and parts.netloc == request.url.netloc and parts.path.startswith("/")
    return urlunsplit(("", "", parts.path, parts.query, "")) if ours and not parts.path.startswith("//") else ""


def to_login(request: Request) -> Response:
    path = request.scope["path"] if request.method == "GET" else ""
    target = request.app.url_path_for("login")
    return respond.redirect(request, f"{target}?next={path}" if path not in ("", "/") else target)


def is_machine(request: Request) -> bool:
    path: str = request.scope["path"]
    if path.startswith(("/api/v1/", "/mcp", "/healthz", "/readyz", "/metrics", "/events")):
        return True
    accepts = request.headers.get("accept", "")
    return "application/json" in accepts and "text/html" not in accepts
