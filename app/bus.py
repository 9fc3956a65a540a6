"""The bell: tells open dashboards what changed, after the commit.

An event rings each of its topics. A ring is encoded once and its bytes are shared by everybody who listens. A topic
rings at most once in 300 ms, the first at once, the last of a burst at its end: listeners fetch what changed, so rings
may be merged. A listener that falls 256 rings behind gets one `resync` instead; a producer never waits for a listener.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from app.db import Database
from app.events import StoredEvent

APART: Final = 0.3
QUEUE: Final = 256
KEPT: Final = 1000
HEARTBEAT: Final = 15.0
RETRY_MS: Final = 3000
NOTHING: Final = b"{}"
BEAT: Final = b": still here\n\n"


class Ring(NamedTuple):
    """`data` is JSON on one line."""

    seq: int
    topic: str
    data: bytes


class Subscription:
    """One open stream: its waiting rings, and the login (`session`) and role that it was opened with. `bare`: it is
    told that something happened, and not to what."""

    __slots__ = ("bare", "closed", "lost", "queue", "role", "session", "sleeper", "topics")

    def __init__(self, topics: frozenset[str], session: str, role: str, bare: bool) -> None:
        self.topics, self.session, self.role, self.bare = topics, session, role, bare
        self.queue: deque[bytes] = deque()
        self.sleeper: asyncio.Future[None] | None = None
        self.closed = self.lost = False

    def push(self, frame: bytes) -> None:
        if self.lost:
            return
        if len(self.queue) >= QUEUE:
            self.queue.clear()
            self.lost = True
        else:
            self.queue.append(frame)
        self.wake()

    def wake(self) -> None:
        if self.sleeper is not None and not self.sleeper.done():
            self.sleeper.set_result(None)

    def close(self) -> None:
        self.closed = True
        self.wake()

    async def next(self, resync: Callable[[], bytes]) -> bytes:
        """Everything that waits, as one piece; b'' once closed."""
        while not self.queue and not self.lost and not self.closed:
            self.sleeper = asyncio.get_running_loop().create_future()
            await self.sleeper
        if self.closed:
            return b""
        if self.lost:
            self.lost = False
            return resync()
        if len(self.queue) == 1:
            return self.queue.popleft()
        piece = b"".join(self.queue)
        self.queue.clear()
        return piece


class Topic:
    """Who listens to one topic, when it last rang and what waits to ring."""

    __slots__ = ("listeners", "pending", "rang_at")

    def __init__(self) -> None:
        self.listeners: set[Subscription] = set()
        self.pending: Ring | None = None
        self.rang_at = float("-inf")


class Bus:
    """All open streams. Lives on the event loop's thread; `ring` is what the database calls after a commit."""

    def __init__(self, db: Database) -> None:
        """Rings for whatever this database commits from now on."""
        db.listen(self.ring)
        self.seq = 0
        self.kept: deque[StoredEvent] = deque(maxlen=KEPT)
        self.topics: dict[str, Topic] = {}
        self.subscriptions: set[Subscription] = set()
        self.closed = False
        self.heart: asyncio.TimerHandle | None = None

    def ring(self, events: list[StoredEvent]) -> None:
        """Tell everybody. Events come in commit order."""
        for event in events:
            self.seq = max(self.seq, event.seq)
            self.kept.append(event)
            for name in event.topics:
                topic = self.topics.get(name)
                if topic is not None:
                    self._ring(topic, Ring(event.seq, name, event.data))

    def tell(self, name: str) -> None:
        """Ring a topic of which nothing is stored: whoever misses it looks again by itself."""
        topic = self.topics.get(name)
        if topic is not None:
            self._ring(topic, Ring(self.seq, name, NOTHING))

    def _ring(self, topic: Topic, ring: Ring) -> None:
        loop = asyncio.get_running_loop()
        if topic.pending is not None:
            topic.pending = ring
        elif loop.time() - topic.rang_at >= APART:
            self._deliver(topic, ring, loop.time())
        else:
            topic.pending = ring
            loop.call_at(topic.rang_at + APART, self._ring_later, topic)

    def _ring_later(self, topic: Topic) -> None:
        ring, topic.pending = topic.pending, None
        if ring is not None:
            self._deliver(topic, ring, asyncio.get_running_loop().time())

    def _deliver(self, topic: Topic, ring: Ring, now: float) -> None:
        topic.rang_at = now
        full, bare = frame(*ring), frame(ring.seq, ring.topic, NOTHING)
        for listener in topic.listeners:
            listener.push(bare if listener.bare else full)

    def subscribe(
        self,
        topics: Iterable[str],
        *,
        after: int | None = None,
        session: str = "",
        role: str = "",
        bare: bool = False,
    ) -> Subscription:
        """Listen from now on; with `after`, first what was missed since that position, or `resync` if that is gone."""
        subscription = Subscription(frozenset(topics), session, role, bare)
        missed = self.since(after) if after is not None else []
        if missed is None:
            subscription.push(self.resync())
        else:
            # Only the last ring of each topic: the earlier ones would make the page fetch the same thing again.
            last = {name: event for event in missed for name in event.topics if name in subscription.topics}
            for name, event in sorted(last.items(), key=lambda item: item[1].seq):
                subscription.push(frame(event.seq, name, NOTHING if bare else event.data))
        for name in subscription.topics:
            self.topics.setdefault(name, Topic()).listeners.add(subscription)
        self.subscriptions.add(subscription)
        if self.closed:
            subscription.close()
        elif self.heart is None:
            self._beat_later()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self.subscriptions.discard(subscription)
        for name in subscription.topics:
            topic = self.topics.get(name)
            if topic is not None:
                topic.listeners.discard(subscription)
                if not topic.listeners:
                    del self.topics[name]

    def since(self, seq: int) -> list[StoredEvent] | None:
        """Events after this position, or None where they are no longer kept (or the position is not of this run)."""
        if seq == self.seq:
            return []
        if seq > self.seq or not self.kept or self.kept[0].seq > seq + 1:
            return None
        return [event for event in self.kept if event.seq > seq]

    def resync(self) -> bytes:
        return frame(self.seq, "resync", b"{}")

    def close(self) -> None:
        """End every stream: the server calls it before it waits for connections to end."""
        self.closed = True
        if self.heart is not None:
            self.heart.cancel()
        for subscription in self.subscriptions:
            subscription.close()

    def _beat_later(self) -> None:
        self.heart = asyncio.get_running_loop().call_later(HEARTBEAT, self._beat)

    def _beat(self) -> None:
        """A comment to each, so that proxies and browsers see that the stream lives; ends with the last listener."""
        self.heart = None
        for subscription in self.subscriptions:
            if not subscription.queue:
                subscription.push(BEAT)
        if self.subscriptions:
            self._beat_later()


def frame(seq: int, topic: str, data: bytes) -> bytes:
    """One event of the stream: `data` is JSON on one line."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (seq, topic.encode(), data)
