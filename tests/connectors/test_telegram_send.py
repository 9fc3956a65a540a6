"""What is sent, as the fake Bot API takes it, and what its refusals mean."""

import asyncio
from typing import Any

import pytest

from app.connectors.base import Address, Outbound, Scope, SendFailed
from app.connectors.telegram import limits
from app.connectors.telegram.outbound import FORMS
from app.connectors.telegram.session import TelegramSession
from app.connectors.telegram.words import html
from app.content import (
    Ask,
    Audio,
    Buttons,
    Card,
    Choice,
    ChoiceList,
    Contacts,
    Content,
    Document,
    Flow,
    Image,
    Link,
    Location,
    Reaction,
    Section,
    Sticker,
    Template,
    Text,
    Video,
)
from tests.connectors.bot_api import ANNA, channel, outbound
from tests.connectors.servers import Call, server
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.entities import parsed

CHOICES = (Choice("bread", "Bread"), Choice("cake", "Cake & tea"))
PHOTO = "https://shop.example/a.jpg"
CONTENTS: list[tuple[Content, str]] = [
    (Text("plain <text> & more"), "sendMessage"),
    (Text("*bold* and _it_ <b>"), "sendMessage"),
    (Image(url=PHOTO, caption="*new*"), "sendPhoto"),
    (Video(url="https://shop.example/a.mp4"), "sendVideo"),
    (Audio(url="https://shop.example/a.mp3"), "sendAudio"),
    (Audio(url="https://shop.example/a.ogg", voice=True), "sendVoice"),
    (Document(url="https://shop.example/a.pdf", filename="a.pdf"), "sendDocument"),
    (Sticker(url="https://shop.example/a.webp"), "sendSticker"),
    (Location(-8.05, -34.88), "sendLocation"),
    (Location(-8.05, -34.88, "Luna", ""), "sendVenue"),
    (Contacts((Card("Ana Souza", (("+55 81 99999-0000", ""),)),)), "sendContact"),
    (Contacts((Card("Ana"), Card("Bela", (("+1 555", ""),)))), "sendMessage"),
    (Buttons("What?", CHOICES, "Header < 1", "Footer"), "sendMessage"),
    (Buttons("What?", CHOICES, Image(url=PHOTO), "Footer"), "sendPhoto"),
    (
        ChoiceList("What?", "Open", (Section((Choice("a", "A", "first"),), "One"), Section(CHOICES, "Two"))),
        "sendMessage",
    ),
    (Link("Look", "Open", "https://shop.example"), "sendMessage"),
    (Ask("Where?", "location"), "sendMessage"),
    (Ask("Your number?", "contact_info"), "sendMessage"),
]


async def sent(telegram: FakeTelegram, *messages: Outbound) -> list[dict[str, Any]]:
    session = TelegramSession(channel(telegram.url))
    try:
        for message in messages:
            await session.send(message)
    finally:
        await session.close()
    return telegram.sent


async def failed(telegram: FakeTelegram, message: Outbound) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await sent(telegram, message)
    assert "AAFake" not in f"{caught.value.problem}"
    return caught.value


@pytest.mark.parametrize(("content", "method"), CONTENTS, ids=lambda value: value if isinstance(value, str) else "")
async def test_every_kind_is_taken(content: Content, method: str) -> None:
    assert limits.check(content) is None
    async with FakeTelegram() as telegram:
        await telegram.says("hi")
        (line,) = await sent(telegram, outbound(content))
    assert (line["method"], line["chat_id"]) == (method, ANNA)


def test_the_kinds_above_are_all_there_are() -> None:
    assert {type(content) for content, _ in CONTENTS} | {Reaction} == set(FORMS) == set(limits.RULES)
    for other in (Template("t", "en"), Flow("f", {})):
        problem = limits.check(other)
        assert problem and problem.code == "send.content"


async def test_names_of_what_was_sent_are_those_by_which_people_answer() -> None:
    async with FakeTelegram() as telegram:
        first = await telegram.says("hi")
        session = TelegramSession(channel(telegram.url))
        done = await session.send(outbound(Text("hello"), reply_to=f"{ANNA}.{first['message_id']}"))
        assert done.provider_id == f"{ANNA}.2"
        assert telegram.api.world.messages[ANNA, 2]["reply_to_message"]["message_id"] == 1
        reacted = await session.send(outbound(Reaction(f"{ANNA}.1", "👍")))
        assert reacted.provider_id == "reaction.k.1" and telegram.sent[-1]["text"] == "👍"
        await session.close()


async def test_a_group_and_a_topic_are_written_to_where_they_are() -> None:
    async with FakeTelegram() as telegram:
        await telegram.sends(text="/menu", chat=-1001234)
        lines = await sent(telegram, outbound(Text("a"), chat="-1001234"), outbound(Text("b"), chat="-1001234/33"))
    assert [line["chat_id"] for line in lines] == [-1001234, -1001234]
    assert lines[1]["values"]["message_thread_id"] == 33


async def test_a_group_that_became_a_supergroup_is_found_again() -> None:
    async with FakeTelegram() as telegram:
        await telegram.sends(text="/menu", chat=-55)
        new = (await telegram.call("POST", "upgrade", chat=-55))["chat"]
        lines = await sent(telegram, outbound(Text("a"), chat="-55"), outbound(Text("b"), chat="-55"))
        assert [line["chat_id"] for line in lines] == [new, new]
        assert telegram.api.world.refused[400] == 1, "asked once"


# ---- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _it_ ~no~ `a*b`", "<b>bold</b> <i>it</i> <s>no</s> <code>a*b</code>"),
        ("```\nif a < b\n```", "<pre>if a &lt; b</pre>"),
        ("*a _b_ c*", "<b>a <i>b</i> c</b>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("* a list\n* of two", "* a list\n* of two"),
        ("https://x.example/_a_/*b*?c=1&d=2 *x*", "https://x.example/_a_/*b*?c=1&amp;d=2 <b>x</b>"),
        ("<script>&", "&lt;script&gt;&amp;"),
    ],
)
def test_marks_become_html_that_telegram_reads(text: str, shown: str) -> None:
    assert html(text) == shown
    parsed(shown, "HTML")


async def test_a_text_without_marks_goes_as_it_is() -> None:
    async with FakeTelegram() as telegram:
        await telegram.says("hi")
        lines = await sent(telegram, outbound(Text("5 < 6 & 7 > 2_000")), outbound(Text("*yes* & <no>")))
    assert "parse_mode" not in lines[0]["values"]
    assert [line["text"] for line in lines] == ["5 < 6 & 7 > 2_000", "yes & <no>"]


@pytest.mark.parametrize(
    "content",
    [
        Text("x" * 4097),
        Text("  "),
        Image(url=PHOTO, caption="x" * 1025),
        Image(),
        Image(url=PHOTO, size=6 * limits.MB),
        Document(url="ftp://x.example/a"),
        Buttons("What?", (Choice("x" * 63, "A"),)),
        Buttons("What?", ()),
        Buttons("What?", (Choice("a", "x" * 65),)),
        Buttons("x" * 1025, CHOICES, Image(url=PHOTO)),
        Buttons("What?", tuple(Choice(str(n), str(n)) for n in range(101))),
        ChoiceList("x" * 4090, "Open", (Section((Choice("a", "A", "described"),)),)),
        Link("Look", "Open", "javascript:alert(1)"),
        Ask("Which?", "age"),
        Location(91, 0),
        Sticker(url=PHOTO, caption="hi"),
        Contacts(()),
    ],
    ids=lambda content: type(content).__name__,
)
def test_limits_are_told_before_anything_is_sent(content: Content) -> None:
    problem = limits.check(content)
    assert problem and problem.code == "send.limit" and problem.title


# ---- what may go wrong -----------------------------------------------------------------------------------------------


async def test_a_person_who_blocked_the_bot_or_never_started_it() -> None:
    async with FakeTelegram() as telegram:
        await telegram.says("hi")
        await telegram.call("POST", "block", **{"from": ANNA})
        blocked = await failed(telegram, outbound(Text("hello")))
        stranger = await failed(telegram, outbound(Text("hello"), who=9999))
    assert (blocked.problem.code, blocked.certain, blocked.temporary) == ("telegram.blocked", True, False)
    assert (stranger.problem.code, stranger.halt) == ("telegram.stranger", False)


async def test_P22_a_limit_is_obeyed_for_the_chat_and_for_the_bot_when_it_repeats() -> None:
    async with FakeTelegram(quick=False, chat_burst=1) as telegram:
        await telegram.says("hi")
        await telegram.says("hi", who=7002)
        session = TelegramSession(channel(telegram.url))
        await session.send(outbound(Text("one")))
        with pytest.raises(SendFailed) as first:
            await session.send(outbound(Text("two")))
        telegram.mode("429", times=1)
        with pytest.raises(SendFailed) as second:
            await session.send(outbound(Text("three"), who=7002))
        await session.close()
    assert (first.value.scope, first.value.retry_after, first.value.certain) == (Scope.PAIR, 1.0, True)
    assert second.value.scope is Scope.CHANNEL


async def test_a_refused_token_halts_the_channel() -> None:
    async with FakeTelegram() as telegram:
        session = TelegramSession(channel(telegram.url, "123456789:AAwrong"))
        with pytest.raises(SendFailed) as caught:
            await session.send(outbound(Text("hello")))
        await session.close()
    assert caught.value.halt and caught.value.problem.code == "telegram.token"


@pytest.mark.parametrize("mode", ["accept-then-rst", "accept-then-502", "garbage"])
async def test_P18_an_answer_that_does_not_tell_is_unknown(mode: str) -> None:
    async with FakeTelegram() as telegram:
        await telegram.says("hi")
        telegram.mode(mode)
        failure = await failed(telegram, outbound(Text("hello")))
        assert len(telegram.sent) == 1
    assert not failure.certain


async def test_P18_an_error_of_telegram_s_own_may_have_been_carried_out() -> None:
    async def answer(call: Call) -> None:
        await call.respond(500, b'{"ok":false,"error_code":500,"description":"Internal Server Error"}')

    async with server(answer) as (url, _):
        session = TelegramSession(channel(url))
        with pytest.raises(SendFailed) as caught:
            await session.send(outbound(Text("hello")))
        await session.close()
    assert not caught.value.certain


async def test_P18_what_never_left_is_certain() -> None:
    session = TelegramSession(channel("http://127.0.0.1:1"))
    with pytest.raises(SendFailed) as caught:
        await session.send(outbound(Text("hello")))
    await session.close()
    assert caught.value.certain and caught.value.temporary and "AAFake" not in caught.value.problem.detail


async def test_nobody_to_send_to() -> None:
    async with FakeTelegram() as telegram:
        failure = await failed(telegram, Outbound("k.1", Address(phone="5511"), Text("hello")))
    assert failure.problem.code == "send.recipient" and failure.certain


# ---- files and "test it" ---------------------------------------------------------------------------------------------


async def test_a_file_is_found_and_one_that_is_too_big_is_not() -> None:
    async with FakeTelegram() as telegram:
        await telegram.sends(photo={"data": "YSBwaWN0dXJl"})
        big = await telegram.sends(document={"size": 30 * limits.MB})
        small_id, big_id = (telegram.api.world.messages[ANNA, number] for number in (1, big["message_id"]))
        session = TelegramSession(channel(telegram.url))
        found = await session.locate_media(small_id["photo"][-1]["file_id"])
        assert found.url.startswith(f"{telegram.url}/file/bot") and found.size == 9
        with pytest.raises(SendFailed) as caught:
            await session.locate_media(big_id["document"]["file_id"])
        await session.close()
    assert caught.value.problem.code == "telegram.too_big" and not caught.value.temporary


async def examined(telegram: FakeTelegram, token: str = "", **config: str) -> dict[str, tuple[bool | None, str]]:
    session = TelegramSession(channel(telegram.url, token or telegram.token, **config))
    try:
        return {check.name: (check.ok, check.remedy) for check in await session.examine()}
    finally:
        await session.close()


async def test_set_up_is_examined() -> None:
    async with FakeTelegram() as telegram:
        good = await examined(telegram)
        assert {name: ok for name, (ok, _) in good.items()} == dict.fromkeys(
            ("telegram.token", "telegram.polling", "telegram.privacy"), True
        )
        assert await examined(telegram, "123456789:AAwrong") == {"telegram.token": (False, "telegram.renew")}
        telegram.api.world.hook.set({"url": "https://other.example/hook"})
        assert (await examined(telegram))["telegram.polling"] == (False, "telegram.elsewhere")
        wanted = {"public_url": "https://shop.example"}
        assert (await examined(telegram, **wanted))["telegram.webhook"] == (False, "telegram.elsewhere")
        telegram.api.world.hook.set({"url": "https://shop.example/hooks/telegram/key-of-the-channel"})
        assert (await examined(telegram, **wanted))["telegram.webhook"] == (True, "")
        telegram.api.world.hook.error = "Connection timed out"
        assert (await examined(telegram, **wanted))["telegram.webhook"] == (False, "telegram.address")
        await telegram.call("POST", "settings", reads_groups=True)
        assert (await examined(telegram))["telegram.privacy"] == (False, "telegram.private")
    assert await examined(telegram) == {"telegram.token": (None, "telegram.unreachable")}


async def test_typing_is_shown() -> None:
    async with FakeTelegram() as telegram:
        await telegram.says("hi")
        session = TelegramSession(channel(telegram.url))
        await session.mark_read(f"{ANNA}.1", typing=True)
        await session.mark_read(f"{ANNA}.1", typing=False)
        await asyncio.sleep(0)
        await session.close()
        assert telegram.api.world.actions == [(ANNA, "typing")]
