"""A full, failing, slow or locked disk under the real server (P2, P26, P27, P28)."""

import asyncio
import sqlite3
import statistics
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults import check
from tests.faults.house import PLAIN, House, wait_for
from tests.faults.image import records
from tests.faults.load import Load, message, notification, signed

HEALTHY, FULL, BROKEN, BROKEN_SYNC, SLOW_SYNC, FULL_AFTER = range(6)


class Disk:
    """Switches the preloaded library while the server runs."""

    def __init__(self, control: Path) -> None:
        self.control = control

    def set(self, mode: int, number: int = 0) -> None:
        with self.control.open("r+b") as file:
            file.write(struct.pack("<ii", mode, number))


@pytest.fixture
def faulty(tmp_path: Path, disk_library: Path) -> Iterator[tuple[House, Disk]]:
    control = tmp_path / "disk.control"
    house = House(
        tmp_path,
        {"LD_PRELOAD": str(disk_library), "DISK_CONTROL": str(control), "DISK_LOG": str(tmp_path / "disk.log")},
    )
    house.furnish()
    house.start_graph("--set", "statuses=0")
    house.start()
    yield house, Disk(control)
    house.close()


def post(house: House, *messages: dict[str, object]) -> httpx.Response:
    body = notification(list(messages))
    return httpx.post(house.hook, content=body, headers=signed(body), timeout=30, verify=PLAIN)


def stored(house: House) -> int:
    return int(house.query("select count(*) from message where direction = 'in'")[0][0])


@pytest.mark.parametrize("mode", [FULL, BROKEN, BROKEN_SYNC])
def test_P26_P27_a_full_or_broken_disk_is_503_and_heals_by_itself(faulty: tuple[House, Disk], mode: int) -> None:
    house, disk = faulty
    assert post(house, message("wamid.before", "1", "hello")).status_code == 200
    disk.set(mode)
    answer = post(house, message("wamid.during", "1", "hello"))
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    assert house.alive(), "reading goes on"
    ready = httpx.get(f"{house.url}/readyz", timeout=10, verify=PLAIN)
    assert ready.status_code == 503 and ready.json()["reasons"]
    disk.set(HEALTHY)
    wait_for(lambda: post(house, message("wamid.during", "1", "hello")).status_code == 200, "the database", 10)
    assert post(house, message("wamid.after", "1", "hello")).status_code == 200
    assert not check.faults_of(
        house.database, {"wamid.before", "wamid.during", "wamid.after"}, check.truth(house.truth)
    )


def test_P26_a_disk_that_fills_up_in_the_middle_of_a_batch_acknowledges_none_of_it(faulty: tuple[House, Disk]) -> None:
    house, disk = faulty
    assert post(house, message("wamid.first", "1", "hello")).status_code == 200
    for writes in range(0, 40, 4):
        disk.set(FULL_AFTER, writes)
        wamids = [f"wamid.{writes}.{n}" for n in range(50)]
        answer = post(house, *(message(wamid, str(1000 + n), "hello") for n, wamid in enumerate(wamids)))
        disk.set(HEALTHY)
        if answer.status_code == 200:
            assert not check.faults_of(house.database, set(wamids), [])
        else:
            assert answer.status_code == 503
        wait_for(lambda: post(house, message("wamid.again", "1", "hello")).status_code == 200, "the database", 10)
        assert not [fault for fault in check.faults_of(house.database, {"wamid.first"}, check.truth(house.truth))]


def test_P2_slow_syncs_are_shared_by_many_messages(faulty: tuple[House, Disk]) -> None:
    """A message is at least two units of work (taken in, sent); with group commit all of it costs less than one
    sync."""
    house, disk = faulty
    disk.set(SLOW_SYNC, 50)
    load, before, synced = Load(house), stored(house), syncs(house)
    asyncio.run(load.run(4, at_once=30))
    disk.set(HEALTHY)
    messages, shared = stored(house) - before, syncs(house) - synced
    print(f"50 ms a sync: {messages} messages with {shared} syncs")
    assert messages > 30 and shared < messages
    assert not check.faults_of(house.database, load.answered(), check.truth(house.truth))


def syncs(house: House) -> int:
    """Syncs of the log so far, as the recorder saw them."""
    return sum(op == "S" and name.endswith("-wal") for _, op, name, *_ in records(house.folder / "disk.log"))


def test_P28_a_locked_database_is_503_in_time_and_nothing_is_half_written(faulty: tuple[House, Disk]) -> None:
    house, _ = faulty
    other = sqlite3.connect(house.database, isolation_level=None, timeout=5)
    other.execute("begin exclusive")
    times = []
    for number in range(2):
        began = time.monotonic()
        assert post(house, message(f"wamid.locked.{number}", "1", "hello")).status_code == 503
        times.append(time.monotonic() - began)
    other.execute("rollback")
    other.close()
    assert statistics.median(times) < 3.5
    wait_for(lambda: post(house, message("wamid.unlocked", "1", "hello")).status_code == 200, "the database", 10)
    assert not check.faults_of(house.database, {"wamid.unlocked"}, check.truth(house.truth))
