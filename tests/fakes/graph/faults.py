"""What may go wrong with a send, chosen per request: the next ones by list, then by recipient, by rate, by default.

A mode is written as words joined by `+`, such as `accept-then-timeout+status-after:3`:

ok                      accepted and answered
reject:CODE             refused with that code, not accepted
429                     refused with HTTP 429 and code 130429
cut                     connection reset, not accepted
accept-then-timeout     accepted, never answered
accept-then-rst         accepted, connection reset
accept-then-502         accepted, a proxy's HTML error page
garbage                 accepted, 200 with broken JSON
slow:SECONDS            answered late
fail:CODE               accepted, later a `failed` status
no-status               accepted, no status ever
status-after:SECONDS    statuses come so much later
early-status            the `sent` status is acknowledged before the answer leaves
duplicate               its webhooks are posted twice
reorder                 its statuses come in a random order
"""

import random
from collections import deque
from collections.abc import Iterable

import msgspec

ANSWERS = {"ok", "429", "cut", "accept-then-timeout", "accept-then-rst", "accept-then-502", "garbage"}
REFUSALS = {"reject", "429", "cut"}
FLAGS = {"no-status": "silent", "early-status": "early", "duplicate": "duplicate", "reorder": "reorder"}


class Mode(msgspec.Struct, frozen=True):
    text: str = "ok"
    answer: str = "ok"
    code: int = 0
    slow: float = 0.0
    fail: int = 0
    status_after: float = 0.0
    silent: bool = False
    early: bool = False
    duplicate: bool = False
    reorder: bool = False

    @property
    def plain(self) -> bool:
        return self.answer == "ok" and not self.slow and not self.early

    @property
    def refuses(self) -> bool:
        return self.answer in REFUSALS


OK = Mode()


def parse(text: str) -> Mode:
    """Raises `ValueError` for a word that is not in the list above."""
    found: dict[str, object] = {"text": text}
    for word in text.split("+"):
        name, _, value = word.partition(":")
        if name == "reject":
            found |= {"answer": "reject", "code": int(value)}
        elif name == "fail":
            found["fail"] = int(value)
        elif name in ("slow", "status-after"):
            found[name.replace("-", "_")] = float(value)
        elif name in FLAGS:
            found[FLAGS[name]] = True
        elif name in ANSWERS and not value:
            found["answer"] = name
        else:
            raise ValueError(f"no such mode: {word}")
    return msgspec.convert(found, Mode)


class Faults:
    """Which mode the next send gets."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.default = OK
        self.next: deque[Mode] = deque()
        self.users: dict[str, Mode] = {}
        self.rates: list[tuple[float, Mode]] = []
        self.quiet = True  # nothing but the default: the hot path asks no further

    def set(
        self,
        *,
        default: str | None = None,
        next: Iterable[str] = (),
        users: dict[str, str] | None = None,
        rates: dict[str, float] | None = None,
    ) -> None:
        """Adds to `next`; replaces the others that are given."""
        if default is not None:
            self.default = parse(default)
        self.next.extend([parse(text) for text in next])
        if users is not None:
            self.users = {user: parse(text) for user, text in users.items()}
        if rates is not None:
            self.rates = [(share, parse(text)) for text, share in rates.items()]
        self.quiet = not (self.next or self.users or self.rates)

    def pick(self, user: str) -> Mode:
        if self.quiet:
            return self.default
        if self.next:
            return self.next.popleft()
        if user in self.users:
            return self.users[user]
        point = self.dice.random()
        for share, mode in self.rates:
            point -= share
            if point < 0:
                return mode
        return self.default
