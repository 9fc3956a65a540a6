"""A bot at the fake Bot API, as the connector sees it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from app.connectors.base import Address, Arrival, Channel, Inbound, Outbound, SessionFailed, StatusChange
from app.connectors.telegram.place import Me
from app.connectors.telegram.session import TelegramSession
from app.content import Content
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.config import TOKEN

ANNA = 7001
ME = Me("123456789", "luna_bakery_bot")


def channel(url: str = "http://127.0.0.1:1", token: str = TOKEN, **config: str) -> Channel:
    values = {"telegram_url": url, "public_url": ""} | config
    return Channel(1, "Shop", token.partition(":")[0], values, {"token": token}, "key-of-the-channel")


class Heard:
    """Keeps what a session tells; `refuse` makes the store fail as a database would."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.refuse: Callable[[Arrival], bool] = lambda arrival: False
        self.news = asyncio.Event()

    async def __call__(self, arrival: Arrival) -> None:
        if self.refuse(arrival):
            raise OSError("the disk is full")
        self.arrivals.append(arrival)
        self.news.set()

    @property
    def messages(self) -> list[Inbound]:
        return [arrival for arrival in self.arrivals if isinstance(arrival, Inbound)]

    @property
    def states(self) -> list[str]:
        return [arrival.code for arrival in self.arrivals if isinstance(arrival, StatusChange)]

    async def until(self, holds: Callable[[], Any], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                self.news.clear()
                await self.news.wait()


@contextlib.asynccontextmanager
async def running(telegram: FakeTelegram, heard: Heard, **config: str) -> AsyncIterator[TelegramSession]:
    """A session that receives until the block ends."""
    session = TelegramSession(channel(telegram.url, telegram.token, **config))
    work = asyncio.create_task(session.run(heard))
    try:
        await heard.until(lambda: "connected" in heard.states or work.done())
        yield session
    finally:
        await session.close()
        with contextlib.suppress(SessionFailed, OSError):
            await asyncio.wait_for(work, 5)


def outbound(content: Content, reply_to: str = "", who: int = ANNA, chat: str = "") -> Outbound:
    return Outbound("k.1", Address(telegram=str(who), chat=chat), content, reply_to)
