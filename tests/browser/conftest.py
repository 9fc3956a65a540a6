"""One browser and one story for the run, one house a module with a copy of the story."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import filled
from tests.browser.house import House
from tests.browser.visitor import Visitor, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of Luna Bakery, up to the beginning of the run. Nobody serves it; a house takes a copy."""
    data = tmp_path_factory.mktemp("story")
    (data / "ballast").touch()
    filled.fill(data, time.time_ns() // 1_000_000)
    return data


@pytest.fixture(scope="module")
def bakery(story: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("bakery")
    shutil.copytree(story, data, dirs_exist_ok=True)
    with House(data) as house:
        for live in house.rt.channels.by_id.values():
            live.sender.open = False  # there is no network to reach
        yield house


@pytest.fixture
def rosa(browser: Browser, bakery: House) -> Iterator[Visitor]:
    """The owner, logged in. Whatever the browser complained about fails the test."""
    visitor = Visitor(browser, bakery)
    visitor.log_in()
    yield visitor
    complaints = visitor.complaints()
    visitor.close()
    assert not complaints
