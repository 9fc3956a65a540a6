"""Outgoing webhooks (P25): real receivers, verified with the independent package for Standard Webhooks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from standardwebhooks import Webhook

from app import deliveries, webhooks
from app.db import Query, Tx
from app.deliveries import SCHEDULE, TRIES, sign
from app.runtime import Runtime
from app.security.outbound import Outbound
from app.store import webhooks as store
from tests.api.conftest import Program
from tests.callee import Callee, Reply, listening
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
HOOKS = "/api/v1/webhooks"


@pytest.fixture
def callee() -> Iterator[Callee]:
    with listening() as found:
        yield found


@pytest.fixture
async def sender(api: Program, callee: Callee) -> AsyncIterator[webhooks.Webhooks]:
    """The product's own, allowed to reach the receiver on this machine."""
    made = allowed(api.rt, callee)
    api.rt.webhooks = made
    tasks = [asyncio.ensure_future(made.run()), asyncio.ensure_future(made.spool())]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await made.close()


def allowed(rt: Runtime, callee: Callee) -> webhooks.Webhooks:
    place = frozenset({f"127.0.0.1:{callee.port}"})
    return webhooks.Webhooks(rt.db, rt.clock, rt.keys, Outbound(place), place)


def to_now(clock: ManualClock) -> None:
    """A receiver looks at its own clock."""
    clock.advance(time.time() - clock.now() / 1000)


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def made(api: Program, callee: Callee, **body: Any) -> tuple[str, str, dict[str, str]]:
    head = await api.key("read", "send", "admin")
    answer = await api.post(HOOKS, json={"url": f"{callee.url}/in", **body}, headers=head)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["secret"], head


async def say(api: Program, head: dict[str, str], text: str) -> str:
    body = {"channel": "Shop", "to": "+5511999990000", "text": text}
    answer = await api.post("/api/v1/messages", json=body, headers=head)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def log_of(api: Program, head: dict[str, str], webhook: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get(f"{HOOKS}/{webhook}/deliveries", headers=head)).json()["items"]
    return found


def test_P25_the_signature_is_the_one_of_the_specification() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


@pytest.mark.parametrize("text", ["Hello", "Olá 👋🏽 مرحبا \u0001 \u2028", "x" * 30_000], ids=["plain", "odd", "long"])
async def test_P25_every_delivery_verifies(
    api: Program, callee: Callee, sender: webhooks.Webhooks, clock: ManualClock, text: str
) -> None:
    to_now(clock)
    webhook, secret, head = await made(api, callee, types=["message.created"])
    message = await say(api, head, text[:4096] if len(text) < 30_000 else "y" * 4096)
    await until(lambda: callee.seen)
    seen = callee.seen[0]
    told = Webhook(secret).verify(seen.body, seen.headers)
    assert told["type"] == "message.created" and told["data"]["id"] == message
    assert seen.headers["webhook-id"].startswith("msg_") and len(seen.body) <= deliveries.LARGEST
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(seen.body + b" ", seen.headers)
    await until_delivered(api, head, webhook)


async def until_delivered(api: Program, head: dict[str, str], webhook: str) -> None:
    async with asyncio.timeout(10):
        while [each["state"] for each in await log_of(api, head, webhook)] != ["delivered"]:
            await asyncio.sleep(0.05)


def seen_times(callee: Callee, times: int) -> bool:
    return len(callee.seen) == times


async def test_P25_a_failing_receiver_is_tried_on_the_schedule_and_then_switched_off(
    api: Program, callee: Callee, sender: webhooks.Webhooks, clock: ManualClock
) -> None:
    callee.answer = lambda seen: Reply(500)
    webhook, _secret, head = await made(api, callee, types=["message.created"])
    await say(api, head, "Hi")
    for tries in range(1, TRIES + 1):
        await until(partial(seen_times, callee, tries))
        await until_tried(api, tries)
        if tries < TRIES:
            due = (await log_of(api, head, webhook))[0]["due_at"] - clock.now()
            assert 0.79 * SCHEDULE[tries - 1] <= due <= 1.21 * SCHEDULE[tries - 1], tries
            clock.advance(due / 1000)
            sender.wake()
    assert len({seen.headers["webhook-id"] for seen in callee.seen}) == 1
    assert len({seen.headers["webhook-timestamp"] for seen in callee.seen}) == TRIES
    row = (await api.get(f"{HOOKS}/{webhook}", headers=head)).json()
    assert row["disabled_at"] and row["disabled_why"] == "It answered 500."
    assert (await log_of(api, head, webhook))[0]["state"] == "failed"


async def until_tried(api: Program, tries: int) -> None:
    """The outcome of this try is written."""
    wanted = "select count(*) from delivery where attempts = :tries and due_at <> tried_at + 60000"
    settled = Query(wanted, int)
    async with asyncio.timeout(10):
        while not await api.rt.db.reader.one(settled, tries=tries):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)


async def test_P25_gone_is_believed_at_once(api: Program, callee: Callee, sender: webhooks.Webhooks) -> None:
    callee.answer = lambda seen: Reply(410)
    webhook, _secret, head = await made(api, callee)
    await say(api, head, "Hi")
    async with asyncio.timeout(10):
        while not (await api.get(f"{HOOKS}/{webhook}", headers=head)).json()["disabled_at"]:
            await asyncio.sleep(0.05)
    assert (await api.patch(f"{HOOKS}/{webhook}", json={"enabled": True}, headers=head)).json()["disabled_at"] is None


async def test_P25_retry_after_is_kept_to(
    api: Program, callee: Callee, sender: webhooks.Webhooks, clock: ManualClock
) -> None:
    callee.answer = lambda seen: Reply(503, headers={"Retry-After": "3600"})
    webhook, _secret, head = await made(api, callee, types=["message.created"])
    await say(api, head, "Hi")
    await until(lambda: callee.seen)
    await until_tried(api, 1)
    assert (await log_of(api, head, webhook))[0]["due_at"] == clock.now() + 3_600_000


async def test_P25_nothing_is_left_out_while_nobody_sends(api: Program, callee: Callee, clock: ManualClock) -> None:
    """Events of an hour without a sender become deliveries later, each once, in their order."""
    api.rt.webhooks = sender = allowed(api.rt, callee)
    to_now(clock)
    _webhook, secret, head = await made(api, callee, types=["message.created"])
    sent = [await say(api, head, str(number)) for number in range(8)]
    await api.rt.db.settled()
    for _ in range(2):  # a second start finds the same positions
        await sender._spool_once()
    tasks = [asyncio.ensure_future(sender.run())]
    await until(lambda: len(callee.seen) >= 8)
    told = [Webhook(secret).verify(seen.body, seen.headers)["data"]["id"] for seen in callee.seen]
    assert sorted(told) == sorted(sent) and callee.at_once <= deliveries.EACH
    tasks[0].cancel()
    await asyncio.wait(tasks)
    await sender.close()


async def test_P25_both_secrets_sign_for_a_day(
    api: Program, callee: Callee, sender: webhooks.Webhooks, clock: ManualClock
) -> None:
    to_now(clock)
    webhook, old, head = await made(api, callee, types=["message.created"])
    new = (await api.post(f"{HOOKS}/{webhook}/rotate", headers=head)).json()["secret"]
    await say(api, head, "Hi")
    await until(lambda: callee.seen)
    for secret in (old, new):
        assert Webhook(secret).verify(callee.seen[0].body, callee.seen[0].headers)
    assert await api.rt.db.reader.one(Query("select count(*) from webhook where secret like '%whsec%'", int)) == 0


async def test_P25_a_delivery_is_sent_again_with_its_id(
    api: Program, callee: Callee, sender: webhooks.Webhooks
) -> None:
    webhook, _secret, head = await made(api, callee, types=["message.created"])
    await say(api, head, "Hi")
    await until_delivered(api, head, webhook)
    delivery = (await log_of(api, head, webhook))[0]["id"]
    answer = await api.post(f"{HOOKS}/{webhook}/replay", json={"delivery_id": delivery}, headers=head)
    assert answer.status_code == 204
    await until(lambda: len(callee.seen) == 2)
    assert len({seen.headers["webhook-id"] for seen in callee.seen}) == 1
    await until_delivered(api, head, webhook)


async def test_a_test_event_says_what_came_back(api: Program, callee: Callee, sender: webhooks.Webhooks) -> None:
    webhook, _secret, head = await made(api, callee)
    assert (await api.post(f"{HOOKS}/{webhook}/test", headers=head)).json() == {
        "ok": True, "status": 200, "problem": "",
    }  # fmt: skip
    callee.answer = lambda seen: Reply(404)
    told = (await api.post(f"{HOOKS}/{webhook}/test", headers=head)).json()
    assert not told["ok"] and told["status"] == 404 and told["problem"] == "It answered 404."


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://127.0.0.1:9/in"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "ftp://example.com/x"},
        {"url": "https://example.com/", "types": ["nonsense"]},
    ],
)
async def test_S26_where_nothing_may_be_sent_is_refused(api: Program, body: dict[str, Any]) -> None:
    answer = await api.post(HOOKS, json=body, headers=await api.key("admin"))
    assert answer.status_code == 422 and answer.json()["error"]["fields"]


async def test_switched_off_nothing_more_is_sent(
    api: Program, callee: Callee, sender: webhooks.Webhooks, clock: ManualClock
) -> None:
    callee.answer = lambda seen: Reply(500)
    webhook, _secret, head = await made(api, callee, types=["message.created"])
    await say(api, head, "Hi")
    await until_tried(api, 1)
    await api.patch(f"{HOOKS}/{webhook}", json={"enabled": False}, headers=head)
    row = (await log_of(api, head, webhook))[0]
    assert row["state"] == "failed" and row["problem"] == "The webhook was switched off."
    await say(api, head, "Not for them")
    await api.rt.db.settled()
    await sender._spool_once()
    clock.advance(3_600)
    sender.wake()
    await asyncio.sleep(0.2)
    assert len(callee.seen) == 1 and len(await log_of(api, head, webhook)) == 1


async def test_a_receiver_that_is_far_behind_holds_up_nobody_else(
    api: Program, callee: Callee, sender: webhooks.Webhooks
) -> None:
    """More is due to a silent receiver than is looked at at once, and all of it was due earlier."""
    callee.answer = callee.hold
    slow, _secret, head = await made(api, callee, types=["message.created"])
    await api.rt.db.write(pile_up, int(slow))
    sender.wake()
    await until(lambda: callee.running == deliveries.EACH)
    with listening() as quick:
        there = frozenset({f"127.0.0.1:{callee.port}", f"127.0.0.1:{quick.port}"})
        sender._allow, sender._client = there, Outbound(there)
        answer = await api.post(HOOKS, json={"url": f"{quick.url}/in", "types": ["message.created"]}, headers=head)
        assert answer.status_code == 201
        await say(api, head, "Hi")
        await until(lambda: quick.seen)
    assert callee.running == deliveries.EACH
    callee.released.set()


def pile_up(tx: Tx, webhook_id: int) -> None:
    body = deliveries.payload("test", tx.now, {})
    tx.many(
        store.INSERT_DELIVERY,
        [
            {
                "id": tx.new_id(),
                "webhook_id": webhook_id,
                "seq": 0,
                "type": "test",
                "body": body,
                "now": tx.now - 1,
                "conversation_id": None,
                "message_id": None,
            }
            for _ in range(2 * webhooks.BATCH)
        ],
    )
