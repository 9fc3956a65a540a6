"""The README's way from an empty installation to a bot of one's own that answers, with every click, field and key
counted."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.house import House
from tests.browser.visitor import DESKTOP, PHONE, Visitor
from tests.fakes.graph import FakeGraph

README = Path(__file__).parent.parent.parent / "README.md"
MOST = 25
SOON = 10_000
CUSTOMER = "5511987654321"
RULE = """
  - name: pizza
    when: {says: pizza}
    do: [{say: "We bake pizza on Fridays, {{ contact.first_name }}."}]"""


class Hand:
    """Everything a person does on a page goes through here, and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def open(self, url: str) -> None:
        self.count += 1
        self.page.goto(url)

    def fill(self, label: str, text: str) -> None:
        self.count += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def click(self, place: Locator) -> None:
        self.count += 1
        place.click()

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True))

    def press(self, keys: str) -> None:
        self.count += 1
        self.page.keyboard.press(keys)

    def type(self, text: str) -> None:
        """One stretch of writing."""
        self.count += 1
        self.page.keyboard.insert_text(text)


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    """Meta, in a process of its own."""
    fake = FakeGraph(process=True)
    with ThreadPoolExecutor(1) as elsewhere:  # this thread has the browser's loop
        elsewhere.submit(asyncio.run, fake.__aenter__()).result()
        yield fake
        elsewhere.submit(asyncio.run, fake.__aexit__(None, None, None)).result()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_way_of_the_readme_takes_fewer_than_25_interactions(
    browser: Browser, graph: FakeGraph, size: dict[str, int]
) -> None:
    way = README.read_text(encoding="utf-8").split("## From nothing to a bot that answers")[1].split("##")[0]
    steps = re.findall(r"^\d\. (.*)$", way, re.MULTILINE)
    with House(environment={"PARLEY_GRAPH_URL": graph.url}) as house:
        visitor = Visitor(browser, house, size=size)
        hand = Hand(visitor.page)
        for line, (words, take) in zip(steps, STEPS, strict=True):
            assert words in line
            take(hand, house, graph)
        assert hand.count < MOST, hand.count
        assert not visitor.complaints()
        visitor.close()


def open_the_link(hand: Hand, house: House, _graph: FakeGraph) -> None:
    hand.open(house.setup_url)


def make_an_account(hand: Hand, _house: House, _graph: FakeGraph) -> None:
    hand.fill("Your name", "Rosa Martins")
    hand.fill("E-mail", "rosa@luna.example")
    hand.fill("Password", "a cake with nine candles")
    hand.button("Continue")


def choose_a_bot(hand: Hand, _house: House, _graph: FakeGraph) -> None:
    hand.fill("Name your customers know", "Casa Luna")
    expect(hand.page.get_by_label("Time zone")).to_have_value("America/Sao_Paulo")
    hand.click(hand.page.get_by_text("My bot", exact=True))
    hand.button("Continue")
    hand.fill("Message as the customer", "hi")
    hand.press("Enter")
    expect(hand.page.locator(".phone-chat", has_text="Hi there!")).to_be_visible(timeout=SOON)


def change_it(hand: Hand, _house: House, _graph: FakeGraph) -> None:
    hand.link("Edit the bot")
    line = hand.page.locator(".cm-line", has_text='do: [{say: "Hi')
    hand.click(line)
    hand.press("End")
    hand.type(RULE)
    expect(hand.page.locator("#bot-saved")).to_contain_text("saved", timeout=SOON)


def publish_it(hand: Hand, _house: House, _graph: FakeGraph) -> None:
    hand.button("Publish…")
    hand.button("Publish")


def connect_whatsapp(hand: Hand, _house: House, graph: FakeGraph) -> None:
    hand.link("Connect a channel")
    hand.link("WhatsApp Cloud API")
    hand.fill("Phone number ID", graph.number.phone_number_id)
    hand.fill("Access token", graph.number.token)
    hand.fill("App secret", graph.number.app_secret)
    hand.button("Connect")


def say_hi(hand: Hand, house: House, graph: FakeGraph) -> None:
    """Copying and pasting at Meta is the fake's to do; what has to be clicked here counts."""
    hand.click(hand.page.get_by_role("button", name="Copy callback URL"))
    hand.click(hand.page.get_by_role("button", name="Copy verify token"))
    callback, token = hand.page.locator("#callback").inner_text(), hand.page.locator("#verify-token").inner_text()
    graph.change_number(webhook=callback, verify_token=token)
    assert house.run(graph.call("POST", "verify"))["verified"]
    graph.person(CUSTOMER, name="Ana Beatriz Souza")
    house.run(graph.inbound(CUSTOMER, "have you got pizza?"))
    house.run(graph.wait_accepted(1))
    assert graph.accepted[-1]["body"]["text"]["body"] == "We bake pizza on Fridays, Ana."


STEPS = (
    ("open the set-up link", open_the_link),
    ("Your account", make_an_account),
    ("say “hi”, the bot answers", choose_a_bot),
    ("*Edit the bot*", change_it),
    ("*Publish…*, and *Publish*", publish_it),
    ("*Connect a channel*", connect_whatsapp),
    ("write “hi” from your own phone", say_hi),
)
