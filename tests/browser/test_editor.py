"""The code editor: colours, completion, problems in place, undo, the draft that keeps itself, and a second editor."""

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app import bots
from tests.browser.house import House
from tests.browser.test_pages import EACH, findings
from tests.browser.visitor import Visitor

SOON = 10_000
NUMBERS = count(1)
TEXT = """\
# Kept as it is
bot: Luna {n}
rules:
  - name: greeting
    when: {{says: hi}}
    do:
      - say: "Hello, مرحبا 🎂"
"""


@pytest.fixture
def place(bakery: House) -> str:
    """The page of a new bot."""
    text = TEXT.format(n=next(NUMBERS))
    return f"/bots/{bakery.run(bots.create(bakery.rt, '', text, None))}"


@pytest.fixture
def paulo(browser: Browser, bakery: House) -> Iterator[Visitor]:
    """A second window."""
    visitor = Visitor(browser, bakery)
    visitor.log_in()
    yield visitor
    assert not visitor.complaints()
    visitor.close()


def stored(house: House, place: str) -> str:
    return house.run(bots.get(house.rt.db.reader, int(place.rpartition("/")[2]))).draft


def editor(page: Page) -> Locator:
    """Its text, with the cursor at the end."""
    found = page.locator(".cm-content")
    found.click()
    page.keyboard.press("Control+End")
    return found


def test_it_is_coloured_by_constructed_sheets(rosa: Visitor, place: str) -> None:
    page = rosa.go(place)
    key = page.locator(".cm-line span", has_text="bot").first
    assert key.evaluate("e => getComputedStyle(e).color") != page.locator(".cm-content").evaluate(
        "e => getComputedStyle(e).color"
    )
    inside = "document.querySelector('.code-host').shadowRoot"
    assert page.evaluate(f"{inside}.adoptedStyleSheets.length > 0 && !{inside}.querySelector('style')")
    expect(page.locator("#bot-text")).to_be_hidden()


def offered(page: Page, name: str) -> Locator:
    found = page.locator(".cm-tooltip-autocomplete li", has_text=name)
    expect(found).to_be_visible(timeout=SOON)
    page.wait_for_timeout(150)  # what has just appeared is not accepted by a key that was meant for something else
    return found


def test_keys_are_completed_from_the_schema(rosa: Visitor, place: str) -> None:
    page = rosa.go(place)
    editor(page)
    page.keyboard.type("ho")
    offered(page, "hours")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.type("  zo")
    offered(page, "zone")
    page.keyboard.press("Escape")


def test_keys_of_a_list_entry_and_within_brackets_are_completed(rosa: Visitor, place: str) -> None:
    page = rosa.go(place)
    editor(page)
    page.keyboard.type("  - name: second")
    page.keyboard.press("Enter")
    page.keyboard.type("wh")
    offered(page, "when")
    page.keyboard.press("Enter")
    page.keyboard.type("{sa")
    offered(page, "says")
    page.keyboard.press("Escape")


def test_what_is_wrong_is_marked_in_place_while_writing(rosa: Visitor, place: str) -> None:
    page = rosa.go(place)
    editor(page)
    page.keyboard.type("colour: red")
    mark = page.locator(".cm-lintRange-error")
    expect(mark).to_have_text(re.compile("colour"), timeout=SOON)
    mark.hover()
    expect(page.locator(".cm-tooltip .cm-diagnostic-error")).to_be_visible(timeout=SOON)
    page.locator("#bot-problems a", has_text="Line 8").click()
    expect(page.locator(".cm-activeLine")).to_have_text("colour: red")
    assert page.url.endswith("#l8")


def test_an_address_leads_to_a_line(rosa: Visitor, place: str) -> None:
    page = rosa.go(f"{place}#line-5")
    expect(page.locator(".cm-activeLine")).to_have_text("    when: {says: hi}")


def test_the_draft_keeps_itself_and_undo_takes_it_back(rosa: Visitor, bakery: House, place: str) -> None:
    page = rosa.go(place)
    before = stored(bakery, place)
    editor(page)
    page.keyboard.type("# more 🎂")
    expect(page.locator("#bot-saved")).to_have_text(re.compile(r"^\s*Saved \d\d:\d\d"), timeout=SOON)
    assert stored(bakery, place) == before + "# more 🎂"
    with page.expect_response(re.compile("/keep$")):
        page.get_by_role("button", name="Undo").click()
    expect(page.locator(".cm-content")).not_to_contain_text("more")
    assert stored(bakery, place) == before


def test_a_second_editor_is_told_at_once_and_overwrites_nothing(
    rosa: Visitor, paulo: Visitor, bakery: House, place: str
) -> None:
    mine, theirs = rosa.go(place), paulo.go(place)
    theirs.wait_for_timeout(500)  # the event stream is open
    editor(mine)
    mine.keyboard.type("# by Rosa")
    expect(mine.locator("#bot-saved")).to_have_text(re.compile(r"^\s*Saved \d\d:\d\d"), timeout=SOON)
    expect(theirs.locator("#bot-saved")).to_contain_text("Rosa Martins saved this bot at", timeout=SOON)
    editor(theirs)
    theirs.keyboard.type("# by Paulo")
    theirs.wait_for_timeout(2500)
    assert stored(bakery, place).endswith("# by Rosa")
    expect(mine.locator("#bot-saved")).not_to_contain_text("Your text stays here")
    theirs.get_by_role("button", name="Compare both").click()
    expect(theirs.get_by_role("alert")).to_contain_text("Nothing was overwritten")
    expect(theirs.locator("pre.diff")).to_contain_text("by Paulo")
    expect(theirs.locator("pre.diff")).to_contain_text("by Rosa")
    # The browser writes every answer that is not 2xx into its console.
    paulo.noticed[:] = [said for said in paulo.noticed if "409" not in said]


def test_the_keyboard_gets_out_of_it(rosa: Visitor, place: str) -> None:
    page = rosa.go(place)
    editor(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "code-host", "Tab indents"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") != "code-host"


@EACH
def test_it_is_sound_with_everything_open(
    browser: Browser, bakery: House, place: str, theme: str, size: dict[str, int]
) -> None:
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go(place)
    editor(page)
    page.keyboard.type("colour: red")
    expect(page.locator(".cm-lintRange-error")).to_be_visible(timeout=SOON)
    page.keyboard.press("Enter")
    page.keyboard.type("ho")
    expect(page.locator(".cm-tooltip-autocomplete")).to_be_visible(timeout=SOON)
    wrong = findings(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    expect(page.locator("#bot-saved")).to_have_text(re.compile(r"^\s*Saved"), timeout=SOON)
    wrong += visitor.complaints()
    visitor.close()
    assert not wrong, "\n".join(wrong)


def test_without_scripts_the_text_area_is_the_editor(browser: Browser, bakery: House, place: str) -> None:
    visitor = Visitor(browser, bakery, scripts=False)
    visitor.log_in()
    page = visitor.go(place)
    field = page.get_by_label("Bot document")
    field.fill(field.input_value() + "# plain\n")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#toasts")).to_contain_text("Draft saved")
    assert stored(bakery, place).endswith("# plain\n")
    visitor.close()


FLOWS = """\
bot: Luna {n}
rules: [{{name: order, when: {{says: buy}}, do: [{{start: order}}]}}]
flows:
  order:
    - ask: {{text: "What would you like? ماذا تريد 🎂", save: item}}
    - if: "item == 'cake'"
      then: [{{handoff: orders}}]
      else: [{{say: Noted}}]
  long:
"""


@EACH
def test_flows_are_drawn_and_each_step_leads_to_its_line(
    browser: Browser, bakery: House, theme: str, size: dict[str, int]
) -> None:
    text = FLOWS.format(n=next(NUMBERS)) + "".join(f"    - say: step {n}\n" for n in range(50))
    bot_id = bakery.run(bots.create(bakery.rt, "", text, None))
    visitor = Visitor(browser, bakery, theme=theme, size=size)
    visitor.log_in()
    page = visitor.go(f"/bots/{bot_id}")
    expect(page.locator(".map")).to_have_count(2)
    expect(page.locator(".map").nth(1).locator("a")).to_have_count(50)
    assert not findings(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    page.locator(".map a", has_text="Hand off").click()
    expect(page.locator(".cm-activeLine")).to_have_text("      then: [{handoff: orders}]")
    page.locator(".as-list summary").first.click()
    page.locator(".as-list a", has_text="Noted").click()
    expect(page.locator(".cm-activeLine")).to_have_text("      else: [{say: Noted}]")
    editor(page)
    page.keyboard.type("    - close:")
    expect(page.locator(".map").nth(1).locator("a")).to_have_count(51, timeout=SOON)
    assert not visitor.complaints()
    visitor.close()
