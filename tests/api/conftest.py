import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app import connecting, server, tokens, users
from app.runtime import Runtime
from app.web import create_app
from tests.api import conformance
from tests.canaries import plant

EMAIL, PASSWORD = "rosa@luna.example", plant("purple kettle walks nine")
CHANNEL = {
    "access_token": plant("EAAapi-token-of-the-shop"),
    "app_secret": plant("app-secret-of-the-shop"),
    "verify_token": plant("verify-token-of-the-shop"),
}
ORIGIN = "http://127.0.0.1:8080"


class Program(httpx.AsyncClient):
    """A program that talks to the API, with whatever credential it has. `app` is the dashboard it talks to."""

    rt: Runtime
    app: Starlette

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Every answer of every test is held against the OpenAPI document."""
        answer = await super().send(request, **options)
        if not options.get("stream"):
            conformance.check(answer)
        return answer

    def bearing(self, credential: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {credential}"}

    async def key(self, *scopes: str, **options: float | int | None) -> dict[str, str]:
        """The header of a new key with these scopes, good for ever: tests move their clock by years."""
        given: dict[str, Any] = {"days": 0} | options
        made = await tokens.create(self.rt, name="test", scopes=list(scopes), **given)
        return self.bearing(plant(made.secret))

    async def log_in(self, **more: object) -> dict[str, str]:
        """What a log-in of the owner answers."""
        answer = await self.post("/api/v1/auth/token", json={"email": EMAIL, "password": PASSWORD, **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, str] = answer.json()
        plant(found["access_token"]), plant(found["refresh_token"])
        return found


@pytest.fixture
async def api(rt: Runtime) -> AsyncIterator[Program]:
    """An installation with an owner and one channel, whose messages nobody fetches."""
    await users.create_owner(rt, email=EMAIL, name="Rosa Martins", password=PASSWORD)
    await connecting.add(
        rt.channels,
        "whatsapp_cloud",
        "Shop",
        {"phone_number_id": "206540352242922", **CHANNEL},
    )
    for live in rt.channels.by_id.values():
        live.sender.open = False
    app = create_app(rt)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with Program(transport=transport, base_url=ORIGIN) as program:
        program.rt, program.app = rt, app
        yield program


@pytest.fixture
async def place(api: Program) -> AsyncIterator[str]:
    """The address of a real server for the same installation."""
    listening = server.listen("127.0.0.1", 0)
    running = server.make(create_app(api.rt))
    task = asyncio.ensure_future(running.serve(sockets=[listening]))
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    api.rt.begin_stop()
    running.should_exit = True
    await asyncio.wait_for(task, 10)
