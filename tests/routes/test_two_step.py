"""Two-step log-in (S5): codes of an app besides the password."""

import html
import re
from typing import Any

import pytest

from app import second_factor, users
from app.commands import COMMANDS
from app.db import Query
from app.errors import NotFound
from app.security import totp
from app.store import second_factors as store
from tests.clock import ManualClock
from tests.shell import PASSWORD, Browser, House

EMAIL = "rosa@luna.example"


async def switched_on(house: House, browser: Browser) -> tuple[str, list[str]]:
    """(seed, recovery codes), as the pages show them."""
    page = (await browser.get("/account/two-step")).text
    found = re.search(r'id="seed">([A-Z2-7 ]+)</code>', page)
    assert found
    seed = found[1].replace(" ", "")
    sealed = html.unescape(page.partition('name="sealed" value="')[2].partition('"')[0])
    answer = await browser.submit("/account/two-step", {"sealed": sealed, "code": code_of(house, seed)})
    assert answer.status_code == 200, answer.text
    return seed, re.findall(r"<li>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</li>", answer.text)


def code_of(house: House, seed: str) -> str:
    return totp.code_at(seed, house.clock.now() // totp.PERIOD)


async def first_page(house: House, **options: Any) -> Browser:
    """Somebody who gave the right password and is asked for a code."""
    browser = house.browser(**options)
    answer = await browser.log_in(EMAIL, next="/channels")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/code?next=/channels")
    return browser


async def stored(house: House, sql: str) -> list[Any]:
    found: list[Any] = await house.db.reader.all(Query(sql, lambda *row: row))
    return found


async def test_S5_the_password_alone_lets_nobody_in_any_more(house: House, clock: ManualClock) -> None:
    await house.add_user()
    seed, codes = await switched_on(house, await house.logged_in())
    assert len(set(codes)) == 10
    browser = await first_page(house)
    assert (await browser.get("/account")).status_code == 303
    clock.advance(30)
    page = await browser.get("/login/code?next=/channels")
    assert page.status_code == 200 and "One code more" in page.text
    answer = await browser.post("/login/code", data={"code": code_of(house, seed), "next": "/channels"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/channels")
    assert (await browser.get("/account")).status_code == 200


async def test_S5_a_code_is_taken_once(house: House, clock: ManualClock) -> None:
    await house.add_user()
    seed, _codes = await switched_on(house, await house.logged_in())
    first, second = await first_page(house), await first_page(house)
    used = await first.post("/login/code", data={"code": code_of(house, seed)})
    assert used.status_code == 422, "the code that switched it on"
    clock.advance(30)
    code = code_of(house, seed)
    assert (await first.post("/login/code", data={"code": code})).status_code == 303
    assert (await second.post("/login/code", data={"code": code})).status_code == 422
    clock.advance(30)
    assert (await second.post("/login/code", data={"code": code})).status_code == 422


async def test_S5_a_recovery_code_is_good_once_and_only_its_hash_is_kept(house: House) -> None:
    await house.add_user()
    _seed, codes = await switched_on(house, await house.logged_in())
    kept = repr(await stored(house, "select * from recovery_code"))
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    typed = f" {codes[3].upper().replace('-', ' ')} "
    browser = await first_page(house)
    assert (await browser.post("/login/code", data={"code": typed})).status_code == 303
    page = (await browser.get("/account/two-step")).text
    assert "9 recovery codes left." in page and not any(code in page for code in codes)
    assert (await (await first_page(house)).post("/login/code", data={"code": codes[3]})).status_code == 422


async def test_S5_five_wrong_codes_in_five_minutes_are_all_there_are(house: House, clock: ManualClock) -> None:
    await house.add_user()
    seed, _codes = await switched_on(house, await house.logged_in())
    clock.advance(30)
    for number in range(5):
        browser = await first_page(house, ip=f"10.0.{number}.1")
        assert (await browser.post("/login/code", data={"code": "000000"})).status_code == 422
    browser = await first_page(house, ip="10.0.9.1")
    refused = await browser.post("/login/code", data={"code": code_of(house, seed)})
    assert refused.status_code == 429 and 0 < int(refused.headers["retry-after"]) <= 301
    assert "Wait 300 seconds" in refused.text or "Wait 301 seconds" in refused.text
    clock.advance(299)
    browser = await first_page(house, ip="10.0.9.1")
    assert (await browser.post("/login/code", data={"code": code_of(house, seed)})).status_code == 429
    clock.advance(2)
    assert (await browser.post("/login/code", data={"code": code_of(house, seed)})).status_code == 303


async def test_S5_the_right_password_does_not_forgive_wrong_codes(house: House, clock: ManualClock) -> None:
    """Else whoever knows the password could try five codes, log in anew, and try five more."""
    await house.add_user()
    await switched_on(house, await house.logged_in())
    statuses = []
    for number in range(7):
        browser = await first_page(house, ip=f"10.1.{number}.1")
        statuses.append((await browser.post("/login/code", data={"code": "000000"})).status_code)
        clock.advance(5)
    assert statuses == [422] * 5 + [429] * 2


async def test_S5_the_second_page_needs_the_first_within_five_minutes(house: House, clock: ManualClock) -> None:
    await house.add_user()
    seed, _codes = await switched_on(house, await house.logged_in())
    clock.advance(30)
    stranger = house.browser()
    assert (await stranger.get("/login/code")).headers["location"] == "/login"
    answer = await stranger.post("/login/code", data={"code": code_of(house, seed)})
    assert answer.headers["location"] == "/login"
    for forged in ("", "1-0-9999999999999", "1-0-9999999999999.AAAA"):
        stranger.jar["parley_step"] = forged
        assert (await stranger.get("/login/code")).headers["location"] == "/login", forged
    browser = await first_page(house)
    clock.advance(301)
    answer = await browser.post("/login/code", data={"code": code_of(house, seed)})
    assert answer.headers["location"] == "/login"
    assert (await browser.get("/account")).status_code == 303


async def test_S6_a_new_password_ends_a_log_in_between_its_pages(house: House, clock: ManualClock) -> None:
    user_id = await house.add_user()
    seed, _codes = await switched_on(house, await house.logged_in())
    clock.advance(30)
    browser = await first_page(house)
    await users.reset_password(house.rt, user_id)
    answer = await browser.post("/login/code", data={"code": code_of(house, seed)})
    assert answer.headers["location"] == "/login"


async def test_S6_switching_on_ends_every_other_session(house: House) -> None:
    await house.add_user()
    here, there = await house.logged_in(), await house.logged_in()
    before = dict(here.jar)
    await switched_on(house, here)
    assert (await there.get("/account")).status_code == 303
    assert (await here.get("/account")).status_code == 200 and here.jar != before


async def test_S29_the_seed_is_sealed_for_its_owner(house: House) -> None:
    await house.add_user()
    await house.add_user("paulo@luna.example", "agent")
    rosa, paulo = await house.logged_in(), await house.logged_in("paulo@luna.example")
    page = (await rosa.get("/account/two-step")).text
    seed = re.findall(r'id="seed">([A-Z2-7 ]+)<', page)[0].replace(" ", "")
    sealed = html.unescape(page.partition('name="sealed" value="')[2].partition('"')[0])
    taken = await paulo.submit("/account/two-step", {"sealed": sealed, "code": code_of(house, seed)})
    assert taken.status_code == 422, "sealed for somebody else"
    assert (await rosa.submit("/account/two-step", {"sealed": sealed, "code": code_of(house, seed)})).status_code == 200
    assert seed not in repr(await stored(house, "select * from totp"))


async def test_S5_a_wrong_first_code_switches_nothing_on(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    page = (await browser.get("/account/two-step")).text
    seed = re.findall(r'id="seed">([A-Z2-7 ]+)<', page)[0]
    sealed = html.unescape(page.partition('name="sealed" value="')[2].partition('"')[0])
    answer = await browser.submit("/account/two-step", {"sealed": sealed, "code": "000000"})
    assert answer.status_code == 422 and f'id="seed">{seed}<' in answer.text, "the same picture again"
    assert (await house.browser().log_in(EMAIL)).headers["location"] == "/"


async def test_S5_switching_off_asks_for_both(house: House, clock: ManualClock) -> None:
    await house.add_user()
    browser = await house.logged_in()
    seed, codes = await switched_on(house, browser)
    clock.advance(30)
    for password, code in ((PASSWORD, "000000"), ("not this one at all", code_of(house, seed)), (PASSWORD, "")):
        answer = await browser.submit("/account/two-step/off", {"off_password": password, "off_code": code})
        assert answer.status_code == 422, (password, code)
    right = {"off_password": PASSWORD, "off_code": codes[0]}
    assert (await browser.submit("/account/two-step/off", right)).status_code == 303
    assert (await house.browser().log_in(EMAIL)).headers["location"] == "/"
    assert not await stored(house, "select 1 from recovery_code")


async def test_S5_new_recovery_codes_replace_the_old_ones(house: House, clock: ManualClock) -> None:
    await house.add_user()
    browser = await house.logged_in()
    seed, codes = await switched_on(house, browser)
    assert (await browser.submit("/account/two-step/codes", {"code": "000000"})).status_code == 422
    clock.advance(30)
    answer = await browser.submit("/account/two-step/codes", {"code": code_of(house, seed)})
    fresh = re.findall(r"<li>([a-z2-9-]{19})</li>", answer.text)
    assert len(fresh) == 10 and not set(fresh) & set(codes)
    assert (await (await first_page(house)).post("/login/code", data={"code": codes[0]})).status_code == 422
    assert (await (await first_page(house)).post("/login/code", data={"code": fresh[0]})).status_code == 303


async def test_S6_setting_it_up_asks_for_the_password_again_after_ten_minutes(house: House, clock: ManualClock) -> None:
    await house.add_user()
    browser = await house.logged_in()
    clock.advance(601)
    assert (await browser.get("/account/two-step")).headers["location"] == "/confirm?next=/account/two-step"


@pytest.mark.parametrize("text", ["", "v1.x.y.z", "nonsense"])
async def test_a_seed_that_is_not_ours_is_refused(house: House, text: str) -> None:
    await house.add_user()
    browser = await house.logged_in()
    answer = await browser.submit("/account/two-step", {"sealed": text, "code": "123456"})
    assert answer.status_code == 422
    assert await house.db.reader.all(store.EVERYBODY) == []


def test_recovery_codes_have_eighty_bits_and_letters_that_can_be_read() -> None:
    codes = second_factor.new_codes()
    assert len(codes) == len(set(codes)) == second_factor.RECOVERY_CODES
    assert len(second_factor.LETTERS) == len(set(second_factor.LETTERS)) == 32 and not set("l0o1") & set("".join(codes))


async def test_S5_an_owner_switches_it_off_for_another_and_nobody_else_does(house: House) -> None:
    rosa_id = await house.add_user()
    paulo_id = await house.add_user("paulo@luna.example", "agent")
    await house.add_user("bia@luna.example", "admin")
    rosa, paulo, bia = [await house.logged_in(f"{name}@luna.example") for name in ("rosa", "paulo", "bia")]
    await switched_on(house, paulo)
    await switched_on(house, rosa)
    for browser, user_id in ((bia, paulo_id), (bia, rosa_id), (paulo, paulo_id), (rosa, rosa_id)):
        assert (await browser.submit(f"/settings/people/{user_id}/two-step")).status_code == 403
    assert "Switch off two-step" not in (await bia.get("/settings")).text
    assert (await rosa.get("/settings")).text.count("Switch off two-step") == 1
    assert (await rosa.submit(f"/settings/people/{paulo_id}/two-step")).status_code == 303
    assert (await paulo.get("/account")).status_code == 303, "the sessions are over"
    assert (await house.browser().log_in("paulo@luna.example")).headers["location"] == "/"
    assert (await rosa.submit(f"/settings/people/{paulo_id}/two-step")).status_code == 404


async def test_S35_codes_leave_their_lines_and_no_secret(house: House, clock: ManualClock) -> None:
    await house.add_user()
    browser = await house.logged_in()
    seed, codes = await switched_on(house, browser)
    await (await first_page(house)).post("/login/code", data={"code": "000000"})
    await (await first_page(house)).post("/login/code", data={"code": codes[0]})
    await browser.submit("/account/two-step/off", {"off_password": PASSWORD, "off_code": codes[1]})
    rows = await stored(house, "select action, actor, subject, detail from audit order by seq")
    assert rows[2:] == [
        ("two_step.on", EMAIL, EMAIL, ""), ("login.failed", "?", EMAIL, "code"), ("login", EMAIL, EMAIL, ""),
        ("two_step.off", EMAIL, EMAIL, ""),
    ]  # fmt: skip
    assert not any(secret in repr(rows) for secret in (seed, *codes))


async def test_S5_on_the_machine_it_is_switched_off_for_whoever_lost_phone_and_codes(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    await switched_on(house, browser)
    done = await COMMANDS["user.reset-two-step"](house.rt, email=EMAIL)
    assert done["email"] == EMAIL and (await browser.get("/account")).status_code == 303
    assert (await house.browser().log_in(EMAIL)).headers["location"] == "/"
    with pytest.raises(NotFound):
        await COMMANDS["user.reset-two-step"](house.rt, email=EMAIL)
