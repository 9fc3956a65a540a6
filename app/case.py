"""What a turn is about, and what it may use: the words that `turns`, `effects` and `promises` share."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import msgspec

from app.bot.document import Version
from app.bot.scene import Event
from app.capabilities import Capabilities
from app.connectors.base import Outbound
from app.models import Found
from app.poison import Guard


class Delivery(msgspec.Struct, frozen=True):
    """One send that is committed as `sending`: from here on only its outcome is written."""

    message_id: int
    conversation_id: int
    channel_id: int
    attempt: int
    outbound: Outbound


class Here(msgspec.Struct, frozen=True, dict=True):
    """The channel as a turn sees it."""

    id: int
    name: str
    network: str
    capabilities: Capabilities
    version_id: int | None

    @cached_property
    def shows(self) -> tuple[str, str]:
        """The capabilities as JSON, and before it the digest by which turns name them."""
        body = msgspec.json.encode(self.capabilities)
        return hashlib.blake2b(body, digest_size=16).hexdigest(), body.decode()


class Bots(Protocol):
    """Compiled versions by id, ready in memory."""

    def get(self, version_id: int) -> Version: ...


class Intake(msgspec.Struct, frozen=True):
    """What a unit may use besides its transaction: all of it pure or only read. Ages in ms.

    `stored`: digests of capabilities that are in the database, added to after a commit. `send`, `wake` (a channel's
    sender) and `due` (a job of this lane is due at this time, ms UTC) are told after the commit."""

    bots: Bots
    guard: Guard
    install: str
    answer_age: int
    raw_age: int
    due: Callable[[str, int], None]
    send: Callable[[Delivery], None]
    wake: Callable[[int], None]
    stored: set[str] = msgspec.field(default_factory=set)


class Heard(msgspec.Struct, frozen=True):
    """The stored message that a turn is about. `at` is when it was written (ms UTC); `count` with those that were
    gathered before it."""

    id: int
    provider_id: str
    snippet: str
    at: int
    count: int = 1


class Case(msgspec.Struct, frozen=True):
    """One event on its way through the turn. `name` is what a decision that ends the process is known by; `last_heard`
    when the person wrote before this (ms UTC, 0: never); `heard` is None where no message is the cause; `slot`: a
    sender is free."""

    here: Here
    found: Found
    conversation_id: int
    turn_id: int
    name: str
    event: Event
    last_heard: int
    heard: Heard | None = None
    slot: bool = False
