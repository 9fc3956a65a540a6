"""The key changes while the process is killed, again and again: everything opens with the keys at hand (P37, S31)."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from app import rotation, runtime, vault
from app.instance import Instance
from app.security import keyfile
from app.settings import load
from tests.faults.house import ROOT, House

SECRETS = 199
KILLS, KILLS_FULL = 6, 200


async def fill(data: Path) -> None:
    rt = await runtime.start(load({"data": str(data)}, {}, data.parent))
    for number in range(SECRETS):
        await vault.put(rt, f"key_{number}", f"value number {number}")
    await runtime.stop(rt)


async def look(data: Path) -> None:
    """Start as a server does, which finishes what was cut short: every secret is there, under the one key in use."""
    rt = await runtime.start(load({"data": str(data)}, {}, data.parent))
    try:
        for number in range(SECRETS):
            assert await vault.opened(rt.db.reader, rt.keys, f"key_{number}") == f"value number {number}"
        assert await rotation.left_over(rt.db.reader, rt.keys) == 0
        file = keyfile.read_keys(rt.settings)
        assert file and set(file.retired) == file.keys.keys() - {file.current}
    finally:
        await runtime.stop(rt)


def test_P37_S31_kills_in_the_middle_of_rotations_lose_no_secret(house: House, full: bool) -> None:
    house.furnish()
    asyncio.run(fill(house.data))
    dice, killed, longest = random.Random(7), 0, 0.0
    for _ in range(KILLS_FULL if full else KILLS):
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-m", "app", "keys", "rotate"], cwd=ROOT, env=house.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            # Never killed on the first way, so that it is known how long one takes.
            child.wait(timeout=dice.uniform(0.3, 1.0) * longest if longest else None)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        longest = longest or time.monotonic() - began
        killed += child.wait() == -signal.SIGKILL
        lock = Instance.take(house.data)
        try:
            asyncio.run(look(house.data))
        finally:
            lock.release()
    print(f"\nkilled {killed} times during rotations of {SECRETS + 3} secrets, all of them open")
    assert killed >= (KILLS_FULL if full else KILLS) // 3
