"""One browser for the run, one filled house a module."""

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


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two days of Luna Bakery, up to now."""
    data: Path = tmp_path_factory.mktemp("bakery")
    filled.fill(data, time.time_ns() // 1_000_000)
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
