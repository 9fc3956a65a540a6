"""The inbox alive: messages arrive by themselves, one fetch at a time, and nothing that is being written is lost."""

import time
from collections import Counter
from typing import Any

from playwright.sync_api import Browser, Route, expect

from app import content as c
from app import inbox
from app.connectors.base import Address, Inbound
from tests.browser.house import House
from tests.browser.screenshots import chat_of
from tests.browser.visitor import Visitor, hold, release

ANA, LONG, BRUNO = "5511987654321", "34600111222", "5511977770009"


def hears(house: House, text: str, phone: str = ANA) -> None:
    """A customer writes to the shop."""
    live = next(live for live in house.rt.channels.by_id.values() if live.row.name == "Shop")
    now = house.rt.clock.now()
    said = Inbound(live.row.account, f"wamid.{now}.{text}", Address(phone=phone, wa_id=phone), now, c.Text(text), b"{}")

    async def write() -> None:
        await house.rt.db.write(inbox.receive, house.rt.channels.intake, live.here, said)

    house.run(write())


def test_a_message_appears_by_itself(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, ANA)}?view=all")
    hears(bakery, "Is anybody there?")
    bubble = page.locator(".thread .msg.in", has_text="Is anybody there?")
    expect(bubble).to_be_visible(timeout=3000)
    expect(bubble).to_be_in_viewport()
    expect(page.locator(".convs > li").first).to_contain_text("Is anybody there?")


def test_what_is_being_written_survives_what_arrives(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, ANA)}?view=all")
    field = page.locator(".composer textarea")
    field.fill("half a sent")
    hears(bakery, "meanwhile")
    expect(page.locator(".thread", has_text="meanwhile")).to_be_visible(timeout=3000)
    assert field.input_value() == "half a sent"
    expect(field).to_be_focused()


def test_a_burst_is_fetched_one_at_a_time_and_merged(rosa: Visitor, bakery: House) -> None:
    page = rosa.page
    flying: Counter[str] = Counter()
    most: Counter[str] = Counter()
    fetched: Counter[str] = Counter()

    def path(request: Any) -> str:
        return str(request.url).partition("?")[0].removeprefix(bakery.url)

    def begin(request: Any) -> None:
        flying[path(request)] += 1
        fetched[path(request)] += 1
        most[path(request)] = max(most[path(request)], flying[path(request)])

    page.on("request", begin)
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: flying.update({path(request): -1}))
    rosa.go(f"/inbox/{chat_of(bakery, ANA)}?view=all")
    fetched.clear()
    for number in range(40):
        hears(bakery, f"burst {number}")
    expect(page.locator(".thread", has_text="burst 39")).to_be_visible(timeout=5000)
    thread = f"/inbox/{chat_of(bakery, ANA)}/thread"
    assert most[thread] == 1 and most["/inbox/list"] == 1
    assert 1 <= fetched[thread] < 30
    assert page.locator(".thread .msg", has_text="burst ").count() == 40


def test_earlier_messages_come_on_demand_and_stay(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, LONG)}?view=all")
    assert page.locator(".thread > .msg").count() == 40
    page.get_by_role("button", name="Earlier messages").click()
    expect(page.locator(".thread > .msg")).to_have_count(80)
    hears(bakery, "and another", LONG)
    expect(page.locator(".thread", has_text="and another")).to_be_visible(timeout=3000)
    assert page.locator(".thread > .msg").count() >= 81


def test_searching_narrows_the_list_while_typing(rosa: Visitor) -> None:
    page = rosa.go("/inbox?view=all")
    page.get_by_role("searchbox").first.press_sequentially("brun", delay=20)
    expect(page.locator(".convs .conv")).to_have_count(1, timeout=3000)
    expect(page.locator(".convs")).to_contain_text("Bruno Keller")
    expect(page.get_by_role("searchbox").first).to_be_focused()


def test_a_person_answers_takes_over_and_gives_back(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, LONG)}?view=all")
    page.locator(".composer textarea").fill("Rosa here")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".thread .msg.out.person", has_text="Rosa here")).to_be_visible(timeout=3000)
    expect(page.locator(".takeover")).to_contain_text("You have this chat.")
    assert page.locator(".composer textarea").input_value() == ""
    page.get_by_role("button", name="Give back to bot").click()
    expect(page.locator(".takeover")).to_have_count(0, timeout=3000)
    expect(page.get_by_role("button", name="Take over")).to_be_visible()


def test_what_is_written_while_a_reply_travels_stays_and_a_lost_reply_comes_back(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, ANA)}?view=all")
    field = page.locator(".composer textarea")
    hold(page, "/reply")
    field.fill("the first of two")
    page.keyboard.press("Control+Enter")
    expect(field).to_have_value("")
    page.keyboard.type("and the second")
    release(page)
    expect(page.locator(".thread .msg.out.person", has_text="the first of two")).to_be_visible(timeout=3000)
    expect(field).to_have_value("and the second")
    expect(field).to_be_focused()
    hold(page, "/reply")
    page.keyboard.press("Control+Enter")
    release(page, lost=True)
    expect(page.locator("#toasts")).to_contain_text("Parley cannot be reached")
    expect(field).to_have_value("and the second")
    page.get_by_role("button", name="Give back to bot").click()
    rosa.noticed[:] = [said for said in rosa.noticed if "TypeError: lost" not in said]


def test_one_click_explains_a_reply(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, LONG)}?view=all")
    page.locator(".msg.bot .meta a", has_text="opening-hours").last.click()
    expect(page.locator("#why")).to_contain_text("open", timeout=3000)
    expect(page.locator("#why mark").first).to_be_visible()


def test_a_held_message_is_settled_where_it_is_shown(rosa: Visitor, bakery: House) -> None:
    page = rosa.go("/")
    item = page.locator("#home-attention li", has_text="may or may not have arrived")
    item.get_by_role("button", name="Discard").click()
    expect(item).to_have_count(0, timeout=3000)
    expect(page.locator("#toasts")).to_contain_text("Discarded.")


def test_without_javascript_a_person_still_answers(browser: Browser, bakery: House) -> None:
    visitor = Visitor(browser, bakery, scripts=False)
    visitor.log_in()
    page = visitor.go(f"/inbox/{chat_of(bakery, BRUNO)}")
    page.locator(".composer textarea").fill("Written without a script")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".thread", has_text="Written without a script")).to_be_visible()
    visitor.close()


def test_the_stream_comes_back_after_the_tab_was_asleep(rosa: Visitor, bakery: House) -> None:
    page = rosa.go(f"/inbox/{chat_of(bakery, ANA)}?view=all")
    other = rosa.context.new_page()
    other.bring_to_front()
    hears(bakery, "while you looked away")
    page.bring_to_front()
    other.close()
    expect(page.locator(".thread", has_text="while you looked away")).to_be_visible(timeout=5000)


def test_the_stream_opens_however_late_its_script_comes(rosa: Visitor, bakery: House) -> None:
    def late(route: Route) -> None:
        time.sleep(0.6)
        route.continue_()

    rosa.context.route("**/hx-sse.min.js*", late)
    with rosa.page.expect_request("**/events?*", timeout=5000):
        rosa.go("/inbox")
    rosa.context.unroute("**/hx-sse.min.js*")
