"""Events for programs: everything that was committed, in commit order, none left out.

One task makes each event ready once, with the thing it is about, and gives the same bytes to all. A listener that joins
with a position, or falls behind, reads what it missed from the database first: the position is the only thing that
counts, so it makes no difference whether a listener was away for a second or for a day.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from app import events, views
from app.db import Database, rows
from app.db.journal import EVENTS_AFTER
from app.events import StoredEvent
from app.store import events as stored

log = logging.getLogger(__name__)

TYPES: Final = events.TYPES - {events.ATTENTION_UPDATED}
QUEUE: Final = 500
BATCH: Final = 200
READY: Final = 2000  # events that are kept ready for whoever catches up


class Wanted(msgspec.Struct, frozen=True):
    """What a listener asks for; nothing named is everything. `seen`: the channels that it sees, None: every one."""

    types: frozenset[str] = frozenset()
    channel: str = ""
    conversation: str = ""
    direction: str = ""
    seen: frozenset[int] | None = None

    def takes(self, told: "Told") -> bool:
        return (
            (self.seen is None or (told.channel != "" and int(told.channel) in self.seen))
            and (not self.types or told.type in self.types)
            and (not self.channel or told.channel == self.channel)
            and (not self.conversation or told.conversation == self.conversation)
            and (not self.direction or told.direction == self.direction)
        )


class Told(msgspec.Struct, frozen=True):
    """One event made ready: `body` is its JSON. The rest is what listeners choose by, empty where it has none."""

    seq: int
    type: str
    channel: str
    conversation: str
    direction: str
    body: bytes


class Listener:
    """One open connection. `seq` is the last event it was given or that it did not want."""

    __slots__ = ("behind", "closed", "queue", "seq", "silent", "sleeper", "wanted")

    def __init__(self, wanted: Wanted, seq: int) -> None:
        self.wanted, self.seq = wanted, seq
        self.queue: list[Told] = []
        self.sleeper: asyncio.Future[None] | None = None
        self.behind, self.closed, self.silent = True, False, False

    def push(self, told: Told) -> None:
        """While it is behind, or when it becomes so, the database is where it goes on."""
        if self.behind:
            return
        if len(self.queue) >= QUEUE:
            self.queue.clear()
            self.behind = True
        else:
            self.queue.append(told)
        self.wake()

    def remind(self) -> None:
        """It is to be told that nothing happened, if nothing did."""
        self.silent = True
        self.wake()

    def wake(self) -> None:
        if self.sleeper is not None and not self.sleeper.done():
            self.sleeper.set_result(None)

    def close(self) -> None:
        self.closed = True
        self.wake()

    async def sleep(self) -> None:
        self.sleeper = asyncio.get_running_loop().create_future()
        await self.sleeper


class Feed:
    """Lives on the event loop's thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.listeners: set[Listener] = set()
        self.closed = False
        self.seq = 0
        self._waiting: deque[StoredEvent] = deque()
        self._ready: OrderedDict[int, Told] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        db.listen(self._heard)

    def _heard(self, found: list[StoredEvent]) -> None:
        """After a commit. Without listeners an event costs nothing but this."""
        self.seq = max(self.seq, found[-1].seq)
        if self.listeners:
            self._waiting.extend(found)
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._hand_out(), name="feed")

    async def _hand_out(self) -> None:
        try:
            while self._waiting:
                event = self._waiting.popleft()
                told = await self._tell(event)
                for listener in list(self.listeners):
                    if told is not None:
                        listener.push(told)
        except Exception:
            log.exception("events wait")  # nobody loses one: all go on from the database
            self._waiting.clear()
            for listener in self.listeners:
                listener.behind = True
                listener.wake()
        finally:
            self._task = None

    async def _tell(self, event: StoredEvent) -> Told | None:
        """The event with what it is about, made once for everybody."""
        if event.type not in TYPES:
            return None
        known = self._ready.get(event.seq)
        if known is None:
            known = self._ready[event.seq] = await self._make(event)
            if len(self._ready) > READY:
                self._ready.popitem(last=False)
        return known

    async def _make(self, event: StoredEvent) -> Told:
        """For everybody, whoever happens to ask first."""
        with rows.everything():
            return made(event, await views.about(self._db.reader, event))

    async def start(self) -> None:
        """From here on, "now" is a position."""
        self.seq = max(self.seq, await self._db.reader.one(stored.NEWEST) or 0)

    async def has_gap(self, after: int) -> bool:
        """Are events after this position gone, because they are older than what is kept?"""
        oldest = await self._db.reader.one(stored.OLDEST)
        return oldest is not None and oldest > after + 1

    def join(self, wanted: Wanted, after: int | None) -> Listener:
        """Listen from `after` on, or from now; a position that is still to come is now."""
        listener = Listener(wanted, self.seq if after is None else min(after, self.seq))
        self.listeners.add(listener)
        if self.closed:
            listener.close()
        return listener

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)

    async def follow(self, listener: Listener) -> AsyncIterator[list[Told]]:
        """What the listener wants, in order and some at a time, until it is closed; an empty list when it is reminded
        that it is there."""
        while not listener.closed:
            if listener.behind:
                found = await self._missed(listener)
            else:
                found = [each for each in listener.queue if each.seq > listener.seq]
                listener.queue.clear()
            if found:
                listener.seq = found[-1].seq
                if chosen := [each for each in found if listener.wanted.takes(each)]:
                    yield chosen
            elif not listener.behind and not listener.queue:
                if listener.silent:
                    listener.silent = False
                    yield []
                elif not listener.closed:  # as it may have been while it read
                    await listener.sleep()

    async def _missed(self, listener: Listener) -> list[Told]:
        """The next events from the database. When there are none, the listener has caught up."""
        rows = await self._db.reader.all(EVENTS_AFTER, after=listener.seq, limit=BATCH)
        if not rows:
            # What is committed from here on is pushed; if something was meanwhile, the next read has it.
            listener.behind = listener.seq < self.seq
            return []
        found = [told for row in rows if (told := await self._tell(row)) is not None]
        listener.seq = max(listener.seq, rows[-1].seq) if not found else listener.seq
        return found

    def close(self) -> None:
        """End every connection; called before the server waits for them."""
        self.closed = True
        for listener in self.listeners:
            listener.close()


def made(event: StoredEvent, about: Any) -> Told:
    data = msgspec.json.decode(event.data, type=dict[str, Any])
    body = {"seq": str(event.seq), "type": event.type, "at": event.at, "data": data if about is None else about}
    found: dict[str, Any] = msgspec.to_builtins(about) if about is not None else data
    # A conversation's own events name it by its id.
    own = found.get("id", "") if event.type == events.CONVERSATION_UPDATED else ""
    return Told(
        event.seq, event.type, str(found.get("channel_id", "")), str(found.get("conversation_id", own)),
        str(found.get("direction", "")), msgspec.json.encode(body),
    )  # fmt: skip
