"""A callback to point the fake at: verifies the handshake and every signature, keeps what came, fails on request."""

import asyncio
import hmac
import json
from collections import deque
from hashlib import sha256
from types import TracebackType
from typing import Any

from .wire import Answer, Connection, Request, answer


class Listener:
    """`async with Listener(secret) as hook`; `hook.url`. `answers` are the statuses of the next posts, then 200."""

    def __init__(self, secret: str, verify_token: str = "verify-me") -> None:
        self.secret, self.verify_token = secret, verify_token
        self.bodies: list[bytes] = []
        self.forged = 0
        self.answers: deque[int] = deque()
        self.gate = asyncio.Event()  # posts are answered while it is set
        self.gate.set()
        self.came = asyncio.Condition()
        self.connections: set[Connection] = set()

    async def __aenter__(self) -> "Listener":
        make = asyncio.get_running_loop().create_server
        self.server = await make(lambda: Connection(self._serve, self.connections), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/hooks/whatsapp"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def _serve(self, request: Request) -> Answer:
        query = request.query
        if request.method == b"GET":
            good = query.get("hub.mode") == "subscribe" and query.get("hub.verify_token") == self.verify_token
            return answer(200, query["hub.challenge"].encode(), b"text/plain") if good else answer(403, b"")
        return self._take(request)

    async def _take(self, request: Request) -> bytes:
        wanted = "sha256=" + hmac.new(self.secret.encode(), request.body, sha256).hexdigest()
        if request.headers.get(b"x-hub-signature-256", b"").decode() != wanted:
            self.forged += 1
            return answer(401, b"")
        self.bodies.append(request.body)
        async with self.came:
            self.came.notify_all()
        await self.gate.wait()
        return answer(self.answers.popleft() if self.answers else 200, b"")

    @property
    def values(self) -> list[dict[str, Any]]:
        """Every `value` that came, each with its `field`."""
        entries = [entry for body in self.bodies for entry in json.loads(body)["entry"]]
        return [change["value"] | {"field": change["field"]} for entry in entries for change in entry["changes"]]

    def all(self, part: str) -> list[dict[str, Any]]:
        """Every element of that list in the values: `messages`, `statuses` …"""
        return [item for value in self.values for item in value.get(part, [])]

    async def wait(self, part: str, count: int, seconds: float = 10.0) -> list[dict[str, Any]]:
        """Raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self.came:
            await self.came.wait_for(lambda: len(self.all(part)) >= count)
        return self.all(part)
