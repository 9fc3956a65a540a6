"""Is there a known hole in any locked package (`make audit`; needs the internet)? By the database at osv.dev.

Python packages of every platform are looked up by pip-audit, those of the editor's bundle and htmx here, because it
knows Python only. Ends with 1 where a hole is known, and where any package could not be looked up.

Usage: python build/audit.py [ADDRESS OF AN OSV SERVICE]
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

ROOT = Path(__file__).parent.parent
OSV = "https://api.osv.dev/v1/query"

Package = tuple[str, str]  # name, version


def locked() -> list[Package]:
    """Whatever any lock installs on any platform."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "requirements").glob("*.txt"))]
    return sorted(set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ \\;]+)", "\n".join(texts), re.MULTILINE)))


def vendored() -> list[Package]:
    lock = json.loads((ROOT / "build" / "codemirror" / "package-lock.json").read_text(encoding="utf-8"))
    bundled = [
        (path.removeprefix("node_modules/"), entry["version"]) for path, entry in lock["packages"].items() if path
    ]
    table = (ROOT / "app" / "static" / "vendor" / "README.md").read_text(encoding="utf-8")
    return sorted({*bundled, *re.findall(r"\| ([\w.]+) \(npm\), [^|]*\| ([\d.]+) \|", table)})


def python_holes(packages: list[Package], service: str) -> list[str]:
    """What pip-audit says. A second version of a package goes into a second run: one list holds a package once."""
    first = dict(reversed(packages))
    again = [package for package in packages if package not in first.items()]
    with TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in first.items()), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", wanted, "--no-deps", "--disable-pip", "--strict"]
        command += ["--vulnerability-service", "osv", "--osv-url", service, "--format", "json", "--cache-dir", folder]
        done = subprocess.run([*command, "--progress-spinner", "off"], capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)["dependencies"]
    except ValueError:
        sys.exit(f"Not audited: {done.stderr.strip()}")
    seen = {(entry["name"], entry["version"]): entry["vulns"] for entry in told if "skip_reason" not in entry}
    if missing := first.items() - seen.keys():
        sys.exit(f"Not audited: {', '.join(f'{name} {version}' for name, version in sorted(missing))}")
    holes = [f"{name} {version}: {hole['id']}" for (name, version), found in seen.items() for hole in found]
    return holes + (python_holes(again, service) if again else [])


def npm_holes(packages: list[Package], service: str) -> list[str]:
    holes = []
    with httpx.Client(timeout=15) as client:
        for name, version in packages:
            asked = {"package": {"name": name, "ecosystem": "npm"}, "version": version}
            try:
                found = client.post(service, json=asked).raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                sys.exit(f"Not audited: {name} {version}: {error}")
            holes += [f"{name} {version}: {hole['id']}" for hole in found.get("vulns", [])]
    return holes


if __name__ == "__main__":
    service = sys.argv[1] if len(sys.argv) > 1 else OSV
    python, npm = locked(), vendored()
    holes = python_holes(python, service) + npm_holes(npm, service)
    print("\n".join(holes) or f"No known hole in {len(python)} Python packages and {len(npm)} of npm.")
    sys.exit(bool(holes))
