"""The built-in phone: messages sent to it arrive at once, are delivered and read, and never leave the process."""

import asyncio
import itertools
import time
from collections.abc import Mapping

from app.connectors.base import (
    Channel,
    OnEvent,
    Outbound,
    PairLimit,
    Problem,
    Receipt,
    SendFailed,
    Sent,
    Session,
    Setting,
    State,
    Status,
    StatusChange,
)
from app.connectors.whatsapp_cloud import limits
from app.content import Buttons, ChoiceList, Content

ACCOUNT = "simulator"


class SimulatorSession:
    """Takes every message and then reports `delivered` and `read`, in the order in which they were sent."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self._account = account
        # Ids go on where no earlier process can have been.
        self._ids = itertools.count(time.time_ns() // 1000)
        self._taken: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        self._closed = False

    async def run(self, on_event: OnEvent) -> None:
        await on_event(StatusChange(State.CONNECTED, "connected"))
        while taken := await self._taken.get():
            for status in (Status.DELIVERED, Status.READ):
                provider_id, opaque = taken
                await on_event(Receipt(self._account, provider_id, status, time.time_ns() // 1_000_000, b"{}", opaque))

    async def send(self, message: Outbound) -> Sent:
        if self._closed:
            raise SendFailed(Problem("send.closed"), certain=True, temporary=True)
        provider_id = f"sim.{next(self._ids)}"
        self._taken.put_nowait((provider_id, message.opaque))
        return Sent(provider_id)

    async def close(self) -> None:
        self._closed = True
        self._taken.put_nowait(None)


class Simulator:
    """Shows what WhatsApp Cloud shows; a scene may ask for another network's capabilities."""

    kind = "simulator"
    label = "Simulator"
    settings: tuple[Setting, ...] = ()
    capabilities = limits.CAPABILITIES
    default_rate = 0.0
    pair_limit: PairLimit | None = None

    def open_session(self, channel: Channel) -> Session:
        return SimulatorSession()

    def account_of(self, config: Mapping[str, str]) -> str:
        return ACCOUNT

    def check(self, content: Content) -> Problem | None:
        """Choices are let through: a scene of another network shows more of them than WhatsApp."""
        return None if isinstance(content, Buttons | ChoiceList) else limits.check(content)
