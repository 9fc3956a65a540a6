"""Requests that are answered from their whole body by a call: the connection behaves as it does for all others."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app import server
from tests.test_server import echo, exchange

Headers = list[tuple[bytes, bytes]]


class Desk:
    """Takes what is posted to `/whole`, answers when told to; all else is echoed by ASGI, with the body's length."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, Headers, bytes, server.Answer]] = []
        self.by_asgi = 0
        self.at_once = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.by_asgi += 1
        await echo(scope, receive, send)

    def takes(self, url: bytes) -> bool:
        return url == b"/whole"

    def post(self, url: bytes, source: str, headers: Headers, body: bytes, answer: server.Answer) -> None:
        if body == b"broken":
            raise RuntimeError("broken")
        assert source == "127.0.0.1"
        self.taken.append((url, headers, body, answer))
        if self.at_once:
            self.answer(len(self.taken) - 1)

    def answer(self, number: int) -> None:
        _, _, body, answer = self.taken[number]
        said = b"took " + body
        answer(200, [(b"content-length", b"%d" % len(said))], said)

    async def has(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.taken) < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[tuple[server.Server, int]]:
    listening = server.listen("127.0.0.1", 0)
    made = server.make(desk)
    task = asyncio.ensure_future(made.serve(sockets=[listening]))
    while not made.started:
        await asyncio.sleep(0.01)
    try:
        yield made, listening.getsockname()[1]
    finally:
        made.should_exit = True
        await task


def post(body: bytes, *more: bytes, path: bytes = b"/whole", version: bytes = b"1.1") -> bytes:
    lines = [b"POST %s HTTP/%s" % (path, version), b"Host: h", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join([*lines, b"", body])


async def answered(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await asyncio.wait_for(reader.readexactly(length), 5)


async def test_a_connection_stays_open_for_the_next_and_says_what_asgi_says() -> None:
    desk = Desk()
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in (b"one", b"", b"three"):
            writer.write(post(body))
            head, said = await answered(reader)
            assert said == b"took " + body
        writer.write(post(b"12345", path=b"/else"))
        other, length = await answered(reader)
        assert length == b"5" and (len(desk.taken), desk.by_asgi) == (3, 1)
        names = [[line.partition(b":")[0] for line in each.splitlines()] for each in (head, other)]
        assert names[0] == names[1] and head.startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    desk = Desk()
    desk.at_once = False
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"first") + post(b"second") + post(b"third", path=b"/else"))
        await desk.has(1)
        await asyncio.sleep(0.05)
        assert [body for _, _, body, _ in desk.taken] == [b"first"] and desk.by_asgi == 0
        desk.answer(0)
        # What waited behind an unanswered request comes by ASGI.
        assert [(await answered(reader))[1] for _ in range(3)] == [b"took first", b"6", b"5"]
        writer.write(post(b"fourth"))
        await desk.has(2)
        desk.answer(1)
        assert (await answered(reader))[1] == b"took fourth"
        writer.close()


async def test_a_body_in_many_pieces_is_given_once_and_whole() -> None:
    desk = Desk()
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (request := post(b"abcdefghij"))[:-10], *(request[-n : -n + 1 or None] for n in range(10, 0, -1)):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.002)
        assert (await answered(reader))[1] == b"took abcdefghij" and len(desk.taken) == 1
        writer.close()


@pytest.mark.parametrize(
    ("request_", "length"),
    [
        (post(b"x" * 70_000), b"70000"),
        (post(b"one", version=b"1.0"), b"3"),
        (post(b"one", path=b"/whole?x=1"), b"3"),
        (b"POST /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n", b"3"),
        (b"POST /whole HTTP/1.1\r\nHost: h\r\n\r\n", b"0"),
        (b"GET /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none", b"3"),
        (post(b"one", b"Expect: 100-continue"), b"3"),
    ],
)
async def test_large_chunked_and_other_requests_come_by_asgi(request_: bytes, length: bytes) -> None:
    desk = Desk()
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_)
        head = b"HTTP/1.1 100"
        while head.startswith(b"HTTP/1.1 100"):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 200") and (await reader.readexactly(len(length))) == length
        assert (desk.taken, desk.by_asgi) == ([], 1)
        writer.close()


async def test_the_connection_closes_after_the_answer_where_it_was_asked_to() -> None:
    async with running(Desk()) as (_, port):
        answer = await exchange(port, post(b"one", b"Connection: close"))
        assert answer.endswith(b"took one") and b"\r\nconnection: close\r\n" in answer


async def test_S15_a_body_that_pauses_is_given_up_and_never_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_PAUSE", 0.2)
    desk = Desk()
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"abcdefghi")[:-5])
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 408") and not desk.taken
        writer.close()


async def test_one_that_waits_for_its_answer_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_PAUSE", 0.1)
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.1)
    desk = Desk()
    desk.at_once = False
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"slow"))
        await desk.has(1)
        await asyncio.sleep(0.35)  # here the server looks ten times a second
        desk.answer(0)
        assert (await answered(reader))[1] == b"took slow"
        writer.close()


async def test_an_answer_to_somebody_who_left_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.at_once = False
    async with running(desk) as (made, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"gone"))
        await desk.has(1)
        writer.transport.abort()
        async with asyncio.timeout(5):
            while made.server_state.connections:
                await asyncio.sleep(0.005)
        with caplog.at_level(logging.WARNING):
            desk.answer(0)
    assert not caplog.records


async def test_nonsense_behind_a_request_ends_the_connection_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.at_once = False
    async with running(desk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"one"))
        await desk.has(1)
        writer.write(b"\x00\x01nonsense\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 400")
        desk.answer(0)
        writer.close()
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_failure_is_500_and_the_server_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Desk()) as (_, port):
        assert (await exchange(port, post(b"broken"))).startswith(b"HTTP/1.1 500")
        assert any(record.exc_info for record in caplog.records)
        assert (await exchange(port, post(b"one", b"Connection: close"))).endswith(b"took one")


async def test_P34_a_stop_waits_for_what_is_not_answered_yet() -> None:
    desk = Desk()
    desk.at_once = False
    async with running(desk) as (made, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"last"))
        await desk.has(1)
        made.should_exit = True
        await asyncio.sleep(0.3)
        desk.answer(0)
        head, said = await answered(reader)
        assert said == b"took last" and b"connection: close" in head
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
