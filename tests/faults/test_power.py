"""Power cuts (P1, P8): images that a cut could have left of the real server's database, or of a device's journal, are
opened and compared with what was answered, or synced."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.connectors.whatsapp_web.journal import Journal
from tests.faults import check
from tests.faults.house import ROOT, House
from tests.faults.image import Disk
from tests.faults.load import Load

CUTS, CUTS_FULL = 60, 2000
# Writes into the journal named to it, and prints after each sync how many entries were there before it and how long the
# recorder's log is then. Now and then the database has everything, and the file is emptied.
HEARS = """
import os, sys, threading
from pathlib import Path
from app.connectors.whatsapp_web import journal
sync, synced, told, safe = os.fsync, threading.Event(), 0, 0
def noted(file):
    global safe
    before = told
    sync(file)
    print(before, os.path.getsize(os.environ["DISK_LOG"]), flush=True)
    safe = before
    synced.set()
journal.os.fsync, journal.SOON = noted, 0.001
account = journal.Journal(Path(sys.argv[1]))
for part in range(8):
    for _ in range(51):
        account.append(17, b"%d." % told * 60)
        told += 1
    while safe < told:
        synced.wait()
        synced.clear()
    if part % 3 == 2:
        for _ in range(51 * 3):
            account.kept()
"""


def test_P1_a_power_cut_at_any_instant_loses_nothing_that_was_answered(
    tmp_path: Path, disk: Disk, disk_library: Path, full: bool
) -> None:
    cuts = CUTS_FULL if full else CUTS
    lost, damaged, answered = cut_power(tmp_path, disk, disk_library, cuts, "FULL")
    print(f"synchronous=FULL: {cuts} cuts, {answered} answered messages looked for, {lost} lost, {damaged} damaged")
    assert answered > cuts
    assert (lost, damaged) == (0, 0)


def test_P1_the_same_cuts_with_NORMAL_lose_messages_so_the_test_can_fail(
    tmp_path: Path, disk: Disk, disk_library: Path, full: bool
) -> None:
    cuts = CUTS_FULL // 10 if full else CUTS
    lost, _, answered = cut_power(tmp_path, disk, disk_library, cuts, "NORMAL")
    print(f"synchronous=NORMAL: {cuts} cuts, {answered} answered messages looked for, {lost} lost")
    assert lost > 0


def cut_power(tmp_path: Path, disk: Disk, library: Path, cuts: int, synchronous: str) -> tuple[int, int, int]:
    """Lost messages, damaged images, and how many answered messages were looked for."""
    log = tmp_path / "disk.log"
    house = House(
        tmp_path,
        {"LD_PRELOAD": str(library), "DISK_LOG": str(log)},
        [sys.executable, str(ROOT / "tests" / "faults" / "serve_with.py"), synchronous],
    )
    try:
        house.furnish()
        for file in house.data.glob("parley.db*"):
            shutil.copy(file, disk.folder)
        house.start_graph("--set", "statuses=0")
        house.start()
        load = Load(house, mark=lambda: log.stat().st_size if log.exists() else 0)
        asyncio.run(load.run(3.0, at_once=4))
    finally:
        house.close()
    return judge(disk, log, load, cuts)


def judge(disk: Disk, log: Path, load: Load, cuts: int) -> tuple[int, int, int]:
    dice = random.Random(11)
    lost = damaged = looked_for = 0
    for instant in disk.cuts(log, cuts, dice):
        answered = {e["wamid"] for e in load.log if e["outcome"] == "ok" and e["mark"] <= instant}
        missing, whole = open_image(disk.folder, answered)
        lost += missing
        damaged += not whole
        looked_for += len(answered)
    return lost, damaged, looked_for


def open_image(folder: Path, answered: set[str]) -> tuple[int, bool]:
    """Answered messages that are not in it, and whether it is whole. Opened so that its log is read and left alone."""
    (folder / "parley.db-shm").unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(f"file:{folder}/parley.db?mode=ro", uri=True)) as db:
            stored = {wamid for (wamid,) in db.execute("select provider_id from message where direction = 'in'")}
            broken = check.faults_in(db, set(), [])
    except sqlite3.DatabaseError:
        return len(answered), False
    return len(answered - stored), not broken


def test_P8_a_power_cut_at_any_instant_loses_nothing_of_the_journal_that_was_synced(
    tmp_path: Path, disk: Disk, disk_library: Path, full: bool
) -> None:
    log, dice = tmp_path / "disk.log", random.Random(7)
    preload = {"LD_PRELOAD": str(disk_library), "DISK_LOG": str(log), "DISK_MATCH": ".journal", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HEARS, str(tmp_path / "1.journal")]
    said = subprocess.run(command, env=os.environ | preload, capture_output=True, text=True, check=True, timeout=60)
    marks = [(int(length), int(count)) for count, length in map(str.split, said.stdout.splitlines())]
    (disk.folder / "1.journal").touch()
    for instant in disk.cuts(log, CUTS_FULL if full else CUTS, dice):
        # To read it cuts off what is not whole.
        account = Journal(shutil.copy(disk.folder / "1.journal", tmp_path))
        found = [data for _, data in account.left()]
        account.close()
        synced = max((count for length, count in marks if length <= instant), default=0)
        kept = synced // 153 * 153
        assert set(found) >= {b"%d." % number * 60 for number in range(kept, synced)}
        assert set(found) <= {b"%d." % number * 60 for number in range(408)}


@pytest.mark.parametrize("instant", range(5))
def test_an_image_is_what_the_recorder_says(disk: Disk, instant: int) -> None:
    """Without unsynced writes the image is the file itself."""
    disk.apply("W", "parley.db", 0, b"a" * 512 * instant)
    disk.apply("S", "parley.db", 0, b"")
    with disk.image(random.Random(instant)):
        assert (disk.folder / "parley.db").read_bytes() == b"a" * 512 * instant
