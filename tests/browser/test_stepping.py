"""Stepping through a conversation in the browser: forward, back, run again with a draft; with script and without."""

from playwright.sync_api import Browser, expect

from tests.browser.house import House
from tests.browser.screenshots import chat_of
from tests.browser.test_pages import EACH, findings
from tests.browser.test_replay import page_of
from tests.browser.visitor import Visitor

ANA = "5511987654321"


@EACH
def test_a_conversation_is_stepped_through_and_run_again(
    browser: Browser, bakery: House, theme: str, size: dict[str, int]
) -> None:
    page_of(bakery)  # the draft greets otherwise
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go(f"/inbox/{chat_of(bakery, ANA)}/steps")
    expect(page.get_by_role("heading", name="Event 1 of 16")).to_be_visible()
    expect(page.get_by_role("link", name="Previous")).to_have_count(0)
    wrong = findings(page)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="Event 2 of 16")).to_be_visible()
    expect(page.locator(".thread .msg.in")).to_have_text("Menu")
    page.get_by_role("link", name="Previous").click()
    page.get_by_label("From here, run again with").select_option(label="Luna Bakery, draft")
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("status").first).to_contain_text("up to event 1, where they part")
    expect(page.get_by_role("region", name="As it was").locator(".changed").first).to_contain_text("What can I do")
    expect(page.get_by_role("region", name="Run again").locator(".changed").first).to_contain_text("How can I help?")
    wrong += findings(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    wrong += visitor.complaints()
    visitor.close()
    assert not wrong, "\n".join(wrong)


def test_it_is_reached_from_a_reply_and_needs_no_script(browser: Browser, bakery: House) -> None:
    page_of(bakery)
    visitor = Visitor(browser, bakery, scripts=False)
    visitor.log_in()
    page = visitor.go(f"/inbox/{chat_of(bakery, ANA)}")
    page.get_by_role("link", name="Step through").click()
    expect(page.get_by_role("heading", name="Event 16 of 16")).to_be_visible()
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Over 1 event both say the same.")).to_be_visible()
    page.get_by_role("link", name="Back to the event").click()
    expect(page.get_by_text("That is a big order, a person will confirm.")).to_be_visible()
    visitor.close()
