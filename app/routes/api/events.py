"""`/api/v1/events`: what happens, as Server-Sent Events for programs. `Last-Event-ID` goes on where a program was.

An event's name is its type and its data `{"seq", "type", "at", "data"}`, where `data` is the message or conversation as
the API shows it. Events are kept a week; a program that was away for longer is told so by an event `gap`.
"""

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app import feed, i18n
from app.db import DatabaseError
from app.errors import Invalid, ParleyError, TooMany
from app.routes.api.answering import read_query
from app.routes.api.callers import count, identify, refusal
from app.routes.api.endpoint import Caller, Query
from app.said import N_
from app.security.permissions import Action
from app.views import Id

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)
EACH: Final = 6
ALTOGETHER: Final = 2000
CHECK_EVERY: Final = 4.0
BEAT_EVERY: Final = 15.0
BEAT: Final = b": still here\n\n"
HELLO: Final = b"retry: 3000\n\n"
GAP: Final = b'event: gap\ndata: {"type":"gap"}\n\n'
HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Filter(Query, frozen=True):
    """`types` by comma; `after` is a position to go on from, as `Last-Event-ID` is."""

    types: Annotated[str, msgspec.Meta(max_length=500)] = ""
    channel: Id | None = None
    conversation: Id | None = None
    direction: Literal["in", "out"] | None = None
    after: Id | None = None


def wanted(given: Filter, caller: Caller) -> feed.Wanted:
    """Raises `Invalid` for a type that does not exist."""
    types = frozenset(name for name in given.types.split(",") if name)
    if types - feed.TYPES:
        said = N_("There are the types {names}.", names=", ".join(sorted(feed.TYPES)))
        raise Invalid(said, fields={"types": said})
    return feed.Wanted(
        types, given.channel or "", given.conversation or "", given.direction or "", caller.channels
    )  # fmt: skip


class Closable(Protocol):
    def close(self) -> None: ...


class Watch:
    """Open connections of programs: so many each, and none outlives its credential by more than five seconds."""

    def __init__(self) -> None:
        self.open: dict[Closable, tuple[Caller, Request]] = {}
        self.task: asyncio.Task[None] | None = None
        self.beating: asyncio.Task[None] | None = None

    def admit(self, caller: Caller) -> None:
        """Raises `TooMany`."""
        if sum(1 for other, _ in self.open.values() if other.name == caller.name) >= EACH:
            raise TooMany(N_("This credential has {most} connections open already.", most=EACH), retry_after=60)
        if len(self.open) >= ALTOGETHER:
            raise TooMany(N_("Too many programs listen."), retry_after=60)

    def add(self, opened: Closable, caller: Caller, request: Request) -> None:
        self.open[opened] = caller, request
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._look(), name="program-connections")
        if isinstance(opened, feed.Listener) and (self.beating is None or self.beating.done()):
            self.beating = asyncio.get_running_loop().create_task(self._beat(), name="heartbeat")

    def remove(self, opened: Closable) -> None:
        self.open.pop(opened, None)

    async def _beat(self) -> None:
        """A comment now and then, so that proxies and programs see that the stream lives; one task for all of them,
        as a task each is memory."""
        while self.open:
            await asyncio.sleep(BEAT_EVERY)
            for opened in self.open:
                if isinstance(opened, feed.Listener):
                    opened.remind()

    async def _look(self) -> None:
        while self.open:
            await asyncio.sleep(CHECK_EVERY)
            known: dict[str, bool] = {}
            for opened, (caller, request) in list(self.open.items()):
                credential = request.headers.get("authorization", "")
                if credential not in known:
                    known[credential] = await still_valid(request, caller)
                if not known[credential]:
                    opened.close()


async def still_valid(request: Request, caller: Caller) -> bool:
    """Does the credential that opened this still open the same doors? While the database cannot tell, it does."""
    try:
        now = await identify(request)
        return (now.actions, now.channels) == (caller.actions, caller.channels)
    except ParleyError:
        return False
    except DatabaseError:
        log.warning("open connections could not be checked: the database cannot be read")
        return True


class Events:
    """The endpoint, an ASGI responder of its own: the same bytes go to everybody who asked for them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        i18n.speak("en", "UTC")
        rt: Runtime = request.state.rt
        watch: Watch = request.app.state.watch
        caller = await identify(request)
        count(request, caller)
        if Action.READ not in caller.actions:
            raise refusal(caller)
        given = read_query(request, Filter)
        chosen, after = wanted(given, caller), position(request, given)
        watch.admit(caller)
        gap = after is not None and await rt.feed.has_gap(after)
        listener = rt.feed.join(chosen, after)
        watch.add(listener, caller, request)
        leaving = asyncio.ensure_future(hang_up(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await send({"type": "http.response.body", "body": HELLO + (GAP if gap else b""), "more_body": True})
            async for found in rt.feed.follow(listener):
                await send(
                    {"type": "http.response.body", "body": b"".join(map(frame, found)) or BEAT, "more_body": True}
                )
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()
            rt.feed.leave(listener)
            watch.remove(listener)


def position(request: Request, given: Filter) -> int | None:
    """The program's last event beats the position in the address."""
    text = request.headers.get("last-event-id") or given.after or ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def frame(told: feed.Told) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (told.seq, told.type.encode(), told.body)


async def hang_up(receive: Receive, listener: feed.Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close()
