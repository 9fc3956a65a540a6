"""Processes of a measurement: the server on core 0, the load on core 1, both ended whatever happens."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "bench"
SERVER, LOAD = "0", "1"
Report = dict[str, float]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pinned(core: str, command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", core, *command]


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, *, path: str = "/", **more: str) -> Iterator[int]:
    """A server on its core, answering. Gives its pid."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "server.log", "ab") as log:
        process = subprocess.Popen(
            pinned(SERVER, command), cwd=ROOT, env=os.environ | more, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(port, path, process)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(port: int, path: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Until any HTTP answer comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the server on port {port} did not start; see {CACHE / 'server.log'}")


def load(port: int, network: int, pid: int, **options: object) -> Report:
    """One run of the load generator on its core."""
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "tests.bench.load", f"--port={port}", f"--network={network}", f"--pid={pid}"]
    ended = subprocess.run(pinned(LOAD, [*command, *words]), cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    report: Report = json.loads(ended.stdout.splitlines()[-1])
    return report


def memory(pid: int) -> float:
    """Resident MB of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
