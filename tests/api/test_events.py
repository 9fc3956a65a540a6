"""What programs hear: Server-Sent Events and the WebSocket, over a real server and real connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from app import feed, tokens
from app.db import Query, Statement
from app.routes.api import events
from tests.api.conftest import Program
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
TO = {"channel": "Shop", "to": "+5511999990000"}


class Heard:
    """An open stream, event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.lines = answer.aiter_lines()
        self.last = ""

    async def next(self) -> dict[str, Any]:
        """The data of the next event, within five seconds."""
        async with asyncio.timeout(5):
            async for line in self.lines:
                if line.startswith("id: "):
                    self.last = line[4:]
                if line.startswith("data: "):
                    found: dict[str, Any] = json.loads(line[6:])
                    return found
        raise AssertionError("the stream ended")


@asynccontextmanager
async def hearing(place: str, head: dict[str, str], query: str = "", last: str = "") -> AsyncIterator[Heard]:
    named = head | ({"Last-Event-ID": last} if last else {})
    async with httpx.AsyncClient(timeout=10) as client:
        async with client.stream("GET", f"http://{place}/api/v1/events{query}", headers=named) as answer:
            assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
            heard = Heard(answer)
            assert await anext(heard.lines) == "retry: 3000"
            yield heard


async def say(api: Program, head: dict[str, str], text: str, **more: Any) -> dict[str, Any]:
    answer = await api.post("/api/v1/messages", json=TO | {"text": text, **more}, headers=head)
    assert answer.status_code == 202, answer.text
    await api.rt.db.settled()  # on Postgres an event gets its place a little later
    found: dict[str, Any] = answer.json()
    return found


async def test_an_event_brings_the_message_itself(api: Program, place: str) -> None:
    head = await api.key("read", "send")
    async with hearing(place, head, "?types=message.created") as heard:
        told = await say(api, head, "Hello")
        event = await heard.next()
        assert event["type"] == "message.created" and event["data"]["id"] == told["id"]
        assert event["data"]["content"] == {"kind": "text", "text": "Hello"} and event["seq"] == heard.last


async def test_while_nothing_happens_a_comment_shows_that_the_stream_lives(
    api: Program, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BEAT_EVERY", 0.01)
    head = await api.key("read", "send")
    async with hearing(place, head) as heard, hearing(place, head) as other, asyncio.timeout(5):
        for one in (heard, other) * 2:
            assert [await anext(one.lines), await anext(one.lines)] in ([": still here", ""], ["", ": still here"])
        await say(api, head, "Hello")
        assert (await heard.next())["data"]["content"]["text"] == "Hello"


async def test_a_program_goes_on_where_it_was(api: Program, place: str) -> None:
    head = await api.key("read", "send")
    async with hearing(place, head) as heard:
        await say(api, head, "one")
        await heard.next()
        last = heard.last
    for text in ("two", "three"):
        await say(api, head, text)
    async with hearing(place, head, last=last) as heard:
        texts = [(await heard.next())["data"]["content"]["text"] for _ in range(2)]
    assert texts == ["two", "three"]


async def test_filters_leave_out_what_was_not_asked_for(api: Program, place: str) -> None:
    head = await api.key("read", "send")
    first = await say(api, head, "one")
    async with hearing(place, head, f"?conversation={first['conversation_id']}&types=message.created") as heard:
        await say(api, head, "for another", to="+5511888880000")
        await say(api, head, "for this one")
        assert (await heard.next())["data"]["content"]["text"] == "for this one"


async def test_a_program_that_was_away_too_long_is_told(api: Program, place: str) -> None:
    head = await api.key("read", "send")
    for text in ("one", "two", "three"):
        await say(api, head, text)
    newest = await api.rt.db.reader.one(Query("select max(seq) from event", int))
    await api.rt.db.write(lambda tx: tx.run(Statement("delete from event where seq < :seq"), seq=newest))
    async with hearing(place, head, last="1") as heard:
        assert await heard.next() == {"type": "gap"}
        assert (await heard.next())["data"]["content"]["text"] == "three"


@pytest.mark.parametrize("query", ["?types=nonsense", "?conversation=x", "?nonsense=1"])
async def test_a_filter_that_means_nothing_is_refused(api: Program, query: str) -> None:
    answer = await api.get(f"/api/v1/events{query}", headers=await api.key("read"))
    assert answer.status_code == 422 and answer.json()["error"]["message"]


async def test_only_who_may_read_hears(api: Program) -> None:
    assert (await api.get("/api/v1/events")).status_code == 401
    assert (await api.get("/api/v1/events", headers=await api.key("send"))).status_code == 403


async def test_a_stream_ends_with_its_key(
    api: Program, place: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "CHECK_EVERY", 0.05)
    made = await tokens.create(api.rt, name="short", scopes=["read"])
    async with hearing(place, api.bearing(made.secret)) as heard:
        await api.rt.db.write(tokens.delete_key, made.id)  # as another process would: it is noticed after two seconds
        clock.advance(2)
        with pytest.raises(AssertionError, match="ended"):
            await heard.next()


async def test_a_credential_has_six_connections(api: Program, place: str) -> None:
    head = await api.key("read")
    async with asyncio.timeout(10):
        opened = [hearing(place, head) for _ in range(events.EACH)]
        for each in opened:
            await each.__aenter__()
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{place}/api/v1/events", headers=head)
            assert answer.status_code == 429 and "Retry-After" in answer.headers
        for each in reversed(opened):
            await each.__aexit__(None, None, None)


async def test_a_listener_that_does_not_read_loses_nothing(api: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """It falls behind, goes on from the database, and hears everything once and in order."""
    monkeypatch.setattr(feed, "QUEUE", 5)
    monkeypatch.setattr(feed, "BATCH", 7)
    head = await api.key("send", rate=0)
    listener = api.rt.feed.join(feed.Wanted(frozenset({"message.created"})), None)
    heard: list[feed.Told] = []
    following = api.rt.feed.follow(listener)
    await say(api, head, "0")
    heard += await anext(following)
    waiting = asyncio.ensure_future(anext(following))
    async with asyncio.timeout(5):
        while listener.behind:
            await asyncio.sleep(0.01)
    for number in range(1, 60):
        await say(api, head, str(number))
    assert listener.behind
    async with asyncio.timeout(5):
        heard += await waiting
        while len(heard) < 60:
            heard += await anext(following)
    assert [json.loads(each.body)["data"]["content"]["text"] for each in heard] == [str(n) for n in range(60)]
    api.rt.feed.leave(listener)


async def test_a_listener_that_is_closed_while_it_reads_what_it_missed_ends(api: Program) -> None:
    await api.rt.db.settled()  # set-up is over, and nothing is missed
    following = asyncio.ensure_future(anext(api.rt.feed.follow(api.rt.feed.join(feed.Wanted(), None)), None))
    await asyncio.sleep(0)  # its question is on its way to the database
    api.rt.feed.close()
    assert await asyncio.wait_for(following, 5) is None


@asynccontextmanager
async def socket(place: str, head: dict[str, str]) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{place}/api/v1/socket", additional_headers=head) as connection:
        yield connection


async def ask(connection: ClientConnection, past: list[dict[str, Any]] | None = None, **body: Any) -> dict[str, Any]:
    """The answer to this. Events that come before it go to `past`."""
    await connection.send(json.dumps({"id": "7", **body}))
    async with asyncio.timeout(5):
        while True:
            found: dict[str, Any] = json.loads(await connection.recv())
            if "event" not in found:
                assert found["id"] == "7"
                return found
            if past is not None:
                past.append(found["event"])


async def event(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            found: dict[str, Any] = json.loads(await connection.recv())
            if "event" in found:
                inner: dict[str, Any] = found["event"]
                return inner


async def test_a_program_hears_sends_and_acts_on_one_connection(api: Program, place: str) -> None:
    person = api.bearing((await api.log_in())["access_token"])
    async with socket(place, person) as connection:
        assert (await ask(connection, do="subscribe", types="message.created"))["ok"]
        past: list[dict[str, Any]] = []
        sent = await ask(connection, past, do="send", **TO, text="Hi")
        heard = past[0] if past else await event(connection)
        assert sent["ok"] and heard["data"]["id"] == sent["message"]["id"]
        chat = sent["message"]["conversation_id"]
        for action, mode in (("take", "person"), ("give_back", "bot")):
            assert (await ask(connection, do=action, conversation=chat)) == {"id": "7", "ok": True}
            assert (await api.get(f"/api/v1/conversations/{chat}", headers=person)).json()["mode"] == mode
        assert (await ask(connection, do="ping"))["ok"]


async def test_after_a_break_a_program_misses_nothing(api: Program, place: str) -> None:
    head = await api.key("read", "send")
    async with socket(place, head) as connection:
        start = (await ask(connection, do="subscribe"))["seq"]
    for text in ("one", "two"):
        await say(api, head, text)
    async with socket(place, head) as connection:
        await connection.send(json.dumps({"do": "subscribe", "id": "1", "types": "message.created", "after": start}))
        assert [(await event(connection))["data"]["content"]["text"] for _ in range(2)] == ["one", "two"]


async def test_asked_twice_on_the_socket_is_done_once(api: Program, place: str) -> None:
    async with socket(place, await api.key("send")) as connection:
        first = await ask(connection, do="send", **TO, text="Hi", idempotency_key="a")
        again = await ask(connection, do="send", **TO, text="Hi", idempotency_key="a")
        assert first["message"] == again["message"]
        other = await ask(connection, do="send", **TO, text="Bye", idempotency_key="a")
        assert other["error"]["code"] == "key_reused"


NONSENSE = ["{", "[]", '{"do": "fly"}', '{"do": "send"}', '{"do": "subscribe", "types": "x"}', ""]


async def test_nonsense_is_answered_and_the_connection_lives(api: Program, place: str) -> None:
    async with socket(place, await api.key("read", "send")) as connection:
        for text in NONSENSE:
            await connection.send(text)
            answer = json.loads(await asyncio.wait_for(connection.recv(), 5))
            assert answer["ok"] is False and answer["error"]["message"], text
        assert (await ask(connection, do="ping"))["ok"]


async def test_a_socket_does_what_its_scopes_allow(api: Program, place: str) -> None:
    async with socket(place, await api.key("send")) as connection:
        assert (await ask(connection, do="subscribe"))["error"]["code"] == "forbidden"
    async with socket(place, await api.key("read")) as connection:
        assert (await ask(connection, do="send", **TO, text="a"))["error"]["code"] == "forbidden"


async def test_without_a_credential_the_socket_is_closed_with_a_code(place: str) -> None:
    async with connect(f"ws://{place}/api/v1/socket") as connection:
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 4401
