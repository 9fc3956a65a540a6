"""Receiving: nothing is confirmed before it is kept, and everything that stands in the way is explained."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.connectors.base import SessionFailed, State
from app.connectors.telegram.session import TelegramSession
from app.content import Buttons, Choice, Pressed, Text
from tests.connectors.bot_api import ANNA, Heard, channel, outbound, running
from tests.fakes.telegram import FakeTelegram


async def told(telegram: FakeTelegram, holds: Callable[[dict[str, Any]], Any]) -> None:
    """Waits until the fake's state is so."""
    async with asyncio.timeout(5):
        while not holds(await telegram.call("GET", "state")):
            await asyncio.sleep(0.01)


async def test_messages_arrive_in_order_and_are_confirmed() -> None:
    async with FakeTelegram() as telegram:
        for number in range(250):
            await telegram.says(f"message {number}", who=ANNA + number % 3)
        heard = Heard()
        async with running(telegram, heard):
            await telegram.says("the last one")
            await heard.until(lambda: len(heard.messages) == 251)
            await telegram.settled()
    texts = [arrival.content.text for arrival in heard.messages if isinstance(arrival.content, Text)]
    assert texts == [f"message {number}" for number in range(250)] + ["the last one"]
    assert heard.states == ["starting", "connected"]


async def test_P7_what_could_not_be_kept_is_told_again() -> None:
    async with FakeTelegram() as telegram:
        heard = Heard()
        heard.refuse = lambda arrival: "two" in str(arrival)
        await telegram.says("one")
        await telegram.says("two")
        session = TelegramSession(channel(telegram.url))
        with pytest.raises(OSError, match="disk"):
            await session.run(heard)
        assert (await telegram.call("GET", "state"))["waiting"] == 2, "nothing of the answer was confirmed"
        heard.refuse = lambda arrival: False
        again = asyncio.create_task(session.run(heard))
        await heard.until(lambda: len(heard.messages) == 3)
        await telegram.settled()
        await session.close()
        await again
    names = [arrival.provider_id for arrival in heard.messages]
    assert names[0] == names[1] and len(set(names)) == 2, "told twice under the same name"


async def test_another_program_that_polls_is_explained_and_the_session_comes_back() -> None:
    async with FakeTelegram() as telegram:
        heard = Heard()
        session = TelegramSession(channel(telegram.url))
        work = asyncio.create_task(session.run(heard))
        await heard.until(lambda: "connected" in heard.states)
        await told(telegram, lambda state: state["polled"])
        telegram.api.world.queue.end_poll("terminated by other getUpdates request; make sure that only one bot runs")
        with pytest.raises(SessionFailed) as caught:
            await work
        assert caught.value.change.code == "telegram.other_program"
        assert caught.value.change.state is State.RECONNECTING and caught.value.wait >= 3
        heard.arrivals.clear()
        work = asyncio.create_task(session.run(heard))
        await told(telegram, lambda state: state["polled"])
        assert heard.states == [], "a poll that was not held to its end proves nothing yet"
        await telegram.says("hello")
        await heard.until(lambda: heard.messages)
        assert heard.states == ["connected"]
        await session.close()
        await work


async def test_a_webhook_of_another_program_is_taken_over_once_and_then_explained() -> None:
    async with FakeTelegram() as telegram:
        hook = telegram.api.world.hook
        hook.set({"url": "https://other.example/hook"})
        heard = Heard()
        session = TelegramSession(channel(telegram.url))
        work = asyncio.create_task(session.run(heard))
        await heard.until(lambda: "connected" in heard.states)
        assert hook.url == ""
        hook.set({"url": "https://other.example/hook"})
        with pytest.raises(SessionFailed) as caught:
            await work
        assert caught.value.change.code == "telegram.webhook_elsewhere"
        with pytest.raises(SessionFailed) as caught:
            await session.run(heard)
        assert caught.value.change.code == "telegram.webhook_elsewhere"
        assert hook.url == "https://other.example/hook", "two programs do not fight over it"
        await session.close()


@pytest.mark.parametrize("token", ["123456789:AAwrongwrongwrongwrongwrong", "nonsense"])
async def test_a_refused_token_is_final(token: str) -> None:
    async with FakeTelegram() as telegram:
        session = TelegramSession(channel(telegram.url, token))
        with pytest.raises(SessionFailed) as caught:
            await session.run(Heard())
        await session.close()
    assert (caught.value.change.state, caught.value.change.code) == (State.BROKEN, "telegram.token")


async def test_out_of_reach_is_tried_again_and_the_token_is_not_told() -> None:
    session = TelegramSession(channel("http://127.0.0.1:1"))
    with pytest.raises(SessionFailed) as caught:
        await session.run(Heard())
    await session.close()
    assert caught.value.change.state is State.RECONNECTING
    assert "AAFake" not in str(caught.value)


async def test_a_pressed_button_is_answered_once_it_is_kept() -> None:
    async with FakeTelegram() as telegram:
        heard = Heard()
        async with running(telegram, heard) as session:
            await telegram.says("hi")
            sent = await session.send(outbound(Buttons("What?", (Choice("menu", "Menu"), Choice("order", "Order")))))
            query = await telegram.press("Order")
            await heard.until(lambda: len(heard.messages) == 2)
            pressed = heard.messages[1]
            assert pressed.content == Pressed("order", "Order") and pressed.reply_to == sent.provider_id
            await told(telegram, lambda state: query in state["answered"])


async def test_closing_ends_a_poll_at_once() -> None:
    async with FakeTelegram() as telegram:
        heard = Heard()
        async with asyncio.timeout(2):
            async with running(telegram, heard):
                pass
