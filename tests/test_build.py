"""What `build/` asks of a machine exists: files, commands, settings and addresses of the systemd unit and the
Dockerfile. systemd's own check runs where systemd is installed; no container is built here."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from app import settings
from app.cli import CONFIGURATION, arguments
from app.routes.table import ROUTES

ROOT = Path(__file__).parent.parent
UNIT = (ROOT / "build" / "parley.service").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "build" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMES = {setting.env for setting in settings.TABLE}
STOP_SECONDS = 15  # P34


def directive(name: str) -> str:
    [found] = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return str(found)


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def test_the_unit_starts_what_the_archive_holds() -> None:
    program, *words = shlex.split(directive("ExecStart"))
    assert (
        program == "/opt/parley/parley" and "tar --directory /opt --extract" in UNIT
    )  # the archive holds parley/parley
    assert arguments.read(words).action == "serve"


def test_the_unit_agrees_with_the_program() -> None:
    name, _, folder = directive("Environment").partition("=")
    assert name in NAMES and folder == f"/var/lib/{directive('StateDirectory')}"
    assert int(directive("RestartPreventExitStatus")) == CONFIGURATION
    assert int(directive("TimeoutStopSec")) > STOP_SECONDS
    assert f"useradd --system --home-dir {folder} {directive('User')}" in UNIT


def test_the_unit_is_sound_to_systemd(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd is not installed")  # no other program can say what it reads in a unit
    program = tmp_path / "parley"
    program.touch(0o755)
    unit = UNIT.replace("/opt/parley/parley", str(program))
    assert complaints(tool, tmp_path, unit) == []
    assert len(complaints(tool, tmp_path, unit.replace("Restart=", "Restrat="))) == 1


def complaints(tool: str, folder: Path, text: str) -> list[str]:
    """What systemd says of this unit, other units of the machine aside."""
    unit = folder / "parley.service"
    unit.write_text(text, encoding="utf-8")
    done = subprocess.run([tool, "verify", unit], capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if "parley.service" in line]


def test_the_dockerfile_copies_what_is_there() -> None:
    sources = [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert {"app", "pyproject.toml", "requirements/run.txt"} <= set(sources)
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert set(sources) >= {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    for lock in re.findall(r"-r (\S+)", DOCKERFILE):
        # Built without isolation, so the builder comes from the lock.
        assert re.search(r"^hatchling==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_builder_is_sent_what_the_dockerfile_copies() -> None:
    lines = (ROOT / "build" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = {word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert {line[1:] for line in lines if line.startswith("!")} == sources


def test_the_dockerfile_agrees_with_the_program() -> None:
    [image] = {line.split()[0] for line in instructions("FROM")}
    assert tuple(map(int, re.findall(r"\d+", image))) >= (3, 11)
    values = dict(word.split("=") for line in instructions("ENV") for word in line.split())
    assert {name for name in values if name.startswith("PARLEY_")} <= NAMES
    assert [values["PARLEY_PORT"]] == instructions("EXPOSE") and [values["PARLEY_DATA"]] == instructions("VOLUME")
    [health] = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", DOCKERFILE)
    assert health[0] == values["PARLEY_PORT"] and health[1] in {entry.path for entry in ROUTES}
    [entry], [words] = instructions("ENTRYPOINT"), instructions("CMD")
    program = Path(*re.findall(r'"(.*?)"', entry))
    assert program.name in PROJECT["project"]["scripts"]
    assert values["PATH"] == f"{program.parent}:$PATH"  # for `docker exec parley parley …`
    assert arguments.read(re.findall(r'"(.*?)"', words)).action == "serve"
