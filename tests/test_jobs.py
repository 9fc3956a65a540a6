"""Durable work: what a failing database or a vanished run leaves behind is taken up again."""

import asyncio
import threading

from app import jobs
from app.db import Statement, Tx
from app.models import Job
from app.runtime import Runtime
from app.store import jobs as store
from tests.clock import ManualClock
from tests.shop import rows

LEASE = 150_000


def add(tx: Tx) -> None:
    tx.run(
        store.INSERT, id=tx.new_id(), kind="test", subject="1", payload="{}", due_at=tx.now, now=tx.now,
        conversation_id=None, lane="net",
    )  # fmt: skip


async def claimed(rt: Runtime) -> list[Job]:
    return (await rt.db.write(jobs.claim, "net", 8, LEASE))[0]


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


async def test_P34_a_job_that_is_claimed_while_the_worker_closes_is_not_begun_and_not_counted(rt: Runtime) -> None:
    rt.jobs._open = False
    rt.jobs.wake()
    await rt.db.write(add)
    begun: list[Job] = []

    async def handler(job: Job) -> None:
        begun.append(job)

    worker, gate = jobs.Worker(rt.db, rt.clock, "net", {"test": handler}), threading.Event()
    holding = asyncio.ensure_future(rt.db.write(lambda tx: gate.wait(10)))
    running = asyncio.ensure_future(worker.run())
    await asyncio.sleep(0)  # its claim waits for the writer
    closing = asyncio.ensure_future(worker.close(10))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(holding, running, closing)
    assert not begun
    assert await rows(rt, "select state, attempts from job") == [("queued", 0)]
    await rt.db.write(lambda tx: tx.run(Statement("delete from job")))


async def test_P15_what_a_job_writes_at_its_end_is_in_the_commit_that_ends_it(rt: Runtime, clock: ManualClock) -> None:
    rt.jobs._open = False
    await rt.db.write(add)
    [first] = await claimed(rt)
    clock.advance(LEASE / 1000 + 1)
    [second] = await claimed(rt)
    written: list[str] = []
    for job, name in ((first, "lost its lease"), (second, "ends"), (second, "has ended")):
        await rt.db.write(jobs.done, job, lambda tx, name=name: written.append(name))
    assert written == ["ends"]


async def test_P15_an_ending_that_raises_leaves_the_job(rt: Runtime) -> None:
    rt.jobs._open = False
    await rt.db.write(add)
    [job] = await claimed(rt)

    async def handler(job: Job) -> jobs.Ending:
        def ending(tx: Tx) -> None:
            raise ValueError("no")

        return ending

    rt.jobs._handlers = {"test": handler}
    await rt.jobs._work(job)
    [(state, problem)] = await rows(rt, "select state, problem from job")
    assert state == "queued"
    assert "ValueError: no" in problem


async def test_a_worker_looks_when_a_job_comes_due(rt: Runtime) -> None:
    woken = rt.jobs._wake
    woken.clear()
    rt.jobs.due(rt.clock.now() + 30)
    rt.jobs.due(rt.clock.now() + 3_000)
    assert not woken.is_set()
    await asyncio.wait_for(woken.wait(), 1)


async def test_jobs_of_another_lane_are_left_to_its_worker(rt: Runtime) -> None:
    rt.jobs._open = False
    await rt.db.write(add)
    assert await rt.db.write(jobs.claim, "turn", 8, LEASE) == ([], None)
    assert len(await claimed(rt)) == 1
