"""`make sbom` leaves nothing out: every locked package of every platform, every file and package of the pages."""

import json
import re
import subprocess
import sys
from pathlib import Path

from app.version import VERSION
from tests.test_project import LOCK_ENTRY, ROOT, VENDOR


def test_every_locked_package_and_vendored_file_is_in_the_sbom(tmp_path: Path) -> None:
    """From another folder and with warnings as errors: it needs nothing but the project."""
    command = [sys.executable, "-W", "error", ROOT / "build" / "sbom.py"]
    bom = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=tmp_path).stdout)
    parts = {(part["name"], part["version"]): part for part in bom["components"]}

    lock = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", lock.strip())
    for entry in entries:
        name, version = re.findall(LOCK_ENTRY, entry)[0]
        part = parts[name, version]
        assert part["purl"] == f"pkg:pypi/{name}@{version}"
        assert sorted(hash["content"] for hash in part["hashes"]) == sorted(
            set(re.findall("sha256:(.+?)(?: |$)", entry, re.M))
        )

    files = {part["name"]: part for part in bom["components"] if part["type"] == "file"}
    assert set(files) == {path.relative_to(ROOT).as_posix() for path in VENDOR.rglob("*.js")}
    assert files["app/static/vendor/htmx.min.js"]["licenses"] == [{"license": {"id": "0BSD"}}]

    bundled = re.findall(r"^  (\S+) (\d\S+)$", (VENDOR / "LICENSE.codemirror.txt").read_text(encoding="utf-8"), re.M)
    assert len(bundled) > 10 and {(name, version) for name, version in bundled} <= parts.keys()

    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "parley" and bom["metadata"]["component"]["version"] == VERSION
    assert len(bom["components"]) >= len(entries) + len(files) + len(bundled)
