"""Parley and the fake Graph, connected as in life: sends go over loopback, webhooks come in at a real address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app import connecting, server
from app.channels import Live
from app.routes.hooks import Hooks
from app.runtime import Runtime, start, stop
from app.settings import load
from app.web import create_app
from tests.fakes.graph import FakeGraph


class Connected:
    """A running installation with one channel, and the network behind it."""

    def __init__(self, rt: Runtime, graph: FakeGraph, live: Live, client: httpx.AsyncClient) -> None:
        self.rt, self.graph, self.live, self.client = rt, graph, live, client

    async def until(self, holds: Callable[[], Awaitable[Any]], seconds: float = 5.0) -> Any:
        """What `holds` returns once it is true. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not (found := await holds()):
                await asyncio.sleep(0.01)
        return found


@asynccontextmanager
async def connected(folder: Path, database_url: str, **graph: Any) -> AsyncIterator[Connected]:
    """In real time. `graph`: settings of the fake."""
    (folder / "ballast").touch()
    where = database_url if database_url.startswith("postgres") else f"sqlite:///{database_url}"
    async with FakeGraph(**graph) as fake:
        rt = await start(load({"data": str(folder), "database_url": where, "graph_url": fake.url}, {}, folder))
        listening = server.listen("127.0.0.1", 0)
        made = server.make(Hooks(rt, create_app(rt)))
        serving = asyncio.ensure_future(made.serve(sockets=[listening]))
        number = fake.number
        values = {
            "phone_number_id": number.phone_number_id, "access_token": number.token, "app_secret": number.app_secret,
            "verify_token": number.verify_token, "waba_id": number.waba,
        }  # fmt: skip
        try:
            channel_id = await connecting.add(rt.channels, "whatsapp_cloud", "Shop", values, rate=0)
            live = rt.channels.by_id[channel_id]
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            fake.change_number(webhook=f"{address}/hooks/whatsapp/{live.row.key}")
            async with httpx.AsyncClient(base_url=address) as client:
                yield Connected(rt, fake, live, client)
        finally:
            made.should_exit = True
            await serving
            await stop(rt)
