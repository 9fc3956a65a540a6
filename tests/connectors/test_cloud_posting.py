"""P18: for every way in which a POST can fail, whether the other side may have taken it. On real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from app.connectors.posting import HttpPoster, NoAnswer, NotSent
from tests.connectors.servers import Answer, Call, listener, reset, server

HEADERS = {"authorization": "Bearer token"}


@contextlib.asynccontextmanager
async def poster(connect: float = 5, total: float = 10) -> AsyncIterator[HttpPoster]:
    one = HttpPoster(connect=connect, total=total)
    try:
        yield one
    finally:
        await one.close()


async def outcome(answer: Answer, *, total: float = 10) -> tuple[type[Exception] | tuple[int, bytes], int]:
    """What the caller got, and how many requests the server saw."""
    async with server(answer) as (url, calls), poster(total=total) as one:
        try:
            return await one.post(url, b'{"a":1}', HEADERS), len(calls)
        except (NotSent, NoAnswer) as failure:
            return type(failure), len(calls)


async def hang(call: Call) -> None:
    await asyncio.Event().wait()


async def close(call: Call) -> None:
    call.writer.close()


async def rst(call: Call) -> None:
    call.reset()


async def garbage(call: Call) -> None:
    await call.write(b"\x00\xffnothing of HTTP\r\n\r\n")
    call.writer.close()


async def half_a_body(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    call.writer.close()


async def half_a_body_then_reset(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    call.reset()


async def half_a_body_then_nothing(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    await hang(call)


async def broken_compression(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc")


@pytest.mark.parametrize(
    "answer", [close, rst, garbage, half_a_body, half_a_body_then_reset, broken_compression], ids=lambda f: f.__name__
)
async def test_P18_failure_after_the_request_was_written_is_unknown(answer: Answer) -> None:
    assert await outcome(answer) == (NoAnswer, 1)


@pytest.mark.parametrize("answer", [hang, half_a_body_then_nothing], ids=lambda f: f.__name__)
async def test_P18_no_answer_in_time_is_unknown(answer: Answer) -> None:
    assert await outcome(answer, total=0.3) == (NoAnswer, 1)


async def test_P18_reset_when_only_a_part_was_read_is_unknown() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        reset(writer)

    async with listener(serve) as url, poster() as one:
        with pytest.raises(NoAnswer):
            await one.post(url, b"{}", HEADERS)


async def test_P18_refused_connection_is_certainly_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with poster() as one:
            with pytest.raises(NotSent):
                await one.post(f"http://127.0.0.1:{unused.getsockname()[1]}", b"{}", HEADERS)


async def test_P18_unknown_host_is_certainly_not_sent() -> None:
    async with poster() as one:
        with pytest.raises(NotSent):
            await one.post("http://no-such-host.invalid/", b"{}", HEADERS)


async def test_P18_failed_tls_is_certainly_not_sent() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with listener(plain) as url, poster() as one:
        with pytest.raises(NotSent):
            await one.post(url.replace("http:", "https:"), b"{}", HEADERS)


async def test_P18_connection_that_never_comes_is_certainly_not_sent() -> None:
    with socket.socket() as full, contextlib.ExitStack() as others:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = others.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        async with poster(connect=0.3) as one:
            with pytest.raises(NotSent):
                await one.post(f"http://127.0.0.1:{full.getsockname()[1]}", b"{}", HEADERS)


@pytest.mark.parametrize("url", ["http://[::/", "foo", "", "http://"])
async def test_address_that_is_none_is_certainly_not_sent(url: str) -> None:
    async with poster() as one:
        with pytest.raises(NotSent):
            await one.post(url, b"{}", HEADERS)


async def test_answers_of_every_status_come_back_as_they_are() -> None:
    for status in (200, 400, 429, 500, 502):
        assert await outcome(lambda call, s=status: call.respond(s, b"body")) == ((status, b"body"), 1)


async def test_redirect_is_not_followed_and_the_token_goes_nowhere_else() -> None:
    async def elsewhere(call: Call) -> None:
        await call.write(b"HTTP/1.1 307 X\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")

    assert await outcome(elsewhere) == ((307, b""), 1)


async def test_connection_is_kept_and_replaced_when_the_server_closed_it() -> None:
    ends: list[asyncio.StreamWriter] = []

    async def answer(call: Call) -> None:
        ends.append(call.writer)
        await call.respond(200, b"ok")

    async with server(answer) as (url, calls), poster() as one:
        await one.post(url, b"1", HEADERS)
        await one.post(url, b"2", HEADERS)
        assert ends[0] is ends[1]
        ends[0].close()
        await ends[0].wait_closed()
        await asyncio.sleep(0.05)  # the client hears of the end on its own thread
        assert await one.post(url, b"3", HEADERS) == (200, b"ok")
        assert [call.body for call in calls] == [b"1", b"2", b"3"]


async def test_request_is_what_was_given() -> None:
    async with server(lambda call: call.respond(200, b"{}")) as (url, calls), poster() as one:
        await one.post(f"{url}/v25.0/1/messages", b'{"a":1}', HEADERS | {"content-type": "application/json"})
    assert calls[0].target == "/v25.0/1/messages"
    assert calls[0].body == b'{"a":1}'
    assert calls[0].header("authorization") == "Bearer token"
    assert calls[0].header("content-type") == "application/json"
