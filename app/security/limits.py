"""Token buckets (S14): so many requests at once, so many a second, on the monotonic clock.

At most 10,000 keys are remembered; the longest unused one is forgotten first, which only ever gives it a full bucket.
"""

import asyncio
from collections import OrderedDict
from typing import Final

import msgspec

from app.clock import Clock
from app.errors import TooMany
from app.said import N_

MAX_KEYS: Final = 10_000
# Of one request, before anything is known of it (S15).
HEAD_BYTES: Final = 32_768
HEAD_SECONDS: Final = 10.0
BODY_PAUSE: Final = 15.0
BODY_SECONDS: Final = 60.0
REFUSED_EVERY: Final = 1 / 200  # seconds
REFUSED_WITHIN: Final = 5.0


class Rate(msgspec.Struct, frozen=True):
    """`burst` tokens at most, `each` a second; each 0 = no limit."""

    burst: int
    each: float


ANONYMOUS: Final = Rate(60, 1.0)
SESSION: Final = Rate(60, 5.0)
API_KEY: Final = Rate(200, 50.0)
AUTHENTICATION: Final = Rate(5, 5 / 60)
EXPORT: Final = Rate(2, 2 / 3600)


TOO_MANY: Final = N_("Too many requests. Wait a moment, then go on.")


class Refusals:
    """Those who ask too often are told so one after the other, so many a second over all of them, the first at once:
    who asks again as soon as they are refused would otherwise keep the process busy with refusing."""

    def __init__(self) -> None:
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for it, a few seconds at most."""
        now = asyncio.get_running_loop().time()
        mine = max(self._next, now)
        self._next = min(mine + REFUSED_EVERY, now + REFUSED_WITHIN)
        if mine > now:
            await asyncio.sleep(mine - now)


class Limits:
    """Buckets by key. `take` raises TooMany when one is empty."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, rate: Rate) -> int:
        """Use one token; how many are left."""
        if not rate.each:
            return rate.burst
        now = self.clock.monotonic()
        tokens, since = self.buckets.pop(key, (float(rate.burst), now))
        tokens = min(rate.burst, tokens + (now - since) * rate.each)
        left = tokens - 1 if tokens >= 1 else tokens
        self.buckets[key] = (left, now)
        if len(self.buckets) > MAX_KEYS:
            self.buckets.popitem(last=False)
        if tokens < 1:
            raise TooMany(TOO_MANY, retry_after=(1 - tokens) / rate.each)
        return int(left)

    def wait(self, key: str, rate: Rate) -> float:
        """Seconds until `take` gives a token; 0 where it does now."""
        if not rate.each or key not in self.buckets:
            return 0.0
        tokens, since = self.buckets[key]
        return max(0.0, (1 - tokens) / rate.each - (self.clock.monotonic() - since))

    def give_back(self, key: str, rate: Rate) -> None:
        """The last token was not used for what the limit is about."""
        tokens, since = self.buckets.get(key, (float(rate.burst), self.clock.monotonic()))
        self.buckets[key] = (min(rate.burst, tokens + 1), since)
