"""The phone: everything that a customer can send besides words, from its menu."""

import asyncio

from playwright.sync_api import Browser, expect

from app import bots
from app.db import Query
from tests.browser.house import House
from tests.browser.test_pages import EACH, findings
from tests.browser.visitor import Visitor, hold, release

WAITING = Query("select count(*) from message where text = :text and provider_id is null", int)
BOT = """bot: Senses
rules:
  - {name: thanks, when: {reaction: 👍}, do: [{say: You are welcome.}]}
  - {name: where, when: {location: true}, do: [{say: On my way.}]}
  - {name: voice, when: {media: voice}, do: [{say: "Please write, I cannot listen."}]}
  - {name: ad, when: {referral: {source_type: ad}}, do: [{say: About our offer.}]}
  - {name: photo, when: {media: image, says: cake}, do: [{say: What a cake!}]}
fallback: {do: [{say: Sorry?}]}
"""


async def sent(house: House, text: str) -> None:
    """The simulator sends, for which it needs no network, and this answer was: only then there is what to react to."""
    for live in house.rt.channels.by_id.values():
        if live.row.connector == "simulator" and not live.sender.open:
            live.sender.start()
    async with asyncio.timeout(10):
        while await house.rt.db.reader.one(WAITING, text=text):
            await asyncio.sleep(0.02)


@EACH
def test_the_phone_sends_more_than_words(
    browser: Browser, bakery: House, theme: str, size: dict[str, int]
) -> None:  # fmt: skip
    name = f"Senses {theme} {size['width']}"
    bot_id = bakery.run(bots.create(bakery.rt, name, BOT.replace("Senses", name), None))
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go(f"/simulator?bot={bot_id}")
    if page.get_by_role("button", name="Start over").is_visible():
        page.get_by_role("button", name="Start over").click()
    chat = page.get_by_role("log", name="Simulated chat")

    def send(what: str) -> None:
        page.get_by_role("button", name="Send something else").click()
        page.get_by_role("button", name=what, exact=True).click()

    hold(page, "/simulator/say")
    send("Location")
    page.get_by_role("button", name="Send something else").click()
    release(page)
    expect(chat.get_by_text("On my way.")).to_be_visible()
    expect(page.get_by_role("button", name="Sticker")).to_be_visible()
    page.keyboard.press("Escape")
    expect(chat.get_by_text("On my way.")).to_be_visible()
    bakery.run(sent(bakery, "On my way."))
    send("React with 👍")
    expect(chat.get_by_text("You are welcome.")).to_be_visible()
    expect(chat.locator(".reaction")).to_have_text("👍")
    page.get_by_role("textbox", name="Message as the customer").fill("my cake")
    send("Photo")
    expect(chat.get_by_text("What a cake!")).to_be_visible()
    send("Message from an ad")
    expect(chat.get_by_text("About our offer.")).to_be_visible()
    page.get_by_role("button", name="Send something else").click()
    expect(page.get_by_role("button", name="Sticker")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="React with 👍")).to_be_in_viewport(ratio=1)
    wrong = findings(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sticker")).to_be_hidden()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    wrong += visitor.complaints()
    visitor.close()
    assert not wrong, "\n".join(wrong)
