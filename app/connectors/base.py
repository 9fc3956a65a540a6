"""The contract between Parley and a network.

A connector turns the network's payloads into the structs below and back. It never sees the database, the bot or a page.
`Session.run` hands over what came in and returns from `on_event` when it is safe to acknowledge. Reconnecting,
back-off and pacing live in `channels.py` and `pace.py`, never here. What a network can show is data (`Capabilities`).
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec

from app.capabilities import Capabilities
from app.connectors.account import News
from app.content import Content
from app.said import Sentence

# ---- who ------------------------------------------------------------------------------------------------------------


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every name by which the network knew a person in one payload. All optional, at least one is set.

    `phone`: digits as the person's number is dialled; `wa_id`: digits as WhatsApp writes them (may differ from
    `phone`); `user_id`: business-scoped user id (BSUID), opaque; `parent_user_id`; `lid`; `telegram`; `username`;
    `simulated`: the simulator's own id. `lasts`: the seconds after which what is said in their chat disappears, 0 for
    never, as the network told last. `chat` is no name of theirs: it says where they wrote if not to us alone, in
    the connector's own form, so that the answer goes there.
    """

    phone: str = ""
    wa_id: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    lid: str = ""
    telegram: str = ""
    username: str = ""
    simulated: str = ""
    chat: str = ""
    lasts: str = ""

    def aliases(self) -> tuple[tuple[str, str], ...]:
        """(kind, value) pairs, the most lasting first: by any of them a contact is found."""
        # Asked six times a message, and most names are empty.
        named = []
        if self.user_id:
            named.append(("bsuid", self.user_id))
        if self.wa_id:
            named.append(("wa_id", self.wa_id))
        if self.phone and self.phone != self.wa_id:
            named.append(("phone", self.phone))
        if self.parent_user_id:
            named.append(("parent_bsuid", self.parent_user_id))
        if self.lid:
            named.append(("lid", self.lid))
        if self.telegram:
            named.append(("telegram", self.telegram))
        if self.simulated:
            named.append(("simulated", self.simulated))
        return tuple(named)


# ---- what comes in --------------------------------------------------------------------------------------------------


class Inbound(msgspec.Struct, frozen=True):
    """One message from the network. `at` ms UTC as the network says; `raw` the update's bytes as received.

    `group`: the chat of several in which it was written; there it is answered only if `addressed`, which says that the
    business was meant. `echo`: written by the business itself on another device, `sender` is then the person it was
    written to; `history`: old, handed over when the account was linked; `standby`: another agent of the network
    answers. All three are recorded, never answered. `away`: it waited at the network while the channel was away for
    longer than a bot is to answer by itself; a person says what becomes of it. `previous`: the address that this person
    had before (a system message says so). `language`: what the person's program speaks, as `pt-br`, if the network
    tells. `lasts`: seconds after which it disappears on the sender's phone, and here; 0 for never.
    """

    account: str
    provider_id: str
    sender: Address
    at: int
    content: Content
    raw: bytes
    name: str = ""
    reply_to: str = ""
    forwarded: bool = False
    referral: dict[str, Any] | None = None
    group: str = ""
    addressed: bool = False
    echo: bool = False
    history: bool = False
    standby: bool = False
    away: bool = False
    previous: Address | None = None
    language: str = ""
    lasts: int = 0


class Status(StrEnum):
    """Delivery states a network reports, in rank order, then failure."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something failed: the network's code, its own words, and what a person can do. `subcode`: the network's finer
    code, where it has one."""

    code: str
    title: Sentence = ""
    detail: str = ""
    subcode: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """The network says what became of a message that we sent. `opaque` is what we gave along with the send;
    `free_until` (ms UTC) until when it charges nothing, 0 where it says nothing of that."""

    account: str
    provider_id: str
    status: Status
    at: int
    raw: bytes
    opaque: str = ""
    recipient: Address | None = None
    problem: Problem | None = None
    free_until: int = 0


class Notice(msgspec.Struct, frozen=True):
    """Anything else the network tells about the account: template states, quality, calls, unknown fields. Kept,
    shown; `news` is what of it is understood."""

    account: str
    field: str
    at: int
    raw: bytes
    news: tuple[News, ...] = ()


class Malformed(msgspec.Struct, frozen=True):
    """One update that could not be read. It is quarantined; the rest of its batch goes on."""

    account: str
    reason: str
    raw: bytes


class State(StrEnum):
    """States of a session."""

    STARTING = "starting"
    PAIRING = "pairing"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    LOGGED_OUT = "logged_out"
    BROKEN = "broken"


class StatusChange(msgspec.Struct, frozen=True):
    """The session's state changed. `code` is a key of `SENTENCES` in `connectors/states.py`; `until`: when it ends by
    itself (ms UTC, 0 for nobody knows)."""

    state: State
    code: str
    detail: str = ""
    until: int = 0


Arrival = Inbound | Receipt | Notice | Malformed | StatusChange
OnEvent = Callable[[Arrival], Awaitable[None]]

# ---- what goes out --------------------------------------------------------------------------------------------------


class Outbound(msgspec.Struct, frozen=True):
    """One message to send. `opaque` comes back in receipts; `to` holds every known name of the recipient; `file` is
    where the bytes lie that go along, for content that names a stored file and nothing else."""

    opaque: str
    to: Address
    content: Content
    reply_to: str = ""
    file: Path | None = None


class Sent(msgspec.Struct, frozen=True):
    """The network took it. `recipient`: names the network told in its answer (e.g. the `wa_id` of a dialled number);
    `lasts` as of `Inbound`."""

    provider_id: str
    recipient: Address | None = None
    lasts: int = 0


class Scope(StrEnum):
    """How much a failure stops: this message, this pair of numbers, or the whole channel."""

    MESSAGE = "message"
    PAIR = "pair"
    CHANNEL = "channel"


class SendFailed(Exception):
    """A send did not succeed. `certain`: the network surely did not take it. `temporary`: worth another try.

    `retry_after` seconds, if the network said so. `halt`: the channel cannot send until a person acts (token, account).
    An uncertain failure is never repeated by itself.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        certain: bool,
        temporary: bool,
        scope: Scope = Scope.MESSAGE,
        retry_after: float | None = None,
        halt: bool = False,
    ) -> None:
        super().__init__(f"{problem.code} {problem.title} {problem.detail}")
        self.problem = problem
        self.certain = certain
        self.temporary = temporary
        self.scope = scope
        self.retry_after = retry_after
        self.halt = halt


class SessionFailed(Exception):
    """A session cannot go on. `change` is what people are told; it is tried again after `wait` seconds at least, unless
    the state is a final one."""

    def __init__(self, change: StatusChange, wait: float = 0.0) -> None:
        super().__init__(f"{change.code} {change.detail}".strip())
        self.change = change
        self.wait = wait


class PairLimit(msgspec.Struct, frozen=True):
    """How often the network lets one chat be written to: `burst` messages at once, then one every `every` seconds; in
    chats of several (`Address.chat`) one every `every_group` seconds, 0 for the same."""

    burst: int
    every: float
    every_group: float = 0.0


class Setting(msgspec.Struct, frozen=True):
    """One field of a channel's configuration: shown as a form field, `secret` ones are stored encrypted. `form`: a
    regular expression of every right value."""

    name: str
    label: str
    help: str
    secret: bool = False
    required: bool = True
    example: str = ""
    form: str = ""


class Check(msgspec.Struct, frozen=True):
    """One line of "test it": `ok` is True, False, or None while waiting; `remedy` says what to do."""

    name: str
    ok: bool | None
    remedy: str = ""


class Session(Protocol):
    """The live connection of one channel."""

    async def run(self, on_event: OnEvent) -> None:
        """Connect and stay until closed. Networks that call us (webhooks) report `connected` and wait."""

    async def send(self, message: Outbound) -> Sent:
        """Raises `SendFailed`."""

    async def close(self) -> None: ...


class Channel(msgspec.Struct, frozen=True):
    """What a connector may know of its channel: plain settings and opened secrets. `key` is its part of the address
    under which a network calls us."""

    id: int
    name: str
    account: str
    config: Mapping[str, str]
    secrets: Mapping[str, str]
    key: str = ""


class Connector(Protocol):
    """One network: its settings, what it can show, how to open a session."""

    kind: str
    label: str
    settings: tuple[Setting, ...]
    capabilities: Capabilities
    default_rate: float
    pair_limit: PairLimit | None

    def open_session(self, channel: Channel) -> Session: ...

    def account_of(self, config: Mapping[str, str]) -> str:
        """The network's own id of the account, by which an update finds its channel; unique per connector."""

    def check(self, content: Content) -> Problem | None:
        """The first limit of the network's contract that this content breaks, before anything is sent."""
