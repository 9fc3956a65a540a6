"""The HTTP server: uvicorn with the limits it lacks (S15) and a stop that does not wait for open streams (P34).

A request's head has 10 s and 32 KB, its body may pause for 15 s and take 60 s. The first SIGTERM or SIGINT stops in
order: streams end, no new connections, requests under way get 5 s, then whatever the caller closes. The second ends the
process.
"""

import asyncio
import logging
import signal
import socket
import sys
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeVar, cast

import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.errors import Misconfigured
from app.security.limits import BODY_PAUSE, BODY_SECONDS, HEAD_BYTES, HEAD_SECONDS

KEEP_ALIVE: Final = 15
GRACE: Final = 5
SOCKET_BYTES: Final = 1_000_000  # the largest message on a WebSocket
BACKLOG: Final = 2048
REASONS: Final = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}

UNHEARD: Final = asyncio.Event()  # set for requests that nobody waits for

log = logging.getLogger(__name__)
T = TypeVar("T")


Answer = Callable[[int, list[tuple[bytes, bytes]], bytes], None]


@typing.runtime_checkable
class TakesWhole(typing.Protocol):
    """An application that answers some requests by a call with the whole body, without a task of their own."""

    def takes(self, url: bytes) -> bool: ...

    def post(
        self, url: bytes, source: str, headers: list[tuple[bytes, bytes]], body: bytes, answer: Answer
    ) -> None: ...


class Whole:
    """One such request, in the place of uvicorn's cycle, whose names it has: so a request behind it on the connection
    waits its turn, a slow body is given up, a stop waits for it and the connection closes after its answer."""

    def __init__(self, connection: "Protocol", keep_alive: bool) -> None:
        self.connection, self.keep_alive = connection, keep_alive
        self.url, self.headers = connection.url, connection.headers
        self.body = bytearray()
        self.more_body = True
        self.disconnected = self.response_started = self.response_complete = False
        self.message_event = UNHEARD

    def begin(self, app: TakesWhole) -> None:
        client = self.connection.client
        try:
            app.post(self.url, client[0] if client else "?", self.headers, bytes(self.body), self.answer)
        except Exception:
            log.exception("a request failed")
            self.keep_alive = False
            self.answer(500, [(b"content-length", b"0")], b"")

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        connection = self.connection
        if self.response_complete or self.disconnected:
            return
        self.response_started = self.response_complete = True
        if connection.transport.is_closing():
            return
        head = [STATUS_LINE[status]]
        for name, value in (*connection.server_state.default_headers, *headers):
            head += (name, b": ", value, b"\r\n")
        head += (b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n", body)
        connection.transport.write(b"".join(head))
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()


class Protocol(HttpToolsProtocol):
    """One connection. `head_since` and `body_since` are loop times while a head or body is under way, else 0."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head_since = self.body_since = self.body_heard = 0.0
        self.head_bytes = self.received = 0
        self.refusal = 400
        self.whole = self.app if isinstance(self.app, TakesWhole) else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # That of a stream is a `Transport`, and uvloop's has all that one has without being one.
        super().connection_made(cast(asyncio.Transport, transport))
        self.head_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self.received = self.head_bytes + len(data)
        super().data_received(data)
        if self.head_since:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head_since, self.head_bytes = self.loop.time(), 0

    def on_headers_complete(self) -> None:
        self.head_since = 0.0
        if (
            self.received > HEAD_BYTES
            and len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES
        ):
            self.refusal = 431
            raise ValueError("head too large")  # the parser turns it into its own error, and that into a refusal
        if self.whole is not None and self.comes_whole(self.whole):
            # uvicorn asks a cycle for no more than `Whole` has.
            self.cycle = cast(RequestResponseCycle, Whole(self, self.parser.should_keep_alive()))
        else:
            super().on_headers_complete()
        self.body_since = self.body_heard = self.loop.time()

    def on_body(self, body: bytes) -> None:
        self.body_heard = self.loop.time()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.body_since = 0.0
        super().on_message_complete()
        cycle: object = self.cycle
        if self.whole is not None and isinstance(cycle, Whole) and not cycle.response_complete:
            cycle.begin(self.whole)

    def comes_whole(self, app: TakesWhole) -> bool:
        """A POST of a known length that fits into one buffer, on a connection that is answered up to here."""
        parser, cycle = self.parser, self.cycle
        if parser.get_method() != b"POST" or not app.takes(self.url) or self.expect_100_continue:
            return False
        if parser.get_http_version() != "1.1" or parser.should_upgrade():
            return False
        if cycle is not None and not cycle.response_complete:
            return False
        for name, length in self.headers:
            if name == b"content-length":
                # Seven digits are enough to be too long.
                return length.isdigit() and len(length) <= 7 and int(length) <= HIGH_WATER_LIMIT
        return False

    def send_400_response(self, msg: str) -> None:
        self.refuse(self.refusal)

    def refuse(self, status: int) -> None:
        """Answer, unless an answer is under way, and hang up."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode())
        self.transport.close()

    def look(self, now: float) -> None:
        """Hang up on a client that is too slow; one that we make wait is not."""
        if self.transport is None or self.transport.is_closing() or self.flow.read_paused:
            return
        slow_head = self.head_since and now - self.head_since > HEAD_SECONDS
        slow_body = self.body_since and (now - self.body_heard > BODY_PAUSE or now - self.body_since > BODY_SECONDS)
        if slow_head or slow_body:
            self.refuse(408)


class Server(uvicorn.Server):
    """uvicorn, whose signals are handled by `serve` and which looks after slow clients once a second."""

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol):
                    connection.look(now)
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises Misconfigured with what to do where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by its number: asyncio sends small answers at once (TCP_NODELAY) on no other socket.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise Misconfigured(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --port or PARLEY_PORT."
        ) from None
    found.setblocking(False)
    return found


def address(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


async def serve(
    app: Any, listening: socket.socket, *, on_stop: Callable[[], None], close: Callable[[], Awaitable[None]]
) -> None:
    """Serve until a signal (or until the task is cancelled). `on_stop` is called at the first one, on the loop:
    readiness turns, streams end. `close` is awaited once no request is under way."""
    server = make(app)
    with signals(lambda: stop(server, on_stop)):
        try:
            await server.serve(sockets=[listening])
        finally:
            on_stop()
            await close()


def make(app: Any) -> Server:
    config = uvicorn.Config(
        app,
        http=Protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws=cast(type[asyncio.Protocol], web_socket),
        ws_max_size=SOCKET_BYTES,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    return Server(config)


def web_socket(**given: Any) -> asyncio.Protocol:
    """uvicorn's protocol for a WebSocket, imported with the first of them."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**given)


def stop(server: Server, on_stop: Callable[[], None]) -> None:
    on_stop()
    server.should_exit = True


@contextmanager
def signals(first: Callable[[], None]) -> Iterator[None]:
    """While inside, the first signal calls `first` on the loop. The second is the system's own: it ends the process
    even if the loop hangs, and whatever was answered is on disk already."""
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        loop.call_soon_threadsafe(first)

    names = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        names.append(signal.SIGBREAK)
    before = {number: signal.signal(number, handle) for number in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run the program's coroutine on uvloop where there is one."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
