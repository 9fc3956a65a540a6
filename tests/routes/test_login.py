"""Logging in and out: S5, S6, S7, S8, S22."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher, extract_parameters

from app import invitations, users
from app.routes.login import rehash
from app.security import passwords, sessions
from app.store import users as rows
from tests.clock import ManualClock
from tests.shell import PASSWORD, House


async def test_logging_in_leads_to_the_page_asked_for(house: House) -> None:
    await house.add_user()
    browser = house.browser()
    asked = await browser.get("/account")
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/account")
    answer = await browser.log_in("ROSA@luna.example", next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = await browser.get("/account")
    assert page.status_code == 200 and "Rosa Martins" in page.text


async def test_S3_an_older_hash_is_renewed_at_the_next_log_in(house: House) -> None:
    user = await house.add_user()
    older = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    await house.rt.db.write(rehash, user, older)
    await house.logged_in()
    stored = await house.rt.db.reader.one(rows.PASSWORD, id=user)
    assert stored is not None and stored != older and not passwords.is_outdated(stored)


async def test_S22_next_leads_nowhere_else(house: House) -> None:
    await house.add_user()
    for target in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%5Cevil",
        "/%2F/evil",
        "javascript:1",
    ):
        answer = await house.browser().log_in("rosa@luna.example", next=target)
        assert answer.headers["location"] == "/", target


async def test_S5_unknown_people_and_wrong_passwords_get_the_same_answer(house: House) -> None:
    await house.add_user()
    known = await house.browser(ip="10.0.0.1").log_in("rosa@luna.example", "not this one at all")
    unknown = await house.browser(ip="10.0.0.2").log_in("nobody@luna.example", "not this one at all")
    assert known.status_code == unknown.status_code == 422
    assert known.text.replace("rosa@", "nobody@").replace(nonce(known), "") == unknown.text.replace(nonce(unknown), "")
    assert "4 tries left before a pause." in known.text


def nonce(answer: object) -> str:
    return answer.headers["content-security-policy"].partition("nonce-")[2].partition("'")[0]


async def test_S5_unknown_people_take_as_long(
    house: House, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As much work: the same hashing with the same parameters, and as many reads and writes."""
    await house.add_user()
    done: list[object] = []

    def noted(holder: object, name: str, kind: Callable[..., object]) -> None:
        real = getattr(holder, name)

        def call(*given: object, **named: object) -> object:
            done.append(kind(*given))
            return real(*given, **named)

        monkeypatch.setattr(holder, name, call)

    noted(passwords, "_matches", lambda stored, password: (extract_parameters(stored), len(password)))
    noted(house.db, "write", lambda unit, *_: unit.__name__)
    noted(house.db.reader, "one", lambda query: query.sql)

    async def work(email: str) -> list[object]:
        clock.advance(3600)
        done.clear()
        await house.browser().log_in(email, "not this one at all")
        return list(done)

    known, unknown = await work("rosa@luna.example"), await work("nobody@luna.example")
    assert known == unknown
    assert [step[0] for step in known if isinstance(step, tuple)] == [extract_parameters(passwords.HASHER.hash("x"))]


async def test_S5_after_five_wrong_passwords_there_is_a_pause_that_a_restart_keeps(
    house: House, clock: ManualClock
) -> None:
    await house.add_user()
    browser = house.browser(ip="10.0.0.1")
    for _ in range(5):
        assert (await browser.log_in("rosa@luna.example", "not this one at all")).status_code == 422
        clock.advance(20)
    for _ in range(2):
        await browser.log_in("rosa@luna.example", "not this one at all")
        clock.advance(30)
    await browser.log_in("rosa@luna.example", "not this one at all")
    # The limits of memory are fresh after a restart, the counters of the database are not.
    house.app.state.limits.buckets.clear()
    refused = await browser.log_in("rosa@luna.example")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) <= 9
    clock.advance(60)
    assert (await browser.log_in("rosa@luna.example")).status_code == 303


async def test_S5_a_stranger_does_not_lock_the_owner_out(house: House, clock: ManualClock) -> None:
    await house.add_user()
    stranger = house.browser(ip="203.0.113.9")
    for _ in range(30):
        await stranger.log_in("rosa@luna.example", "not this one at all")
        clock.advance(15)
    assert (await house.browser(ip="192.168.1.20").log_in("rosa@luna.example")).status_code == 303


async def test_S5_one_network_has_twenty_tries_in_five_minutes(house: House, clock: ManualClock) -> None:
    statuses = []
    for number in range(22):
        browser = house.browser(ip=f"2001:db8:1:2::{number + 1:x}")
        statuses.append((await browser.log_in(f"p{number}@luna.example", "not this one at all")).status_code)
        clock.advance(12.5)
    assert statuses[:20] == [422] * 20 and statuses[20:] == [429] * 2
    elsewhere = await house.browser(ip="2001:db8:1:3::1").log_in("x@luna.example", "not this one at all")
    assert elsewhere.status_code == 422


async def test_S6_the_session_id_is_new_at_each_login_and_only_its_hash_is_stored(house: House) -> None:
    user_id = await house.add_user()
    first, second = await house.logged_in(), await house.logged_in()
    name = sessions.SECURE_NAME
    assert first.jar[name] != second.jar[name]
    token = first.jar[name].partition(".")[0]
    stored = await house.db.reader.all(rows.LOGINS, user_id=user_id, now=house.clock.now())
    assert {row.id_hash for row in stored} >= {sessions.digest(token)} and token not in repr(stored)


async def test_S6_a_planted_cookie_is_not_taken_over(house: House) -> None:
    await house.add_user()
    browser = house.browser()
    planted = house.app.state.cookies.header("planted" * 6, True).partition("=")[2].partition(";")[0]
    browser.jar[sessions.SECURE_NAME] = planted
    await browser.log_in("rosa@luna.example")
    assert browser.jar[sessions.SECURE_NAME] != planted


async def test_S6_a_session_ends_when_idle_or_old(house: House, clock: ManualClock) -> None:
    await house.add_user()
    idle = await house.logged_in()
    clock.advance(8 * 3600 + 1)
    assert (await idle.get("/account")).status_code == 303
    busy = await house.logged_in()
    for _ in range(7 * 4):
        assert (await busy.get("/account")).status_code == 200
        clock.advance(6 * 3600)
    assert (await busy.get("/account")).status_code == 303


async def test_S6_logging_out_ends_the_session_for_good(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    kept = dict(browser.jar)
    answer = await browser.submit("/logout")
    assert answer.headers["location"] == "/login" and not browser.jar
    assert answer.headers["cache-control"] == "no-store"
    browser.jar = kept
    assert (await browser.get("/account")).status_code == 303


async def test_S6_a_disabled_person_is_out_with_the_next_request(house: House) -> None:
    await house.add_user()
    await house.add_user("bia@luna.example", "agent")
    browser = await house.logged_in("bia@luna.example")
    bia = await users.find(house.rt, "bia@luna.example")
    await users.disable(house.rt, bia.id)
    assert (await browser.get("/account")).status_code == 303
    assert (await house.browser().log_in("bia@luna.example")).status_code == 422


async def test_S7_each_kind_of_connection_has_its_own_cookie(house: House) -> None:
    await house.add_user()
    local = await house.browser().log_in("rosa@luna.example")
    cookie = local.headers["set-cookie"]
    assert cookie.startswith("__Host-parley=") and "; Secure" in cookie and "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie and "Path=/" in cookie and local.headers["cache-control"] == "no-store"


async def test_S7_a_cookie_of_the_other_kind_is_not_accepted(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    browser.jar = {sessions.PLAIN_NAME: browser.jar[sessions.SECURE_NAME]}
    assert (await browser.get("/account")).status_code == 303


async def test_S8_a_form_from_elsewhere_is_refused(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = await browser.submit("/account", {"name": "Eve"}, headers=headers)
        assert answer.status_code == 403, headers
    login = await house.browser().post(
        "/login", data={"email": "a@b.example", "password": PASSWORD}, headers={"sec-fetch-site": "cross-site"}
    )
    assert login.status_code == 403
    assert 'value="Eve"' not in (await browser.get("/account")).text


async def test_S8_without_either_header_nothing_is_changed(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    del browser.headers["origin"]
    assert (await browser.submit("/logout")).status_code == 403
    assert (await browser.get("/account")).status_code == 200


async def test_S8_a_missing_or_foreign_token_is_refused(house: House) -> None:
    await house.add_user()
    await house.add_user("bia@luna.example", "agent")
    browser, other = await house.logged_in(), await house.logged_in("bia@luna.example")
    page = (await other.get("/account")).text
    foreign = page.partition('name="csrf" value="')[2].partition('"')[0]
    for token in ("", foreign, foreign + "x"):
        assert (await browser.post("/logout", data={"csrf": token})).status_code == 403
    header = {"x-csrf-token": (await browser.get("/account")).text.partition('Token": "')[2].partition('"')[0]}
    assert (await browser.post("/logout", headers=header)).status_code == 303


async def test_S6_the_password_is_asked_again_before_people_are_changed(house: House, clock: ManualClock) -> None:
    await house.add_user()
    browser = await house.logged_in()
    person = {"email": "bia@luna.example", "name": "Bia", "role": "agent"}
    clock.advance(sessions.CONFIRMED / 1000 + 1)
    page = {"referer": "http://127.0.0.1:8080/settings"}
    asked = await browser.submit("/settings/invitations", person, headers=page)
    assert (asked.status_code, asked.headers["location"]) == (303, "/confirm?next=/settings")
    assert await invitations.list_open(house.rt) == []
    before = dict(browser.jar)
    wrong = await browser.submit("/confirm", {"next": "/settings", "password": "not this one at all"})
    assert wrong.status_code == 422 and browser.jar == before
    right = await browser.submit("/confirm", {"next": "/settings", "password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "/settings") and browser.jar != before
    assert (await browser.get("/confirm?next=//evil.example")).text.count('href="/"') == 1
    await browser.submit("/settings/invitations", person)
    assert [each.email for each in await invitations.list_open(house.rt)] == ["bia@luna.example"]


async def test_S6_htmx_is_sent_to_that_page_as_a_whole(house: House, clock: ManualClock) -> None:
    await house.add_user()
    browser = await house.logged_in()
    clock.advance(sessions.CONFIRMED / 1000 + 1)
    answer = await browser.submit("/settings/invitations", headers={"hx-request": "true"})
    assert answer.headers["hx-redirect"] == "/confirm?next=/"
