"""Stepping through a past conversation, event by event, and running it again from any point with another document.

Reads only: what a re-run says is sent to nobody and kept nowhere.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import bots
from app.bot import replay
from app.bot.document import Version
from app.bot.rerun import Past, Step, again
from app.db import Reader
from app.errors import NotFound
from app.replay import compiled
from app.said import N_
from app.store import explained
from app.store import stepping as store
from app.store.explained import Turn

if TYPE_CHECKING:
    from app.runtime import Runtime

BESIDE: Final = 20  # turns listed on each side of the one that is shown
MOST: Final = 200  # turns that are run again


class Trail(msgspec.Struct, frozen=True):
    """A stretch of a conversation's turns, oldest first, and the one looked at. `place` counts it from 1, `total` all
    of them, each up to `store.MANY`; `previous` and `next` are ids of turns, None at the ends."""

    turns: list[Turn]
    here: Turn
    place: int
    total: int
    previous: int | None
    next: int | None


class Difference(msgspec.Struct, frozen=True):
    """What is remembered otherwise, as it is; None where it is not remembered."""

    name: str
    before: Any
    after: Any


class Rerun(msgspec.Struct, frozen=True):
    """A conversation as it was and as it would have gone from one turn on. `parts`: the index in `turns` at which it
    begins to differ, None if it does not; `differences`: what is remembered otherwise after the last turn of both;
    `cut`: there are more turns than were run."""

    turns: tuple[replay.Turn, ...]
    parts: int | None
    differences: tuple[Difference, ...]
    unreadable: int
    cut: bool


async def trail(db: Reader, conversation_id: int, turn_id: int | None) -> Trail | None:
    """Around this turn, or the first of the conversation. None if the bot decided nothing in it. Raises `NotFound` for
    a turn of another conversation."""
    if turn_id is None:
        found = await db.all(store.AFTER, id=conversation_id, at=0, turn_id=0, limit=1)
        if not found:
            return None
        [here] = found
    else:
        one = await db.one(explained.TURN_BY_ID, id=turn_id)
        if one is None or one.conversation_id != conversation_id:
            raise NotFound(N_("There is no such turn in this conversation."))
        here = one
    key = {"id": conversation_id, "at": here.at, "turn_id": here.id}
    before = await db.all(store.UP_TO, **key, limit=BESIDE + 1)
    after = await db.all(store.AFTER, **key, limit=BESIDE)
    return Trail(
        turns=[*reversed(before), *after],
        here=here,
        place=await db.one(store.COUNT_UP_TO, **key, many=store.MANY) or 1,
        total=await db.one(store.COUNT, id=conversation_id, many=store.MANY) or 1,
        previous=before[1].id if len(before) > 1 else None,
        next=after[0].id if after else None,
    )


async def run_again(rt: "Runtime", here: Turn, bot_id: int, number: int) -> Rerun:
    """From this turn on, with a version of a bot (0: its draft). Raises `NotFound`, and `Invalid` for a document with
    errors."""
    reader = rt.db.reader
    bot = await bots.get(reader, bot_id)
    version = await compiled(rt, await bots.text_of(reader, bot, number))
    later = await reader.all(store.AFTER, id=here.conversation_id, at=here.at, turn_id=here.id, limit=MOST)
    past = [Past(turn.at, turn.input, turn.output) for turn in (here, *later[: MOST - 1])]
    cut = len(later) >= MOST
    return await asyncio.to_thread(compared, version, past, 0 if cut else rt.clock.now(), cut)


def compared(version: Version, past: list[Past], until: int, cut: bool) -> Rerun:
    """`past`: turns of one conversation, oldest first; the first begins with the state it had then. `until`: how far
    the document's own waits are followed after the last."""
    steps, unreadable = again(version, past, until)
    outcomes = [replay.outcome_of(step) for step in steps]
    return Rerun(
        turns=tuple(map(replay.drawn, steps, outcomes)),
        parts=next((at for at, outcome in enumerate(outcomes) if outcome != "same"), None),
        differences=differences(steps),
        unreadable=unreadable,
        cut=cut,
    )


def differences(steps: list[Step]) -> tuple[Difference, ...]:
    """After the last turn that both decided."""
    last = next((step for step in reversed(steps) if step.after), None)
    if last is None or not last.after:
        return ()
    was, now = last.before[-1].decision.state.variables, last.after[-1].decision.state.variables
    return tuple(
        Difference(name, was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)
    )
