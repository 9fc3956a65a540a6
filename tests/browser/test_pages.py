"""Every page, both themes, desktop and phone: axe finds nothing serious, the policy holds, nothing overflows."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.house import House
from tests.browser.screenshots import pictures
from tests.browser.visitor import DESKTOP, PHONE, Visitor

AXE = Path(__file__).with_name("vendor").joinpath("axe.min.js").read_text(encoding="utf-8")
BAD = ("serious", "critical")
COLOURS = ["color-contrast", "link-in-text-block"]
SETTLED = "document.getAnimations().forEach((each) => each instanceof CSSTransition && each.finish())"
# `findings` looks at both themes; each is also the one that a page begins with.
EACH = pytest.mark.parametrize(("theme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"])


def findings(page: Page) -> list[str]:
    """What axe holds against the page in both themes, as `rule: element`. The other theme is only other colours."""
    page.evaluate(AXE)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    found = broken(page)
    page.emulate_media(color_scheme="light" if dark else "dark")
    page.evaluate(SETTLED)
    found += [f"in the other theme {text}" for text in broken(page, runOnly=COLOURS)]
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.evaluate(SETTLED)
    return found


def broken(page: Page, **options: Any) -> list[str]:
    asked = {"resultTypes": ["violations"], "preload": False, **options}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", asked)
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]


@EACH
def test_every_page_is_sound(browser: Browser, bakery: House, theme: str, size: dict[str, int]) -> None:
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    wrong: list[str] = []
    for name, path in pictures(bakery).items():
        page = visitor.go(path)
        wrong += [f"{name}: {text}" for text in findings(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wrong.append(f"{name}: wider than the screen")
    wrong += visitor.complaints()
    visitor.close()
    assert not wrong, "\n".join(wrong)


def test_logging_in_is_sound_too(browser: Browser, bakery: House) -> None:
    visitor = Visitor(browser, bakery)
    assert not findings(visitor.go("/login"))
    assert not visitor.complaints()
    visitor.close()


def test_the_chat_opens_at_its_newest_message_without_script(browser: Browser, bakery: House) -> None:
    path = pictures(bakery)["inbox-long"]
    visitor = Visitor(browser, bakery, scripts=False)
    visitor.log_in()
    page = visitor.go(path)
    newest = page.locator(".thread > .msg").last.bounding_box()
    assert newest and newest["y"] + newest["height"] < DESKTOP["height"]
    visitor.close()


def test_on_a_phone_the_list_comes_first_and_the_chat_after(browser: Browser, bakery: House) -> None:
    visitor = Visitor(browser, bakery, size=PHONE)
    visitor.log_in()
    page = visitor.go("/inbox?view=all")
    assert page.locator(".convs").is_visible()
    page.locator(".conv").first.click()
    page.locator(".thread").wait_for()
    assert not page.locator(".convs").is_visible()
    page.get_by_role("link", name="Back to the list").click()
    page.locator(".convs").wait_for()
    assert not visitor.complaints()
    visitor.close()
