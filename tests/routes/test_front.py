"""What stands in front of every address: host names, headers, refusals, limits, files (S9, S13 to S20, S27, S36)."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.routing import Route

from app.db import Database, DatabaseError, Full
from app.routes.finding import shape
from app.routes.site import Entry
from app.routes.table import ROUTES
from app.security import permissions
from app.store.users import COUNT_OWNERS
from tests.clock import ManualClock
from tests.databases import Templates
from tests.shell import ORIGIN, House, open_house

OPEN = [entry for entry in ROUTES if entry.may is None]
CLOSED = [entry for entry in ROUTES if entry.may is not None]


@pytest.fixture
def database_url(sqlite_templates: Templates, tmp_path: Path, clock: ManualClock) -> str:
    """SQLite's: all that is asked of it here is who is logged in, and `test_login.py` asks that of both."""
    return str(sqlite_templates.copy(tmp_path / "parley.db", clock.now()))


def filled(path: str) -> str:
    """The address with something in the place of each name."""
    return re.sub(r"\{\w+\}", "x", re.sub(r"\{\w+:id\}", "7", path))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", "127.0.0.1/x", "", "a b"])
async def test_S9_a_foreign_host_name_is_not_answered(house: House, host: str) -> None:
    assert (await house.browser().get("/login", headers={"host": host})).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:9", "LOCALHOST", "localhost."])
async def test_S9_this_machines_own_names_are(house: House, host: str) -> None:
    assert (await house.browser().get("/login", headers={"host": host})).status_code == 200


async def test_S9_an_address_is_ours_only_if_the_connection_arrived_there(house: House) -> None:
    hosts = house.app.state.hosts
    assert hosts.is_ours("192.168.1.20:8080", "192.168.1.20") and not hosts.is_ours("192.168.1.21", "192.168.1.20")


async def test_S20_every_answer_carries_the_headers(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    for path in ("/login", "/account", "/nothing-here", "/static/app.css", "/healthz", "/events?topics=x"):
        headers = (await browser.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin" and headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin" and "camera=()" in headers["permissions-policy"]
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "access-control-allow-origin" not in headers and "strict-transport-security" not in headers
        assert path.startswith("/static") or headers["cache-control"] == "no-store", path


async def test_S20_https_is_remembered_by_browsers(house: House) -> None:
    browser = house.browser(origin="https://127.0.0.1:8080")
    assert (await browser.get("/login")).headers["strict-transport-security"] == "max-age=31536000"


async def test_S19_scripts_run_by_a_nonce_that_is_new_each_time(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    pages = [await browser.get("/account") for _ in range(2)]
    nonces = []
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "require-trusted-types-for 'script'; trusted-types htmx" in policy and "unsafe" not in policy
        found = re.search(r"script-src 'nonce-([^']+)';", policy)
        assert found
        scripts = re.findall(r"<script[^>]*>", page.text)
        assert scripts and all(f'nonce="{found[1]}"' in script and "src=" in script for script in scripts)
        marked = re.findall(r"<[a-z]+ [^>]* hx-(?:get|post|trigger|swap|sse)[^>]*>", page.text)
        assert marked and all(f'hx-nonce="{found[1]}"' in tag for tag in marked)
        assert not re.search(r"<[^>]+ (style|on\w+)=", page.text)
        nonces.append(found[1])
    assert nonces[0] != nonces[1] and len(nonces[0]) >= 22


async def test_S13_a_stranger_is_sent_to_the_login_page(house: House) -> None:
    stranger = house.browser()
    for entry in CLOSED:
        house.app.state.limits.buckets.clear()
        answer = await stranger.request(entry.method, filled(entry.path))
        sent = answer.status_code == 303 and answer.headers["location"].startswith("/login")
        assert sent and not stranger.jar, (entry.name, answer.text)


async def test_S13_every_role_reaches_what_the_policy_says_and_nothing_else(house: House) -> None:
    await house.add_user()
    for role in ("viewer", "agent", "admin"):
        await house.add_user(f"{role}@luna.example", role)
        browser = await house.logged_in(f"{role}@luna.example")
        for entry in CLOSED:
            house.app.state.limits.buckets.clear()
            # Refused by role before anything else is looked at: the token of the form is missing on purpose.
            answer = await browser.request(entry.method, filled(entry.path)) if entry.method != "GET" else None
            if answer is not None:
                allowed = entry.may in permissions.POLICY[role]
                assert answer.status_code == 403, (role, entry.name)
                assert ("Your role" in answer.text) != allowed, (role, entry.name)


async def test_S13_ids_that_are_none_are_not_found(house: House) -> None:
    await house.add_user()
    browser = await house.logged_in()
    for bad in ("9" * 19, "9" * 20, "-1", "1e3", "0x7", "%00"):
        assert (await browser.get(f"/inbox/{bad}")).status_code == 404, bad


async def test_a_refusal_is_a_page_for_people_a_toast_for_htmx_and_json_for_programs(house: House) -> None:
    browser = house.browser()
    page = await browser.get("/nothing-here")
    assert page.status_code == 404 and "<h1>Not here</h1>" in page.text and "There is no such page." in page.text
    toast = await browser.get("/nothing-here", headers={"hx-request": "true"})
    assert toast.headers["hx-retarget"] == "#toasts" and toast.headers["hx-reswap"] == "beforeend"
    assert toast.text.lstrip().startswith('<div class="toast bad">')
    json = (await browser.get("/api/v1/nothing")).json()
    assert json["error"]["code"] == "not_found" and json["error"]["message"].startswith("There is no such page.")


async def test_htmx_is_sent_to_the_login_page_as_a_whole(house: House) -> None:
    answer = await house.browser().get("/nav/waiting", headers={"hx-request": "true"})
    assert answer.headers["hx-redirect"].startswith("/login")


def put(house: House, error: Exception) -> None:
    """An address whose handler fails."""

    async def handler(request: object) -> Response:
        raise error

    from app.web import route

    house.app.router.routes.insert(0, route(Entry("GET", "/fails", handler, "fails", None)))


async def test_S36_an_unexpected_error_shows_its_number_only_and_is_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    put(house, RuntimeError("the oven is at 1234 degrees"))
    answer = await house.browser().get("/fails")
    number = answer.headers["x-request-id"]
    assert answer.status_code == 500 and number in answer.text and "oven" not in answer.text
    logged = [record for record in caplog.records if "oven" in f"{record.getMessage()} {record.exc_info}"]
    assert len(logged) == 1 and number in logged[0].getMessage()


async def test_a_database_that_cannot_is_503_with_a_time_to_come_back(house: House) -> None:
    put(house, Full("the disk is full"))
    answer = await house.browser().get("/fails")
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0 and "was not saved" in answer.text


async def test_P26_pages_can_be_seen_while_nothing_can_be_written(
    house: House, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.add_user()
    browser = await house.logged_in()
    clock.advance(120)

    async def full(*args: object) -> None:
        raise Full("the disk is full")

    monkeypatch.setattr(house.db, "write", full)
    assert (await browser.get("/account")).status_code == 200
    assert issubclass(Full, DatabaseError)


async def test_S14_anonymous_visitors_and_users_have_their_own_limits(house: House, clock: ManualClock) -> None:
    await house.add_user()
    user, visitor = await house.logged_in(ip="10.0.0.1"), house.browser(ip="10.0.0.9")
    anonymous = [(await visitor.get("/login")).status_code for _ in range(61)]
    assert anonymous == [200] * 60 + [429]
    refused = await visitor.get("/login")
    assert int(refused.headers["retry-after"]) >= 1
    clock.advance(1)
    assert (await visitor.get("/login")).status_code == 200
    assert [(await user.get("/account")).status_code for _ in range(61)] == [200] * 60 + [429]
    clock.advance(1)
    assert [(await user.get("/account")).status_code for _ in range(6)] == [200] * 5 + [429]


async def test_S14_a_forged_forwarded_address_is_not_believed(house: House) -> None:
    statuses = []
    for number in range(61):
        browser = house.browser(ip="10.0.0.9", **{"x-forwarded-for": f"198.51.100.{number}"})
        statuses.append((await browser.get("/login")).status_code)
    assert statuses[-1] == 429


async def test_S15_a_body_over_the_limit_is_refused(house: House) -> None:
    browser = house.browser()
    answer = await browser.post("/login", data={"email": "x" * 1_100_000})
    assert answer.status_code == 413 and "larger than what is accepted" in answer.text
    assert answer.headers["content-type"].startswith("text/html") and answer.headers["content-security-policy"]

    async def dripping() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    head = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.post("/login", content=dripping(), headers=head)).status_code == 413


async def test_S16_too_many_fields_are_refused(house: House) -> None:
    many = {f"field{number}": "x" for number in range(101)}
    assert (await house.browser().post("/login", data=many)).status_code == 400
    files = [("file", (f"{number}.txt", b"x")) for number in range(11)]
    assert (await house.browser().post("/login", files=files)).status_code == 400
    large = {"email": (None, "x" * 1_000_001)}
    assert (await house.browser().post("/login", files=large)).status_code in (400, 413)


async def test_files_are_kept_for_ever_under_their_hash_and_asked_for_again_without(house: House) -> None:
    browser = house.browser()
    page = (await browser.get("/login")).text
    address = re.search(r'href="(/static/app\.css\?v=[0-9a-f]+)"', page)
    assert address
    kept = await browser.get(address[1])
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"] == "text/css; charset=utf-8" and kept.headers["content-encoding"] == "gzip"
    other = await browser.get("/static/app.css?v=0000")
    assert other.headers["cache-control"] == "public, no-cache"
    again = await browser.get("/static/app.css", headers={"if-none-match": other.headers["etag"]})
    assert again.status_code == 304 and not again.content
    plain = await browser.get("/static/app.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == kept.text


NO_FILES = (
    "", "vendor", "vendor/", "../web.py", "..%2fweb.py", "%2e%2e/web.py", "vendor/README.md", "app.css/", "/etc/hosts",
)  # fmt: skip


async def test_S27_nothing_but_the_files_themselves_is_served(house: House) -> None:
    browser = house.browser()
    answers = {path: (await browser.get(f"/static/{path}")).status_code for path in NO_FILES}
    assert answers == dict.fromkeys(NO_FILES, 404)


def test_S2_open_addresses_are_the_ones_meant_to_be_open() -> None:
    names = {
        "setup",
        "setup.create",
        "login",
        "login.enter",
        "healthz",
        "readyz",
        "metrics",
        "api.docs",
        "api.openapi",
        "api.bot_schema",
        "login.code",
        "login.enter_code",
        "invitation",
        "invitation.accept",
    }
    assert {entry.name for entry in OPEN} == names and ORIGIN.startswith("http://127.0.0.1")


async def test_S2_an_open_installation_without_https_says_so_on_every_page(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    for flags, exposed in (
        ({"host": "0.0.0.0"}, True),
        ({}, False),
        ({"host": "::", "trusted_proxies": "10.0.0.1"}, False),
    ):
        house = await open_house(database, tmp_path, clock, **flags)
        if await database.reader.one(COUNT_OWNERS) == 0:
            await house.add_user()
        page = (await (await house.logged_in()).get("/account")).text
        assert ("read along, passwords included" in page) == exposed, flags
        assert (await house.browser().get("/readyz")).json()["secure"] is not exposed


async def test_every_address_has_the_shape_of_its_route(house: House) -> None:
    """Routes are found by shape; a slash too many and a wrong method are still told as such."""
    for route in house.app.routes:
        if isinstance(route, Route):
            assert shape(re.sub(r"{[^}]*}", "7", route.path)) == shape(route.path)
    browser = house.browser()
    assert (await browser.get("/login/")).status_code == 307
    assert (await browser.delete("/api/v1/messages")).status_code == 405
    assert (await browser.get("/api/v1/nothing")).status_code == 404
