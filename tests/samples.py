"""The sample payloads: real and documented bodies that lie beside the project, not in it."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "samples"
# A plain clone is green, too: the payloads are not ours to pass on, and each test that reads them is in `skips.txt`.
missing = not FOLDER.is_dir()
needs_samples = pytest.mark.skipif(missing, reason="no sample payloads lie beside this checkout")  # not ours to pass on


def bodies(kind: str) -> list[Path]:
    """All files of one kind: `cloud`, `send`, `errors`, `telegram`."""
    return sorted((FOLDER / kind).glob("*.json"))
