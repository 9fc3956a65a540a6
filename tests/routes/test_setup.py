"""First start: S1."""

import asyncio

from app.routes import setup
from app.security.setup import LASTS
from app.store import settings as stored
from app.store import users as rows
from tests.clock import ManualClock
from tests.shell import PASSWORD, House

OWNER = {"name": "Rosa Martins", "email": "rosa@luna.example", "password": PASSWORD}


async def test_S1_there_is_no_way_in_before_set_up(house: House) -> None:
    browser = house.browser()
    assert (await browser.log_in("admin", "admin")).status_code == 422
    assert "Nobody has set this up yet" in (await browser.get("/login")).text
    assert (await browser.get("/setup")).status_code == 404
    assert (await browser.get("/setup?token=")).status_code == 404
    assert (await browser.post("/setup", data=OWNER | {"token": ""})).status_code == 404


async def test_S1_the_link_makes_one_owner_and_is_used_up(house: House) -> None:
    token, browser = house.app.state.setup.issue(), house.browser()
    assert len(token) >= 43
    assert (await browser.get(f"/setup?token={token}")).status_code == 200
    answer = await browser.post("/setup", data=OWNER | {"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup/business")
    assert (await browser.get("/account")).status_code == 200
    assert (await browser.get(f"/setup?token={token}")).status_code == 404
    again = await house.browser().post("/setup", data=OWNER | {"token": token, "email": "eve@luna.example"})
    assert again.status_code == 404 and await house.db.reader.one(rows.COUNT_OWNERS) == 1


async def test_S1_two_at_once_make_one_owner(house: House) -> None:
    token = house.app.state.setup.issue()
    forms = [OWNER | {"token": token, "email": f"{name}@luna.example"} for name in ("rosa", "eve")]
    answers = await asyncio.gather(*(house.browser().post("/setup", data=form) for form in forms))
    assert sorted(answer.status_code for answer in answers) == [303, 404]
    assert await house.db.reader.one(rows.COUNT_OWNERS) == 1


async def test_S1_the_link_is_good_for_half_an_hour(house: House, clock: ManualClock) -> None:
    token = house.app.state.setup.issue()
    clock.advance(LASTS - 1)
    assert (await house.browser().get(f"/setup?token={token}")).status_code == 200
    clock.advance(2)
    assert (await house.browser().get(f"/setup?token={token}")).status_code == 404


async def test_a_form_with_faults_comes_back_filled_and_the_link_still_works(house: House) -> None:
    token = house.app.state.setup.issue()
    answer = await house.browser().post("/setup", data=OWNER | {"token": token, "password": "short"})
    assert answer.status_code == 422 and "at least 15 characters" in answer.text
    assert "rosa@luna.example" in answer.text and 'aria-describedby="password-error"' in answer.text
    assert "short" not in answer.text
    assert (await house.browser().post("/setup", data=OWNER | {"token": token})).status_code == 303


async def test_the_business_is_kept_and_names_the_installation(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    given = {"business": "  Luna   Bakery ", "zone": "America/Sao_Paulo", "starter": ""}
    answer = await browser.submit("/setup/business", given)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/simulator")
    found = await house.db.read(stored.read_all)
    assert (found["business"], found["zone"]) == ("Luna Bakery", "America/Sao_Paulo")
    assert "<h1>Log in to Luna Bakery</h1>" in (await house.browser().get("/login")).text


async def test_a_business_that_cannot_be_is_refused_by_field(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    given = {"business": "x" * (setup.NAME + 1), "zone": "Mars/Olympus"}
    answer = await browser.submit("/setup/business", given)
    assert answer.status_code == 422
    for field in ("business", "zone"):
        assert f'id="{field}-error"' in answer.text
    assert (await house.db.read(stored.read_all))["business"] == "Parley"


async def test_only_the_owner_sees_the_rest_of_set_up(house: House) -> None:
    await house.add_user()
    await house.add_user("bia@luna.example", "admin")
    browser = await house.logged_in("bia@luna.example")
    assert (await browser.get("/setup/business")).status_code == 403
