"""People: who can be added, changed and disabled by whom."""

from pathlib import Path

import pytest
from argon2 import extract_parameters

from app import runtime, users
from app.db import Database
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.security import passwords
from app.store import users as rows
from tests.browser.house import settings
from tests.clock import ManualClock
from tests.shell import PASSWORD, House, open_house


@pytest.fixture
async def house(database: Database, tmp_path: Path, clock: ManualClock) -> House:
    return await open_house(database, tmp_path, clock)


async def test_addresses_are_the_same_whatever_their_case(house: House) -> None:
    await house.add_user()
    with pytest.raises(Conflict):
        await users.add(house.rt, email="Rosa@LUNA.example", name="", role="agent")
    assert (await users.find(house.rt, "ROSA@luna.example")).name == "Rosa Martins"
    with pytest.raises(NotFound):
        await users.find(house.rt, "nobody@luna.example")


async def test_a_made_password_works_and_is_told_once(house: House) -> None:
    user_id, password = await users.add(house.rt, email="bia@luna.example", name="", role="agent")
    stored = await house.db.reader.one(rows.PASSWORD, id=user_id)
    assert await passwords.verify(stored, password) and password not in stored and passwords.weakness(password) == ""
    assert (await users.find(house.rt, "bia@luna.example")).name == "bia"


@pytest.mark.parametrize(
    "email", ["", "rosa", "rosa@", "@luna.example", "rosa@luna", "ro sa@luna.example", "a@" + "b" * 260 + ".example"]
)
async def test_what_is_no_address_is_refused(house: House, email: str) -> None:
    with pytest.raises(Invalid) as caught:
        await users.add(house.rt, email=email, name="", role="agent")
    assert "email" in caught.value.fields


async def test_the_last_owner_stays(house: House) -> None:
    owner = await house.add_user()
    with pytest.raises(Conflict):
        await users.disable(house.rt, owner)
    other, _password = await users.add(house.rt, email="paulo@luna.example", name="", role="owner")
    await users.disable(house.rt, owner)
    with pytest.raises(Conflict):
        await users.disable(house.rt, other)


async def test_S13_an_admin_touches_no_owner_and_makes_none(house: House) -> None:
    owner = await house.add_user()
    await house.add_user("adm@luna.example", "admin")
    admin = await users.find(house.rt, "adm@luna.example")
    for attempt in (
        users.disable(house.rt, owner, admin),
        users.reset_password(house.rt, owner, PASSWORD, admin),
        users.change_role(house.rt, owner, "agent", admin),
        users.change_role(house.rt, admin.id, "owner", admin),
        users.add(house.rt, email="eve@luna.example", name="", role="owner", by=admin),
    ):
        with pytest.raises(Forbidden):
            await attempt
    await users.add(house.rt, email="bia@luna.example", name="", role="agent", by=admin)


async def test_S5_a_new_password_from_the_machine_opens_a_blocked_account(house: House, clock: ManualClock) -> None:
    user_id = await house.add_user()
    browser = house.browser(ip="10.0.0.1")
    for _ in range(12):
        await browser.log_in("rosa@luna.example", "not this one at all")
        clock.advance(13)
    assert (await browser.log_in("rosa@luna.example")).status_code == 429
    password = await users.reset_password(house.rt, user_id)
    clock.advance(13)
    assert (await browser.log_in("rosa@luna.example", password)).status_code == 303


async def test_a_second_owner_is_not_set_up(house: House) -> None:
    await house.add_user()
    with pytest.raises(Conflict):
        await users.create_owner(house.rt, email="eve@luna.example", name="Eve", password=PASSWORD)


async def test_S3_the_cost_measured_at_set_up_holds_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "PASSES", (3, 3))
    rt = await runtime.start(settings(tmp_path, {}))
    await users.create_owner(rt, email="rosa@luna.example", name="Rosa", password=PASSWORD)
    stored = await passwords.hash_password(PASSWORD)
    await runtime.stop(rt)
    monkeypatch.setattr(passwords, "PASSES", (1, 3))
    passwords.use("")
    assert passwords.is_outdated(stored)
    await runtime.stop(await runtime.start(settings(tmp_path, {})))
    assert extract_parameters(stored).time_cost == 3 and not passwords.is_outdated(stored)
    passwords.use("")
