"""What goes wrong here, counted: errors in groups (P43), and who ran into which limit (S14-S18).

Both are counted in memory as they happen and written every few seconds, so that ten thousand errors at once cost a row
and not ten thousand. A group is a kind of exception at a place: the last line of ours that it came through.
"""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from hashlib import sha256
from pathlib import PurePath
from threading import Lock
from types import TracebackType
from typing import Final

import msgspec

from app import events
from app.audit import entry, logged
from app.clock import Clock
from app.db import Database, DatabaseError, Tx
from app.errors import NotFound
from app.logs import escape, redact
from app.said import N_
from app.store import error_groups, limit_hits
from app.version import VERSION

EVERY: Final = 5.0  # seconds between writes
GROUPS: Final = 200  # between two writes; of more kinds at once the first are enough
HITTERS: Final = 1000  # likewise
OTHERS: Final = "others"
TOLD: Final = 3_600_000  # ms: people are told of errors once an hour at most
KEPT: Final = 90 * 86_400_000
HOUR: Final = 3_600_000
HOURS_KEPT: Final = 48
LONGEST: Final = 300
LONGEST_TRACE: Final = 20_000
STATES: Final = ("open", "resolved", "ignored")

log = logging.getLogger(__name__)


Hits = dict[tuple[str, str], tuple[int, int]]  # what was reached by whom: how often, and when last


class Seen(msgspec.Struct):
    """A group since the last write."""

    kind: str
    place: str
    message: str
    trace: str
    first_at: int
    last_at: int
    count: int = 0


class Troubles(logging.Handler):
    """Put into the root logger: whatever is logged with its exception is counted. Any thread may log."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.WARNING)
        self.total = 0
        self.refused = 0
        self._clock = clock
        self._groups: dict[str, Seen] = {}
        self._hits: Hits = {}
        self._lock = Lock()
        self._writing = asyncio.Lock()
        self._told_at = -TOLD

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or record.name == __name__:
            return
        self.total += 1
        kind, now = type(error).__qualname__, self._clock.now()
        place = place_of(error.__traceback__) or record.name
        fingerprint = sha256(f"{kind}|{place}".encode()).hexdigest()[:32]
        with self._lock:
            seen = self._groups.get(fingerprint)
            if seen is None and len(self._groups) < GROUPS:
                seen = self._groups[fingerprint] = Seen(kind, place, "", "", now, now)
                seen.message = plain(f"{record.getMessage()}: {error}")[:LONGEST]
                seen.trace = "\n".join(map(plain, trace_of(error).splitlines()))[-LONGEST_TRACE:]
            if seen is not None:
                seen.count += 1
                seen.last_at = now

    def hit(self, what: str, who: str) -> None:
        """Somebody was refused by a limit."""
        self.refused += 1
        with self._lock:
            key = what, who if len(self._hits) < HITTERS or (what, who) in self._hits else OTHERS
            self._hits[key] = self._hits.get(key, (0, 0))[0] + 1, self._clock.now()

    async def run(self, db: Database) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(EVERY)
            await self.write(db)

    async def write(self, db: Database) -> None:
        """Write what was counted; it is there then, whoever else was writing. While the database refuses it is counted
        on."""
        async with self._writing:
            with self._lock:
                groups, self._groups = self._groups, {}
                hits, self._hits = self._hits, {}
            hits = cleaned(hits)
            tell = bool(groups) and self._clock.now() - self._told_at >= TOLD
            try:
                if groups or hits:
                    if await db.write(keep, groups, hits, tell):
                        self._told_at = self._clock.now()
            except DatabaseError as error:
                log.warning("%s groups of errors were not written: %s", len(groups), error)


def cleaned(hits: Hits) -> Hits:
    """By whom it can be shown; those who look alike then are one."""
    found: Hits = {}
    for (what, who), (count, at) in hits.items():
        key = what, plain(who)[:LONGEST]
        before, last = found.get(key, (0, 0))
        found[key] = before + count, max(last, at)
    return found


def keep(tx: Tx, groups: dict[str, Seen], hits: Hits, tell: bool) -> bool:
    """Add what was counted. Returns whether people were told."""
    news = False
    for fingerprint, seen in groups.items():
        news = news or tx.one(error_groups.STATE, fingerprint=fingerprint) != "ignored"
        values = msgspec.structs.asdict(seen)
        tx.run(error_groups.PUT, id=tx.new_id(), fingerprint=fingerprint, version=VERSION, **values)
    for (what, who), (count, at) in hits.items():
        tx.run(limit_hits.PUT, hour=at // HOUR, what=what, who=who, count=count, last_at=at)
    if news and tell:
        tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))
    return news and tell


def place_of(trace: TracebackType | None) -> str:
    """The last place of ours, as `app/inbox.py receive`; else the last one at all; '' without any."""
    ours = last = ""
    for file, name in _frames(trace):
        path = PurePath(file)
        last = f"{path.name} {name}"
        if "app" in path.parts and "site-packages" not in path.parts:
            inner = path.parts[len(path.parts) - path.parts[::-1].index("app") - 1 :]
            ours = f"{'/'.join(inner)} {name}"
    return ours or last


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, str]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield code.co_filename, code.co_qualname if hasattr(code, "co_qualname") else code.co_name
        trace = trace.tb_next


def trace_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-20)).rstrip()


def plain(text: str) -> str:
    """Without secrets, and without signs that act."""
    return escape(redact(text))


async def mark(db: Database, group_id: int, state: str) -> None:
    """A person says what a group is: open, resolved (until it comes again) or ignored. Raises `NotFound`."""
    await db.write(logged, entry("error.marked", group_id, state), _mark, group_id, state)


def _mark(tx: Tx, group_id: int, state: str) -> None:
    if state not in STATES or not tx.run(error_groups.MARK, id=group_id, state=state):
        raise NotFound(N_("There is no such group of errors."))
    tx.publish(events.Event(events.ATTENTION_UPDATED, ("attention",)))


def sweep(tx: Tx) -> int:
    """Groups not seen for 90 days, and hits older than two days."""
    old = tx.all(error_groups.OLD, before=tx.now - KEPT)
    tx.many(error_groups.DROP, [{"id": id} for id in old])
    hits = tx.all(limit_hits.OLD, before=tx.now // HOUR - HOURS_KEPT)
    tx.many(limit_hits.DROP, [dict(zip(("hour", "what", "who"), row, strict=True)) for row in hits])
    return len(old) + len(hits)
