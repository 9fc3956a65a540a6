"""Two-step log-in and invitations in a browser: set up, asked for, and sound on every page on the way."""

import time

import pytest
from playwright.sync_api import Browser, Page

from app.security import totp
from tests.browser.house import EMAIL, PASSWORD, House
from tests.browser.test_pages import findings
from tests.browser.visitor import DESKTOP, PHONE, Visitor


def sound(page: Page) -> None:
    assert findings(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")


@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", DESKTOP)], ids=["phone", "desktop"])
def test_a_code_is_set_up_asked_for_and_switched_off(
    browser: Browser, bakery: House, theme: str, size: dict[str, int]
) -> None:
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go("/account#two-step")
    page.get_by_role("link", name="Set it up").click()
    seed = page.locator("#seed").inner_text().replace(" ", "")
    picture = page.locator(".qr-frame > svg").bounding_box()
    assert picture and picture["width"] > 180 and abs(picture["width"] - picture["height"]) < 2
    page.get_by_label("Code of six digits").fill(totp.code_at(seed, int(time.time()) // 30))
    page.get_by_role("button", name="Switch it on").click()
    page.locator("#recovery-codes").wait_for()
    sound(page)
    codes = page.locator("#recovery-codes li").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_text("10 recovery codes left.").wait_for()

    other = Visitor(browser, bakery, theme=theme, size=size)
    page = other.page
    page.goto("/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code, or a recovery code").wait_for()
    sound(page)
    page.get_by_label("Code, or a recovery code").fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    page.locator(".sidebar, .shell").first.wait_for()
    assert not other.complaints()
    other.close()

    page = visitor.go("/account/two-step")
    sound(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of your phone, or a recovery code").fill(codes[1])
    page.get_by_role("button", name="Switch it off").click()
    page.get_by_role("link", name="Set it up").wait_for()
    assert not visitor.complaints()
    visitor.close()


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", DESKTOP)], ids=["phone", "desktop"])
def test_an_invited_person_comes_in(browser: Browser, bakery: House, theme: str, size: dict[str, int]) -> None:
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go("/settings")
    page.get_by_label("E-mail").fill(f"kim-{theme}@luna.example")
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("#told")
    link.wait_for()
    sound(page)
    guest = Visitor(browser, bakery, theme=theme, size=size)
    guest.page.goto(link.inner_text())
    sound(guest.page)
    guest.page.get_by_label("Password").fill("copper lantern drifts north")
    guest.page.get_by_role("button", name="Come in").click()
    guest.page.get_by_text("Welcome. You are in.").wait_for()
    assert not guest.complaints() and not visitor.complaints()
    guest.close()
    visitor.close()
