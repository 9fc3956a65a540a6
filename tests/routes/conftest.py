from pathlib import Path

import pytest

from app.db import Database
from tests.clock import ManualClock
from tests.shell import House, open_house


@pytest.fixture
async def house(database: Database, tmp_path: Path, clock: ManualClock) -> House:
    """The dashboard alone, nobody in it yet."""
    return await open_house(database, tmp_path, clock)
