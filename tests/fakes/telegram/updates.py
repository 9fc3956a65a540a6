"""The queue of updates, and `getUpdates` on it (contract §2.1)."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..graph.wire import Request, answer
from .errors import ApiError
from .shape import nested, number
from .truth import Handed

if TYPE_CHECKING:
    from .world import World

HELD_AT_MOST = 50
OFTEN_UNWANTED = {"chat_member", "message_reaction", "message_reaction_count"}
ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
OTHER = "terminated by other getUpdates request; make sure that only one bot instance is running"


class Update(msgspec.Struct):
    id: int
    kind: str
    chat: int
    payload: dict[str, Any]
    at: float

    def body(self) -> dict[str, Any]:
        return {"update_id": self.id, self.kind: self.payload}


class Queue:
    def __init__(self, world: "World") -> None:
        self.world = world
        self.waiting: list[Update] = []
        self.next_id = world.settings.first_update
        self.allowed: list[str] = []
        self.changed = asyncio.Event()
        self.poll: asyncio.Event | None = None  # set to end the poll that is held now
        self.ended_by = ""
        self.last = (-1, 0.0)  # the offset asked for last, and when

    def add(self, kind: str, payload: dict[str, Any]) -> int:
        """Returns the id; the update is dropped where the bot did not ask for its kind."""
        self.next_id += 1
        wanted = kind in self.allowed if self.allowed else kind not in OFTEN_UNWANTED
        if wanted:
            chat = payload.get("chat") or (payload.get("message") or {}).get("chat") or payload.get("from") or {}
            self.waiting.append(Update(self.next_id, kind, int(chat.get("id", 0)), payload, self.world.now()))
            self.changed.set()
            self.world.hook.wake()
        return self.next_id

    def expire(self) -> None:
        oldest = self.world.now() - self.world.settings.lives
        self.waiting = [update for update in self.waiting if update.at >= oldest]

    def end_poll(self, why: str) -> None:
        if self.poll is not None:
            self.ended_by = why
            self.poll.set()

    async def get(self, values: dict[str, Any], request: Request) -> bytes | None:
        """The answer; None if whoever asked is gone, and then nothing counts as told."""
        world = self.world
        if world.hook.url:
            await asyncio.sleep(world.settings.conflict_delay)
            raise ApiError(409, ACTIVE)
        self.end_poll(OTHER)
        offset, limit = number(values, "offset", 0), number(values, "limit", 100)
        hold = min(max(number(values, "timeout", 0), 0), HELD_AT_MOST)
        if "allowed_updates" in values:
            self.allowed = list(nested(values, "allowed_updates") or [])
        limit = min(max(limit, 1), 100)
        limit, wait = self._repeated(offset, limit, hold)
        self._confirm(offset)
        if not await self._held(max(hold, wait), request):
            return None
        told = self.waiting[:limit]
        world.truth.write(Handed(at=int(world.now() * 1000), ids=[update.id for update in told], status=200))
        body = {"ok": True, "result": [update.body() for update in told]}
        return answer(200, msgspec.json.encode(body), b"application/json")

    def _repeated(self, offset: int, limit: int, hold: int) -> tuple[int, float]:
        """Who asks for the same again and again is slowed down."""
        before, at = self.last
        since, now = self.world.settings.repeat_wait, time.monotonic()
        self.last = (offset, now)
        if not since or before != offset:
            return limit, 0.0
        if now - at < 0.5:
            return 1, 0.0
        return limit, since if now - at < since and hold < since and not self.waiting else 0.0

    def _confirm(self, offset: int) -> None:
        self.expire()
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset:
            self.waiting = [update for update in self.waiting if update.id >= offset]

    async def _held(self, seconds: float, request: Request) -> bool:
        """Wait for an update. False if the connection was lost; raises 409 if another poll or a webhook took over."""
        ended = asyncio.Event()
        self.poll = ended
        until = time.monotonic() + seconds
        try:
            while not self.waiting and (left := until - time.monotonic()) > 0 and not ended.is_set():
                self.changed.clear()
                waits = [
                    asyncio.ensure_future(event.wait()) for event in (self.changed, ended, request.connection.gone)
                ]
                await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
                if request.connection.gone.is_set():
                    return False
            if ended.is_set():
                await asyncio.sleep(self.world.settings.conflict_delay)
                raise ApiError(409, self.ended_by)
            return True
        finally:
            if self.poll is ended:
                self.poll = None
