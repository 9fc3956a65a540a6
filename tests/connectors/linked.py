"""A linked device under test: the real library against the fake server, in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.connectors.base import (
    Address,
    Arrival,
    Channel,
    Inbound,
    Outbound,
    Receipt,
    State,
    StatusChange,
)
from app.connectors.whatsapp_web.session import WebSession
from app.content import Content
from tests import linked_library

if linked_library.WHY_NOT:
    pytest.skip(linked_library.WHY_NOT, allow_module_level=True)  # what is here plays against the library itself

from tests.fakes.whatsapp.server import WhatsApp

PHONE = "15550001111"
PATIENCE = 20.0


class Linked:
    """A session that runs, and what it told."""

    def __init__(self, session: WebSession) -> None:
        self.session = session
        self.told: list[Arrival] = []
        self._news = asyncio.Condition()
        self.running = asyncio.create_task(session.run(self._hear))

    async def _hear(self, arrival: Arrival) -> None:
        async with self._news:
            self.told.append(arrival)
            self._news.notify_all()

    async def until(self, found: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE), self._news:
            return await self._news.wait_for(found)

    async def state(self, code: str) -> StatusChange:
        def found() -> StatusChange | None:
            changes = [told for told in self.told if isinstance(told, StatusChange)]
            return changes[-1] if changes and changes[-1].code == code else None

        change: StatusChange = await self.until(found)
        return change

    async def qr(self) -> str:
        await self.until(lambda: self.session.linking().qr)
        return self.session.linking().qr

    async def message(self, id: str) -> Inbound:
        found: Inbound = await self.until(
            lambda: next((one for one in self.told if isinstance(one, Inbound) and one.provider_id == id), None)
        )
        return found

    async def receipt(self, id: str, status: str) -> Receipt:
        found: Receipt = await self.until(
            lambda: next(
                (
                    one
                    for one in self.told
                    if isinstance(one, Receipt) and (one.provider_id, one.status) == (id, status)
                ),
                None,
            )
        )
        return found

    async def send(self, content: Content, to: Address, reply_to: str = "") -> str:
        return (await self.session.send(Outbound("o", to, content, reply_to))).provider_id

    async def close(self) -> None:
        await self.session.close()
        async with asyncio.timeout(PATIENCE):
            await self.running


def open_session(server: WhatsApp, folder: Path, **config: str) -> Linked:
    server.redirect()
    url = f"ws://127.0.0.1:{server.port}/ws/chat"
    given = {"phone": PHONE, "whatsapp_web_url": url, "data": str(folder)} | config
    return Linked(WebSession(Channel(1, "Shop", PHONE, given, {})))


@contextlib.asynccontextmanager
async def linked(server: WhatsApp, folder: Path, **config: str) -> AsyncIterator[Linked]:
    """A device that the phone has scanned and that is connected."""
    device = open_session(server, folder, **config)
    try:
        await server.scan(await device.qr())
        await device.state(State.CONNECTED)
        yield device
    finally:
        await device.close()
