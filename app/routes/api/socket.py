"""`/api/v1/socket`: a WebSocket for programs: hear what happens, send and act, on one connection.

A program writes JSON objects with `do` and, to tell the answers apart, an `id` of its own:

    {"do": "subscribe", "id": "1", "types": "message.created", "after": "1234"}
    {"do": "send", "id": "2", "channel": "Shop", "to": "+5511999990000", "text": "Hi"}
    {"do": "take" | "give_back" | "close", "id": "3", "conversation": "42"}
    {"do": "handle", "id": "4", "handlers": ["prices"], "at_once": 8, "again": false}
    {"do": "taken", "id": "5", "question": "77"}
    {"do": "answer", "id": "6", "question": "77", "status": 200, "body": {…}}
    {"do": "ping", "id": "7"}

Each is answered with `{"id", "ok": true, …}` or `{"id", "ok": false, "error": {"code", "message", "fields"?}}`. Events
come as `{"event": {"seq", "type", "at", "data"}}`. After a break a program subscribes again with `after`, the `seq` of
its last event, and misses nothing. A program that reads too slowly is not waited for: it goes on from the database.

A program that handles is offered `{"question": {"id", "handler", "data", "conversation_id", "channel_id", "seconds",
"again"}}`, says `taken`, and begins when that was answered with `"ok": true`; then it says `answer`.
`{"withdrawn": id}` means that nobody waits for its answer any more (`app/desk.py`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import desk, feed, files, handoff, i18n, sending, tokens, within
from app.db import DatabaseError
from app.errors import Conflict, Forbidden, Invalid, ParleyError, TooMany
from app.i18n import tell
from app.routes.api import events, messages, reading
from app.routes.api.answers import Answer, able, accept
from app.routes.api.callers import count, identify
from app.routes.api.endpoint import Caller
from app.routes.api.questions import Handler
from app.said import N_
from app.security.permissions import Action
from app.views import Id

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)

UNAUTHENTICATED: Final = 4401

BUSY: Final = 4429
ENDED: Final = 4408


class Acting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    conversation: Id


class Handling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at_once`: how many questions it takes at a time; `again`: also those that somebody began and did not answer."""

    handlers: Annotated[tuple[Handler, ...], msgspec.Meta(min_length=1, max_length=50)]
    at_once: Annotated[int, msgspec.Meta(ge=1, le=desk.MOST_AT_ONCE)] = 8
    again: bool = False


class Taking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    question: Id


class Answering(Answer, frozen=True):
    question: Id = ""


class Connection:
    """One program. What it writes is done in order; what it hears goes out beside that."""

    def __init__(self, socket: WebSocket, request: Request, caller: Caller) -> None:
        self.socket, self.request, self.caller = socket, request, caller
        self.rt: Runtime = request.state.rt
        self.watch: events.Watch = request.app.state.watch
        self.sending = asyncio.Lock()
        self.listener: feed.Listener | None = None
        self.telling: asyncio.Task[None] | None = None
        self.program: desk.Program | None = None
        self.offers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.tasks: set[asyncio.Task[None]] = set()
        self.actions: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "subscribe": self.subscribe,
            "send": self.send,
            "take": self.take,
            "give_back": self.give_back,
            "close": self.close_conversation,
            "handle": self.handle,
            "taken": self.taken,
            "answer": self.answer,
            "ping": self.ping,
        }

    async def run(self) -> None:
        self.watch.add(self, self.caller, self.request)
        try:
            while True:
                message = await self.socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                given = text.encode() if text is not None else message.get("bytes") or b""
                await self.write(await self.done(given))
        finally:
            self.watch.remove(self)
            self.unsubscribe()
            if self.program is not None:
                self.rt.desk.leave(self.program)
            for task in self.tasks:
                task.cancel()

    def close(self) -> None:
        """The credential is over, or Parley stops: the program comes back by itself."""
        self.start(self.socket.close(ENDED))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def write(self, value: Any) -> None:
        async with self.sending:
            await self.socket.send_text(msgspec.json.encode(value).decode())

    async def done(self, given: bytes) -> dict[str, Any]:
        """What was asked is done, or why it was not."""
        identity = ""
        try:
            count(self.request, self.caller)
            body = reading.plain(given)
            if not isinstance(body, dict):
                raise Invalid(N_("Write a JSON object."))
            identity = str(body.pop("id", ""))[:100]
            action = self.actions.get(str(body.pop("do", "")))
            if action is None:
                raise Invalid(N_("“do” is one of {names}.", names=", ".join(self.actions)))
            return {"id": identity, "ok": True} | await action(body)
        except ParleyError as error:
            fields = {name: tell(said) for name, said in error.fields.items()}
            told = {"code": error.code, "message": tell(error.said)} | ({"fields": fields} if fields else {})
            if isinstance(error, TooMany):
                told["retry_after"] = f"{error.retry_after:.1f}"
            return {"id": identity, "ok": False, "error": told}
        except DatabaseError as error:
            log.warning("a program's request waits: %s", error)
            said = N_("It could not be stored. Try again.")
            return {"id": identity, "ok": False, "error": {"code": "unavailable", "message": tell(said)}}

    async def which(self, body: dict[str, Any]) -> int:
        """The conversation that it names. Raises `NotFound` for one that it does not see."""
        id = int(reading.fit(body, Acting).conversation)
        await within.look(self.rt.db.reader, "conversation", id)
        return id

    def need(self, action: Action) -> None:
        if action not in self.caller.actions:
            raise Forbidden(N_("This credential does not have the scope or the role that this needs."))

    # ---- what a program can do --------------------------------------------------------------------------------------

    async def subscribe(self, body: dict[str, Any]) -> dict[str, Any]:
        """Hear what happens from now on, or after a position. A second subscription replaces the first."""
        self.need(Action.READ)
        given = reading.fit(body, events.Filter)
        chosen, after = events.wanted(given, self.caller), None if given.after is None else int(given.after)
        gap = after is not None and await self.rt.feed.has_gap(after)
        self.unsubscribe()
        self.listener = self.rt.feed.join(chosen, after)
        self.telling = asyncio.get_running_loop().create_task(self.tell_events(self.listener))
        return {"seq": str(self.listener.seq), "gap": gap}

    def unsubscribe(self) -> None:
        if self.listener is not None:
            self.rt.feed.leave(self.listener)
        if self.telling is not None:
            self.telling.cancel()

    async def tell_events(self, listener: feed.Listener) -> None:
        async for found in self.rt.feed.follow(listener):
            async with self.sending:
                for told in found:
                    await self.socket.send_text('{"event":' + told.body.decode() + "}")
        self.close()

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        self.need(Action.ANSWER)
        name = body.pop("idempotency_key", None)
        given = reading.fit(body, messages.Sending)
        live = await sending.live_channel(self.rt, given.channel)
        named = await files.named(self.rt.db.reader, messages.content_of(given))
        said = await messages.checked(self.rt, live, named)
        asked = None if name is None else tokens.Asked(self.caller.name, tokens.check_name(str(name)), digest(body))
        to = await messages.recipient(self.rt.db.reader, given.to)
        args = (live.here, to, said, given.reply_to, self.caller.user_id)
        answer, _replayed = await self.rt.db.write(tokens.once, asked, sending.send, *args)
        live.sender.wake()
        return {"message": msgspec.json.decode(answer)}

    async def take(self, body: dict[str, Any]) -> dict[str, Any]:
        self.need(Action.ANSWER)
        if self.caller.user_id is None:
            raise Conflict(N_("This key belongs to nobody, and a conversation is taken by somebody."), code="nobody")
        await handoff.take(self.rt, await self.which(body), self.caller.user_id)
        return {}

    async def give_back(self, body: dict[str, Any]) -> dict[str, Any]:
        self.need(Action.ANSWER)
        await handoff.give_back(self.rt, await self.which(body))
        return {}

    async def close_conversation(self, body: dict[str, Any]) -> dict[str, Any]:
        self.need(Action.ANSWER)
        await handoff.close(self.rt, await self.which(body))
        return {}

    async def handle(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer for bots from now on. A second time replaces the first."""
        able(self.caller)
        given = reading.fit(body, Handling)
        if self.program is not None:
            self.rt.desk.leave(self.program)
        else:
            self.start(self.hand_out())
        self.program = desk.Program(
            self.caller.name, given.handlers, lambda question: self.offers.put_nowait({"question": question}),
            at_once=given.at_once, again=given.again, sees=self.caller.sees,
            withdraw=lambda question: self.offers.put_nowait({"withdrawn": question}),
        )  # fmt: skip
        self.rt.desk.join(self.program)
        return {}

    async def hand_out(self) -> None:
        """What it is offered, in order. There is never more than it takes at once."""
        while True:
            await self.write(await self.offers.get())

    async def taken(self, body: dict[str, Any]) -> dict[str, Any]:
        given = reading.fit(body, Taking)
        if self.program is None:
            raise Conflict(N_("Say first what you handle."), code="no_handler")
        await self.rt.desk.take(self.program, int(given.question))
        return {}

    async def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        able(self.caller)
        given = reading.fit(body, Answering)
        await accept(self.rt, self.caller, int(given.question or 0), given)
        return {}

    async def ping(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"at": self.rt.clock.now()}


def digest(body: dict[str, Any]) -> str:
    return tokens.digest(msgspec.json.encode(body, order="deterministic"))


async def serve(socket: WebSocket) -> None:
    """Accept only who shows a credential; browsers cannot set that header, so no page can open this."""
    i18n.speak("en", "UTC")
    request = Request({**socket.scope, "type": "http", "method": "GET"})
    try:
        caller = await identify(request)
        count(request, caller)
    except ParleyError as error:
        await refuse(socket, BUSY if isinstance(error, TooMany) else UNAUTHENTICATED)
        return
    watch: events.Watch = socket.app.state.watch
    if not caller.actions:
        await refuse(socket, UNAUTHENTICATED)
        return
    try:
        watch.admit(caller)
    except TooMany:
        await refuse(socket, BUSY)
        return
    within.see(caller.channels)
    await socket.accept()
    try:
        await Connection(socket, request, caller).run()
    except WebSocketDisconnect:
        pass


async def refuse(socket: WebSocket, code: int) -> None:
    """Accepted and closed: a program sees the code only so."""
    await socket.accept()
    await socket.close(code)
