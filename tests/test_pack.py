"""The archive of the binary: the same files give the same bytes, and nothing of the machine that packed them."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

PACK = Path(__file__).parent.parent / "build" / "pack.py"


def pack(folder: Path) -> bytes:
    subprocess.run([sys.executable, PACK, folder], check=True, capture_output=True)
    (archive,) = folder.parent.glob("parley-*.tar.gz")
    return archive.read_bytes()


def test_the_archive_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "parley"
    (folder / "_internal").mkdir(parents=True)
    program, data = folder / "parley", folder / "_internal" / "data.txt"
    program.write_text("program", encoding="utf-8")
    data.write_text("data", encoding="utf-8")
    program.chmod(0o700)
    first = pack(folder)
    os.utime(data, (1, 1))
    assert pack(folder) == first
    with tarfile.open(next(tmp_path.glob("parley-*.tar.gz"))) as archive:
        modes = {entry.name: (entry.mode, entry.uid, entry.uname) for entry in archive}
    assert modes == {
        "parley": (0o755, 0, ""),
        "parley/_internal": (0o755, 0, ""),
        "parley/_internal/data.txt": (0o644, 0, ""),
        "parley/parley": (0o755, 0, ""),
    }
