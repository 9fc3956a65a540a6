"""The dashboard, loaded when it is first asked for.

To receive, decide and answer it needs no pages: what they import is a seventh of the start and of the memory at rest.
Until then only `/healthz` is answered here, so that a supervisor's probe does not load them.
"""

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from app import readiness
from app.security import headers
from app.security.hosts import Hosts
from app.security.setup import SetupLink

if TYPE_CHECKING:
    from app.routes.hooks import Asgi, Receive, Scope, Send
    from app.runtime import Runtime


class Dashboard:
    """An ASGI application that becomes the one of `app.web` with the first request that is not about its health."""

    def __init__(self, rt: "Runtime", setup: SetupLink) -> None:
        self._rt, self._setup = rt, setup
        self._loading = asyncio.Lock()
        self._app: Asgi | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        app = self._app
        if app is None:
            if scope["type"] == "http" and scope["path"] == "/healthz" and scope["method"] in ("GET", "HEAD"):
                return await self._tell_health(scope, send)
            app = await self._load()
        await app(scope, receive, send)

    async def _load(self) -> "Asgi":
        async with self._loading:
            if self._app is None:
                # On a thread, so that webhooks are answered meanwhile.
                web = await asyncio.to_thread(_import)
                self._app = web.create_app(self._rt, self._setup)
            return self._app

    async def _tell_health(self, scope: "Scope", send: "Send") -> None:
        status, told = await readiness.alive()
        body = msgspec.json.encode(told)
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin = Hosts(self._rt.settings).origin((scope.get("client") or ("", 0))[0], scope["scheme"], given)
        complete = headers.complete(
            [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")],
            status=status, nonce="", request_id=secrets.token_hex(8), https=origin.scheme == "https",
        )  # fmt: skip
        self._rt.metrics.count_request(scope["method"], status)
        await send({"type": "http.response.start", "status": status, "headers": complete})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _import() -> Any:
    from app import web

    return web
