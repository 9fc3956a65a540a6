"""Provider webhooks: a small ASGI wrapper in front of the web application, because this is the hot path.

A notification is verified on its raw bytes, parsed, written, and answered 200 only when all of it is on disk. 4xx is
for a bad signature, a body that is not JSON or too large; the database's troubles are 503 with `Retry-After`.
"""

import hmac
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from app import intake
from app.connectors.base import Acknowledges, Reads, Webhook
from app.db import DatabaseError

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/hooks/"
LARGEST = 4 * 1024 * 1024
BAD_PER_MINUTE = 30
SOURCES_KEPT = 10_000

log = logging.getLogger(__name__)
_STARTS: dict[int, dict[str, Any]] = {
    status: {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff"), *more],
    }
    for status, more in {
        200: (), 400: (), 403: (), 404: (), 405: ((b"allow", b"GET, POST"),), 413: (),
        429: ((b"retry-after", b"60"),), 503: ((b"retry-after", b"5"),),
    }.items()
}  # fmt: skip


class Hooks:
    """The wrapper. Everything outside its address goes to `inner`."""

    def __init__(self, rt: "Runtime", inner: Asgi) -> None:
        self._rt = rt
        self._inner = inner
        self._bad: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._answer(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        place, _, key = scope["path"][len(PREFIX) :].partition("/")
        live = self._rt.channels.by_key.get(key)
        if live is None or live.webhook is None or live.webhook.place != place:
            await _respond(send, 404, b"There is no such channel.")
        elif scope["method"] == "POST":
            await self._notification(live.row.key, scope, receive, send)
        elif scope["method"] == "GET" and live.webhook.by_hand:
            await self._verification(live, scope, send)
        else:
            await _respond(send, 405, b"Use POST." if not live.webhook.by_hand else b"Use GET or POST.")

    async def _notification(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive, LARGEST)
        except ConnectionError:
            return  # nobody is left to hear an answer
        if body is None:
            return await _respond(send, 413, b"The body is over 4 MB.")
        live = self._rt.channels.by_key.get(key)  # the channel may have changed or gone while the body came
        if live is None or live.webhook is None:
            return await _respond(send, 404, b"There is no such channel.")
        webhook, headers = live.webhook, scope["headers"]
        if not webhook.verify(live.opened, body, headers):
            return await self._refuse((scope.get("client") or ("?", 0))[0], send)
        try:
            arrivals = live.session.parse(body) if isinstance(live.session, Reads) else webhook.parse(body)
        except ValueError:
            return await _respond(send, 400, b"The body is not a notification in JSON.")
        await self._take_in(live, webhook, arrivals, body, headers, send)

    async def _refuse(self, source: str, send: Send) -> None:
        """Only what is badly signed is refused or slowed down: behind a proxy everybody has the same address."""
        if self._blocked(source):
            return await _respond(send, 429, b"Too many unsigned requests.")
        self._count_bad(source)
        await _respond(send, 403, b"The signature does not match.")

    async def _take_in(
        self, live: "Live", webhook: Webhook, arrivals: Any, body: bytes, headers: Any, send: Send
    ) -> None:
        try:
            await intake.accept(
                self._rt.channels, live, arrivals, lambda other: webhook.verify(other.opened, body, headers)
            )
            await self._rt.channels.heard(live)
            if isinstance(live.session, Acknowledges):
                live.session.acknowledge(arrivals)
        except DatabaseError as error:
            log.warning("notification answered 503: %s", error)
            return await _respond(send, 503, b"It could not be stored. Send it again.")
        await _respond(send, 200, b"ok")

    async def _verification(self, live: "Live", scope: Scope, send: Send) -> None:
        """Contract §1.1: the challenge comes back as it is, if mode and token are right."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = live.opened.secrets.get("verify_token") or live.opened.config.get("verify_token", "")
        right = hmac.compare_digest(query.get("hub.verify_token", "").encode(), token.encode()) and bool(token)
        challenge = query.get("hub.challenge", "")
        if query.get("hub.mode") != "subscribe" or not right or not challenge.isdigit() or len(challenge) > 64:
            return await _respond(send, 403, b"The verify token does not match.")
        try:
            await self._rt.channels.verified(live)
        except DatabaseError:
            return await _respond(send, 503, b"It could not be stored. Ask again.")
        await _respond(send, 200, challenge.encode())

    def _blocked(self, source: str) -> bool:
        since, count = self._bad.get(source, (0.0, 0))
        return count >= BAD_PER_MINUTE and self._rt.clock.monotonic() - since < 60

    def _count_bad(self, source: str) -> None:
        now = self._rt.clock.monotonic()
        since, count = self._bad.get(source, (now, 0))
        self._bad[source] = (now, 1) if now - since >= 60 else (since, count + 1)
        self._bad.move_to_end(source)
        while len(self._bad) > SOURCES_KEPT:
            self._bad.popitem(last=False)


async def read_body(receive: Receive, largest: int) -> bytes | None:
    """The whole body, or None if it is larger than allowed. Raises `ConnectionError` if the client went away."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionError
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > largest:
                return None
        body = b"".join(parts)
    return body if len(body) <= largest else None


async def _respond(send: Send, status: int, body: bytes) -> None:
    start = _STARTS[status]
    # With its length the answer is one piece; without it would go out in chunks.
    await send(start | {"headers": [*start["headers"], (b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
