"""How fast a channel may send: a bucket for the channel, one for each chat, and pauses the network asked for.

Times come from the monotonic clock in seconds. Everything here runs on the event loop thread.
"""

from collections import OrderedDict

from app.connectors.base import PairLimit

PAIRS_KEPT = 50_000


class Bucket:
    """A token bucket: `rate` tokens a second up to `burst`. A rate of 0 means no limit."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until one token is there (0 = now)."""
        if self.rate <= 0:
            return 0.0
        self._fill(now)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self.rate

    def take(self, now: float, tokens: int = 1) -> None:
        if self.rate > 0:
            self._fill(now)
            self._tokens -= tokens

    def give(self, tokens: int = 1) -> None:
        """Tokens that were not used."""
        self._tokens = min(self.burst, self._tokens + tokens)

    def room(self, now: float) -> int:
        """Whole tokens there now."""
        if self.rate <= 0:
            return 1_000_000
        self._fill(now)
        return max(0, int(self._tokens))

    def full(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= self.burst

    def _fill(self, now: float) -> None:
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now


class Pace:
    """The pace of one channel. `pairs`: how often the network lets one chat be written to; chats go by any key."""

    def __init__(self, rate: float, *, pairs: PairLimit | None, now: float) -> None:
        self.pairs = pairs if rate > 0 else None
        self._channel = Bucket(rate, max(1.0, rate / 4), now)
        self._pairs: OrderedDict[int | str, Bucket] = OrderedDict()
        self._paused_until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the channel may send again."""
        return max(self._paused_until - now, self._channel.wait(now), 0.0)

    def room(self, now: float) -> int:
        """How many may go at this moment."""
        return self._channel.room(now)

    def pair_wait(self, chat: int | str, now: float) -> float:
        """Seconds until this chat may be written to again."""
        bucket = self._pairs.get(chat) if self.pairs else None
        return bucket.wait(now) if bucket else 0.0

    def take(self, now: float, tokens: int = 1) -> None:
        self._channel.take(now, tokens)

    def give(self, tokens: int = 1) -> None:
        self._channel.give(tokens)

    def took_pair(self, chat: int | str, now: float, *, group: bool = False) -> None:
        if not self.pairs:
            return
        every = (group and self.pairs.every_group) or self.pairs.every
        bucket = self._pairs.setdefault(chat, Bucket(1 / every, self.pairs.burst, now))
        bucket.take(now)
        self._pairs.move_to_end(chat)
        while len(self._pairs) > PAIRS_KEPT or (self._pairs and next(iter(self._pairs.values())).full(now)):
            self._pairs.popitem(last=False)

    def pause(self, seconds: float, now: float) -> None:
        """The network said: slow down."""
        self._paused_until = max(self._paused_until, now + seconds)
