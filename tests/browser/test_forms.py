"""Forms beside the editor and versions at a time, as a person uses them: what is written in the editor comes along,
nothing is lost, and everything can be taken back."""

import re
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import Browser, expect

from app import bots
from app.store import bots as bot_rows
from tests.browser.house import House
from tests.browser.test_editor import SOON, editor, stored
from tests.browser.test_pages import findings
from tests.browser.visitor import PHONE, Visitor

NUMBERS = count(1)
TEXT = """\
# Kept as it is
bot: "Luna {n} with a long name, مخبز, 🥐"
hours: {{zone: UTC, mon-fri: "08:00-18:00"}} # summer
rules:
  - name: greeting
    when: {{says: [hi, hello]}} # words
    do:
      - say: "Hello, مرحبا 🎂"
  - name: person
    when: {{says: person}}
    do: [{{handoff: Asked}}]
flows:
  order: [{{say: {{en: Bread, pt: Pão}}}}, {{say: {{en: Thanks}}}}]
"""


@pytest.fixture
def place(bakery: House) -> str:
    text = TEXT.format(n=next(NUMBERS))
    return f"/bots/{bakery.run(bots.create(bakery.rt, '', text, None))}"


def test_what_is_written_in_the_editor_comes_along_and_a_form_changes_only_its_place(
    rosa: Visitor, bakery: House, place: str
) -> None:
    before = stored(bakery, place)
    page = rosa.go(place)
    editor(page)
    page.keyboard.type("# typed just now")
    page.get_by_role("link", name="Rules").click()  # before the draft kept itself
    page.wait_for_url("**/rules")
    page.get_by_role("link", name="greeting").click()
    assert stored(bakery, place) == before + "# typed just now"
    page.get_by_label("The bot answers").fill("Good day 🎂: welcome")
    page.get_by_label("When customers say").fill("hi\nनमस्ते")
    page.get_by_label("Buttons").fill("Menu\nOrder")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    changed = before.replace('"Hello, مرحبا 🎂"', '"Good day 🎂: welcome"\n        buttons: ["Menu","Order"]')
    changed = changed.replace("[hi, hello]", '[hi, "नमस्ते"]')
    assert stored(bakery, place).replace('["Menu", "Order"]', '["Menu","Order"]') == changed + "# typed just now"
    expect(page.locator(".rules [aria-current]")).to_contain_text("greeting")


def test_a_rule_is_added_moved_and_removed_and_all_of_it_taken_back(rosa: Visitor, bakery: House, place: str) -> None:
    before = stored(bakery, place)
    page = rosa.go(f"{place}/rules")
    page.get_by_role("link", name="Add a rule").first.click()
    page.get_by_label("Name").fill("thanks 🙏")
    page.get_by_label("When customers say").fill("thanks")
    page.get_by_label("The bot answers").fill("You are welcome!")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator(".rules li")).to_have_count(3)
    page.get_by_role("button", name="Move up").click()
    expect(page.locator(".rules li").nth(1)).to_contain_text("thanks 🙏")
    page.get_by_role("button", name="Remove this rule").click()
    expect(page.locator(".rules li")).to_have_count(2)
    for left in (3, 3, 2):
        page.get_by_role("button", name="Undo").click()
        page.wait_for_load_state()
        expect(page.locator(".rules li")).to_have_count(left)
    assert stored(bakery, place) == before


def test_a_second_editor_is_told_and_keeps_what_was_typed(rosa: Visitor, bakery: House, place: str) -> None:
    page = rosa.go(f"{place}/rules?rule=0")
    page.get_by_label("The bot answers").fill("Mine")
    theirs = stored(bakery, place).replace("hello", "howdy")
    bakery.run(bots.save_draft(bakery.rt, int(place.rpartition("/")[2]), theirs, 1, None))
    expect(page.locator("#bot-version")).to_contain_text("Saved by somebody since", timeout=SOON)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was overwritten")
    assert stored(bakery, place) == theirs
    expect(page.get_by_label("The bot answers")).to_have_value("Mine")
    page.get_by_label("When customers say").fill("hi\nhowdy")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    assert stored(bakery, place) == theirs.replace('"Hello, مرحبا 🎂"', "Mine")
    rosa.noticed = [one for one in rosa.noticed if "409" not in one]


def test_a_form_that_was_begun_is_not_lost_by_a_click_beside_it(rosa: Visitor, bakery: House, place: str) -> None:
    page = rosa.go(f"{place}/rules?rule=0")
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))  # the visitor stays where they are
    page.get_by_label("The bot answers").press_sequentially("!")
    page.locator(".rules a").nth(1).click(no_wait_after=True)
    expect(page.locator(".rules a").first).to_have_attribute("aria-current", "true")
    page.wait_for_function("document.querySelector('form[data-guard=begun]')")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    page.locator(".rules a").nth(1).click()
    expect(page.locator(".rules a").nth(1)).to_have_attribute("aria-current", "true")
    assert asked == ["beforeunload"]
    rosa.noticed = [one for one in rosa.noticed if not one.startswith("dialog")]


def test_texts_are_translated_and_hours_are_changed(rosa: Visitor, bakery: House, place: str) -> None:
    page = rosa.go(f"{place}/texts")
    page.get_by_placeholder("Not translated yet").fill("Obrigado")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_placeholder("Not translated yet")).to_have_count(0)
    assert '{say: {en: Thanks, pt: "Obrigado"}}' in stored(bakery, place)
    page = rosa.go(f"{place}/hours")
    page.get_by_label("Saturday").fill("8:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("hours like 08:00-18:00")
    page.get_by_label("Saturday").fill("09:00-12:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    assert 'mon-fri: "08:00-18:00", sat: "09:00-12:00"} # summer' in stored(bakery, place)
    rosa.noticed = [one for one in rosa.noticed if "422" not in one]


def test_what_changed_is_told_by_rule_and_goes_live_at_a_time(rosa: Visitor, bakery: House, place: str) -> None:
    bot_id = int(place.rpartition("/")[2])
    [channel] = bakery.run(bakery.rt.db.read(bot_rows.list_channels))[:1]
    bakery.run(bots.publish(bakery.rt, bot_id, [], "", None))
    text = stored(bakery, place).replace("Hello", "Good day")
    bakery.run(bots.save_draft(bakery.rt, bot_id, text, 1, None))
    page = rosa.go(f"{place}/publish")
    expect(page.locator("#by-rule > li")).to_have_count(1)
    expect(page.locator("#by-rule")).to_contain_text("greeting")
    expect(page.locator("#by-rule ins")).to_have_text("Good day, مرحبا 🎂")
    page.get_by_label(re.compile(channel.channel)).check()
    page.get_by_label("At a time").check()
    soon = datetime.now(UTC) + timedelta(days=2)
    page.get_by_label("Day and time").fill(f"{soon:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("heading", name="Goes live at a time")).to_be_visible(timeout=SOON)
    expect(page.locator("#bot-version")).to_contain_text("Planned")
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("heading", name="Goes live at a time")).to_have_count(0)


@pytest.mark.parametrize("path", ["rules", "rules?rule=0", "rules?rule=new", "texts", "hours", "map"])
def test_they_are_usable_by_everybody_and_on_a_phone(browser: Browser, bakery: House, place: str, path: str) -> None:
    visitor = Visitor(browser, bakery, theme="dark", size=PHONE)
    visitor.log_in()
    page = visitor.go(f"{place}/{path}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not findings(page)
    assert not visitor.complaints()
    visitor.close()


def test_a_form_works_without_scripts(browser: Browser, bakery: House, place: str) -> None:
    visitor = Visitor(browser, bakery, scripts=False)
    visitor.log_in()
    page = visitor.go(f"{place}/rules?rule=0")
    page.get_by_label("The bot answers").fill("Plain.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("The bot answers")).to_have_value("Plain.")
    assert "- say: Plain." in stored(bakery, place)
    visitor.close()
