"""Durable work: what a failing database or a vanished run leaves behind is taken up again."""

from app import jobs
from app.db import Statement, Tx
from app.models import Job
from app.runtime import Runtime
from app.store import jobs as store
from tests.clock import ManualClock
from tests.shop import rows

LEASE = 150_000


def add(tx: Tx) -> None:
    tx.run(store.INSERT, id=tx.new_id(), kind="test", subject="1", payload="{}", due_at=tx.now, now=tx.now)


async def claimed(rt: Runtime) -> list[Job]:
    return (await rt.db.write(jobs.claim, 8, LEASE))[0]


async def test_P12_a_job_whose_run_never_told_its_end_runs_again_after_its_lease(
    rt: Runtime, clock: ManualClock
) -> None:
    rt.jobs._open = False
    await rt.db.write(add)
    [first] = await claimed(rt)
    assert not await claimed(rt)
    clock.advance(LEASE / 1000 + 1)
    [second] = await claimed(rt)
    assert (first.attempts, second.attempts) == (1, 2)
    await rt.db.write(jobs.done, first)
    assert await rows(rt, "select state from job") == [("running",)], "the first run has lost its lease"
    await rt.db.write(jobs.done, second)
    assert await rows(rt, "select state from job") == []


async def test_waiting_for_the_disk_is_not_an_attempt(rt: Runtime, clock: ManualClock) -> None:
    rt.jobs._open = False
    await rt.db.write(add)
    for _ in range(jobs.ATTEMPTS + 1):
        [job] = await claimed(rt)
        await rt.jobs._again(job, 1, "full", counts=False)
        clock.advance(2)
    assert await rows(rt, "select state, attempts from job") == [("queued", 0)]
    await rt.db.write(lambda tx: tx.run(Statement("delete from job")))
