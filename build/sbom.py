"""What an installation or the binary is made of, as CycloneDX 1.6 JSON on standard output (`make sbom`).

Read from what decides it: requirements/run.txt (every platform's packages, with the hashes of every file that may be
installed), the table of vendored files, the lock of the editor's bundle, and the Python this runs on. Licences are what
the packages installed here say of themselves; a package that is not installed here, or says nothing, has none.
"""

import json
import platform
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

sys.path.insert(0, str(Path(__file__).parent.parent))
from app.version import VERSION

ROOT = Path(__file__).parent.parent
ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ \\;]+)(.*(?:\n    .*)*)", re.MULTILINE)
VENDORED = re.compile(r"^\| `([^`]+)` \| .* \| ([^|]+) \| ([^|,]+), `[^`]+` \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def component(
    kind: ComponentType, name: str, version: str, licence: str, *hashes: HashType, purl: str = ""
) -> Component:
    found = Component(type=kind, name=name, version=version, hashes=hashes, bom_ref=f"{name}@{version}")
    if licence:
        found.licenses = [LicenseFactory().make_from_string(licence)]
    if purl:
        found.purl = PackageURL(purl, None, name, version)
    return found


def licence_of(name: str) -> str:
    """As the installed package says it; the expression first, then the older ways."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ""
    classified = [
        line.rsplit(" :: ", 1)[-1] for line in said.get_all("Classifier", []) if line.startswith("License ::")
    ]
    short = said.get("License", "").strip()
    return said.get("License-Expression") or (short if "\n" not in short else "") or " AND ".join(classified)


def packages() -> Iterator[Component]:
    """What pip installs."""
    for name, version, rest in ENTRY.findall((ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")):
        hashes = [
            HashType(alg=HashAlgorithm.SHA_256, content=text) for text in re.findall("sha256:([0-9a-f]{64})", rest)
        ]
        yield component(ComponentType.LIBRARY, name, version, licence_of(name), *hashes, purl="pypi")


def vendored() -> Iterator[Component]:
    """The files of others under app/static/vendor, and the packages in the editor's bundle."""
    table = (ROOT / "app" / "static" / "vendor" / "README.md").read_text(encoding="utf-8")
    for file, version, licence, digest in VENDORED.findall(table):
        hashed = HashType(alg=HashAlgorithm.SHA_256, content=digest)
        yield component(ComponentType.FILE, f"app/static/vendor/{file}", version.split()[-1], licence, hashed)
    lock = json.loads((ROOT / "build" / "codemirror" / "package-lock.json").read_text(encoding="utf-8"))
    for path, entry in lock["packages"].items():
        if path and not entry.get("dev") and not entry.get("optional"):
            digest = b64decode(entry["integrity"].removeprefix("sha512-")).hex()
            hashed = HashType(alg=HashAlgorithm.SHA_512, content=digest)
            name = path.removeprefix("node_modules/")
            yield component(ComponentType.LIBRARY, name, entry["version"], entry["license"], hashed, purl="npm")


if __name__ == "__main__":
    parley = component(ComponentType.APPLICATION, "parley", VERSION, "MIT")
    python = component(ComponentType.PLATFORM, "cpython", platform.python_version(), "PSF-2.0")
    bom = Bom(components=[*packages(), *vendored(), python])
    bom.metadata.component = parley
    bom.register_dependency(parley, bom.components)
    print(JsonV1Dot6(bom).output_as_string(indent=2))
