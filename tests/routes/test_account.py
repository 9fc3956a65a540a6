"""One's own account."""

from app.routes.account import browser as browser_name
from tests.shell import PASSWORD, House

NEW = "copper lantern drifts north"


async def test_language_zone_and_theme_are_the_persons_own(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    taste = {"name": "Rosa", "language": "ar", "zone": "America/Sao_Paulo", "theme": "dark"}
    answer = await browser.submit("/account", taste)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = (await browser.get("/account")).text
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in page and ">Saved.<" in page
    assert ">Saved.<" not in (await browser.get("/account")).text


async def test_a_choice_that_does_not_exist_is_refused(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    for field in ("language", "zone", "theme"):
        answer = await browser.submit("/account", {"name": "Rosa", field: "no such"})
        assert answer.status_code == 422, field


async def test_S6_a_new_password_ends_every_other_session(house: House) -> None:
    await house.add_user()
    here, there = await house.logged_in(), await house.logged_in()
    before = dict(here.jar)
    answer = await here.submit("/account/password", {"current": PASSWORD, "password": NEW})
    assert answer.status_code == 303 and here.jar != before
    assert (await here.get("/account")).status_code == 200
    assert (await there.get("/account")).status_code == 303
    here.jar = before
    assert (await here.get("/account")).status_code == 303
    assert (await house.browser().log_in("rosa@luna.example")).status_code == 422
    assert (await house.browser().log_in("rosa@luna.example", NEW)).status_code == 303


async def test_the_current_password_is_asked_for(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    answer = await browser.submit("/account/password", {"current": "not this one", "password": NEW})
    assert answer.status_code == 422 and "This is not your current password." in answer.text


async def test_S6_sessions_are_listed_and_can_be_ended(house: House) -> None:
    await house.add_user()
    here, there = await house.logged_in(), await house.logged_in(**{"user-agent": "a kitchen phone"})
    page = (await here.get("/account")).text
    assert "a kitchen phone" in page and "This one" in page
    session = page.partition('name="session" value="')[2].partition('"')[0]
    assert (await here.submit("/account/sessions/end", {"session": session})).status_code == 303
    assert (await there.get("/account")).status_code == 303
    assert (await here.get("/account")).status_code == 200


async def test_S13_a_session_of_somebody_else_cannot_be_ended(house: House) -> None:
    await house.add_user()
    await house.add_user("bia@luna.example", "agent")
    await house.logged_in()
    rosa, bia = await house.logged_in(), await house.logged_in("bia@luna.example")
    session = (await rosa.get("/account")).text.partition('name="session" value="')[2].partition('"')[0]
    assert (await bia.submit("/account/sessions/end", {"session": session})).status_code == 404
    assert (await bia.submit("/account/sessions/end", {"all": "1"})).status_code == 303
    assert session in (await rosa.get("/account")).text


def test_browsers_are_named_as_people_call_them() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1"
    assert browser_name(chrome) == "Chrome on Linux" and browser_name(chrome + " Edg/156.0") == "Edge on Linux"
    assert browser_name(phone) == "Safari on iPhone" and browser_name("curl/8.1") == "curl/8.1"
