"""The webhook: set, removed, and updates posted to it, in order within each chat (contract §2.2)."""

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from ..graph.client import Client
from .errors import ApiError, bad, slow_down
from .shape import nested, number
from .truth import Handed

if TYPE_CHECKING:
    from .updates import Update
    from .world import World

PORTS = (None, 443, 80, 88, 8443)
SECRET = re.compile(r"[A-Za-z0-9_-]*")


class Hook:
    def __init__(self, world: "World") -> None:
        self.world = world
        self.url = self.secret = ""
        self.connections = 40
        self.set_at = 0.0
        self.error = ""
        self.error_at = 0
        self.busy: set[int] = set()  # chats whose next update is being delivered
        self.client = Client()

    # ---- what the bot asks ------------------------------------------------------------------------------------------

    def set(self, values: dict[str, Any]) -> bool:
        url, secret = str(values.get("url", "")), str(values.get("secret_token", ""))
        now = self.world.now()
        if now - self.set_at < 1 and self.world.settings.repeat_wait:
            raise slow_down(1)
        self.set_at = now
        if len(secret) > 256:
            raise bad("secret token is too long")
        if not SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        if url:
            _check(url)
        if "allowed_updates" in values:
            self.world.queue.allowed = list(nested(values, "allowed_updates") or [])
        if values.get("drop_pending_updates") in (True, "true", "True"):
            self.world.queue.waiting.clear()
        self.connections = number(values, "max_connections", 40)
        self.url, self.secret, self.error = url, secret, ""
        if url:
            self.world.queue.end_poll("terminated by setWebhook request")
            self.wake()
        return True

    def delete(self, values: dict[str, Any]) -> bool:
        if values.get("drop_pending_updates") in (True, "true", "True"):
            self.world.queue.waiting.clear()
        self.url = self.secret = ""
        return True

    def info(self) -> dict[str, Any]:
        self.world.queue.expire()
        found: dict[str, Any] = {
            "url": self.url, "has_custom_certificate": False, "pending_update_count": len(self.world.queue.waiting)
        }  # fmt: skip
        if self.error:
            found |= {"last_error_date": self.error_at, "last_error_message": self.error}
        return found | ({"max_connections": self.connections} if self.url else {})

    # ---- delivery ---------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """The first update of every chat that has nothing under way is posted."""
        if not self.url:
            return
        for update in list(self.world.queue.waiting):
            if update.chat not in self.busy and len(self.busy) < self.connections:
                self.busy.add(update.chat)
                self.world.spawn(self._deliver(update))

    async def _deliver(self, update: "Update") -> None:
        attempt, settings = 0, self.world.settings
        try:
            while self.url and update in self.world.queue.waiting:
                status = await self._post(update, attempt)
                if 200 <= status < 300:
                    self.world.queue.waiting.remove(update)
                    return
                if attempt:
                    await asyncio.sleep(min(settings.retry_base * 2.0 ** (attempt - 1), settings.retry_cap))
                attempt += 1
                self.world.queue.expire()
        finally:
            self.busy.discard(update.chat)
            self.wake()

    async def _post(self, update: "Update", attempt: int) -> int:
        """The status, 0 where no answer came."""
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        url, status = self._address(), 0
        try:
            body = msgspec.json.encode(update.body())
            status, _ = await self.client.request("POST", url, headers, body, self.world.settings.webhook_timeout)
        except OSError as failure:
            self.error = f"Connection failed: {type(failure).__name__}"
        if status and not 200 <= status < 300:
            self.error = f"Wrong response from the webhook: {status}"
        self.error_at = int(self.world.now())
        line = Handed(at=int(self.world.now() * 1000), ids=[update.id], status=status, attempt=attempt)
        self.world.truth.write(line)
        return status

    def _address(self) -> str:
        """Where the public address is on this machine."""
        for public, local in self.world.settings.hosts.items():
            if self.url.startswith(public):
                return local + self.url.removeprefix(public)
        return self.url

    def close(self) -> None:
        self.url = ""
        self.client.close()


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise bad("invalid webhook URL specified") from None
    if parts.scheme != "https" or not parts.hostname:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if port not in PORTS:
        raise ApiError(400, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
