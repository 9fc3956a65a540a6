"""A bot that calls, in the product: from a customer's message over a real server to the answer."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import erase, handoff, jobs, logs, vault
from app.channels import Live
from app.connectors.base import Address
from app.runtime import Runtime, last_words
from app.security.outbound import Outbound
from tests.callee import Callee, Reply, listening
from tests.clock import ManualClock
from tests.shop import change, open_shop, rows, said, take_in

pytestmark = pytest.mark.anyio
BOT = """
bot: Shop
rules:
  - name: order
    when: {says: order}
    do:
      - call:
          post: "http://127.0.0.1:%(port)d/orders?key={{ secret.shop_key }}"
          headers: {Authorization: "Bearer {{ secret.shop_key }}"}
          json: {item: "{{ message.text }}", who: "{{ contact.phone }}"}
          save: reply
        failed: {404: [{say: "No such thing."}, {return: }], else: [{say: "It failed: {{ call.error }}."}, {return: }]}
      - say: "Order {{ reply.number }}, {{ reply.echo }}."
  - name: look
    when: {says: look}
    do:
      - call: {get: "http://127.0.0.1:%(other)d/", save: reply}
      - say: "Looked."
fallback: {do: [{say: Sorry.}]}
"""
SECRET = "hush-hush-of-the-shop"


class Shop:
    """A channel whose bot calls `callee` with `order`, and `other` with `look`."""

    def __init__(self, rt: Runtime, live: Live, callee: Callee, other: Callee) -> None:
        self.rt, self.live, self.callee, self.other = rt, live, callee, other

    async def hear(self, words: str, who: str = "16505551234", **more: Any) -> int:
        return (await take_in(self.rt, self.live, said(self.rt, words, who, **more))).conversation_id

    async def answers(self) -> list[str]:
        return [text for (text,) in await rows(self.rt, "select text from message where direction = 'out' order by id")]

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until it holds; what is given may be asked for."""
        async with asyncio.timeout(20):
            while not (found := holds()) or (asyncio.iscoroutine(found) and not await found):
                await asyncio.sleep(0.02)

    async def done(self) -> bool:
        return await rows(self.rt, "select id from job where kind = 'call'") == []


@pytest.fixture
def callees() -> Iterator[tuple[Callee, Callee]]:
    with listening() as callee, listening() as other:
        yield callee, other


@pytest.fixture
async def shop(rt: Runtime, callees: tuple[Callee, Callee]) -> AsyncIterator[Shop]:
    callee, other = callees
    [handler] = rt.calls._handlers.values()
    handler.__self__._client = Outbound([f"127.0.0.1:{callee.port}", f"127.0.0.1:{other.port}"])
    await vault.add(rt, "shop_key", SECRET, None)
    callee.answer = lambda seen: Reply(201, b'{"number": 7, "echo": "%s"}' % seen.headers["authorization"].encode())
    yield Shop(rt, await open_shop(rt, BOT % {"port": callee.port, "other": other.port}), callee, other)
    callee.released.set()


async def test_the_answer_of_a_call_is_heard_in_a_turn_of_its_own(shop: Shop) -> None:
    await shop.hear("order bread")
    await shop.until(shop.done)
    assert await shop.answers() == ["Order 7, Bearer •••."]
    [seen] = shop.callee.seen
    assert (seen.path, seen.body) == (f"/orders?key={SECRET}", b'{"item":"order bread","who":"16505551234"}')
    turns = await rows(shop.rt, "select message_id, input, output, error from turn order by at, id")
    assert [(message_id is None, error) for message_id, _, _, error in turns] == [(False, ""), (True, "")]
    assert '"event":"call"' in turns[1][1] and '"status":201' in turns[1][1]


async def test_S29_S33_the_secret_is_nowhere_in_the_data_folder_nor_in_the_log(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, told = logging.getLogger(), io.StringIO()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    logs.set_up("debug", "json", told)
    await shop.hear("order bread")
    await shop.until(shop.done)
    assert len(shop.callee.seen) == 1
    assert "call 2xx" in told.getvalue() and SECRET not in told.getvalue()
    for table in ("turn", "job", "message", "conversation", "event", "secret"):
        kept = await rows(shop.rt, f"select * from {table}")
        assert SECRET not in str(kept), table
    for file in Path(shop.rt.settings.data).rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


async def test_a_status_or_an_error_takes_its_branch(shop: Shop) -> None:
    shop.callee.answer = lambda seen: Reply(404)
    await shop.hear("order bread")
    await shop.until(shop.done)
    await vault.remove(shop.rt, await vault.find(shop.rt, "shop_key"))
    await shop.hear("order cake")
    await shop.until(shop.done)
    assert await shop.answers() == ["No such thing.", "It failed: no_secret."]


async def test_a_slow_host_holds_up_no_other(shop: Shop) -> None:
    shop.callee.answer = shop.callee.hold
    for n in range(jobs.CALLS_AT_ONCE + 5):
        await shop.hear("order bread", f"1650555{1000 + n}")
    await shop.until(lambda: len(shop.callee.seen) == jobs.CALLS_OF_A_HOST)
    await shop.hear("look", "16505559999")
    await shop.until(lambda: shop.other.seen)
    await shop.until(shop.answers)
    assert await shop.answers() == ["Looked."]
    assert len(shop.callee.seen) == shop.callee.at_once == jobs.CALLS_OF_A_HOST
    shop.callee.answer = lambda seen: Reply(201, b'{"number": 7}')
    shop.callee.released.set()
    await shop.until(shop.done)
    assert shop.callee.at_once <= jobs.CALLS_OF_A_HOST
    assert len(await shop.answers()) == jobs.CALLS_AT_ONCE + 6


async def test_P13_a_call_that_ended_the_process_three_times_is_given_up_and_said_to_be_unknown(shop: Shop) -> None:
    shop.callee.answer = shop.callee.hold
    await shop.hear("order bread")
    await shop.until(lambda: shop.callee.seen)
    await change(shop.rt, "update job set attempts = 3 where kind = 'call'")
    await shop.rt.db.write(jobs.recover, "call", last_words(shop.rt))
    assert await shop.done()
    shop.callee.released.set()
    await shop.until(lambda: not shop.rt.calls.busy())
    assert await shop.answers() == ["It failed: unknown."]


async def test_who_takes_the_conversation_meanwhile_is_not_talked_over(shop: Shop) -> None:
    shop.callee.answer = shop.callee.hold
    conversation_id = await shop.hear("order bread")
    await shop.until(lambda: shop.callee.seen)
    await handoff.take(shop.rt, conversation_id, 7)
    shop.callee.released.set()
    await shop.until(shop.done)
    await shop.until(lambda: not shop.rt.calls.busy())
    assert await shop.answers() == []


async def test_a_contact_that_is_erased_meanwhile_stays_erased(shop: Shop) -> None:
    shop.callee.answer = shop.callee.hold
    await shop.hear("order bread")
    await shop.until(lambda: shop.callee.seen)
    [(contact_id,)] = await rows(shop.rt, "select id from contact")
    await erase.contact(shop.rt, contact_id)
    shop.callee.released.set()
    await shop.until(lambda: not shop.rt.calls.busy())
    assert await rows(shop.rt, "select count(*) from turn") == await rows(shop.rt, "select count(*) from job") == [(0,)]


async def test_an_answer_finds_the_conversation_that_its_own_was_joined_to(shop: Shop, clock: ManualClock) -> None:
    """One person under two names: while the call is under way a message tells that they are one."""
    shop.callee.answer = shop.callee.hold
    await shop.hear("hm", "16505551111", sender=Address(phone="16505551111", wa_id="16505551111"))
    clock.advance(60)
    gone = await shop.hear("order bread", "x", sender=Address(user_id="US.1"))
    await shop.until(lambda: shop.callee.seen)
    both = Address(phone="16505551111", wa_id="16505551111", user_id="US.1")
    kept = await shop.hear("hm", "x", sender=both, at=clock.now() - 25 * 3_600_000)  # too old to be answered
    assert kept != gone
    shop.callee.answer = lambda seen: Reply(201, b'{"number": 7}')
    shop.callee.released.set()
    await shop.until(lambda: not shop.rt.calls.busy())
    assert await rows(shop.rt, "select conversation_id from turn where message_id is null") == [(kept,)]
    assert (await shop.answers())[-1].startswith("Order")
