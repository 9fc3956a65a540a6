"""The core is tested on a small schema of its own."""

from pathlib import Path

import pytest

from tests.databases import chosen

collect_ignore = [] if "postgres" in chosen() else ["test_postgres.py"]


@pytest.fixture
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
