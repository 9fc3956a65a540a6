"""The one-time link that makes the first owner (S1): 256 random bits, 30 minutes, once, kept in memory only."""

import hmac
import secrets
from typing import Final

from app.clock import Clock

LASTS: Final = 30 * 60.0


class SetupLink:
    """The token of this run. A restart makes another; once an owner exists there is none."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.token = ""
        self.until = 0.0

    def issue(self) -> str:
        self.token, self.until = secrets.token_urlsafe(32), self.clock.monotonic() + LASTS
        return self.token

    def fits(self, token: str) -> bool:
        alive = bool(self.token) and self.clock.monotonic() < self.until
        return alive and hmac.compare_digest(self.token.encode(), token.encode("utf-8", "replace"))

    def use_up(self) -> None:
        self.token = ""
