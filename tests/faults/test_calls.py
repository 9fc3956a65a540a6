"""Killed while a bot calls: each call is heard of once, and no order is placed twice (P15, P18)."""

import asyncio
import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.callee import Callee, Reply, Seen, listening
from tests.faults import check, points
from tests.faults.house import PLAIN, House, wait_for
from tests.faults.load import Load, message, notification, signed

KILLS, KILLS_FULL = 4, 60
STEP, FEW, MOST = 5, 4, 400
FILES = "calls.py,caller.py,jobs.py,turns.py"
BOT = """
bot: Calls
rules:
  - {name: order, when: {says: order}, do: [{start: order}]}
  - {name: look, when: {says: look}, do: [{start: look}]}
fallback: {do: [{say: "Sorry?"}]}
flows:
  order:
    - call: {post: "http://127.0.0.1:%(port)d/orders", json: {who: "{{ contact.phone }}"}, save: reply, timeout: 20}
      failed: {unknown: [{say: Nobody knows.}, {return: }], else: [{say: It failed.}, {return: }]}
    - say: "Number {{ reply.number }}."
  look:
    - call: {get: "http://127.0.0.1:%(port)d/orders/1", save: reply, timeout: 20}
      failed: [{say: It failed.}, {return: }]
    - say: "Number {{ reply.number }}."
"""
# A turn that ordered a call, and those that heard of it.
ORDERED = """select count(*) from turn where output like '%"effect":"call"%'"""
HEARD = """select input from turn where input like '%"event":"call"%'"""
WAITING = "select count(*) from job where kind = 'call'"
LAST_WORDS = "select text from message where direction = 'out' order by id"


@pytest.fixture
def shop() -> Iterator[Callee]:
    with listening() as callee:
        callee.answer = lambda seen: Reply(201, b'{"number": 7}')
        yield callee


@pytest.fixture
def calling(house: House, shop: Callee) -> House:
    """A house whose bot calls the shop."""
    house.preload = {"PARLEY_OUTBOUND_ALLOW": f"127.0.0.1:{shop.port}"}
    house.furnish()
    document = house.folder / "calls.yaml"
    document.write_text(BOT % {"port": shop.port})
    house.command("bot", "import", str(document))
    house.command("bot", "publish", "Calls", "--channel", "Shop")
    house.start_graph("--set", "statuses=0")
    return house


def say(house: House, wamid: str, who: str, words: str) -> int:
    body = notification([message(wamid, who, words)])
    return httpx.post(house.hook, content=body, headers=signed(body), timeout=10, verify=PLAIN).status_code


def heard(house: House) -> list[dict[str, object]]:
    """What came back from calls, as the turns about it keep it."""
    return [json.loads(given)["event"] for (given,) in house.query(HEARD)]


def said(house: House) -> list[str]:
    return [text for (text,) in house.query(LAST_WORDS)]


def at_rest(house: House) -> bool:
    return house.query(WAITING) == [(0,)] and house.query(check.RESTLESS) == [(0,)]


@pytest.mark.parametrize(
    ("words", "requests", "answer"), [("order", 1, "Nobody knows."), ("look", 2, "Number 7.")]
)  # fmt: skip
def test_P18_killed_while_a_call_is_under_way_an_order_is_not_placed_twice(
    calling: House, shop: Callee, words: str, requests: int, answer: str
) -> None:
    """The shop has the request and has not answered when the process dies."""
    quick = shop.answer
    shop.answer = shop.hold
    calling.start()
    assert say(calling, "wamid.call.1", "15551110001", words) == 200
    wait_for(lambda: shop.seen, "the call")
    assert calling.server
    calling.server.kill()
    shop.answer = quick
    calling.start()
    wait_for(lambda: said(calling), "what the bot says to it")
    wait_for(lambda: at_rest(calling), "rest")
    assert say(calling, "wamid.call.1", "15551110001", words) == 200, "posted again, as Meta does"
    time.sleep(1)
    assert said(calling) == [answer]
    assert (len(heard(calling)), len(shop.seen), at_rest(calling)) == (1, requests, True)


def test_P28_what_an_answer_said_outlives_a_locked_database(calling: House, shop: Callee) -> None:
    """The order was placed; that nobody can be told at once must not turn it into one that nobody knows about."""
    quick = shop.answer
    shop.answer = shop.hold
    calling.start()
    assert say(calling, "wamid.call.1", "15551110001", "order") == 200
    wait_for(lambda: shop.seen, "the call")
    with sqlite3.connect(calling.database, isolation_level=None) as other:
        other.execute("begin immediate")
        shop.answer = quick
        shop.released.set()
        time.sleep(6)
        assert heard(calling) == []
        other.execute("rollback")
    wait_for(lambda: heard(calling), "the answer")
    wait_for(lambda: at_rest(calling), "rest")
    assert (len(heard(calling)), len(shop.seen)) == (1, 1)
    assert heard(calling)[0]["status"] == 200


def test_P34_a_call_under_way_ends_before_the_server_does(calling: House, shop: Callee) -> None:
    def slow(seen: Seen) -> Reply:
        time.sleep(1.5)
        return Reply(201, b'{"number": 7}')

    shop.answer = slow
    calling.start()
    assert say(calling, "wamid.call.1", "15551110001", "order") == 200
    wait_for(lambda: shop.seen, "the call")
    assert calling.server
    assert calling.server.stop(15) == 0
    assert [event["status"] for event in heard(calling)] == [201]
    calling.start()
    wait_for(lambda: at_rest(calling), "rest")
    assert (said(calling), len(shop.seen)) == (["Number 7."], 1)


def test_P18_killed_at_random_under_load_every_call_is_heard_once_and_no_order_placed_twice(
    calling: House, shop: Callee, full: bool
) -> None:
    dice = random.Random(11)

    def slow(seen: Seen) -> Reply:
        time.sleep(dice.uniform(0, 0.2))
        return Reply(201, b'{"number": 7}')

    shop.answer = slow
    load = Load(calling, customers=10**6)
    load.words = ("order", "order", "look")
    kills = KILLS_FULL if full else KILLS
    for _ in range(kills):
        calling.start()
        asyncio.run(_killed_while_posting(calling, load, dice.uniform(0.1, 1.0)))
    calling.start()
    asyncio.run(load.repeat())
    wait_for(lambda: at_rest(calling), "rest", 60)
    told = Counter(str(event.get("error", "")) or str(event["status"]) for event in heard(calling))
    [(ordered,)] = calling.query(ORDERED)
    orders = Counter(json.loads(seen.body)["who"] for seen in shop.seen if seen.method == "POST")
    print(f"{kills} kills, {ordered} calls ordered, heard {dict(told)}, {len(shop.seen)} requests")
    assert ordered > kills * 3, "there was hardly any load"
    assert sum(told.values()) == ordered, "each call is heard of once"
    assert max(orders.values()) == 1, "an order was placed twice"
    assert told.keys() <= {"201", "unknown"}
    assert len(orders) + sum(seen.method == "GET" for seen in shop.seen) >= told["201"]


async def _killed_while_posting(house: House, load: Load, after: float) -> None:
    posting = asyncio.create_task(load.run(30, at_once=4))
    await asyncio.sleep(after)
    assert house.server
    await asyncio.to_thread(house.server.kill)
    await posting


def test_P18_killed_at_every_point_of_a_call_it_is_heard_once_and_made_once(
    calling: House, shop: Callee, full: bool
) -> None:
    judged = 0

    def done() -> bool:
        return at_rest(calling) and len(heard(calling)) > judged

    def judge(point: int) -> None:
        nonlocal judged
        [news] = heard(calling)[judged:]
        made = len(shop.seen)
        assert made <= 1 and (made == 1 or news.get("error") == "unknown"), (point, made, news)
        shop.seen.clear()
        judged += 1

    chosen = points.every(STEP) if full else points.some(FEW, MOST, seed=5)
    tried, died = points.killed_at(calling, chosen, "order", done, judge, FILES)
    print(f"{tried} points of a call, the process died at {died} of them")
    assert died
