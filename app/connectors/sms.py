"""SMS by any gateway that speaks plain HTTP: a phone with a gateway app, a modem, or a few lines before a provider.

The example of `docs/connectors.md`, where its protocol stands: a message goes out as one POST; messages and delivery
reports come in as signed POSTs.
"""

import asyncio
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.capabilities import Capabilities
from app.connectors import wire
from app.connectors.abilities import Post
from app.connectors.base import (
    Address,
    Arrival,
    Channel,
    Inbound,
    Malformed,
    Notice,
    OnEvent,
    Outbound,
    PairLimit,
    Problem,
    Receipt,
    Scope,
    SendFailed,
    Sent,
    Session,
    Setting,
    State,
    Status,
    StatusChange,
)
from app.content import Content, Text
from app.said import mark

LONGEST: Final = 1530  # characters: ten parts
SIGNATURE: Final = b"x-signature"
REPORTS: Final = {"sent": Status.SENT, "delivered": Status.DELIVERED, "failed": Status.FAILED}


class SmsSession:
    """Sends; what comes in is posted to the channel's address."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._closed = asyncio.Event()
        self._post: Post | None = None

    def post_with(self, post: Post) -> None:
        self._post = post

    async def run(self, on_event: OnEvent) -> None:
        await on_event(StatusChange(State.CONNECTED, "connected"))
        await self._closed.wait()

    async def close(self) -> None:
        self._closed.set()

    async def send(self, message: Outbound) -> Sent:
        if self._closed.is_set() or self._post is None:
            raise SendFailed(Problem("send.closed"), certain=True, temporary=True)
        number = message.to.phone or message.to.wa_id
        if not number or not isinstance(message.content, Text):
            code = "send.content" if number else "send.recipient"
            raise SendFailed(Problem(code), certain=True, temporary=False)
        body = {"to": f"+{number}", "from": self._channel.account, "text": message.content.text, "id": message.opaque}
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._channel.secrets['token']}"}
        status, answer = await self._post(self._channel.config["url"], msgspec.json.encode(body), headers)
        return taken(status, answer)


def taken(status: int, answer: bytes) -> Sent:
    """The gateway's id of the message. 4xx: surely not taken; 429 and 503: later; else nobody knows."""
    detail = f"HTTP {status}: {answer[:200].decode(errors='replace')}"
    if status in (429, 503):
        raise SendFailed(Problem("send.busy", detail=detail), certain=True, temporary=True, scope=Scope.CHANNEL)
    if 400 <= status < 500:
        wrong_key = status in (401, 403)
        raise SendFailed(Problem("send.refused", detail=detail), certain=True, temporary=False, halt=wrong_key)
    try:
        id = wire.string(wire.an_object(answer), "id") if status < 300 else ""
    except ValueError:
        id = ""
    if not id:
        raise SendFailed(Problem("send.no_id", detail=detail), certain=False, temporary=True)
    return Sent(id)


class Sms:
    """The account is the gateway's own number."""

    kind = "sms"
    label = "SMS"
    place = "sms"
    by_hand = False
    capabilities = Capabilities(text=LONGEST)
    default_rate = 1.0
    pair_limit: PairLimit | None = None
    settings: tuple[Setting, ...] = (
        Setting("number", mark("Number"), mark("The number that customers write to."), example="+15550100200"),
        Setting("url", mark("Gateway"), mark("Where messages are posted to."), form=r"https?://\S+",
                example="https://sms.example.com/send"),
        Setting("token", mark("Token"), mark("Sent to the gateway with each message."), secret=True),
        Setting("secret", mark("Secret"), mark("With it the gateway signs what it posts here."), secret=True),
    )  # fmt: skip

    def open_session(self, channel: Channel) -> Session:
        return SmsSession(channel)

    def account_of(self, config: Mapping[str, str]) -> str:
        return wire.digits(config.get("number", ""))

    def check(self, content: Content) -> Problem | None:
        if not isinstance(content, Text):
            return Problem("send.content")
        return Problem("send.limit") if len(content.text) > LONGEST else None

    def verify(self, channel: Channel, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        given, secret = [value for name, value in headers if name == SIGNATURE], channel.secrets["secret"].encode()
        right = hmac.digest(secret, body, "sha256").hex().encode()
        return bool(secret) and len(given) == 1 and hmac.compare_digest(given[0], right)

    def parse(self, body: bytes) -> list[Arrival]:
        return [arrival(msgspec.Raw(body), wire.an_object(wire.mended(body)))]


def arrival(raw: bytes, told: wire.Object) -> Arrival:
    """One event: `message`, `report`, or something this version does not know, which is kept."""
    account, id, at = wire.digits(wire.string(told, "number")), wire.string(told, "id"), wire.milliseconds(told, "at")
    event, other = wire.string(told, "event"), wire.digits(wire.string(told, "from"))
    if event == "message" and id and other:
        words = Text(wire.string(told, "text"))
        return Inbound(account, id, Address(phone=other), at, words, bytes(raw))
    if event == "report" and id and wire.string(told, "status") in REPORTS:
        status, why = REPORTS[wire.string(told, "status")], wire.string(told, "why")
        problem = Problem("send.refused", detail=why) if status is Status.FAILED else None
        return Receipt(account, id, status, at, bytes(raw), wire.string(told, "opaque"), problem=problem)
    if event in ("message", "report"):
        return Malformed(account, f"a {event} without what it needs", bytes(raw))
    return Notice(account, event or "unknown", at, bytes(raw))
