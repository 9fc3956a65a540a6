"""Replay: past conversations run through a draft. Reads in small pages, decides in a thread, writes nothing.

A report is kept in memory for whoever asked, one for each bot, and the oldest is forgotten.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from app import documents
from app.bot.document import DocumentError, Version, compile_version
from app.bot.replay import OUTCOMES, Played, Turn, play
from app.bot.rerun import Past
from app.db import Reader
from app.errors import Invalid, TooMany
from app.said import N_
from app.store import replays as store

if TYPE_CHECKING:
    from app.bus import Bus
    from app.runtime import Runtime

MOST_CHATS: Final = 10_000
MOST_TURNS: Final = 200_000
LONGEST: Final = 2_000  # turns of one conversation
LOOKED_AT: Final = 200_000  # conversations that are looked at to find those
CHATS: Final = 200  # a page
TURNS: Final = 200
EACH: Final = 160  # conversations of one outcome that are kept with their chats
KEPT: Final = 8  # reports
EVER: Final = 2**62

log = logging.getLogger(__name__)
_tags: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])

Told = Callable[[int, int], None]
Chosen = tuple[store.Chat, list[Past]]


class Choice(msgspec.Struct, frozen=True):
    """Which conversations: the newest `last` of those with turns from `since` to before `until` (ms UTC), of contacts
    with the tag if there is one. `now`: up to when the draft's own waits are followed after the last turn."""

    last: int = 500
    since: int = 0
    until: int = EVER
    tag: str = ""
    now: int = 0


class Differing(msgspec.Struct, frozen=True):
    """A conversation that goes differently with the draft. `differences`: turns that do."""

    conversation_id: int
    name: str
    at: int
    outcome: str
    differences: int
    turns: tuple[Turn, ...]


class Report(msgspec.Struct):
    """What came out. Conversations and turns are counted by outcome. `held`: turns in which the draft would have been
    silent after a hand-off of its own; `unreadable`: turns of another release; `cut`: there were more than are replayed
    at once. `first_at`, `last_at`: of the turns, 0 if there are none; `took` in ms."""

    conversations: dict[str, int]
    turns: dict[str, int]
    held: int = 0
    unreadable: int = 0
    cut: bool = False
    first_at: int = 0
    last_at: int = 0
    took: int = 0
    differing: list[Differing] = []

    @property
    def total(self) -> int:
        return sum(self.conversations.values())

    @property
    def total_turns(self) -> int:
        return sum(self.turns.values()) + self.held


def empty() -> Report:
    return Report(dict.fromkeys(OUTCOMES, 0), dict.fromkeys(OUTCOMES, 0), differing=[])


async def compiled(rt: "Runtime", text: str) -> Version:
    """The draft, ready to decide. Raises `Invalid` naming the first error."""
    try:
        return await rt.versions.aside(compile_version, text)
    except DocumentError as error:
        first = error.problems[0]
        raise Invalid(
            N_(
                "The draft has to be in order first. Line {line}: {sentence}",
                line=first.line,
                sentence=documents.sentence(first),
            ),
            code="document",
        ) from None


async def replay(reader: Reader, bot_id: int, version: Version, choice: Choice, told: Told) -> Report:
    """Replay what was chosen. `told` hears how many conversations of how many are done."""
    began = time.monotonic()
    report = empty()
    chats, report.cut = await choose(reader, bot_id, choice)
    batch: list[Chosen] = []
    waiting = read = done = 0
    told(0, len(chats))
    for chat in chats:
        past = await turns_of(reader, bot_id, chat.id, choice)
        batch.append((chat, past))
        waiting += len(past)
        read += len(past)
        report.cut = report.cut or len(past) >= LONGEST
        if waiting >= TURNS or chat is chats[-1] or read >= MOST_TURNS:
            add(report, await asyncio.to_thread(decide_all, version, batch, min(choice.now, choice.until)))
            done += len(batch)
            batch, waiting = [], 0
            told(done, len(chats))
        if read >= MOST_TURNS:
            report.cut = report.cut or done < len(chats)
            break
    report.differing.sort(key=lambda one: (OUTCOMES.index(one.outcome), -one.at))
    report.took = int((time.monotonic() - began) * 1000)
    return report


async def choose(reader: Reader, bot_id: int, choice: Choice) -> tuple[list[store.Chat], bool]:
    """The conversations, newest first, and whether there may be more than were looked at."""
    found: list[store.Chat] = []
    wanted, tag = min(choice.last, MOST_CHATS), choice.tag.casefold()
    at, before_id, looked = EVER, EVER, 0
    while looked < LOOKED_AT:
        page = await reader.all(
            store.CHATS, bot_id=bot_id, before_at=at, before_id=before_id, since=choice.since, limit=CHATS
        )
        found += [chat for chat in page if chat.asked and (not tag or tag in tags_of(chat))]
        looked += len(page)
        if len(found) >= wanted or len(page) < CHATS:
            return found[:wanted], len(found) > wanted and choice.last > MOST_CHATS
        at, before_id = page[-1].last_at, page[-1].id
    return found, True


def tags_of(chat: store.Chat) -> list[str]:
    return [tag.casefold() for tag in _tags.decode(chat.tags)] if chat.tags != "[]" else []


async def turns_of(reader: Reader, bot_id: int, conversation_id: int, choice: Choice) -> list[Past]:
    found: list[Past] = []
    at, after = choice.since, 0
    while len(found) < LONGEST:
        page = await reader.all(
            store.TURNS, bot_id=bot_id, conversation_id=conversation_id, at=at, after=after, until=choice.until,
            limit=TURNS,
        )  # fmt: skip
        found += [Past(turn_at, given, output) for _id, turn_at, given, output in page]
        if len(page) < TURNS:
            break
        after, at = page[-1][0], page[-1][1]
    return found


def decide_all(version: Version, batch: Sequence[Chosen], until: int) -> list[tuple[store.Chat, list[Past], Played]]:
    return [(chat, past, play(version, past, until)) for chat, past in batch if past]


def add(report: Report, played: Sequence[tuple[store.Chat, list[Past], Played]]) -> None:
    for chat, past, how in played:
        report.held += how.held
        report.unreadable += how.unreadable
        if how.unreadable == len(past):
            continue
        report.conversations[how.outcome] += 1
        for name, count in how.counts.items():
            report.turns[name] += count
        report.first_at = min(report.first_at or past[0].at, past[0].at)
        report.last_at = max(report.last_at, past[-1].at)
        if how.turns and report.conversations[how.outcome] <= EACH:
            differences = sum(count for name, count in how.counts.items() if name != "same")
            report.differing.append(Differing(chat.id, chat.name, past[-1].at, how.outcome, differences, how.turns))


# ---- runs that somebody watches -------------------------------------------------------------------------------------


class Run:
    """One replay and how far it is. `state`: waiting, running, done, cancelled or failed; `revision` is the draft's."""

    def __init__(self, choice: Choice, revision: int) -> None:
        self.choice, self.revision = choice, revision
        self.state = "waiting"
        self.done = self.total = 0
        self.report: Report | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "running")


class Replays:
    """The newest replay of each person and bot. One runs at a time, so that answering customers keeps the processor."""

    def __init__(self, reader: Reader, bus: "Bus") -> None:
        self._reader, self._bus = reader, bus
        self._runs: dict[tuple[int, int], Run] = {}
        self._one = asyncio.Lock()

    def get(self, user_id: int, bot_id: int) -> Run | None:
        return self._runs.get((user_id, bot_id))

    def start(self, user_id: int, bot_id: int, revision: int, version: Version, choice: Choice) -> Run:
        """Begin, in place of what this person had of this bot. Raises `TooMany`."""
        self.cancel(user_id, bot_id)
        self._runs.pop((user_id, bot_id), None)
        if sum(run.open for run in self._runs.values()) >= KEPT:
            raise TooMany(N_("Many replays are waiting already. Try again in a minute."), retry_after=60)
        run = self._runs[user_id, bot_id] = Run(choice, revision)
        ended = [key for key, other in self._runs.items() if not other.open]
        for key in ended[: max(0, len(self._runs) - KEPT)]:
            del self._runs[key]
        run.task = asyncio.create_task(self._go(run, bot_id, version), name="replay")
        return run

    def cancel(self, user_id: int, bot_id: int) -> None:
        run = self._runs.get((user_id, bot_id))
        if run is not None and run.open and run.task is not None:
            run.task.cancel()
            run.state = "cancelled"
            self._tell(bot_id)

    async def close(self) -> None:
        tasks = [run.task for run in self._runs.values() if run.task is not None and not run.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go(self, run: Run, bot_id: int, version: Version) -> None:
        def told(done: int, total: int) -> None:
            run.done, run.total = done, total
            self._tell(bot_id)

        try:
            async with self._one:
                run.state = "running"
                run.report = await replay(self._reader, bot_id, version, run.choice, told)
                run.state = "done"
        except Exception:
            log.exception("a replay failed")
            run.state = "failed"
        finally:
            self._tell(bot_id)

    def _tell(self, bot_id: int) -> None:
        self._bus.tell(f"replay-{bot_id}")
