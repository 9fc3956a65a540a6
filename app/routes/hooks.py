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
from app.connectors.abilities import Webhook
from app.db import DatabaseError

if TYPE_CHECKING:
    from app.channels import Live
    from app.runtime import Runtime

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
Headers = list[tuple[bytes, bytes]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/hooks/"
LARGEST = 4 * 1024 * 1024
BAD_PER_MINUTE = 30
SOURCES_KEPT = 10_000

log = logging.getLogger(__name__)
_HEADERS: dict[int, Headers] = {
    status: [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff"), *more]
    for status, more in {
        200: (), 400: (), 403: (), 404: (), 405: ((b"allow", b"GET, POST"),), 413: (),
        429: ((b"retry-after", b"60"),), 500: (), 503: ((b"retry-after", b"5"),),
    }.items()
}  # fmt: skip


Answer = Callable[[int, list[tuple[bytes, bytes]], bytes], None]


class Refused(Exception):
    """A notification that is not taken: the status and what is said."""

    def __init__(self, status: int, said: bytes) -> None:
        super().__init__(status, said)
        self.status, self.said = status, said


class Hooks:
    """The wrapper. Everything outside its address goes to `inner`.

    The server gives it most notifications whole (`takes`, `post`), which costs a third of a request of ASGI's; large or
    chunked ones, the first one of a channel and whatever else is asked here come by ASGI. Both ways do the same.
    """

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
            self._rt.troubles.hit("size", f"{scope['path']} · {(scope.get('client') or ('?', 0))[0]}")
            return await _respond(send, 413, b"The body is over 4 MB.")
        headers = scope["headers"]
        try:
            live, webhook, arrivals = self._opened(key, (scope.get("client") or ("?", 0))[0], headers, body)
        except Refused as refused:
            return await _respond(send, refused.status, refused.said)
        await self._take_in(live, webhook, arrivals, body, headers, send)

    # ---- without ASGI -----------------------------------------------------------------------------------------------

    def takes(self, url: bytes) -> bool:
        """Whether a POST to this address may be given whole: to a channel that was heard before."""
        text = url.decode("latin-1")
        if not text.startswith(PREFIX):
            return False
        place, _, key = text[len(PREFIX) :].partition("/")
        live = self._rt.channels.by_key.get(key)
        if live is None or live.webhook is None or live.row.heard_at is None:
            return False
        return live.webhook.place == place

    def post(self, url: bytes, source: str, headers: Headers, body: bytes, answer: Answer) -> None:
        """A whole notification. `answer` is called once, on the loop: at once if it is refused, else when all of it is
        on disk."""

        def told(error: BaseException | None) -> None:
            if error is None and live.acknowledges:
                live.acknowledges.acknowledge(arrivals)
            status, said = _outcome(error)
            answer(status, _headers(status, said), said)

        try:
            live, webhook, arrivals = self._opened(url.decode("latin-1").rpartition("/")[2], source, headers, body)
        except Refused as refused:
            return answer(refused.status, _headers(refused.status, refused.said), refused.said)
        try:
            intake.take_in(
                self._rt.channels, live, arrivals, lambda other: webhook.verify(other.opened, body, headers), told
            )
        except DatabaseError as error:  # it stops: what it was not given will not be told of
            told(error)

    # ---- what both do -----------------------------------------------------------------------------------------------

    def _opened(self, key: str, source: str, headers: Headers, body: bytes) -> tuple["Live", Webhook, Any]:
        """The channel as it is now, for it may have changed or gone while the body came, and what arrived."""
        live = self._rt.channels.by_key.get(key)
        if live is None or live.webhook is None:
            raise Refused(404, b"There is no such channel.")
        if not live.webhook.verify(live.opened, body, headers):
            raise self._refusal(source)
        try:
            arrivals = (live.reads or live.webhook).parse(body)
        except ValueError:
            raise Refused(400, b"The body is not a notification in JSON.") from None
        return live, live.webhook, arrivals

    def _refusal(self, source: str) -> Refused:
        """Only what is badly signed is refused or slowed down: behind a proxy everybody has the same address."""
        if self._blocked(source):
            self._rt.troubles.hit("signature", source)
            return Refused(429, b"Too many unsigned requests.")
        self._count_bad(source)
        return Refused(403, b"The signature does not match.")

    async def _take_in(
        self, live: "Live", webhook: Webhook, arrivals: Any, body: bytes, headers: Any, send: Send
    ) -> None:
        try:
            await intake.accept(
                self._rt.channels, live, arrivals, lambda other: webhook.verify(other.opened, body, headers)
            )
            await self._rt.channels.heard(live)
            if live.acknowledges:
                live.acknowledges.acknowledge(arrivals)
        except Exception as error:
            return await _respond(send, *_outcome(error))
        await _respond(send, *_outcome(None))

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


def _outcome(error: BaseException | None) -> tuple[int, bytes]:
    """Status and words for what is on disk, or is not."""
    if error is None:
        return 200, b"ok"
    if isinstance(error, DatabaseError):
        log.warning("notification answered 503: %s", error)
        return 503, b"It could not be stored. Send it again."
    log.error("a notification failed", exc_info=error)
    return 500, b"It failed here. Send it again."


def _headers(status: int, body: bytes) -> Headers:
    # With its length the answer is one piece; without it would go out in chunks.
    return [*_HEADERS[status], (b"content-length", b"%d" % len(body))]


async def _respond(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _headers(status, body)})
    await send({"type": "http.response.body", "body": body})
