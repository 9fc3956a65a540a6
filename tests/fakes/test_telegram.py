"""The fake Bot API keeps the contract: without it, tests against it would prove nothing. It uses nothing of the
product."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.servers import Call, server
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.truth import Handed, Sent, Told, read

ANNA = 7001
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(truth=tmp_path / "truth.jsonl", retry_base=0.02) as fake:
        yield fake


async def ask(telegram: FakeTelegram, method: str, **values: Any) -> dict[str, Any]:
    return dict((await raw(telegram, method, **values)).json())


async def raw(telegram: FakeTelegram, method: str, **values: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        return await client.post(f"{telegram.url}/bot{telegram.token}/{method}", json=values)


def keyboard(**button: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "A"} | button]]}


async def ids(telegram: FakeTelegram, **values: Any) -> list[int]:
    return [update["update_id"] for update in (await ask(telegram, "getUpdates", **values))["result"]]


async def test_tokens_paths_and_methods() -> None:
    async with FakeTelegram() as telegram, httpx.AsyncClient(trust_env=False) as client:
        for path, code, description in (
            ("/botnonsense/getMe", 401, "Unauthorized: invalid token specified"),
            ("/bot123:AA/getMe", 401, "Unauthorized"),
            ("/elsewhere", 404, "Not Found"),
            (f"/bot{telegram.token}/getNothing", 404, "Not Found: method not found"),
        ):
            answer = await client.get(telegram.url + path)
            assert (answer.status_code, answer.json()["description"]) == (code, description)
            assert answer.json()["ok"] is False and answer.json()["error_code"] == code
        me = await client.get(f"{telegram.url}/bot{telegram.token}/GETME")
        assert me.json()["result"]["username"] == "luna_bakery_bot", "the case of a method does not matter"


async def test_values_come_in_three_forms_and_the_query() -> None:
    async with FakeTelegram() as telegram, httpx.AsyncClient(trust_env=False) as client:
        await telegram.says("hi")
        url, markup = f"{telegram.url}/bot{telegram.token}/sendMessage", {"force_reply": True}
        values = {"chat_id": ANNA, "text": "a", "reply_markup": markup}
        flat = {"chat_id": str(ANNA), "text": "a", "reply_markup": json.dumps(markup)}
        for answer in (
            await client.post(url, json=values),
            await client.post(url, data=flat),
            await client.get(url, params=flat),
            await client.post(url, data=flat, files={"unused": ("a.txt", b"x")}),
        ):
            assert answer.status_code == 200, answer.text
        photo = f"{telegram.url}/bot{telegram.token}/sendPhoto"
        data = bytes(range(256)) * 3
        sent = await client.post(photo, data={"chat_id": str(ANNA)}, files={"photo": ("a.jpg", data, "image/jpeg")})
        file_id = sent.json()["result"]["photo"][-1]["file_id"]
        assert telegram.api.world.files[file_id].data == data, "to the last byte"


async def test_an_offset_confirms_what_is_below_it(telegram: FakeTelegram) -> None:
    told = [(await telegram.says(str(number)))["update_id"] for number in range(4)]
    assert await ids(telegram) == told and await ids(telegram) == told, "told again until confirmed"
    assert await ids(telegram, limit=2) == told[:2]
    assert await ids(telegram, offset=told[1]) == told[1:]
    assert await ids(telegram, offset=-1) == told[3:], "all older ones are forgotten"
    assert await ids(telegram) == told[3:]


async def test_a_poll_is_held_until_something_happens(telegram: FakeTelegram) -> None:
    waiting = asyncio.create_task(ids(telegram, timeout=10))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    update = (await telegram.says("now"))["update_id"]
    assert await asyncio.wait_for(waiting, 2) == [update]


async def test_only_one_may_receive(telegram: FakeTelegram) -> None:
    first = asyncio.create_task(ask(telegram, "getUpdates", timeout=10))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(ask(telegram, "getUpdates", timeout=10))
    assert "terminated by other getUpdates" in (await asyncio.wait_for(first, 2))["description"]
    await asyncio.sleep(0.1)
    await ask(telegram, "setWebhook", url="https://shop.example/hook")
    assert (await asyncio.wait_for(second, 2))["description"] == "Conflict: terminated by setWebhook request"
    assert (await ask(telegram, "getUpdates"))["error_code"] == 409
    await ask(telegram, "deleteWebhook")
    assert (await ask(telegram, "getUpdates"))["ok"]


async def test_who_asks_again_and_again_is_slowed_down() -> None:
    async with FakeTelegram(repeat_wait=0.6) as telegram:
        told = [(await telegram.says(str(number)))["update_id"] for number in range(3)]
        assert await ids(telegram) == told
        assert await ids(telegram) == told[:1]


async def test_updates_expire_after_a_day(telegram: FakeTelegram) -> None:
    await telegram.says("old")
    await telegram.call("POST", "clock", advance=86_500)
    assert await ids(telegram) == []


async def test_kinds_that_were_not_asked_for_do_not_come(telegram: FakeTelegram) -> None:
    await telegram.says("hi")
    await ask(telegram, "getUpdates", allowed_updates=["message"])
    await telegram.call("POST", "react", **{"from": ANNA, "message_id": 1, "emoji": "🔥"})
    assert len(await ids(telegram)) == 1
    await ask(telegram, "getUpdates", allowed_updates=["message_reaction"])
    await telegram.call("POST", "react", **{"from": ANNA, "message_id": 1, "emoji": "🔥"})
    assert len(await ids(telegram)) == 2


@pytest.mark.parametrize(
    ("method", "values", "description"),
    [
        ("sendMessage", {"text": " "}, "message text is empty"),
        ("sendMessage", {"text": "x" * 4097}, "message is too long"),
        ("sendMessage", {"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: can't find end tag"),
        ("sendMessage", {"text": "a < b", "parse_mode": "HTML"}, "can't parse entities: unexpected character"),
        ("sendMessage", {"text": "a.b", "parse_mode": "MarkdownV2"}, "can't parse entities: character '.' is reserved"),
        ("sendMessage", {"text": "*a", "parse_mode": "MarkdownV2"}, "can't parse entities: can't find end of bold"),
        ("sendMessage", {"text": "a", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
        ("sendMessage", {"text": "a", "reply_markup": keyboard(callback_data="x" * 65)}, "BUTTON_DATA_INVALID"),
        ("sendMessage", {"text": "a", "reply_markup": keyboard()}, "can't parse inline"),
        ("sendPhoto", {"photo": "no-such-id"}, "wrong file identifier"),
        ("sendPhoto", {"photo": "http://127.0.0.1:1/a.jpg", "caption": "x"}, "failed to get HTTP URL content"),
        ("sendVenue", {"latitude": 1, "longitude": 2, "title": "x"}, "title and address must be non-empty"),
        ("sendLocation", {"latitude": 91, "longitude": 2}, "invalid geolocation"),
        ("setMessageReaction", {"message_id": 99, "reaction": []}, "message to react not found"),
        ("getFile", {"file_id": "x"}, "wrong file_id"),
        ("answerCallbackQuery", {"callback_query_id": "1"}, "query is too old"),
    ],
)  # fmt: skip
async def test_limits(telegram: FakeTelegram, method: str, values: dict[str, Any], description: str) -> None:
    await telegram.call("POST", "settings", strict_urls=True)
    await telegram.says("hi")
    found = await ask(telegram, method, chat_id=ANNA, **values)
    assert found["error_code"] == 400 and found["description"].startswith(f"Bad Request: {description}"), found
    assert not telegram.sent


async def test_a_text_is_as_long_as_it_reads(telegram: FakeTelegram) -> None:
    await telegram.says("hi")
    found = await ask(telegram, "sendMessage", chat_id=ANNA, text=f"<b>{'x' * 4096}</b> ", parse_mode="HTML")
    assert found["error_code"] == 400
    found = await ask(telegram, "sendMessage", chat_id=ANNA, text=f"😀<b>{'&lt;' * 4095}</b>", parse_mode="HTML")
    assert found["result"]["entities"] == [{"type": "bold", "offset": 2, "length": 4095}], "in UTF-16 code units"


async def test_paces_refuse_with_the_time_to_wait() -> None:
    async with FakeTelegram(quick=False, chat_burst=2) as telegram:
        await telegram.says("hi")
        answers = [await raw(telegram, "sendMessage", chat_id=ANNA, text="x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].json()["parameters"] == {"retry_after": 1} and answers[2].headers["retry-after"] == "1"
        await telegram.call("POST", "clock", advance=1.1)
        assert (await raw(telegram, "sendMessage", chat_id=ANNA, text="x")).status_code == 200


async def test_who_may_be_written_to(telegram: FakeTelegram) -> None:
    assert (await ask(telegram, "sendMessage", chat_id=5, text="x"))["description"] == "Bad Request: chat not found"
    await telegram.says("hi")
    await telegram.call("POST", "block", **{"from": ANNA})
    found = await ask(telegram, "sendMessage", chat_id=ANNA, text="x")
    assert (found["error_code"], found["description"]) == (403, "Forbidden: bot was blocked by the user")
    await telegram.sends(text="/x", chat=-9)
    new = (await telegram.call("POST", "upgrade", chat=-9))["chat"]
    found = await ask(telegram, "sendMessage", chat_id=-9, text="x")
    assert found["parameters"] == {"migrate_to_chat_id": new}


async def test_privacy_mode_shows_a_bot_only_what_is_meant_for_it(telegram: FakeTelegram) -> None:
    for text in ("hello all", "/menu", "/menu@other_bot", "hey @luna_bakery_bot"):
        await telegram.sends(text=text, chat=-9)
    found = (await ask(telegram, "getUpdates"))["result"]
    assert [update["message"]["text"] for update in found] == ["/menu", "hey @luna_bakery_bot"]


async def test_files_expire_and_big_ones_are_refused(telegram: FakeTelegram) -> None:
    await telegram.sends(document={"data": "YWJj", "name": "a.txt"})
    big = await telegram.sends(document={"size": 21 * 1024 * 1024})
    file_id = telegram.api.world.messages[ANNA, 1]["document"]["file_id"]
    path = (await ask(telegram, "getFile", file_id=file_id))["result"]["file_path"]
    url = f"{telegram.url}/file/bot{telegram.token}/{path}"
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).content == b"abc"
        await telegram.call("POST", "clock", advance=3700)
        assert (await client.get(url)).status_code == 404
    big_id = telegram.api.world.messages[ANNA, big["message_id"]]["document"]["file_id"]
    assert (await ask(telegram, "getFile", file_id=big_id))["description"] == "Bad Request: file is too big"


@pytest.mark.parametrize(
    ("values", "description"),
    [
        ({"url": "http://shop.example"}, "bad webhook: An HTTPS URL must be provided"),
        ({"url": "https://shop.example:9000"}, "bad webhook: Webhook can be set up only on ports"),
        ({"url": "https://shop.example", "secret_token": "a b"}, "secret token contains unallowed characters"),
        ({"url": "https://shop.example", "secret_token": "a" * 257}, "secret token is too long"),
    ],
)
async def test_webhooks_that_are_refused(telegram: FakeTelegram, values: dict[str, str], description: str) -> None:
    assert (await ask(telegram, "setWebhook", **values))["description"].startswith(f"Bad Request: {description}")


async def test_a_webhook_gets_updates_in_order_of_each_chat_until_they_are_taken(telegram: FakeTelegram) -> None:
    refusals = 2

    async def take(call: Call) -> None:
        nonlocal refusals
        refused = b'"one"' in call.body and refusals > 0
        refusals -= refused
        await call.respond(500 if refused else 200, b"{}")

    async with server(take) as (url, calls):
        await telegram.call("POST", "settings", hosts={"https://shop.example": url})
        await ask(telegram, "setWebhook", url="https://shop.example/hook", secret_token="plum")
        for text, who in (("one", ANNA), ("two", ANNA), ("other", 7002)):
            await telegram.says(text, who=who)
        await telegram.settled()
    assert all(call.target == "/hook" and call.header("x-telegram-bot-api-secret-token") == "plum" for call in calls)
    texts = [re.findall(rb'"text":"(\w+)"', call.body)[0].decode() for call in calls]
    assert [text for text in texts if text != "other"] == ["one", "one", "one", "two"]
    assert texts.index("other") < 3, "another chat does not wait"
    assert "500" in (await ask(telegram, "getWebhookInfo"))["result"]["last_error_message"]


async def test_the_truth_is_written_down(telegram: FakeTelegram, tmp_path: Path) -> None:
    await telegram.says("hi")
    telegram.mode("accept-then-rst", times=1)
    with pytest.raises(httpx.HTTPError):
        await ask(telegram, "sendMessage", chat_id=ANNA, text="hello")
    telegram.mode("cut", times=1)
    with pytest.raises(httpx.HTTPError):
        await ask(telegram, "sendMessage", chat_id=ANNA, text="lost")
    await ids(telegram)
    lines = read(tmp_path / "truth.jsonl")
    assert [type(line) for line in lines] == [Told, Sent, Handed]
    assert [line.text for line in lines if isinstance(line, Sent)] == ["hello"]
