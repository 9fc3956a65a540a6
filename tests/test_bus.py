"""P41: the bell. Times are the event loop's, which these tests move by hand."""

import asyncio
from collections.abc import Iterator

import pytest

from app.bus import APART, BEAT, HEARTBEAT, KEPT, QUEUE, Bus, Subscription
from app.db import Database
from app.events import StoredEvent


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock is moved by `pass_time`: what is due is then called."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def event(seq: int, *topics: str) -> StoredEvent:
    return StoredEvent(seq, 0, "conversation.updated", topics, b'{"n": %d}' % seq)


class Quiet:
    """A database as far as the bus is concerned."""

    def listen(self, callback: object) -> None:
        pass


def make() -> Bus:
    from typing import cast

    return Bus(cast(Database, Quiet()))


def taken(subscription: Subscription) -> list[str]:
    """Names and positions of the rings that wait, taken out."""
    text = b"".join(subscription.queue).decode()
    subscription.queue.clear()
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.split("\n\n") if block]
    return [f"{block['event']} {block['id']}" if "event" in block else "beat" for block in blocks]


async def pass_time(loop: Loop, seconds: float) -> None:
    loop.ahead += seconds
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_P41_the_first_ring_comes_at_once_and_a_burst_ends_with_one_more(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        listener = bus.subscribe(["conversations"])
        bus.ring([event(1, "conversations")])
        assert taken(listener) == ["conversations 1"]
        for seq in range(2, 50):
            bus.ring([event(seq, "conversations")])
        assert taken(listener) == []
        await pass_time(loop, APART)
        assert taken(listener) == ["conversations 49"]
        await pass_time(loop, APART)
        assert taken(listener) == []
        bus.close()

    loop.run_until_complete(story())


def test_P41_one_is_told_of_the_topics_asked_for_only(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        one, two = bus.subscribe(["conversation-1"]), bus.subscribe(["conversation-2", "channels"])
        bus.ring([event(1, "conversations", "conversation-1"), event(2, "channels")])
        assert (taken(one), taken(two)) == (["conversation-1 1"], ["channels 2"])
        bus.unsubscribe(one)
        assert "conversation-1" not in bus.topics
        bus.close()

    loop.run_until_complete(story())


def test_P41_rings_of_one_event_are_the_same_bytes_for_everybody(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        listeners = [bus.subscribe(["channels"]) for _ in range(3)]
        bus.ring([event(1, "channels")])
        assert len({id(listener.queue[0]) for listener in listeners}) == 1
        bus.close()

    loop.run_until_complete(story())


def test_P41_who_falls_behind_gets_one_resync_and_nobody_waits(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        slow = bus.subscribe([f"conversation-{n}" for n in range(QUEUE + 50)])
        for n in range(QUEUE + 50):
            bus.ring([event(n + 1, f"conversation-{n}")])
        assert len(slow.queue) == 0
        assert await slow.next(bus.resync) == b"id: %d\nevent: resync\ndata: {}\n\n" % (QUEUE + 50)
        await pass_time(loop, 1)
        bus.ring([event(1000, "conversation-3")])
        assert taken(slow) == ["conversation-3 1000"]
        bus.close()

    loop.run_until_complete(story())


def test_P41_a_resume_brings_the_last_ring_of_each_topic_missed(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        bus.ring([event(seq, "conversations", f"conversation-{seq % 2}") for seq in range(1, 9)])
        listener = bus.subscribe(["conversations", "conversation-1"], after=3)
        assert taken(listener) == ["conversation-1 7", "conversations 8"]
        assert taken(bus.subscribe(["conversations"], after=8)) == []
        assert taken(bus.subscribe(["channels"], after=3)) == []
        bus.close()

    loop.run_until_complete(story())


def test_P41_a_resume_from_too_far_back_or_another_run_is_a_resync(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        bus.ring([event(seq, "channels") for seq in range(1, KEPT + 10)])
        assert taken(bus.subscribe(["channels"], after=2)) == [f"resync {KEPT + 9}"]
        assert taken(bus.subscribe(["channels"], after=10**6)) == [f"resync {KEPT + 9}"]
        fresh = make()
        assert taken(fresh.subscribe(["channels"], after=5)) == ["resync 0"]
        bus.close(), fresh.close()

    loop.run_until_complete(story())


def test_P41_a_heartbeat_every_fifteen_seconds_while_somebody_listens(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        listener = bus.subscribe(["channels"])
        for _ in range(2):
            await pass_time(loop, HEARTBEAT)
            assert list(listener.queue) == [BEAT]
            listener.queue.clear()
        bus.unsubscribe(listener)
        await pass_time(loop, HEARTBEAT)
        assert bus.heart is None
        bus.close()

    loop.run_until_complete(story())


def test_P34_closing_ends_every_stream_and_later_ones_at_once(loop: Loop) -> None:
    async def story() -> None:
        bus = make()
        waiting = asyncio.ensure_future(bus.subscribe(["channels"]).next(bus.resync))
        await asyncio.sleep(0)
        bus.close()
        assert await waiting == b""
        assert await bus.subscribe(["channels"]).next(bus.resync) == b""

    loop.run_until_complete(story())
