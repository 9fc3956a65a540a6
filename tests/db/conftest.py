"""The core is tested on a small schema of its own."""

from pathlib import Path

import pytest


@pytest.fixture
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
