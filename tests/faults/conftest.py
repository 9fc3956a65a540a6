"""Fault tests run small by default and in full with `--full`; what they print stands in `docs/reliability.md`."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MEMORY
from tests.faults.house import House
from tests.faults.image import Disk

# They take minutes with `--full`. Whoever is given them first is not what all others wait for at the end.
LONG = (
    "test_P1_P3_P11_P18_killed_under_load_nothing_is_lost_or_doubled",
    "test_P15_killed_before_and_while_it_is_due_everything_promised_happens_once",
    "test_P18_killed_at_every_point_of_a_call_it_is_heard_once_and_made_once",
    "test_P3_P7_P18_killed_at_random_every_update_is_there_once_and_answered_once",
    "test_P18_killed_at_random_under_load_every_call_is_heard_once_and_no_order_placed_twice",
    "test_P11_P18_killed_at_every_point_a_message_is_answered_once_or_shown",
    "test_P17_hostile_patterns_and_texts_leave_the_webhook_as_fast",
    "test_P37_S31_kills_in_the_middle_of_rotations_lose_no_secret",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: getattr(item, "originalname", "") not in LONG)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the sizes of the published figures")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Where images of power cuts are made, thousands of them: no real disk has to keep what is only looked at."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else tmp_path) as folder:
        yield Disk(Path(folder))


@pytest.fixture(scope="session")
def disk_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The preloaded library between the server and its disk."""
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    source = Path(__file__).with_name("disk.c")
    subprocess.run(["gcc", "-Wall", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl", "-lpthread"], check=True)
    return library
