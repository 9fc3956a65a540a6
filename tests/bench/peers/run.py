"""Starting floors and peers. Peers are other people's programs: they live in `.cache/bench`, fetched when missing."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

from tests.bench import machine

PEERS = machine.CACHE / "peers"
PYTHON = PEERS / "bin" / "python"
HERE = machine.ROOT / "tests" / "bench" / "peers"
PACKAGES = ("pywa>=4.5,<5", "sse-starlette>=3", "starlette", "uvicorn", "uvloop", "httptools", "httpx")
TELEGRAF = "telegraf@4.16"


def fetch() -> None:
    """Into the cache, once. Raises `CalledProcessError` without a network."""
    machine.CACHE.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    if not list(PEERS.glob("lib/*/site-packages/pywa")) or not list(PEERS.glob("lib/*/site-packages/sse_starlette")):
        subprocess.run([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "-q", *PACKAGES], check=True)
    if shutil.which("npm") and not (machine.CACHE / "node_modules" / "telegraf").exists():
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(machine.CACHE), TELEGRAF],
            check=True,
        )


def python(name: str) -> list[str]:
    return [str(PYTHON), str(HERE / f"{name}.py")]


def telegraf() -> list[str]:
    """node looks for packages beside the script."""
    script = machine.CACHE / "telegraf_echo.cjs"
    shutil.copyfile(HERE / "telegraf_echo.cjs", script)
    return ["node", str(script)]


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[tuple[int, int, int]]:
    """Gives its port, the network's port and its pid."""
    port, network = machine.free_port(), machine.free_port()
    with machine.serving([*command, str(port), str(network)], port, path="/nowhere") as pid:
        yield port, network, pid


def loaded(command: list[str], kind: str, **options: object) -> machine.Report:
    with running(command) as (port, network, pid):
        return machine.load(port, network, pid, kind=kind, path="/hook", **options)
