"""HTTP/1.1 as a client, just enough to post webhooks: kept connections, one request at a time on each."""

import asyncio
import ssl
from collections import defaultdict
from typing import cast
from urllib.parse import SplitResult, urlsplit

import httptools

Place = tuple[str, str, int]  # scheme, host, port


class _Call(asyncio.Protocol):
    def __init__(self) -> None:
        self.done: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def ask(self, data: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        self.parser = httptools.HttpResponseParser(self)
        self.chunks: list[bytes] = []
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self.done

    def data_received(self, data: bytes) -> None:
        if self.done is None:
            self.transport.abort()
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.fail(ConnectionError(str(error)))
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        if self.done and not self.done.done():
            self.done.set_result((self.parser.get_status_code(), b"".join(self.chunks)))

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(error or ConnectionResetError("closed without an answer"))

    def fail(self, error: Exception) -> None:
        if self.done and not self.done.done():
            self.done.set_exception(error)


class Client:
    """Raises `OSError` (which `TimeoutError` is) when no answer came."""

    def __init__(self) -> None:
        self.idle: dict[Place, list[_Call]] = defaultdict(list)
        self.all: set[_Call] = set()

    async def request(
        self, method: str, url: str, headers: dict[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        parts = urlsplit(url)
        async with asyncio.timeout(timeout):
            call = await self._connection(parts)
            kept = False
            try:
                found = await call.ask(_request(method, parts, headers, body))
                kept = call.parser.should_keep_alive()
                return found
            finally:
                self._give_back(call, parts, kept)

    async def _connection(self, parts: SplitResult) -> _Call:
        place = _place(parts)
        while self.idle[place]:
            call = self.idle[place].pop()
            if not call.transport.is_closing():
                return call
            self.all.discard(call)
        secure = ssl.create_default_context() if place[0] == "https" else None
        loop = asyncio.get_running_loop()
        _, call = await loop.create_connection(_Call, place[1], place[2], ssl=secure)
        self.all.add(call)
        return call

    def _give_back(self, call: _Call, parts: SplitResult, kept: bool) -> None:
        call.done = None
        if kept and not call.transport.is_closing():
            self.idle[_place(parts)].append(call)
        else:
            call.transport.abort()
            self.all.discard(call)

    def close(self) -> None:
        for call in self.all:
            call.transport.abort()
        self.all.clear()
        self.idle.clear()


def _place(parts: SplitResult) -> Place:
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _request(method: str, parts: SplitResult, headers: dict[str, str], body: bytes) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: */*", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
