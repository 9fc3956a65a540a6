"""From the set-up link to a person answering a customer, through a fake of the network and nothing else but clicks."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from app import bots, users
from tests.browser.filled import BOT
from tests.browser.house import House
from tests.browser.visitor import Visitor
from tests.fakes.graph import FakeGraph

CUSTOMER = "5511987654321"
SOON = 8000


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    """Meta, in a process of its own."""
    fake = FakeGraph(process=True)
    with ThreadPoolExecutor(1) as elsewhere:  # this thread has the browser's loop
        elsewhere.submit(asyncio.run, fake.__aenter__()).result()
        yield fake
        elsewhere.submit(asyncio.run, fake.__aexit__(None, None, None)).result()


def test_from_the_set_up_link_to_a_person_who_answers(browser: Browser, graph: FakeGraph) -> None:
    with House(environment={"PARLEY_GRAPH_URL": graph.url}) as house:
        visitor = Visitor(browser, house)
        page = visitor.page
        set_up(page, house)
        publish_a_bot(house)
        connect(page, house, graph)
        first_message(page, house, graph)
        answer_and_give_back(page, house, graph)
        assert not visitor.complaints()
        visitor.close()


def set_up(page: Page, house: House) -> None:
    page.goto(house.setup_url)
    page.get_by_label("Name").fill("Rosa Martins")
    page.get_by_label("E-mail").fill("rosa@luna.example")
    page.locator("input[name=password]").fill("a cake with nine candles")
    page.locator("form button.primary").click()
    page.get_by_label("Name your customers know").fill("Casa Luna")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/simulator*")


def publish_a_bot(house: House) -> None:
    async def work() -> None:
        rosa = await users.find(house.rt, "rosa@luna.example")
        bot_id = await bots.create(house.rt, "", BOT.read_text(encoding="utf-8"), rosa)
        await bots.publish(house.rt, bot_id, None, "", rosa)

    house.run(work())


def connect(page: Page, house: House, graph: FakeGraph) -> None:
    """The guided steps, followed to the letter."""
    page.goto(f"{house.url}/channels")
    page.get_by_role("link", name="Add channel").click()
    page.get_by_role("link", name="WhatsApp Cloud API").click()
    page.get_by_label("Name of this channel").fill("Shop")
    page.get_by_label("Phone number ID", exact=False).first.fill(graph.number.phone_number_id)
    page.locator("#access_token").fill(graph.number.token)
    page.locator("#app_secret").fill(graph.number.app_secret)
    page.locator("#verify_token").fill(graph.number.verify_token)
    page.locator("#waba_id").fill(graph.number.waba)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="Finish connecting “Shop”")).to_be_visible()
    graph.change_number(webhook=page.locator("#callback").inner_text())
    assert house.run(graph.call("POST", "verify"))["verified"]
    expect(page.locator(".steps > li").nth(2)).to_have_class(re.compile("done"), timeout=SOON)
    page.get_by_role("button", name="Test it").click()
    expect(page.locator("#channels-checks")).to_contain_text("Meta accepts the access token", timeout=SOON)
    expect(page.locator("#channels-checks .bad-text")).to_have_count(0)
    page.get_by_label("Luna Bakery").check()
    page.get_by_role("button", name="Use this bot").click()
    expect(page.locator("#answers")).to_contain_text("live here now")


def first_message(page: Page, house: House, graph: FakeGraph) -> None:
    graph.person(CUSTOMER, name="Ana Beatriz Souza")
    inbox = page.context.new_page()
    inbox.goto(f"{house.url}/inbox?view=all")
    expect(inbox.get_by_role("heading", name="No conversations here")).to_be_visible()
    expect(inbox.get_by_role("heading", name="Choose a conversation")).to_be_hidden()
    house.run(graph.inbound(CUSTOMER, "hi"))
    expect(page.get_by_role("heading", name="Finish connecting “Shop”")).to_be_hidden(timeout=SOON)
    expect(inbox.get_by_role("heading", name="Choose a conversation")).to_be_visible(timeout=SOON)
    expect(inbox.get_by_role("heading", name="No conversations here")).to_be_hidden()
    inbox.close()
    page.goto(f"{house.url}/inbox?view=all")
    page.locator(".conv").first.click()
    reply = page.locator(".msg.out.bot", has_text="What can I do for you?")
    expect(reply).to_be_visible(timeout=SOON)
    expect(reply.get_by_role("img", name="Read")).to_be_visible(timeout=SOON)
    house.run(graph.inbound(CUSTOMER, "when are you open?"))
    expect(page.locator(".msg.out.bot", has_text="until 18:00")).to_be_visible(timeout=SOON)


def answer_and_give_back(page: Page, house: House, graph: FakeGraph) -> None:
    page.locator(".composer textarea").fill("Rosa here, how can I help?")
    page.get_by_role("button", name="Send").click()
    said = page.locator(".msg.out.person", has_text="Rosa here")
    expect(said.get_by_role("img", name="Read")).to_be_visible(timeout=SOON)
    assert graph.accepted[-1]["body"]["text"]["body"] == "Rosa here, how can I help?"
    before = graph.total
    house.run(graph.inbound(CUSTOMER, "menu"))
    expect(page.locator(".msg.in", has_text="menu")).to_be_visible(timeout=SOON)
    expect(page.locator(".takeover")).to_contain_text("You have this chat.")
    assert graph.total == before, "the bot spoke while a person had the chat"
    page.get_by_role("button", name="Give back to bot").click()
    expect(page.locator(".takeover")).to_have_count(0, timeout=SOON)
    house.run(graph.inbound(CUSTOMER, "menu"))
    expect(page.locator(".msg.out.bot", has_text="sourdough")).to_be_visible(timeout=SOON)
    house.run(graph.wait_accepted(before + 1))
