"""Pack the built folder: `dist/parley-<version>-<os>-<arch>.tar.gz`, the same bytes for the same files.

Usage: python build/pack.py dist/parley
"""

import gzip
import platform
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from app.version import VERSION

ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
SYSTEMS = {"darwin": "macos"}


def target() -> str:
    """`linux-x86_64`: the machine this interpreter runs on, in the words used for downloads."""
    system, machine = platform.system().lower(), platform.machine().lower()
    return f"{SYSTEMS.get(system, system)}-{ARCHITECTURES.get(machine, machine)}"


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nothing of the machine it was built on: no owner, no time; readable by everyone, writable by the owner."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def pack(folder: Path) -> Path:
    archive = folder.parent / f"parley-{VERSION}-{target()}.tar.gz"
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            tar.add(path, arcname=path.relative_to(folder.parent).as_posix(), recursive=False, filter=plain)
    return archive


if __name__ == "__main__":
    made = pack(Path(sys.argv[1]))
    print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
