"""What was promised comes due: each in one unit with the end of its job, so that it happens once (P15).

The rules. While a person has the conversation, or it waits for one, nothing of the bot's happens there: a message or a
flow whose time comes then is left out, and the thread says so. Likewise one that comes due more than `LATE` after its
time, because Parley did not run: a reminder a day late does harm. A timer only moves on what still waits for it, so it
fires however late it is. Who opted out is not written to (`effects`).
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import content, gather, promises, saying, turns
from app.bot.document import DocumentError
from app.bot.scene import Later, Quiet, Send, StartTimer, TimerFired, Triggered, WatchQuiet
from app.case import Intake
from app.connectors.base import Problem
from app.content import System
from app.db import Reader, Tx
from app.effects import OPTED_OUT
from app.errors import Invalid, NotFound
from app.jobs import Ending, Handler
from app.models import Found, Job
from app.promises import Promised
from app.said import N_
from app.store import contacts, conversations

if TYPE_CHECKING:
    from app.compiled import Versions
    from app.runtime import Runtime

LATE: Final = 3_600_000  # ms
LONGEST_NAME: Final = 100
LARGEST_DATA: Final = 65_536
KINDS: Final = (*promises.KINDS.values(), gather.KIND)
TAKEN: Final = Problem("bot.taken", "A person had the conversation at that time.")
MISSED: Final = Problem("bot.missed", "Parley did not run at that time.")


def handlers(db: Reader, versions: "Versions", intake: Callable[[], Intake]) -> dict[str, Handler]:
    """By kind of job. `intake` is asked each time: its limits change while it runs."""
    endings = {**dict.fromkeys(promises.KINDS.values(), come), gather.KIND: gather.come}

    async def handle(job: Job) -> Ending | None:
        await load(db, versions, job.conversation_id)
        return partial(endings[job.kind], intake(), job)

    return dict.fromkeys(KINDS, handle)


def given_up(tx: Tx, job: Job, said: str) -> None:
    """It failed too often, and nobody else would tell."""
    channel = tx.one(conversations.CHANNEL, id=job.conversation_id)
    if channel is not None and job.conversation_id is not None:
        saying.remark(tx, job.conversation_id, channel[0], System("bot.gave_up"))


async def load(db: Reader, versions: "Versions", conversation_id: int | None) -> None:
    """The version that will decide, ready in memory. One that cannot be used fails its turn, where it is shown."""
    version_id = await db.one(conversations.DECIDES, id=conversation_id)
    if version_id:
        try:
            await versions.load(version_id)
        except (DocumentError, NotFound):
            pass


def come(intake: Intake, job: Job, tx: Tx) -> None:
    """The time has come."""
    conversation_id = job.conversation_id
    found = tx.one(contacts.FOUND_BY_CONVERSATION, id=conversation_id) if conversation_id else None
    if found is None or conversation_id is None:
        return
    promised = promises.read(job.payload)
    match promised.what:
        case StartTimer(token=token):
            turns.resume(tx, intake, conversation_id, TimerFired(token), f"job.{job.id}")
        case Later() as later:
            _begin(tx, intake, found, conversation_id, later, job)
        case WatchQuiet() as watch:
            _look(tx, intake, found, conversation_id, promised, watch, job)
        case Send() as send:
            _say(tx, intake, found, conversation_id, promised, send)


async def trigger(rt: "Runtime", conversation_id: int, name: str, data: dict[str, Any]) -> int | None:
    """A program asks for something by name, or for a flow as `flow:NAME`. Returns the turn's id, None if there was none
    (`turns.resume`). Raises `Invalid`, `NotFound`."""
    if not 0 < len(name) <= LONGEST_NAME or len(msgspec.json.encode(data)) > LARGEST_DATA:
        raise Invalid(N_("A trigger has a name of up to {most} characters and up to 64 KB of data.", most=LONGEST_NAME))
    if await rt.db.reader.one(conversations.CONVERSATION, id=conversation_id) is None:
        raise NotFound(N_("There is no such conversation."))
    await load(rt.db.reader, rt.versions, conversation_id)
    return await rt.db.write(_trigger, rt.channels.intake, conversation_id, name, data, key=conversation_id)


def _trigger(tx: Tx, intake: Intake, conversation_id: int, name: str, data: dict[str, Any]) -> int | None:
    return turns.resume(tx, intake, conversation_id, Triggered(name, data), f"trigger.{tx.new_id()}")


def _begin(tx: Tx, intake: Intake, found: Found, conversation_id: int, later: Later, job: Job) -> None:
    what = "bot.taken" if found.mode != "bot" else "bot.missed" if tx.now - later.due > LATE else ""
    if not what:
        event = Triggered(f"flow:{later.flow}", later.data)
        turns.resume(tx, intake, conversation_id, event, f"job.{job.id}")
    elif channel := tx.one(conversations.CHANNEL, id=conversation_id):
        saying.remark(tx, conversation_id, channel[0], System(f"{what}.flow", data={"name": later.flow}))


def _look(
    tx: Tx, intake: Intake, found: Found, conversation_id: int, promised: Promised, watch: WatchQuiet, job: Job
) -> None:
    """If somebody wrote meanwhile the time begins anew from there, so that no message pays for being watched."""
    quiet_at = min(found.heard_at, tx.now) + watch.seconds * 1000
    if found.mode != "bot" or found.closed_at is not None:
        return
    if quiet_at > tx.now:
        return promises.keep(tx, intake, conversation_id, promised, quiet_at)
    turns.resume(tx, intake, conversation_id, Quiet(watch.seconds), f"job.{job.id}")


def _say(tx: Tx, intake: Intake, found: Found, conversation_id: int, promised: Promised, send: Send) -> None:
    """A message whose time has come, behind what is on its way already."""
    channel = tx.one(conversations.CHANNEL, id=conversation_id)
    if channel is None:
        return
    problem = (
        TAKEN if found.mode != "bot"
        else OPTED_OUT if found.opted_out_at is not None
        else MISSED if tx.now - send.at > LATE
        else None
    )  # fmt: skip
    message = tx, conversation_id, channel[0], promised.turn_id, promised.step, send
    if problem is not None:
        return saying.withhold(*message, problem)
    message_id = saying.insert(*message[:-1], saying.aimed(send, send.reply_to), send.reply_to)
    place = tx.one(conversations.NEXT_PLACE, id=conversation_id)
    assert place is not None
    saying.queue(tx, conversation_id, channel[0], message_id, place)
    saying.spoke(tx, conversation_id, message_id, content.text(send.content))
    tx.after_commit(intake.wake, channel[0])
