"""Bots that ask for anything at a word, and the workers' jobs done by hand while the clock stands still."""

import msgspec

from app import due, jobs
from app.bot.scene import Effect
from app.channels import Live
from app.models import Job
from app.promises import LANE
from app.runtime import Runtime

LEASE = 150_000
WORDS = """
bot: Acting
language: en
rules:
  - {name: hi, when: {says: hi}, do: [{say: Hi!}]}
  - {name: one, when: {says: one}, do: [{say: One.}]}
  - {name: two, when: {says: two}, do: [{say: Two.}]}
  - {name: three, when: {says: three}, do: [{say: Three.}]}
"""


def act(rt: Runtime, live: Live, word: str, *effects: Effect) -> None:
    """From now on the rule of this word asks for these effects (once a test: its turns are decided again)."""
    known = rt.versions.get(live.here.version_id or 0)
    plans = list(known.plans)
    place = known.names.index(word)
    plans[place] = msgspec.structs.replace(plans[place], effects=effects, longest=0)
    rt.versions._compiled[known.id] = msgspec.structs.replace(known, plans=tuple(plans))


def gathering(rt: Runtime, live: Live, ms: int) -> None:
    known = rt.versions.get(live.here.version_id or 0)
    rt.versions._compiled[known.id] = msgspec.structs.replace(known, gather=ms)


def still(rt: Runtime) -> None:
    """The workers do nothing by themselves."""
    for worker in rt.workers.values():
        worker._open = False
        worker.wake()


async def claimed(rt: Runtime) -> list[Job]:
    return (await rt.db.write(jobs.claim, LANE, 8, LEASE))[0]


async def come_due(rt: Runtime) -> int:
    """Do every job whose time has come, in due order. Returns how many there were."""
    await rt.db.settled()  # a batch that began before the clock was moved has the time of then
    handlers = due.handlers(rt.db.reader, rt.versions, lambda: rt.channels.intake)
    count = 0
    while found := await claimed(rt):
        for job in found:
            await rt.db.write(jobs.done, job, await handlers[job.kind](job))
            count += 1
    return count
