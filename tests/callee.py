"""Somebody who is called: a real HTTP server on loopback that remembers what it heard and answers as it is told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Seen(msgspec.Struct, frozen=True):
    """A request as it arrived; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """`status` 0: hang up without a word."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    type: str = "application/json"
    headers: Mapping[str, str] = {}


class Callee:
    """`answer` runs in a thread for each request and may take its time; `at_once` is the most that ran together."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], Reply] = lambda seen: Reply()
        self.running = self.at_once = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold(self, seen: Seen) -> Reply:
        """An answer that does not come before `released` is set."""
        self.released.wait(30)
        return Reply()

    def begin(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)
            self.running += 1
            self.at_once = max(self.at_once, self.running)

    def end(self) -> None:
        with self._lock:
            self.running -= 1


@contextmanager
def listening(port: int = 0) -> Iterator[Callee]:
    """Until the end of the block."""
    callee = Callee()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.serve
            raise AttributeError(name)

        def serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:  # the caller died on the way: nobody acts on half a request
                self.close_connection = True
                return
            headers = {key.lower(): value for key, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, body)
            callee.begin(seen)
            try:
                reply = callee.answer(seen)
            finally:
                callee.end()
            self.close_connection = True
            if reply.status:
                self.send_response(reply.status)
                for name, value in {"Content-Type": reply.type, **reply.headers}.items():
                    if value:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", port), Handler)
    callee.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield callee
    finally:
        callee.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
