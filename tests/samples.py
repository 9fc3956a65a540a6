"""The sample payloads: real and documented bodies that lie beside the project, not in it."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "samples"
needs_samples = pytest.mark.skipif(not FOLDER.is_dir(), reason="the sample payloads do not lie beside this checkout")


def bodies(kind: str) -> list[Path]:
    """All files of one kind: `cloud`, `send`, `errors`, `telegram`."""
    return sorted((FOLDER / kind).glob("*.json"))
