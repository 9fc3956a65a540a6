"""Power cuts of the real server (P1): images that a cut could have left are opened and compared with what was
answered."""

import asyncio
import random
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.faults import check
from tests.faults.house import ROOT, House
from tests.faults.image import Disk, records
from tests.faults.load import Load

CUTS, CUTS_FULL = 60, 2000


def test_P1_a_power_cut_at_any_instant_loses_nothing_that_was_answered(
    tmp_path: Path, disk_library: Path, full: bool
) -> None:
    cuts = CUTS_FULL if full else CUTS
    lost, damaged, answered = cut_power(tmp_path, disk_library, cuts, "FULL")
    print(f"synchronous=FULL: {cuts} cuts, {answered} answered messages looked for, {lost} lost, {damaged} damaged")
    assert answered > cuts
    assert (lost, damaged) == (0, 0)


def test_P1_the_same_cuts_with_NORMAL_lose_messages_so_the_test_can_fail(
    tmp_path: Path, disk_library: Path, full: bool
) -> None:
    cuts = CUTS_FULL // 10 if full else CUTS
    lost, _, answered = cut_power(tmp_path, disk_library, cuts, "NORMAL")
    print(f"synchronous=NORMAL: {cuts} cuts, {answered} answered messages looked for, {lost} lost")
    assert lost > 0


def cut_power(tmp_path: Path, library: Path, cuts: int, synchronous: str) -> tuple[int, int, int]:
    """Lost messages, damaged images, and how many answered messages were looked for."""
    log = tmp_path / "disk.log"
    house = House(
        tmp_path,
        {"LD_PRELOAD": str(library), "DISK_LOG": str(log)},
        [sys.executable, str(ROOT / "tests" / "faults" / "serve_with.py"), synchronous],
    )
    try:
        house.furnish()
        start = tmp_path / "at-start"
        shutil.copytree(house.data, start)
        house.start_graph("--set", "statuses=0")
        house.start()
        load = Load(house, mark=lambda: log.stat().st_size if log.exists() else 0)
        asyncio.run(load.run(3.0, at_once=4))
    finally:
        house.close()
    return judge(tmp_path, start, log, load, cuts)


def judge(tmp_path: Path, start: Path, log: Path, load: Load, cuts: int) -> tuple[int, int, int]:
    dice = random.Random(11)
    size = log.stat().st_size
    instants = sorted(dice.randrange(size) for _ in range(cuts))
    disk = Disk()
    for file in start.glob("parley.db*"):
        if not file.name.endswith("-shm"):
            disk.durable[file.name] = bytearray(file.read_bytes())
    lost = damaged = looked_for = 0
    position = iter(records(log))
    upcoming = next(position, None)
    for instant in instants:
        while upcoming is not None and upcoming[0] <= instant:
            disk.apply(*upcoming[1:])
            upcoming = next(position, None)
        answered = {e["wamid"] for e in load.log if e["outcome"] == "ok" and e["mark"] <= instant}
        missing, whole = open_image(tmp_path / "image", disk, dice, answered)
        lost += missing
        damaged += not whole
        looked_for += len(answered)
    return lost, damaged, looked_for


def open_image(folder: Path, disk: Disk, dice: random.Random, answered: set[str]) -> tuple[int, bool]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    disk.image(folder, dice)
    try:
        with sqlite3.connect(folder / "parley.db") as db:
            stored = {wamid for (wamid,) in db.execute("select provider_id from message where direction = 'in'")}
        broken = check.faults_of(folder / "parley.db", set(), [])
    except sqlite3.DatabaseError:
        return len(answered), False
    return len(answered - stored), not broken


@pytest.mark.parametrize("instant", range(5))
def test_an_image_is_what_the_recorder_says(tmp_path: Path, disk_library: Path, instant: int) -> None:
    """Without unsynced writes the image is the file itself."""
    disk = Disk()
    disk.apply("W", "parley.db", 0, b"a" * 512 * instant)
    disk.apply("S", "parley.db", 0, b"")
    disk.image(tmp_path, random.Random(instant))
    assert (tmp_path / "parley.db").read_bytes() == b"a" * 512 * instant
