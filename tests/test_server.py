"""The HTTP server on a real socket: slow and huge requests (S15), and how it stops (P34)."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn.server

from app import server
from app.errors import Misconfigured

HELLO = b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body; hangs up quietly where the client did."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def running() -> AsyncIterator[tuple[server.Server, int]]:
    listening = server.listen("127.0.0.1", 0)
    made = server.make(echo)
    task = asyncio.ensure_future(made.serve(sockets=[listening]))
    while not made.started:
        await asyncio.sleep(0.01)
    try:
        yield made, listening.getsockname()[1]
    finally:
        made.should_exit = True
        await task


async def exchange(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def test_a_request_is_answered_without_naming_the_server() -> None:
    async with running() as (_server, port):
        answer = await exchange(port, HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"0") and b"uvicorn" not in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /x HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /x HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 90) for n in range(400)) + b"\r\n",
        b"GET /x HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 40_000,
    ],
)
async def test_S15_a_head_over_32_kb_is_refused(head: bytes) -> None:
    async with running() as (_server, port):
        assert (await exchange(port, head)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost : h\r\n\r\n",
    ],
)
async def test_S15_a_head_that_can_be_read_in_two_ways_is_refused(head: bytes) -> None:
    async with running() as (_server, port):
        assert (await exchange(port, head)).startswith(b"HTTP/1.1 400")


async def refused_as_too_slow(first: bytes, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, limit, 0.2)
    async with running() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 408")
        writer.close()


async def test_S15_a_head_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.HEAD_SECONDS == 10
    monkeypatch.setattr(uvicorn.server, "asyncio", asyncio)  # at the pace of life: the server looks once a second
    await refused_as_too_slow(b"GET /x HTTP/1.1\r\nHost: h\r\nX-One", "HEAD_SECONDS", monkeypatch)


async def test_S15_a_connection_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    await refused_as_too_slow(b"", "HEAD_SECONDS", monkeypatch)


async def test_S15_a_body_that_pauses_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (server.BODY_PAUSE, server.BODY_SECONDS) == (15, 60)
    await refused_as_too_slow(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", "BODY_PAUSE", monkeypatch)


async def test_S15_a_body_that_drips_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.5)
    async with running() as (_server, port), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = asyncio.ensure_future(reader.read())
        while not answer.done():
            writer.write(b"1\r\nx\r\n")
            await asyncio.wait([answer], timeout=0.05)
        # Whoever still writes may learn of the end from a reset before reading why.
        assert isinstance(answer.exception(), ConnectionError) or answer.result().startswith(b"HTTP/1.1 408")
        writer.close()


async def test_an_address_in_use_is_told_with_what_to_do() -> None:
    listening = server.listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    with pytest.raises(Misconfigured, match="--port"):
        server.listen("127.0.0.1", port)
    assert server.address(listening) == f"http://127.0.0.1:{port}"
    listening.close()


# ---- a whole process --------------------------------------------------------------------------------------------

PROGRAM = """
import asyncio, sys
from app import server
from app.bus import Bus
from app.routes.stream import Stream

class Quiet:
    def listen(self, callback): pass

class House:
    db = Quiet()
    bus = Bus(db)

async def opened(request): return House.bus.subscribe(["channels"])
async def forever(): await asyncio.sleep(600)
stream = Stream(House)
stream.open, stream.watch_sessions = opened, forever

async def app(scope, receive, send):
    if scope["path"] == "/events":
        return await stream(scope, receive, send)
    if scope["path"] == "/slow":
        print("slow begins", flush=True)
        await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})

async def main():
    listening = server.listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    async def close():
        print("closed", flush=True)
        await asyncio.sleep(float(sys.argv[1]))
    await server.serve(app, listening, on_stop=House.bus.close, close=close)

server.run(main())
print("end", flush=True)
"""

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process could stop by")


class Process:
    """The program above in a process of its own."""

    def __init__(self, closing: float = 0) -> None:
        root = Path(__file__).parent.parent
        command = [sys.executable, "-c", PROGRAM, str(closing)]
        self.popen = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout
        self.out = self.popen.stdout
        self.port = int(self.out.readline())

    def finish(self, patience: float) -> tuple[int, str]:
        text, _ = self.popen.communicate(timeout=patience)
        return self.popen.returncode, text


async def ask(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return reader, writer


@unix_only
async def test_P34_a_signal_ends_streams_and_the_process_leaves_by_itself() -> None:
    process = Process()
    reader, writer = await ask(process.port, "/events")
    await asyncio.wait_for(reader.readuntil(b"retry: 3000\n\n"), 5)
    began = time.monotonic()
    os.kill(process.popen.pid, signal.SIGTERM)
    rest = await asyncio.wait_for(reader.read(), 5)
    assert rest.endswith(b"0\r\n\r\n")  # the stream ended as a stream does, it was not cut
    assert process.finish(5) == (0, "closed\nend\n") and time.monotonic() - began < 4
    writer.close()


@unix_only
async def test_P34_a_request_under_way_is_answered_first() -> None:
    process = Process()
    reader, writer = await ask(process.port, "/slow")
    assert await asyncio.to_thread(process.out.readline) == "slow begins\n"
    os.kill(process.popen.pid, signal.SIGTERM)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"done")
    assert process.finish(5) == (0, "closed\nend\n")
    writer.close()


@unix_only
async def test_P34_the_second_signal_ends_it_at_once() -> None:
    process = Process(closing=60)
    reader, writer = await ask(process.port, "/")  # answered: from here on signals are handled
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    os.kill(process.popen.pid, signal.SIGINT)
    assert await asyncio.to_thread(process.out.readline) == "closed\n"
    os.kill(process.popen.pid, signal.SIGINT)
    assert process.finish(3)[0] == -signal.SIGINT
