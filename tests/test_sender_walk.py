"""The outbox at work while messages come, sends fail and claims meet a locked database, at random: everything that was
said goes out once, in order and in time, and all slots are free in the end."""

import asyncio
import random
import time
from collections import defaultdict
from typing import Any

import pytest

from app import claims, intake, outbox
from app.connectors.base import Outbound, PairLimit, Problem, Scope, SendFailed, Sent
from app.db import Locked
from app.pace import Pace
from app.runtime import Runtime
from tests.shop import network, numbers, open_shop, rows, said

LEFT = "select count(*) from outbox where state in ('queued', 'sending')"
SAID = "select id, conversation_id from message where direction = 'out' order by turn_id, step"


class Edge:
    """A network that takes some time for each message, refuses some for now and some for good."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.under_way: set[str] = set()
        self.taken: dict[str, list[int]] = defaultdict(list)

    async def answer(self, message: Outbound) -> Sent:
        who, dice = message.to.wa_id, self.dice
        assert who not in self.under_way, "two of one conversation at once"
        self.under_way.add(who)
        try:
            if dice.random() < 0.7:
                await asyncio.sleep(0.03 * dice.random() ** 3)
            fate = dice.random()
            if fate < 0.18:
                passes = fate < 0.15
                raise SendFailed(
                    Problem("131016", "Service unavailable"), certain=True, temporary=passes,
                    scope=dice.choice(list(Scope)), retry_after=dice.choice([0.001, 0.02, 0.1]),
                )  # fmt: skip
            self.taken[who].append(int(message.opaque.partition(".")[2]))
            return Sent(f"wamid.out.{next(numbers)}")
        finally:
            self.under_way.discard(who)


@pytest.mark.parametrize("seed", [3, 117, 141, 157])
async def test_P18_P21_whatever_fails_everything_goes_out_in_order(
    rt: Runtime, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    slots, rate = dice.choice([1, 2, 3, 8, 128]), dice.choice([0, 0, 40, 400])
    monkeypatch.setattr(outbox, "SLOTS", slots)
    monkeypatch.setattr(outbox, "BLOCKED_CHECK", 1e6)  # nothing is to be found only by the look for what was forgotten
    live = await open_shop(rt, rate=rate)
    edge = Edge(dice)
    network(live).answer = edge.answer
    sender = live.sender
    sender._free = slots
    pairs = PairLimit(every=0.05, burst=2) if rate and dice.random() < 0.5 else None
    sender._pace = Pace(rate, pairs=pairs, now=rt.clock.monotonic())
    write, wake_in = rt.db.write, sender.wake_in

    async def sometimes_locked(fn: Any, *args: Any, **more: Any) -> Any:
        if fn is claims.claim and dice.random() < 0.03:
            raise Locked()
        return await write(fn, *args, **more)

    monkeypatch.setattr(rt.db, "write", sometimes_locked)  # a file that another program locks for a moment
    monkeypatch.setattr(sender, "wake_in", lambda seconds: wake_in(min(seconds, 0.1)))  # hurried
    over = asyncio.Event()
    watch = asyncio.create_task(pass_time(rt, lambda: 0 <= sender._free <= slots, over))
    sender.start()
    told = []
    for _ in range(60):
        message = said(rt, dice.choice(["hi", "twice", "twice"]), who=f"1650{dice.randrange(12)}")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told.append(future)
        intake.take_in(rt.channels, live, (message,), lambda _: False, lambda _, future=future: future.set_result(None))
        if dice.random() < 0.6:
            await asyncio.sleep(dice.choice([0, 0.001, 0.004, 0.02]))
    await asyncio.gather(*told)
    async with asyncio.timeout(20):
        while (await rows(rt, LEFT))[0][0] or sender._claiming or sender.busy():
            await asyncio.sleep(0.02)
    await rt.db.settled()
    over.set()
    await watch
    assert sender._free == slots and not sender._behind
    order = {id: place for place, (id, _) in enumerate(await rows(rt, SAID))}
    assert sum(map(len, edge.taken.values())) > 20
    for ids in edge.taken.values():
        assert [order[id] for id in ids] == sorted({order[id] for id in ids}), "twice, or not in order"


async def pass_time(rt: Runtime, holds: Any, over: asyncio.Event) -> None:
    """The clock under test runs as the machine's does."""
    before = time.monotonic()
    while not over.is_set():
        await asyncio.sleep(0.002)
        now = time.monotonic()
        rt.clock.advance(now - before)
        before = now
        assert holds(), "more slots than there are"
