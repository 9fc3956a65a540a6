"""Calls in the product: made once, tried again only where that is safe, and heard in the commit that ends the job."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app import calls, jobs, vault
from app.bot.scene import Call, CallResult
from app.caller import PAUSES, Caller
from app.models import Job
from app.runtime import Runtime
from app.security.outbound import Outbound
from tests.callee import Callee, Reply, listening
from tests.clock import ManualClock
from tests.security.test_outbound import Names, asking
from tests.shop import open_shop, rows, said, take_in

pytestmark = pytest.mark.anyio
LEASE = 150_000


@pytest.fixture
def shop() -> Iterator[Callee]:
    with listening() as callee:
        yield callee


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time between two tries."""
    assert PAUSES == (0.2, 1.0)
    monkeypatch.setattr("app.caller.PAUSES", (0.02, 0.1))  # how often is tested, not how long


# What is tried again, and for how long, asks the database for nothing.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def caller(rt: Runtime, *allowed: str) -> Caller:
    client = Outbound(allowed)
    return Caller(
        rt.db, rt.clock, rt.keys, rt.versions, client, rt.metrics, rt.install, lambda: rt.channels.intake, rt.desk
    )  # fmt: skip


def a_call(callee: Callee, method: str = "POST", path: str = "/orders", **more: Any) -> Call:
    return Call(token="t1.0", method=method, url=callee.url + path, **more)


async def ordered(rt: Runtime, *wanted: Call) -> list[Job]:
    """The claimed jobs of these calls, ordered by a turn that took place."""
    rt.calls._open = False  # the test runs them
    await take_in(rt, await open_shop(rt), said(rt, "hi"))
    [(turn_id, conversation_id)] = await rows(rt, "select id, conversation_id from turn")
    await rt.db.write(calls.order, turn_id, conversation_id, wanted, lambda lane, at: None)
    return (await rt.db.write(jobs.claim_calls, 32, {}, LEASE))[0]


async def outcome(rt: Runtime, callee: Callee, job: Job, *, allow: bool = True) -> CallResult:
    """What the bot would hear of it."""
    ending: Any = await caller(rt, *([f"127.0.0.1:{callee.port}"] if allow else [])).call(job)
    result: CallResult = ending.args[2]
    return result


async def test_a_call_is_made_with_its_secret_which_is_written_nowhere(rt: Runtime, shop: Callee) -> None:
    await vault.add(rt, "shop_key", "hush-hush-of-the-shop", None)
    shop.answer = lambda seen: Reply(201, b'{"number": 7, "echo": "%s"}' % seen.headers["x-key"].encode())
    key = "\0secret:shop_key\0"
    call = a_call(
        shop, path=f"/orders?key={key}", headers={"X-Key": key}, json={"item": "bread"}, secrets=("shop_key",)
    )
    [job] = await ordered(rt, call)
    result = await outcome(rt, shop, job)
    [seen] = shop.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/orders?key=hush-hush-of-the-shop", b'{"item":"bread"}')
    assert (seen.headers["x-key"], seen.headers["user-agent"]) == ("hush-hush-of-the-shop", "Parley")
    assert seen.headers["idempotency-key"] == f"{rt.install}-{job.id}"
    assert (result.status, result.body, result.error) == (201, {"number": 7, "echo": "•••"}, "")
    assert result.request == f"POST 127.0.0.1:{shop.port}/orders"
    assert "hush-hush" not in job.payload + msgspec.json.encode(result).decode()


@pytest.mark.parametrize(("stored", "secrets"), [((), ("shop_key",)), (("bank_key",), ("bank_key", "shop_key"))])
async def test_a_call_whose_secret_is_not_there_is_not_made(
    rt: Runtime, shop: Callee, stored: tuple[str, ...], secrets: tuple[str, ...]
) -> None:
    for name in stored:
        await vault.add(rt, name, "hush-hush-hush", None)
    [job] = await ordered(rt, a_call(shop, secrets=secrets))
    assert (await outcome(rt, shop, job)).error == "no_secret"
    assert shop.seen == []


async def test_S26_what_the_owner_did_not_allow_is_not_called(rt: Runtime, shop: Callee) -> None:
    [job] = await ordered(rt, a_call(shop))
    assert (await outcome(rt, shop, job, allow=False)).error == "not_allowed"
    assert shop.seen == []


@ON_SQLITE
@pytest.mark.usefixtures("hurry")
async def test_S26_each_try_looks_where_the_name_leads_now(
    rt: Runtime, shop: Callee, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads to the allowed place at first; by the second try to where a cloud keeps its keys."""
    names = Names(("127.0.0.1",), ("169.254.169.254",))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: names, local_addr=("127.0.0.1", 0))
    failing(shop, Reply(503), 9)
    call = msgspec.structs.replace(a_call(shop, "GET"), url=f"http://home.example:{shop.port}/")
    [job] = await ordered(rt, call)
    monkeypatch.setattr(socket, "getaddrinfo", asking(transport.get_extra_info("sockname")[1]))
    ending: Any = await caller(rt, f"home.example:{shop.port}").call(job)
    transport.close()
    assert (ending.args[2].error, names.asked, len(shop.seen)) == ("not_allowed", 2, 1)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_P18_a_call_that_may_have_arrived_is_not_made_again(
    rt: Runtime, clock: ManualClock, shop: Callee, method: str
) -> None:
    """The run vanished without a word: nobody knows how far it came."""
    await ordered(rt, a_call(shop, method))
    clock.advance(LEASE / 1000 + 1)
    [job] = (await rt.db.write(jobs.claim_calls, 32, {}, LEASE))[0]
    assert (job.attempts, (await outcome(rt, shop, job)).error, shop.seen) == (2, "unknown", [])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_call_that_does_the_same_twice_is_made_again(
    rt: Runtime, clock: ManualClock, shop: Callee, method: str
) -> None:
    await ordered(rt, a_call(shop, method))
    clock.advance(LEASE / 1000 + 1)
    [job] = (await rt.db.write(jobs.claim_calls, 32, {}, LEASE))[0]
    assert ((await outcome(rt, shop, job)).status, len(shop.seen)) == (200, 1)


def failing(callee: Callee, reply: Reply, times: int = 1) -> None:
    """It fails that often, then works."""
    callee.answer = lambda seen: reply if len(callee.seen) <= times else Reply()


@pytest.mark.parametrize(
    ("method", "reply", "requests", "heard"),
    [
        ("GET", Reply(0), 2, (200, "")), ("GET", Reply(503), 2, (200, "")), ("DELETE", Reply(502), 2, (200, "")),
        ("GET", Reply(500), 1, (500, "")), ("GET", Reply(429), 1, (429, "")),
        ("POST", Reply(0), 1, (0, "unreachable")), ("POST", Reply(503), 1, (503, "")),
        ("GET", Reply(302, headers={"Location": "/elsewhere"}), 1, (302, "")),
    ],
)  # fmt: skip
@ON_SQLITE
@pytest.mark.usefixtures("hurry")
async def test_only_what_is_safe_is_tried_again(
    rt: Runtime, shop: Callee, method: str, reply: Reply, requests: int, heard: tuple[int, str]
) -> None:
    failing(shop, reply)
    [job] = await ordered(rt, a_call(shop, method))
    result = await outcome(rt, shop, job)
    assert ((result.status, result.error), len(shop.seen)) == (heard, requests)


@ON_SQLITE
@pytest.mark.usefixtures("hurry")
async def test_who_is_always_busy_is_told_so_after_three_tries(rt: Runtime, shop: Callee) -> None:
    failing(shop, Reply(503, b'{"busy": true}'), 9)
    [job] = await ordered(rt, a_call(shop, "GET"))
    result = await outcome(rt, shop, job)
    assert (result.status, result.body, len(shop.seen)) == (503, {"busy": True}, 3)


@ON_SQLITE
async def test_a_post_that_never_left_is_tried_again(rt: Runtime) -> None:
    """Refused before a byte was sent; a moment later somebody listens."""
    with listening() as gone:
        pass
    [job] = await ordered(rt, a_call(gone))
    making = asyncio.create_task(outcome(rt, gone, job))
    await asyncio.sleep(0.1)
    with listening(gone.port) as back:
        assert (await making).status == 200
        assert len(back.seen) == 1


@ON_SQLITE
async def test_a_call_is_given_up_in_the_time_of_the_document(rt: Runtime, shop: Callee) -> None:
    shop.answer = shop.hold
    [job] = await ordered(rt, a_call(shop, "GET", timeout=0.2))
    began = time.monotonic()
    assert (await outcome(rt, shop, job)).error == "timeout"
    assert time.monotonic() - began < 5


async def test_S33_the_log_names_the_host_and_neither_address_nor_secret(
    rt: Runtime, shop: Callee, caplog: pytest.LogCaptureFixture
) -> None:
    await vault.add(rt, "shop_key", "hush-hush-of-the-shop", None)
    key = "\0secret:shop_key\0"
    call = a_call(shop, path=f"/private/{key}?phone=5511987654321", headers={"X-Key": key}, secrets=("shop_key",))
    with caplog.at_level("DEBUG"):
        [job] = await ordered(rt, call)
        await outcome(rt, shop, job)
    told = [record for record in caplog.records if record.name == "app.caller"]
    assert [(record.getMessage(), vars(record)["host"], vars(record)["status"]) for record in told] == [
        ("call 2xx", f"127.0.0.1:{shop.port}", 200)
    ]
    words = "".join(str(vars(record)) for record in told)
    assert not any(secret in words for secret in ("hush", "private", "5511987654321"))


async def test_calls_are_counted_by_outcome(rt: Runtime, shop: Callee) -> None:
    shop.answer = lambda seen: Reply(404)
    [job] = await ordered(rt, a_call(shop))
    await outcome(rt, shop, job)
    await outcome(rt, shop, msgspec.structs.replace(job, attempts=2))
    page = rt.metrics.page()[0].decode()
    assert 'parley_bot_calls_total{outcome="4xx"} 1.0' in page and 'outcome="unknown"} 1.0' in page
    assert "parley_bot_call_seconds_count 2.0" in page and "parley_bot_calls_under_way 0.0" in page


async def test_of_one_host_a_few_run_and_another_is_not_held_up(rt: Runtime, shop: Callee) -> None:
    shop.answer = shop.hold
    with listening() as other:
        slow = [msgspec.structs.replace(a_call(shop), token=f"t1.{n}") for n in range(40)]
        taken = await ordered(rt, *slow)
        assert len(taken) == jobs.CALLS_OF_A_HOST
        [(turn_id, conversation_id)] = await rows(rt, "select id, conversation_id from turn")
        quick = msgspec.structs.replace(a_call(other), token="t2.0")
        await rt.db.write(calls.order, turn_id, conversation_id, [quick], lambda lane, at: None)
        busy = {str(job.host): jobs.CALLS_OF_A_HOST for job in taken[:1]}
        [next_job] = (await rt.db.write(jobs.claim_calls, 24, busy, LEASE))[0]
        assert next_job.host == f"127.0.0.1:{other.port}"
        assert await rt.db.write(jobs.claim_calls, 24, busy, LEASE) == ([], None)
        assert (await outcome(rt, other, next_job)).status == 200
    await rt.db.write(lambda tx: tx.run(calls.jobs.DROP_WAITING, conversation_id=conversation_id))
