"""`/mcp`: assistants by streamable HTTP (Model Context Protocol), with an API key or access token. A tool's call is a
request to the API inside this process, with the same credential: what the API refuses, a tool refuses."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app import assistants, i18n
from app.errors import NotFound, Unauthenticated
from app.routes.api import ENDPOINTS, openapi
from app.routes.api.callers import count, identify, refusal
from app.said import N_

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class Assistants:
    """The endpoint, an ASGI responder of its own. The SDK is loaded with the first assistant."""

    def __init__(self) -> None:
        self.manager: StreamableHTTPSessionManager | None = None
        self.starting = asyncio.Lock()
        self.running: asyncio.Task[None] | None = None
        self.app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        i18n.speak("en", "UTC")
        if not assistants.is_here():
            raise NotFound(assistants.MISSING)
        if request.headers.get("origin"):
            raise Unauthenticated(N_("Assistants come from programs, not from pages."))
        caller = await identify(request)
        count(request, caller)
        if not caller.scopes:
            raise refusal(caller)
        manager = await self.started(request.app)
        await manager.handle_request(scope, receive, send)

    async def started(self, app: Any) -> "StreamableHTTPSessionManager":
        async with self.starting:
            if self.manager is None or self.running is None or self.running.done():
                self.app = app
                self.manager = await asyncio.to_thread(self.made)
                ready = asyncio.Event()
                self.running = asyncio.create_task(self.keep(self.manager, ready), name="assistants")
                await ready.wait()
            return self.manager

    def made(self) -> "StreamableHTTPSessionManager":
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        answering = assistants.server(openapi.document(ENDPOINTS), self.ask)
        return StreamableHTTPSessionManager(answering, json_response=True, stateless=True)

    async def keep(self, manager: "StreamableHTTPSessionManager", ready: asyncio.Event) -> None:
        with suppress(asyncio.CancelledError):
            async with manager.run():
                ready.set()
                await asyncio.Event().wait()

    async def ask(self, context: Any, wanted: assistants.Request) -> httpx.Response:
        """As whoever the assistant acts for, from where it is."""
        came: Request = context.request
        head = {name: came.headers[name] for name in ("authorization", "host")}
        where = (came.client.host, came.client.port) if came.client else ("", 0)
        transport = httpx.ASGITransport(self.app, client=where)
        async with httpx.AsyncClient(transport=transport, base_url=str(came.base_url)) as client:
            return await assistants.send(client, wanted, headers=head)
