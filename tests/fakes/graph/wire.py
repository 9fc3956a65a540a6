"""HTTP/1.1 as a server: one connection whose requests are answered in order, at once or later."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httptools

REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
JSON = b"application/json; charset=UTF-8"

# The bytes of the answer, or a coroutine that ends with them; None = the connection is gone or will never be answered.
Answer = bytes | Coroutine[Any, Any, bytes | None]


SMALL = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %%d\r\n\r\n%%b" % JSON


def answer(status: int, body: bytes, kind: bytes = JSON, headers: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    if status == 200 and kind is JSON and not headers:
        return SMALL % (len(body), body)
    more = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    head = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n"
    return head % (status, REASONS.get(status, b"Unknown"), kind, len(body), more) + body


class Request:
    """One request. Header names are lower case; `url` is the target as sent."""

    __slots__ = ("body", "connection", "headers", "keep", "method", "url")

    def __init__(
        self, connection: "Connection", method: bytes, url: bytes, headers: dict[bytes, bytes], body: bytes, keep: bool
    ) -> None:
        self.connection, self.method, self.url = connection, method, url
        self.headers, self.body, self.keep = headers, body, keep

    @property
    def path(self) -> str:
        return urlsplit(self.url.decode("latin-1")).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url.decode("latin-1")).query, keep_blank_values=True))


class Connection(asyncio.Protocol):
    """Feeds the parser and writes answers in the order of the requests; `gone` is set when the peer closed."""

    def __init__(self, serve: Callable[[Request], Answer], among: "set[Connection]") -> None:
        self.serve, self.among = serve, among
        self.waiting: deque[Request] = deque()
        self.task: asyncio.Task[None] | None = None
        self.out: list[bytes] = []
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.parser = httptools.HttpRequestParser(self)
        self.among.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()
        self.among.discard(self)
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if cause := error.__context__:
                raise cause from None
            self.out.append(answer(400, b'{"error":{"message":"Bad request","code":1}}'))
            self.flush()
            self.transport.close()
        self.flush()

    def flush(self) -> None:
        if self.out:
            self.transport.write(self.out[0] if len(self.out) == 1 else b"".join(self.out))
            self.out.clear()

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if b"expect" in self.headers:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        parser, chunks = self.parser, self.chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        keep = parser.should_keep_alive()
        request = Request(self, parser.get_method(), self.url, self.headers, body, keep)
        if self.task is None:
            self.take(request)
        else:
            self.waiting.append(request)

    def take(self, request: Request) -> None:
        result = self.serve(request)
        if isinstance(result, bytes):
            self.out.append(result)
            if not request.keep:
                self.flush()
                self.transport.close()
        else:
            self.task = asyncio.create_task(self.finish(result, request.keep))

    async def finish(self, result: Coroutine[Any, Any, bytes | None], keep: bool) -> None:
        reply = await result
        self.task = None
        if reply is None or self.transport.is_closing():
            return
        self.out.append(reply)
        while self.waiting and self.task is None:
            self.take(self.waiting.popleft())
        self.flush()
        if not keep:
            self.transport.close()

    def reset(self) -> None:
        """Ends the connection with RST instead of FIN."""
        plain = self.transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
