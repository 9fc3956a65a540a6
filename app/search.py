"""Searching in messages, and keeping the index of their words.

Nothing is indexed as a message comes: that would cost each one a fifth. Batches follow shortly after, behind everything
else, and in a rush up to a minute later. What is deleted or erased leaves the index in the same commit, because the
database itself takes it out.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from app import words
from app.db import Database, DatabaseError, Tx
from app.db.fulltext import Phrase
from app.db.rows import channels
from app.errors import Invalid
from app.said import N_
from app.store import search as store
from app.store.search import Hit

EVERY: Final = 2.0
BUSY: Final = 200  # units of work a second above which customers go first
PATIENCE: Final = 30  # rounds that the index waits for them at most
UNIT: Final = 50  # messages in one unit of work
FIRST: Final = 2**62
LAST: Final = 2**62
LONGEST: Final = 200  # characters of what is searched for
MOST_MONTHS: Final = 36
END_OF_TIME: Final = 253_402_300_800_000  # the year 10000, ms UTC
WORDLESS: Final = ("edit", "delete", "reaction")  # what these say stands in the message that they change
AUTHORS: Final = ("contact", "bot", "user", "program", "phone")

Indexed = Callable[[Sequence[str]], str]
log = logging.getLogger(__name__)


class Wanted(msgspec.Struct, frozen=True):
    """What is searched for: `text`, and where it has to be. Times in ms UTC, `until` not included; `author` is one of
    `AUTHORS`; None is anywhere."""

    text: str
    channel_id: int | None = None
    contact_id: int | None = None
    conversation_id: int | None = None
    author: str | None = None
    since: int | None = None
    until: int | None = None


# ---- searching ------------------------------------------------------------------------------------------------------


def phrases(text: str) -> list[Phrase]:
    """Raises `Invalid` for a text without any word, or one that is too long."""
    said = None
    if len(text) > LONGEST:
        said = N_("At most {n} characters.", n=LONGEST)
    found = words.phrases(text)
    if not found:
        said = N_("Type a word: there is none in it that could be searched for.")
    if said is not None:
        raise Invalid(said, fields={"q": said})
    return found


async def find(db: Database, wanted: Wanted, *, before: int = FIRST, limit: int = 50) -> list[Hit]:
    """Messages stored before the id `before`, newest first. Raises `Invalid`."""
    conditions: list[list[Phrase]] = [[phrase] for phrase in phrases(wanted.text)]
    if (seen := channels.get()) is not None:
        # The rows are narrowed in any case; so the index does not find what would be left out.
        conditions.insert(0, [_place("c", id) for id in sorted(seen)] or [_place("c", 0)])
    for mark, id in (("c", wanted.channel_id), ("v", wanted.conversation_id)):
        if id is not None:
            conditions.insert(0, [_place(mark, id)])
    if wanted.contact_id is not None:
        chats = await db.reader.all(store.OF_CONTACT, contact_id=wanted.contact_id)
        conditions.insert(0, [_place("v", id) for id in chats] or [_place("v", 0)])
    if wanted.author is not None:
        conditions.insert(0, [_place("a", wanted.author)])
    since, until = wanted.since or 0, LAST if wanted.until is None else wanted.until
    if wanted.since is not None and wanted.until is not None and (months := list(_months(since, until))):
        conditions.insert(0, [_place("m", month) for month in months])
    return await db.reader.all(
        store.FOUND, wanted=db.wanted(conditions), before=before, since=since, until=until, limit=limit
    )  # fmt: skip


def _place(mark: str, value: int | str) -> Phrase:
    """A word that says where a message belongs. No text has the sign."""
    return Phrase((f"§{mark}{value}",))


def _months(since: int, until: int) -> Iterator[str]:
    """The months that a time touches; none for a longer one, in which little can be left out."""
    if not 0 <= since < until <= END_OF_TIME:
        return
    first, last = _month(since), _month(until - 1)
    if last - first < MOST_MONTHS:
        yield from map(str, range(first, last + 1))


def _month(at: int) -> int:
    day = datetime.fromtimestamp(at / 1000, UTC)
    return day.year * 12 + day.month


# ---- keeping the index ----------------------------------------------------------------------------------------------


async def run(db: Database) -> None:
    """For ever. A failing database only makes a round fail."""
    waited = 0
    while True:
        before = _units(db)
        await asyncio.sleep(EVERY)
        waited = rounds_waited(_units(db) - before, waited)
        try:
            if not waited:
                await keep(db)
        except DatabaseError as error:
            log.warning("the search index waits: %s", error)


def rounds_waited(written: int, waited: int) -> int:
    """After a round in which so many units of work were written; 0: now it is the index's turn. In a rush it would take
    a seventh of the writer's time, which customers would wait for."""
    return waited + 1 if written > BUSY * EVERY and waited < PATIENCE else 0


def _units(db: Database) -> int:
    return int(db.stats()["units"])


async def keep(db: Database) -> None:
    """Index what is new, then what changed."""
    newest = await db.reader.one(store.NEWEST)
    if newest is not None and newest > (await db.reader.one(store.INDEXED) or 0):
        # Ids are given in order, but several writers commit them in another: whoever got a smaller one is waited for.
        await db.settled()
        while await db.bulk(extend, newest, db.indexed):
            await asyncio.sleep(0)
    while await db.reader.one(store.CHANGED) is not None and await db.bulk(refresh, db.indexed):
        await asyncio.sleep(0)


def extend(tx: Tx, newest: int, indexed: Indexed) -> bool:
    """Index the next messages, up to the id `newest`. False: there are none."""
    reached = tx.one(store.INDEXED) or 0
    found = tx.all(store.NEXT, after=reached, until=newest, limit=UNIT)
    tx.many(store.PUT, [{"id": said.id, "words": indexed(_words(said))} for said in found])
    return len(found) == UNIT


def refresh(tx: Tx, indexed: Indexed) -> bool:
    """Index messages again that changed. What the index has not reached yet is only taken off the list."""
    reached = tx.one(store.INDEXED) or 0
    taken = tx.all(store.TAKE, limit=UNIT)
    for id in taken:
        said = tx.one(store.SAID, id=id)
        if said is not None and id <= reached:
            tx.run(store.DROP, id=id)
            tx.run(store.PUT, id=id, words=indexed(_words(said)))
    return bool(taken)


def _words(said: store.Said) -> list[str]:
    places = (("c", said.channel_id), ("v", said.conversation_id), ("a", said.author), ("m", _month_of(said.at)))
    text = "" if said.deleted_at or said.kind in WORDLESS else said.text
    return [*(_place(mark, value).words[0] for mark, value in places), *words.words(text)]


def _month_of(at: int) -> int:
    return _month(at) if 0 <= at < END_OF_TIME else 0
