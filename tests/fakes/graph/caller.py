"""A caller of the fake, for its own tests: sends as a program would, with nothing of the product."""

import json
from typing import Any

from .client import Client
from .handle import FakeGraph

ANNA, BELA = "16505551234", "16505550000"


def text(to: str | None = ANNA, body: str = "Hello", **more: Any) -> dict[str, Any]:
    addressed = {} if to is None else {"to": to}
    return {"messaging_product": "whatsapp", "type": "text", "text": {"body": body}} | addressed | more


class Caller:
    """One client with the token of the fake's first number."""

    def __init__(self, graph: FakeGraph) -> None:
        self.graph, self.client = graph, Client()
        self.token = graph.number.token

    async def raw(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
    ) -> tuple[int, bytes]:
        """Raises `OSError` when no answer came. A header given as empty is left out."""
        named = {"Authorization": f"Bearer {self.token}", "User-Agent": "caller"} | (headers or {})
        sent = {name: value for name, value in named.items() if value}
        url = path if path.startswith("http") else self.graph.url + path
        return await self.client.request(method, url, sent, body, timeout)

    async def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        content = b"" if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if content else {}
        status, answer = await self.raw(method, path, content, kind | (headers or {}))
        return status, json.loads(answer)

    async def send(self, body: dict[str, Any], timeout: float = 10.0) -> tuple[int, dict[str, Any]]:
        path = f"/v25.0/{self.graph.number.phone_number_id}/messages"
        status, answer = await self.raw("POST", path, json.dumps(body).encode(), timeout=timeout)
        return status, json.loads(answer)

    async def accepted(self, body: dict[str, Any]) -> str:
        """The message id; anything but acceptance fails the test."""
        status, answer = await self.send(body)
        assert status == 200, answer
        return str(answer["messages"][0]["id"])

    async def code(self, body: dict[str, Any]) -> int:
        """0 = accepted."""
        return int((await self.send(body))[1].get("error", {}).get("code", 0))
