"""`/events`: the dashboard's event stream (Server-Sent Events), an ASGI responder of its own.

`?topics=conversations,conversation-42` says what to listen to, `?after=` or `Last-Event-ID` from where. By cookie only;
the session is looked at again every four seconds, so that a stream ends within five after log-out, disabling or a
changed role.
"""

import asyncio
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app import within
from app.bus import RETRY_MS, Subscription
from app.db import DatabaseError, Reader
from app.errors import Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from app.routes.guard import recognise
from app.said import N_
from app.security import csrf, permissions, sessions
from app.security.permissions import Action
from app.store import users

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)
TOPIC: Final = re.compile(
    r"(conversations|channels|bots|attention)|(conversation|channel|bot|replay|templates)-[0-9]{1,19}"
)
# What the id in a topic names, where that belongs to a channel.
OF_CHANNELS: Final = {"conversation": "conversation", "channel": "channel", "templates": "channel"}
MAX_TOPICS: Final = 50
EACH_SESSION: Final = 6
ALTOGETHER: Final = 2000
CHECK_EVERY: Final = 4.0
HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
HELLO: Final = b"retry: %d\n\n" % RETRY_MS


class Stream:
    """The endpoint. One task watches the sessions of all streams, and only while there are any."""

    def __init__(self, rt: "Runtime") -> None:
        self.rt = rt
        self.watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "GET":
            await Response(status_code=405, headers={"Allow": "GET"})(scope, receive, send)
            return
        subscription = await self.open(request)
        # While it waits, a stream keeps nothing of the request but the subscription.
        del request
        if self.watch is None or self.watch.done():
            self.watch = asyncio.create_task(self.watch_sessions(), name="stream-sessions")
        leaving = asyncio.ensure_future(hang_up(receive, subscription))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await send({"type": "http.response.body", "body": HELLO, "more_body": True})
            while piece := await subscription.next(self.rt.bus.resync):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()
            self.rt.bus.unsubscribe(subscription)

    async def open(self, request: Request) -> Subscription:
        """Check everything, then listen. Raises errors of `app.errors`."""
        await recognise(request)
        session = request.state.session
        if session is None:
            raise Unauthenticated(N_("Log in to go on."))
        permissions.require(session.user, Action.READ)
        check_site(request)
        bus, id_hash = self.rt.bus, session.login.id_hash
        if sum(1 for other in bus.subscriptions if other.session == id_hash) >= EACH_SESSION:
            raise TooMany(N_("Too many tabs of this dashboard are open in one browser."), retry_after=60)
        if len(bus.subscriptions) >= ALTOGETHER:
            raise TooMany(N_("Too many dashboards are open."), retry_after=60)
        topics, seen = wanted(request), await within.of_user(self.rt.db.reader, session.user)
        if seen is not None:
            topics = await visible(self.rt.db.reader, topics, seen)
        return bus.subscribe(
            topics, after=position(request), session=id_hash, role=session.user.role, bare=seen is not None
        )

    async def watch_sessions(self) -> None:
        """Close streams whose session is over or whose user now has another role."""
        bus = self.rt.bus
        while bus.subscriptions:
            await asyncio.sleep(CHECK_EVERY)
            now = self.rt.clock.now()
            try:
                live = await self.rt.db.reader.all(users.LISTENERS, now=now, idle_since=now - sessions.IDLE)
            except DatabaseError:
                log.warning("open event streams could not be checked: the database cannot be read")
                continue
            roles = {row.id_hash: row.role for row in live}
            for subscription in list(bus.subscriptions):
                if roles.get(subscription.session) != subscription.role:
                    subscription.close()


async def hang_up(receive: Receive, subscription: Subscription) -> None:
    """Close the subscription when the browser leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
    subscription.close()


def check_site(request: Request) -> None:
    """Another site may not listen, should a browser ever send the cookie along."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    came, settings = request.state.origin, request.state.rt.settings
    ours = csrf.origins(came.scheme, came.host, settings.public_url)
    if site not in (None, "same-origin") or (origin is not None and origin.lower() not in ours):
        raise Forbidden(csrf.REFUSED, code="cross_site")


def wanted(request: Request) -> list[str]:
    topics = [name for name in request.query_params.get("topics", "").split(",") if name]
    if len(topics) > MAX_TOPICS or not all(TOPIC.fullmatch(name) for name in topics):
        raise Invalid(N_("There is no such topic."))
    return topics


async def visible(db: Reader, topics: list[str], seen: within.Channels) -> list[str]:
    """Without the topics of what this person does not see: they never ring for them."""
    within.see(seen)
    found = []
    for topic in topics:
        kind, _, id = topic.partition("-")
        table = OF_CHANNELS.get(kind) if id else None
        with suppress(NotFound):
            if table is not None:
                await within.look(db, table, int(id))
            found.append(topic)
    return found


def position(request: Request) -> int | None:
    """From where to go on: the browser's last event beats the position the page was drawn at."""
    given = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(given) if re.fullmatch(r"[0-9]{1,18}", given) else None
