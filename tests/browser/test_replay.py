"""A replay in the browser: the bar fills by itself, both chats appear, and all of it works without script."""

from playwright.sync_api import Browser, expect

from app import bots
from app.db import Query
from tests.browser.house import House
from tests.browser.test_pages import EACH, findings
from tests.browser.visitor import Visitor

BOT = Query("select v.bot_id from turn t join version v on v.id = t.version_id limit 1", int)


def page_of(house: House) -> str:
    """The replay of the bakery's bot, whose draft greets otherwise."""
    bot_id = house.run(house.rt.db.reader.one(BOT))
    assert bot_id is not None
    bot = house.run(bots.get(house.rt.db.reader, bot_id))
    changed = bot.draft.replace("What can I do for you?", "How can I help?")
    house.run(bots.save_draft(house.rt, bot_id, changed, bot.draft_revision, None))
    house.rt.replays._runs.clear()
    return f"/bots/{bot_id}/replay"


@EACH
def test_a_replay_shows_by_itself_what_differs(
    browser: Browser, bakery: House, theme: str, size: dict[str, int]
) -> None:
    path = page_of(bakery)
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go(path)
    wrong = findings(page)
    bakery.run(bakery.rt.replays._one.acquire())
    try:
        page.get_by_role("button", name="Replay").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        wrong += findings(page)
    finally:
        bakery.run(release(bakery))
    expect(page.get_by_role("navigation", name="Outcome")).to_be_visible()
    wrong += findings(page)
    page.locator(".convs a").first.click()
    expect(page.locator("#with-draft .changed").first).to_be_visible()
    wrong += findings(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    wrong += visitor.complaints()
    visitor.close()
    assert not wrong, "\n".join(wrong)


async def release(house: House) -> None:
    house.rt.replays._one.release()


def test_a_replay_needs_no_script(browser: Browser, bakery: House) -> None:
    path = page_of(bakery)
    visitor = Visitor(browser, bakery, scripts=False)
    visitor.log_in()
    page = visitor.go(path)
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("navigation", name="Outcome")).to_be_visible(
        timeout=10_000
    )  # the page asks again by itself
    page.get_by_role("link", name="Changed").click()
    expect(page.locator(".compare .changed").first).to_be_visible()
    visitor.close()
