"""Programs that answer for bots: over the WebSocket and by asking again and again, over a real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from app import bots, desk, handoff
from app.channels import Live
from tests.api.conftest import Program
from tests.shop import rows, said, take_in

pytestmark = pytest.mark.anyio
BOT = """
bot: Programs
rules:
  - name: price
    when: {says: price}
    do:
      - call: {handler: prices, json: {item: "{{ message.text }}"}, timeout: 30, map: {p: reply.price}}
        failed: {404: [{say: No price.}, {return: }], else: [{say: "Failed: {{ call.error }}."}, {return: }]}
      - say: "It costs {{ p }}."
fallback: {do: [{say: Sorry.}]}
"""
RELAY = """
bot: Relayed
handler: {name: shop, timeout: 30}
rules: [{name: hi, when: {says: hi}, do: [{say: The rules say hi.}]}]
fallback: {do: [{say: Sorry.}]}
"""


class Worker:
    """A program that is connected."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            found: dict[str, Any] = json.loads(await self.connection.recv())
            return found

    async def question(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.hear())["question"]
        return found

    async def say(self, **body: Any) -> dict[str, Any]:
        await self.connection.send(json.dumps({"id": "7", **body}))
        return await self.hear()

    async def take(self) -> dict[str, Any]:
        question = await self.question()
        assert (await self.say(do="taken", question=question["id"]))["ok"]
        return question

    async def answer(self, question: dict[str, Any], body: Any, status: int = 200) -> dict[str, Any]:
        return await self.say(do="answer", question=question["id"], body=body, status=status)


@asynccontextmanager
async def working(place: str, head: dict[str, str], *handlers: str, **more: Any) -> AsyncIterator[Worker]:
    async with connect(f"ws://{place}/api/v1/socket", additional_headers=head) as connection:
        worker = Worker(connection)
        assert await worker.say(do="handle", handlers=handlers, **more) == {"id": "7", "ok": True}
        yield worker


class Shop:
    def __init__(self, api: Program, live: Live) -> None:
        self.api, self.live, self.rt = api, live, api.rt

    async def publish(self, document: str) -> None:
        bot_id = await bots.create(self.rt, "", document, None)
        await bots.publish(self.rt, bot_id, [self.live.row.id], "", None)

    async def hear(self, words: str, who: str = "16505551234") -> int:
        return (await take_in(self.rt, self.live, said(self.rt, words, who))).conversation_id

    async def until(self, *answers: str) -> None:
        """The bot has said just this."""
        async with asyncio.timeout(10):
            while (found := await self.answers()) != list(answers):
                assert len(found) <= len(answers), found
                await asyncio.sleep(0.02)

    async def answers(self) -> list[str]:
        return [text for (text,) in await rows(self.rt, "select text from message where direction = 'out' order by id")]


@pytest.fixture
async def shop(api: Program) -> Shop:
    [live] = api.rt.channels.by_id.values()
    made = Shop(api, live)
    await made.publish(BOT)
    return made


@pytest.fixture
async def head(api: Program) -> dict[str, str]:
    return await api.key("read", "send")


async def test_a_program_answers_a_step(shop: Shop, place: str, head: dict[str, str]) -> None:
    async with working(place, head, "prices") as worker:
        chat = await shop.hear("price of bread")
        question = await worker.take()
        assert question["handler"] == "prices" and question["data"] == {"item": "price of bread"}
        assert question["conversation_id"] == str(chat) and question["again"] is False and question["seconds"] > 25
        assert (await worker.answer(question, {"price": 5}))["ok"]
        assert await shop.answers() == ["It costs 5."]  # ok means that the bot has heard it for good
        assert (await worker.answer(question, {"price": 6}))["error"]["code"] == "not_found"
        await shop.hear("price of cake")
        assert (await worker.answer(await worker.question(), {"error": "none"}, 404))["ok"]
        assert await shop.answers() == ["It costs 5.", "No price."]


async def test_programs_share_the_work_and_none_is_given_more_than_it_takes(
    shop: Shop,
    place: str,
    head: dict[str, str],
) -> None:
    async with working(place, head, "prices", at_once=1) as one, working(place, head, "prices", at_once=1) as other:
        for number in range(3):
            await shop.hear("price", f"1650555000{number}")
        first, second = await one.take(), await other.take()
        assert first["id"] != second["id"]
        [third] = [
            str(id) for (id,) in await rows(shop.rt, "select id from job where lane = 'ask' and begun_at is null")
        ]
        await one.connection.send(
            json.dumps({"do": "answer", "id": "7", "question": first["id"], "body": {"price": 1}})
        )
        heard = [await one.hear(), await one.hear()]
        assert {"ok" in each for each in heard} == {True, False}
        [last] = [each["question"] for each in heard if "question" in each]
        assert last["id"] == third
        assert (await one.say(do="taken", question=third))["ok"]
        for worker, question in ((one, last), (other, second)):  # a stop waits a second for what is open
            assert (await worker.answer(question, {"price": 2}))["ok"]


async def test_whoever_does_not_say_that_it_begins_is_passed_over(
    shop: Shop,
    place: str,
    head: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk, "TO_TAKE", 0.05)
    async with working(place, head, "prices") as silent, working(place, head, "shop") as other:
        await shop.hear("price")
        question = await silent.question()
        assert await silent.hear() == {"withdrawn": question["id"]}
        await shop.until("Failed: timeout.")
        assert (await other.say(do="handle", handlers=["prices"]))["ok"]
        await shop.hear("price")
        for worker in (silent, other):  # whoever was asked first
            question = await worker.question()
            if worker is silent:
                assert await silent.hear() == {"withdrawn": question["id"]}
        assert (await silent.say(do="taken", question=question["id"]))["error"]["code"] == "not_found"
        assert (await other.answer(question, {"price": 3}))["ok"]
        await shop.until("Failed: timeout.", "It costs 3.")


async def test_without_a_program_the_bot_goes_on_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "GRACE", 0.0)
    await shop.hear("price")
    await shop.until("Failed: refused.")


async def test_what_was_begun_is_given_to_nobody_else_but_may_be_answered_after_a_break(
    shop: Shop,
    place: str,
    head: dict[str, str],
    api: Program,
) -> None:
    async with working(place, head, "prices") as worker:
        await shop.hear("price")
        question = await worker.take()
    async with working(place, await api.key("read", "send"), "prices") as other:
        assert (await other.answer(question, {"price": 1}))["error"]["code"] == "not_found"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await other.question()
    async with working(place, head, "prices") as worker:
        assert (await worker.answer(question, {"price": 2}))["ok"]
    assert await shop.answers() == ["It costs 2."]


async def test_a_program_that_wants_it_is_asked_again_with_the_same_id(
    shop: Shop,
    place: str,
    head: dict[str, str],
) -> None:
    async with working(place, head, "prices", again=True) as worker:
        await shop.hear("price")
        question = await worker.take()
    async with working(place, head, "prices", again=True) as worker:
        again = await worker.take()
        assert again["id"] == question["id"] and again["again"] is True
        assert (await worker.answer(again, {"price": 2}))["ok"]
    assert await shop.answers() == ["It costs 2."]


async def test_a_program_answers_whole_conversations_and_the_rules_when_it_does_not(
    shop: Shop,
    place: str,
    head: dict[str, str],
) -> None:
    await shop.publish(RELAY)
    async with working(place, head, "shop") as worker:
        await shop.hear("hi")
        question = await worker.take()
        assert question["data"]["message"]["text"] == "hi" and question["data"]["contact"]["phone"] == "16505551234"
        await shop.hear("and more")  # waits for the answer, then is asked
        assert (await worker.answer(question, {"say": ["One.", {"text": "Two?", "buttons": ["Yes", "No"]}]}))["ok"]
        question = await worker.take()
        assert question["data"]["message"]["text"] == "and more"
        assert (await worker.answer(question, {"pass": True}))["ok"]
        await shop.hear("hi")
        assert (await worker.answer(await worker.question(), None, 500))["ok"]
        await shop.hear("bye")
        assert (await worker.answer(await worker.question(), {"handoff": "Wants a person"}))["ok"]
        assert await shop.answers() == ["One.", "Two?", "Sorry.", "The rules say hi."]
        [(mode,)] = await rows(shop.rt, "select mode from conversation")
        assert mode == "waiting"


async def test_what_a_person_takes_over_nobody_answers(shop: Shop, place: str, head: dict[str, str]) -> None:
    async with working(place, head, "prices") as worker:
        chat = await shop.hear("price")
        question = await worker.question()
        [(owner,)] = await rows(shop.rt, "select id from app_user")
        await handoff.take(shop.rt, chat, owner)
        assert (await worker.say(do="taken", question=question["id"]))["error"]["code"] == "not_found"


async def test_a_program_without_a_connection_asks_for_the_next_question(
    shop: Shop, api: Program, head: dict[str, str]
) -> None:
    nothing = await api.post("/api/v1/questions/next", json={"handler": "prices"}, headers=head)
    assert nothing.json() == {"question": None}
    await shop.hear("price")
    found = await api.post("/api/v1/questions/next", json={"handler": "prices", "wait": 5}, headers=head)
    id = found.json()["question"]["id"]
    assert (await api.post("/api/v1/questions/next", json={"handler": "prices"}, headers=head)).json()[
        "question"
    ] is None
    wrong = await api.post(f"/api/v1/questions/{id}/answer", json={"body": "x" * 70_000}, headers=head)
    assert wrong.status_code == 422
    done = await api.post(f"/api/v1/questions/{id}/answer", json={"body": {"price": 9}}, headers=head)
    assert done.status_code == 204 and await shop.answers() == ["It costs 9."]
    late = await api.post(f"/api/v1/questions/{id}/answer", json={"body": {"price": 9}}, headers=head)
    assert late.status_code == 404


async def test_whoever_handles_reads_and_speaks(place: str, api: Program) -> None:
    for scope in ("read", "send"):
        async with connect(f"ws://{place}/api/v1/socket", additional_headers=await api.key(scope)) as connection:
            assert (await Worker(connection).say(do="handle", handlers=["prices"]))["error"]["code"] == "forbidden"
