"""Killed at random under load, again and again (P1, P3, P11, P12, P18)."""

import asyncio
import random
import time

import pytest

from tests.faults import check
from tests.faults.house import House, wait_for
from tests.faults.load import Load

CYCLES, CYCLES_FULL = 10, 200


def test_P1_P3_P11_P18_killed_under_load_nothing_is_lost_or_doubled(house: House, full: bool) -> None:
    """Kill at a random instant; afterwards post again what was not answered, as Meta does, and check every
    invariant."""
    dice = random.Random(7)
    house.furnish()
    house.start_graph("--set", "statuses=1", "--webhook", house.hook)
    load = Load(house)
    kills = 0
    for _ in range(CYCLES_FULL if full else CYCLES):
        house.start()
        asyncio.run(_killed_while_posting(house, load, dice.uniform(0.02, 0.6)))
        kills += 1
        broken = check.faults_of(house.database, load.answered(), check.truth(house.truth))
        assert not broken, broken
    house.start()
    asyncio.run(load.repeat())
    wait_for(lambda: house.query(check.RESTLESS) == [(0,)], "rest", 60)
    accepted = check.truth(house.truth)
    broken = check.faults_of(house.database, load.answered(), accepted, settled=True)
    held = house.query("select state, count(*) from outbox group by state")
    print(
        f"kills {kills}, messages answered 200: {len(load.answered())}, taken by the provider: {len(accepted)}, "
        f"outcome unknown and shown: {held}"
    )
    assert not broken, broken
    assert len(load.answered()) > kills * 5, "there was hardly any load"


async def _killed_while_posting(house: House, load: Load, after: float) -> None:
    posting = asyncio.create_task(load.run(30))
    await asyncio.sleep(after)
    assert house.server
    await asyncio.to_thread(house.server.kill)
    await posting


@pytest.mark.parametrize("mode", ["accept-then-rst", "accept-then-502"])
def test_P18_an_answer_that_never_came_is_not_sent_again(house: House, mode: str) -> None:
    house.furnish()
    house.start_graph("--mode", mode, "--set", "statuses=0")
    house.start()
    load = Load(house)
    asyncio.run(load.run(1.0, at_once=2))
    time.sleep(2)
    accepted = check.truth(house.truth)
    assert accepted
    assert not check.faults_of(house.database, load.answered(), accepted)


def test_P34_SIGTERM_drains_and_ends_in_time_with_open_streams(house: House) -> None:
    house.furnish()
    house.start_graph("--set", "statuses=0")
    house.start()
    load = Load(house)
    asyncio.run(_stopped_while_posting(house, load))
    broken = check.faults_of(house.database, load.answered(), check.truth(house.truth))
    assert not broken, broken
    assert house.query("select count(*) from outbox where state = 'sending'") == [(0,)]


async def _stopped_while_posting(house: House, load: Load) -> None:
    posting = asyncio.create_task(load.run(30))
    await asyncio.sleep(0.5)
    assert house.server
    began = time.monotonic()
    assert await asyncio.to_thread(house.server.stop, 15) == 0
    assert time.monotonic() - began < 15
    await posting
