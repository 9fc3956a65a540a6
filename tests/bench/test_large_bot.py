"""A bot of 9,000 rules (600 KB) beside the price of reading its YAML: `pytest tests/bench/test_large_bot.py`."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from app import documents
from tests.routes.test_large_bot import large
from tests.routes.visiting import visiting

pytestmark = pytest.mark.anyio


def took(work: Callable[[], object]) -> float:
    """Seconds of processor time, the least of three."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def floor() -> float:
    text = large()
    return took(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))


async def test_saving_and_showing(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        bot = await visit.one("select min(id) from bot")
        saving, showing = [], []
        for n in range(3):
            revision = await visit.one("select draft_revision from bot where id = :id", id=bot)
            given = {"text": large(answer=f"Answer {n}"), "revision": str(revision)}
            begun = time.process_time()
            assert (await visit.post(f"/bots/{bot}", given)).status_code == 303
            saving.append(time.process_time() - begun)
            begun = time.process_time()
            assert (await visit.get(f"/bots/{bot}")).status_code == 200
            showing.append(time.process_time() - begun)
    least = floor()
    print(f"saved in {min(saving) / least:.1f}, shown in {min(showing) / least:.1f} floors")
    assert min(saving) < 6 * least and min(showing) < 2 * least


def test_comparing() -> None:
    old, new = large(), large(answer="Reply")
    least = floor()
    assert took(lambda: documents.diff(old, new)) < 3 * least
    assert took(lambda: documents.diff("same\nold\n" * 9_000, "new\nsame\n" * 9_000)) < 3 * least
