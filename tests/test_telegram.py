"""Telegram in the running product: in by webhook and by polling, through the bot, out to the fake Bot API."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import bots, connecting, files, sending
from app.channels import Live
from app.connectors import CONNECTORS
from app.connectors.telegram import hook
from app.connectors.telegram.api import Part, multipart
from app.content import Image
from app.errors import Conflict, Invalid
from app.pace import Pace
from app.routes.hooks import Hooks
from app.runtime import Runtime, start, stop
from app.settings import load
from tests.connectors.bot_api import channel
from tests.fakes.telegram import FakeTelegram
from tests.shop import change, rows

BOT = """
bot: Echo
language: en
rules:
  - name: from a link
    when: {referral: {ref: summer}}
    do: [{say: "Welcome to the summer sale, {{ contact.first_name }}."}]
  - name: menu
    when: {says: menu}
    do: [{say: What would you like?, list: {label: Menu, choices: [{title: Bread, description: fresh}, Cake]}}]
fallback: {do: [{say: "You said {{ message.text }}"}]}
"""
ANNA = 7001
GROUP = -1001234


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def house(tmp_path: Path, database_url: str, telegram: FakeTelegram) -> AsyncIterator[Runtime]:
    """In real time: a network of its own runs beside it."""
    (tmp_path / "ballast").touch()
    where = database_url if database_url.startswith("postgres") else f"sqlite:///{database_url}"
    flags = {"data": str(tmp_path), "database_url": where, "telegram_url": telegram.url}
    runtime = await start(load(flags, {}, tmp_path))
    yield runtime
    await stop(runtime)


async def open_bot(rt: Runtime, telegram: FakeTelegram, document: str = BOT, **values: str) -> Live:
    channel_id = await connecting.add(rt.channels, "telegram", "Bot", {"token": telegram.token} | values, rate=0)
    bot_id = await bots.create(rt, "", document, None)
    await bots.publish(rt, bot_id, [channel_id], "", None)
    return rt.channels.by_id[channel_id]


async def until(holds: Any, seconds: float = 10) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await holds()):
            await asyncio.sleep(0.02)
    return found


async def test_a_message_is_answered_and_a_pressed_row_comes_back(house: Runtime, telegram: FakeTelegram) -> None:
    live = await open_bot(house, telegram)
    await telegram.says("/start summer", names={"first_name": "Anna"})
    await telegram.says("menu")
    await telegram.wait_sent(2)
    assert telegram.sent[0]["text"] == "Welcome to the summer sale, Anna."
    assert telegram.sent[1]["text"] == "What would you like?\n\nBread: fresh"
    await telegram.press("Cake")
    sent = await telegram.wait_sent(3)
    assert sent[2]["text"] == "You said Cake"
    assert await rows(house, "select kind, text from message where kind = 'list_reply'") == [("list_reply", "Cake")]
    assert (live.state.state.value, live.state.detail) == ("connected", "@luna_bakery_bot")


async def test_a_group_is_answered_where_the_bot_is_meant_and_nowhere_else(
    house: Runtime, telegram: FakeTelegram
) -> None:
    await telegram.call("POST", "settings", reads_groups=True)
    await open_bot(house, telegram)
    await telegram.sends(text="nobody asks the bot", chat=GROUP)
    await telegram.sends(text="@luna_bakery_bot hello", chat=GROUP)
    await telegram.sends(who=7002, text="/hello@luna_bakery_bot", chat=GROUP)
    await telegram.says("in private")
    sent = await telegram.wait_sent(3)
    assert sorted((line["chat_id"], line["text"]) for line in sent) == [
        (GROUP, "You said /hello"), (GROUP, "You said hello"), (ANNA, "You said in private"),
    ]  # fmt: skip
    threads = (
        "select i.value, v.thread from conversation v join identity i on i.contact_id = v.contact_id order by 1, 2"
    )
    assert await rows(house, threads) == [("7001", ""), ("7001", str(GROUP)), ("7002", str(GROUP))]
    assert await rows(house, "select field from raw_update where conversation_id is null") == [("group_message",)]


async def test_who_blocks_the_bot_is_opted_out_until_they_come_back(house: Runtime, telegram: FakeTelegram) -> None:
    await open_bot(house, telegram)
    await telegram.says("hello")
    await telegram.wait_sent(1)
    opted_out = "select 1 from contact where opted_out_at is not null"
    await telegram.call("POST", "block", **{"from": ANNA, "blocked": True})
    await until(lambda: rows(house, opted_out))
    await telegram.call("POST", "block", **{"from": ANNA, "blocked": False})
    await until(lambda: rows(house, "select 1 from contact where opted_out_at is null"))
    assert len(telegram.sent) == 1, "nobody is answered for that"


async def test_the_language_of_a_person_s_telegram_is_spoken_until_another_is_set(
    house: Runtime, telegram: FakeTelegram
) -> None:
    document = "bot: Echo\nlanguage: en\nfallback: {do: [{say: {en: Hello, pt: Olá}}]}\n"
    await open_bot(house, telegram, document)
    await telegram.says("oi", names={"language_code": "pt-br"})
    assert (await telegram.wait_sent(1))[0]["text"] == "Olá"
    assert await rows(house, "select language from contact") == [("pt-br",)]
    await change(house, "update contact set language = 'en'")
    await telegram.says("oi")
    assert (await telegram.wait_sent(2))[1]["text"] == "Hello"


async def test_an_edit_and_a_reaction_land_on_their_messages(house: Runtime, telegram: FakeTelegram) -> None:
    await open_bot(house, telegram)
    first = await telegram.says("helo")
    await telegram.wait_sent(1)
    await telegram.call("POST", "edit", **{"from": ANNA, "message_id": first["message_id"], "text": "hello"})
    await until(lambda: rows(house, "select 1 from message where text = 'hello' and edited_at is not null"))
    await telegram.call("POST", "react", **{"from": ANNA, "message_id": 2, "emoji": "🔥"})
    await until(lambda: rows(house, "select 1 from message where kind = 'reaction'"))
    assert json.loads((await rows(house, "select content from message where kind = 'reaction'"))[0][0]) == {
        "kind": "reaction", "target": f"{ANNA}.2", "emoji": "🔥",
    }  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # tests/test_outbox.py slows down both
async def test_P22_what_telegram_slows_down_is_sent_later_and_in_order(house: Runtime, telegram: FakeTelegram) -> None:
    await open_bot(house, telegram)
    telegram.mode("429", times=1)
    await telegram.says("one")
    await telegram.says("two")
    await telegram.says("other", who=7002)
    sent = await telegram.wait_sent(3)
    assert [line["text"] for line in sent if line["chat_id"] == ANNA] == ["You said one", "You said two"]
    assert telegram.api.world.refused[429] == 1


async def test_another_program_is_told_on_the_channel(house: Runtime, telegram: FakeTelegram) -> None:
    live = await open_bot(house, telegram)

    async def state(code: str) -> bool:
        return (await rows(house, "select state_code from channel")) == [(code,)]

    await until(lambda: state("connected"))
    telegram.api.world.hook.set({"url": "https://other.example/hook"})
    await until(lambda: state("telegram.webhook_elsewhere"))
    await connecting.change(house.channels, live.row.id, {})
    await until(lambda: state("connected"))
    assert telegram.api.world.hook.url == ""


async def test_a_wrong_token_is_refused_at_once_or_told_as_final(house: Runtime, telegram: FakeTelegram) -> None:
    with pytest.raises(Invalid, match="Token"):
        await connecting.add(house.channels, "telegram", "Bot", {"token": "not a token"})
    live = await open_bot(house, telegram)
    with pytest.raises(Conflict):
        await connecting.add(
            house.channels, "telegram", "Twice", {"token": f"{live.row.account}:AAotherotherotherother"}
        )
    other = await connecting.add(house.channels, "telegram", "Other", {"token": "55555:AAotherotherotherother"})

    async def broken() -> bool:
        return bool(await rows(house, "select 1 from channel where state = 'broken' and id = :id", id=other))

    await until(broken)


def test_P22_a_group_is_one_chat_with_a_pace_of_its_own() -> None:
    limit = CONNECTORS["telegram"].pair_limit
    assert limit is not None
    pace = Pace(30, pairs=limit, now=0)
    for _ in range(limit.burst):
        pace.took_pair(str(GROUP), 0, group=True)
        pace.took_pair(7, 0)
    assert pace.pair_wait(str(GROUP), 0) == pytest.approx(3)
    assert pace.pair_wait(7, 0) == pytest.approx(1)


# ---- the webhook -----------------------------------------------------------------------------------------------------


class Caller:
    """Telegram's side of the webhook."""

    def __init__(self, client: httpx.AsyncClient, live: Live) -> None:
        self.client, self.live = client, live
        self.path = f"/hooks/telegram/{live.row.key}"

    async def post(self, update: dict[str, Any], **headers: str) -> int:
        given = {"X-Telegram-Bot-Api-Secret-Token": hook.secret_of(self.live.opened)} | headers
        return (await self.client.post(self.path, json=update, headers=given)).status_code


@pytest.fixture
async def caller(house: Runtime, telegram: FakeTelegram) -> AsyncIterator[Caller]:
    live = await open_bot(house, telegram, receive="polling")

    async def inner(scope: object, receive: object, send: object) -> None:
        raise AssertionError("a webhook never reaches the dashboard")

    transport = httpx.ASGITransport(Hooks(house, inner))
    async with httpx.AsyncClient(transport=transport, base_url="http://any.host") as client:
        yield Caller(client, live)


def update(number: int, text: str = "hi") -> dict[str, Any]:
    chat = {"id": ANNA, "type": "private", "first_name": "Anna"}
    message = {"message_id": number, "date": 1_900_000_000, "chat": chat, "from": chat, "text": text}
    return {"update_id": number, "message": message}


async def test_P1_P3_an_update_is_on_disk_when_it_is_answered_and_kept_once(house: Runtime, caller: Caller) -> None:
    for _ in range(2):
        assert await caller.post(update(1)) == 200
        assert await rows(house, "select provider_id from message where direction = 'in'") == [(f"{ANNA}.1",)]


async def test_P5_S25_without_the_secret_nothing_is_read(house: Runtime, caller: Caller) -> None:
    for wrong in ("", "x", hook.secret_of(caller.live.opened) + "0"):
        assert await caller.post(update(1), **{"X-Telegram-Bot-Api-Secret-Token": wrong}) == 403
    assert (await caller.client.post(caller.path, json=update(1))).status_code == 403
    assert await rows(house, "select count(*) from message") == [(0,)]


async def test_only_posts_at_its_own_place_are_for_it(house: Runtime, caller: Caller) -> None:
    assert (await caller.client.get(caller.path)).status_code == 405
    elsewhere = caller.path.replace("telegram", "whatsapp")
    assert (await caller.client.post(elsewhere, json=update(1))).status_code == 404
    secret = {"X-Telegram-Bot-Api-Secret-Token": hook.secret_of(caller.live.opened)}
    assert (await caller.client.post(caller.path, content=b"no json", headers=secret)).status_code == 400


async def test_a_notice_that_is_told_again_is_kept_once(house: Runtime, caller: Caller) -> None:
    post = {"message_id": 3, "date": 1_700_000_000, "chat": {"id": -5, "type": "channel"}, "text": "news"}
    for _ in range(2):
        assert await caller.post({"update_id": 9, "channel_post": post}) == 200
    assert await rows(house, "select field from raw_update") == [("channel_post",)]


@pytest.mark.parametrize(
    ("public", "receive", "used"),
    [
        ("https://shop.example", "", True),
        ("https://shop.example:8443/", "", True),
        ("https://shop.example:9000", "", False),
        ("http://shop.example", "", False),
        ("", "", False),
        ("https://shop.example", "polling", False),
        ("https://[::1", "", False),
    ],
)
def test_a_webhook_is_used_where_telegram_can_call(public: str, receive: str, used: bool) -> None:
    assert bool(hook.address_of(channel(public_url=public, receive=receive))) is used


def test_secrets_differ_by_channel_and_token() -> None:
    assert hook.secret_of(channel()) == hook.secret_of(channel())
    assert hook.secret_of(channel()) != hook.secret_of(channel(token="5:AAother"))


# ---- files from here -------------------------------------------------------------------------------------------------


async def test_a_file_that_is_stored_here_goes_along_with_the_message(house: Runtime, telegram: FakeTelegram) -> None:
    live = await open_bot(house, telegram)
    data = bytes(range(256)) * 40
    await telegram.sends(photo={"data": base64.b64encode(data).decode()})
    await telegram.wait_sent(1)
    ((media_id, mime),) = await until(lambda: rows(house, "select id, mime from media where state = 'stored'"))
    said = await files.named(house.db.reader, Image(provider_id=str(media_id), caption="*yours*"))
    assert said == Image(media_id=str(media_id), caption="*yours*", mime=mime, size=len(data))
    sending.check(live, said)
    ((contact_id,),) = await rows(house, "select id from contact")
    await house.db.write(sending.send, live.here, sending.Recipient(contact_id=contact_id), said)
    live.sender.wake()
    sent = (await telegram.wait_sent(2))[1]
    assert (sent["method"], sent["text"], sent["values"]["photo"]) == ("sendPhoto", "yours", "file.jpg")
    shown = telegram.api.world.messages[ANNA, sent["message_id"]]
    assert telegram.api.world.files[shown["photo"][-1]["file_id"]].data == data


async def test_a_file_that_is_gone_is_told_and_not_sent(house: Runtime, telegram: FakeTelegram) -> None:
    live = await open_bot(house, telegram)
    await telegram.says("hi")
    await telegram.wait_sent(1)
    ((contact_id,),) = await rows(house, "select id from contact")
    await house.db.write(sending.send, live.here, sending.Recipient(contact_id=contact_id), Image(media_id="5"))
    live.sender.wake()
    await until(lambda: rows(house, "select 1 from message where status = 'failed' and problem like '%file_gone%'"))
    assert len(telegram.sent) == 1


def test_a_name_of_a_file_cannot_end_its_header() -> None:
    body, _ = multipart({"chat_id": 1}, Part("document", 'a"\r\nX: b\\.pdf', "application/pdf\r\nY: c", b"x"))
    assert b'filename="a   X: b .pdf"' in body and b"\r\nX:" not in body and b"\r\nY:" not in body
