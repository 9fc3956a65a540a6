"""The fake for tests: `async with FakeTelegram(…) as telegram`, in this process."""

from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from . import admin
from .config import QUICK, Settings, changed
from .server import BotApi


class FakeTelegram:
    """A running fake. `quick`: without paces and waits; more keywords are members of `config.Settings`."""

    def __init__(self, *, truth: str | Path | None = None, quick: bool = True, port: int = 0, **more: Any) -> None:
        settings = changed(Settings(), (QUICK if quick else {}) | more)
        self.api = BotApi(settings, str(truth) if truth else None)
        self.port = port

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def token(self) -> str:
        return self.api.world.settings.token

    async def __aenter__(self) -> "FakeTelegram":
        await self.api.start(port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.api.close()

    async def call(self, method: str, verb: str, **given: Any) -> Any:
        """A verb of `admin`. Raises `ValueError`, `LookupError` or `TimeoutError`."""
        return await admin.call(self.api.world, method, verb, given)

    async def says(self, text: str, who: int = 7001, **more: Any) -> dict[str, Any]:
        """A person writes to the bot. Returns the ids of message and update."""
        return dict(await self.call("POST", "inbound", **{"from": who, "text": text}, **more))

    async def sends(self, who: int = 7001, **content: Any) -> dict[str, Any]:
        return dict(await self.call("POST", "inbound", **{"from": who}, **content))

    async def press(self, title: str, who: int = 7001, **more: Any) -> str:
        """Returns the id of the callback query."""
        return str((await self.call("POST", "press", **{"from": who, "title": title}, **more))["callback_query_id"])

    @property
    def sent(self) -> list[dict[str, Any]]:
        """In order: n, at, method, chat_id, message_id, text, values, mode."""
        return [dict(msgspec.to_builtins(line)) for line in self.api.world.sent]

    async def wait_sent(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """All sends once there are `count`. Raises `TimeoutError`."""
        await self.api.world.wait_sent(count, timeout)
        return self.sent

    async def settled(self, timeout: float = 10.0) -> None:
        await self.call("GET", "settled", timeout=timeout)

    def mode(self, mode: str, *, times: int | None = None, chat: int | None = None, share: float | None = None) -> None:
        """Sets a mode (see `graph.faults`) for the next `times` sends, for one chat, for a share, or for good."""
        faults = self.api.world.faults
        if times is not None:
            faults.set(next=[mode] * times)
        elif chat is not None:
            faults.set(users={str(chat): mode})
        elif share is not None:
            faults.set(rates={mode: share})
        else:
            faults.set(default=mode)
