"""Publishing at a time: the draft becomes a version now, and a job puts that version live then.

What goes live is the version that was chosen, whatever is saved or published in between; who asked is its author. The
row is there until then: it can be seen and cancelled, and it survives restarts. While Parley does not run nothing goes
live; what was due meanwhile goes live at the next start.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from app import bots, settle
from app.audit import entry, logged
from app.bot.document import DocumentError
from app.db import Tx
from app.errors import Conflict, Invalid, NotFound
from app.jobs import Handler
from app.models import Job
from app.said import N_, Sentence, mark
from app.store import bots as bot_rows
from app.store import jobs as job_rows
from app.store import planned as store

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.store.users import User

KIND: Final = "bot.publish"
FARTHEST: Final = 366 * 86_400_000  # ms ahead
NO_CHANNEL: Final = mark("Its channels were removed.")
REFUSED: Final = mark("This release cannot run that version.")


def moment(text: str, zone: tzinfo, now: int) -> int:
    """The time that `2026-12-24 08:00` is in this zone, in ms; one with an offset of its own says it itself. Raises
    `Invalid` if it is none, is over, or is left out by a clock that goes forward. Of an hour that comes twice, the
    first."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise wrong_time(N_("Give a day and a time, like 2026-12-24 08:00.")) from None
    there = local if local.tzinfo else local.replace(tzinfo=zone)
    at = int(there.timestamp() * 1000)
    if at <= now:
        raise wrong_time(N_("This time is over; choose one to come, or publish now."))
    if at > now + FARTHEST:
        raise wrong_time(N_("Choose a time within a year."))
    if local.tzinfo is None and there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise wrong_time(N_("The clocks skip this time on that day; choose another."))
    return at


def wrong_time(said: Sentence) -> Invalid:
    return Invalid(said, fields={"at": said})


# ---- what people do -------------------------------------------------------------------------------------------------


async def plan(
    rt: "Runtime",
    bot_id: int,
    channel_ids: Sequence[int] | None,
    note: str,
    at: int,
    user: "User | None",
    *,
    anyway: bool = False,
) -> int:
    """Make the draft a version that goes live at `at` (ms); None = on every channel that has no bot now. Returns its
    number. Raises as `bots.publish` does, and `Invalid` without a channel."""
    bot, name = await bots.ready(rt, bot_id, note, anyway=anyway)
    line = entry("bot.planned", bot.name, note.strip())
    return await rt.db.write(logged, line, keep, bot, name, channel_ids, note.strip(), at, bots.id_of(user))


async def cancel(rt: "Runtime", bot_id: int, planned_id: int) -> None:
    """It does not go live; the version stays. Raises `Conflict` if it did meanwhile."""
    await rt.db.write(forget, bot_id, planned_id)


def handler(rt: "Runtime") -> Handler:
    """What the worker calls when a planned version is due."""
    return partial(fire, rt)


async def fire(rt: "Runtime", job: Job) -> None:
    planned = await rt.db.reader.one(store.BY_ID, id=int(job.subject))
    if planned is None:
        return
    try:
        await rt.versions.load(planned.version_id)
    except DocumentError:
        await rt.db.write(give_up, job, REFUSED)
        return
    live = await rt.db.write(put_live, job, planned)
    await bots.go_live(rt, live, planned.version_id)


# ---- units of work --------------------------------------------------------------------------------------------------


def keep(
    tx: Tx, bot: bot_rows.Bot, name: str, channel_ids: Sequence[int] | None, note: str, at: int, user_id: int | None
) -> int:
    version_id, number = bots.keep_version(tx, bot, name, note, user_id)
    chosen = bots.choose(tx.all(bot_rows.CHANNELS), channel_ids)
    if not chosen:
        raise Invalid(N_("Choose at least one channel."), fields={"channel": N_("Choose at least one channel.")})
    planned_id = tx.new_id()
    tx.run(
        store.INSERT, id=planned_id, bot_id=bot.id, version_id=version_id, at=at, user_id=user_id, now=tx.now,
        channels=msgspec.json.encode(chosen).decode(),
    )  # fmt: skip
    tx.run(
        job_rows.INSERT, id=tx.new_id(), kind=KIND, subject=str(planned_id), payload="{}", due_at=at, now=tx.now,
        conversation_id=None, lane="net",
    )  # fmt: skip
    bots.tell(tx, bot.id)
    return number


def put_live(tx: Tx, job: Job, planned: store.Planned) -> list[int]:
    """The channels that answer with it from now on. Nothing if it was cancelled, or if another run was first: the job
    ends in the same commit."""
    if not tx.run(job_rows.DONE, id=job.id, attempts=job.attempts):
        return []
    live = []
    for channel_id in planned.channel_ids:
        try:
            bots.point(tx, channel_id, planned.version_id, planned.user_id)
        except NotFound:
            continue  # removed meanwhile; the others go live
        live.append(channel_id)
    if live:
        tx.run(store.DELETE, id=planned.id)
    else:
        tx.run(store.FAILED, id=planned.id, problem=NO_CHANNEL)
        settle.attention(tx)
    bots.tell(tx, planned.bot_id)
    return live


def given_up(tx: Tx, job: Job, said: str) -> None:
    """The last words of its job: it stays in sight with the reason."""
    planned = tx.one(store.BY_ID, id=int(job.subject))
    if planned is not None:
        tx.run(store.FAILED, id=planned.id, problem=said)
        settle.attention(tx)
        bots.tell(tx, planned.bot_id)


def give_up(tx: Tx, job: Job, said: str) -> None:
    if tx.run(job_rows.DONE, id=job.id, attempts=job.attempts):
        given_up(tx, job, said)


def forget(tx: Tx, bot_id: int, planned_id: int) -> None:
    planned = tx.one(store.BY_ID, id=planned_id)
    if planned is not None and planned.bot_id != bot_id:
        raise NotFound(N_("There is no such version."))
    tx.run(job_rows.CANCEL, kind=KIND, subject=str(planned_id))
    if not tx.run(store.DELETE, id=planned_id):
        raise Conflict(N_("It went live already, or was cancelled."))
    settle.attention(tx)
    bots.tell(tx, bot_id)
