"""P40 and S36: liveness, readiness, numbers."""

from tests.shell import House

FAULT = {"code": "disk_full", "message": "Only 3 MB are free on the disk of /secret/place."}


async def test_P40_alive_is_said_to_everybody(house: House) -> None:
    answer = await house.browser(ip="203.0.113.9").get("/healthz", headers={"host": "any.example"})
    assert answer.status_code == 200 and answer.json() == {"status": "ok"}


async def test_P40_not_ready_is_503_with_the_reason(house: House) -> None:
    assert (await house.browser().get("/readyz")).status_code == 200
    house.faults = [FAULT]
    answer = await house.browser().get("/readyz")
    assert answer.status_code == 503 and answer.json()["reasons"] == [FAULT]


async def test_S36_details_are_for_the_machine_itself_and_its_admins(house: House) -> None:
    house.faults = [FAULT]
    stranger = await house.browser(ip="203.0.113.9").get("/readyz")
    assert stranger.status_code == 503 and stranger.json() == {"ready": False, "reasons": [{"code": "disk_full"}]}
    assert (await house.browser(ip="203.0.113.9").get("/metrics")).status_code == 401
    await house.add_user()
    await house.add_user("bia@luna.example", "agent")
    agent = await house.logged_in("bia@luna.example", ip="203.0.113.9")
    owner = await house.logged_in(ip="203.0.113.9")
    assert (await agent.get("/metrics")).status_code == 401
    assert (await owner.get("/metrics")).status_code == 200
    assert (await owner.get("/readyz")).json()["reasons"] == [FAULT]


async def test_S36_a_forwarded_request_is_not_from_the_machine_itself(house: House) -> None:
    behind = house.browser(ip="127.0.0.1", **{"x-forwarded-for": "203.0.113.9"})
    assert (await behind.get("/metrics")).status_code == 401


async def test_the_numbers_count_requests(house: House) -> None:
    browser = house.browser()
    await browser.get("/login")
    text = (await browser.get("/metrics")).text
    assert 'parley_http_requests_total{method="GET",status="2xx"} 1.0' in text
