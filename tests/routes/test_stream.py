"""`/events`: S24 and P41 as a browser meets them. Driven as ASGI, because a client library waits for a stream's end."""

import asyncio
from typing import Any

import pytest

from app import users
from app.events import Event
from app.routes import stream
from tests.shell import House


class Listening:
    """An open stream: what it sent so far, and how to hang up."""

    def __init__(self, house: House, cookie: str, query: str, **headers: str) -> None:
        self.sent: list[Any] = []
        self.news = asyncio.Event()
        self.gone = asyncio.Event()
        named = {"host": "127.0.0.1:8080", "cookie": cookie, **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/events",
            "raw_path": b"/events",
            "root_path": "",
            "query_string": query.encode(),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
        }
        self.task = asyncio.ensure_future(house.app(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        if not hasattr(self, "asked"):
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.news.set()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent[1:]).decode()

    async def until(self, wanted: str) -> None:
        async with asyncio.timeout(5):
            while wanted not in self.text:
                self.news.clear()
                await self.news.wait()

    async def hang_up(self) -> None:
        self.gone.set()
        await asyncio.wait_for(self.task, 5)


async def cookie(house: House, email: str = "rosa@luna.example") -> str:
    browser = await house.logged_in(email)
    return "; ".join(f"{name}={value}" for name, value in browser.jar.items())


def publish(tx: Any, *topics: str) -> None:
    tx.publish(Event("conversation.updated", topics, b"{}"))


async def test_P41_what_is_committed_rings(house: House) -> None:
    await house.add_user()
    listening = Listening(house, await cookie(house), "topics=conversations,conversation-42")
    await listening.until("retry: 3000")
    headers = dict(listening.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream") and headers[b"x-accel-buffering"] == b"no"
    await house.db.write(publish, "conversations", "conversation-42", "channels")
    await listening.until("event: conversation-42\ndata: {}\n\n")
    assert "event: conversations" in listening.text and "channels" not in listening.text
    await listening.hang_up()
    assert not house.bus.subscriptions


async def test_P41_last_event_id_beats_the_position_in_the_address(house: House) -> None:
    await house.add_user()
    session = await cookie(house)
    await house.db.write(publish, "channels")
    await house.db.write(publish, "bots")
    await house.db.settled()
    listening = Listening(house, session, "topics=channels,bots&after=0", last_event_id=str(house.bus.seq - 1))
    await listening.until("event: bots")
    assert "event: channels" not in listening.text
    await listening.hang_up()


async def test_S24_a_stream_needs_a_session_and_our_own_page(house: House) -> None:
    await house.add_user()
    session = await cookie(house)
    for query, headers, status in (
        ("topics=channels", {"cookie": ""}, 401),
        ("topics=channels", {"sec-fetch-site": "cross-site"}, 403),
        ("topics=channels", {"origin": "http://evil.example"}, 403),
        ("topics=secrets", {}, 422),
        ("topics=conversation-x", {}, 422),
        ("topics=" + ",".join(["channels"] * 51), {}, 422),
    ):
        listening = Listening(house, headers.pop("cookie", session), query, **headers)
        await asyncio.wait_for(listening.task, 5)
        assert listening.status == status, query


async def test_S14_six_streams_for_one_session(house: House) -> None:
    await house.add_user()
    session = await cookie(house)
    streams = [Listening(house, session, "topics=channels") for _ in range(stream.EACH_SESSION)]
    for listening in streams:
        await listening.until("retry")
    seventh = Listening(house, session, "topics=channels")
    await asyncio.wait_for(seventh.task, 5)
    assert seventh.status == 429
    for listening in streams:
        await listening.hang_up()


@pytest.mark.parametrize("how", ["log out", "disable", "change role"])
async def test_P41_a_stream_ends_with_the_session(house: House, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHECK_EVERY", 0.05)
    await house.add_user()
    bia = await house.add_user("bia@luna.example", "agent")
    rosa = await users.find(house.rt, "rosa@luna.example")
    browser = await house.logged_in("bia@luna.example")
    listening = Listening(house, next(f"{n}={v}" for n, v in browser.jar.items()), "topics=channels")
    other = Listening(house, await cookie(house), "topics=channels")
    await listening.until("retry"), await other.until("retry")
    if how == "log out":
        await browser.submit("/logout")
    elif how == "disable":
        await users.disable(house.rt, bia, rosa)
    else:
        await users.change_role(house.rt, bia, "viewer", rosa)
    await asyncio.wait_for(listening.task, 5)
    assert not other.task.done()
    await other.hang_up()
    assert stream.CHECK_EVERY < 5


async def test_P34_streams_end_when_the_server_stops(house: House) -> None:
    await house.add_user()
    listening = Listening(house, await cookie(house), "topics=channels")
    await listening.until("retry")
    house.bus.close()
    await asyncio.wait_for(listening.task, 5)
    assert listening.sent[-1] == {"type": "http.response.body", "body": b""}
