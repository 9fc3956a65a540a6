"""What is measured, one function a subject. Every number of one table comes from one run."""

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import machine, product
from tests.bench.machine import Report
from tests.bench.peers import run as peers

Median = Callable[[str], float]


def median(reports: Sequence[Report]) -> Report:
    return {name: statistics.median(report[name] for report in reports) for name in reports[0]}


def throughput(rounds: int, seconds: float) -> dict[str, Report]:
    """Closed loop, fifty connections: us, us without full durability, the floor and the peers, in turns."""
    found: dict[str, list[Report]] = {}
    fresh = 0
    for _ in range(rounds):
        for name, measure in SUBJECTS.items():
            fresh += 1
            try:
                found.setdefault(name, []).append(measure(seconds, fresh * 1_000_000))
            except (OSError, RuntimeError) as error:
                print(f"  {name}: {error}", flush=True)
    return {name: median(reports) for name, reports in found.items() if reports}


def ours(seconds: float, first: int, module: str = "app") -> Report:
    with product.installed() as at, product.running(at, module=module) as server:
        server.load(seconds=1, start=first)  # warm
        idle = machine.memory(server.pid)
        return server.load(seconds=seconds, start=first + 500_000) | {"warm_mb": idle, "mb": machine.memory(server.pid)}


def normal(seconds: float, first: int) -> Report:
    return ours(seconds, first, "tests.bench.normal")


def floor(seconds: float, first: int) -> Report:
    return peers.loaded([sys.executable, str(peers.HERE / "floor.py")], "floor", seconds=seconds, start=first)


def pywa(seconds: float, first: int) -> Report:
    """At whichever number of connections it does best."""
    runs = [
        peers.loaded(peers.python("pywa_echo"), "cloud", seconds=seconds, start=first, connections=count)
        for count in (4, 8)
    ]
    return max(runs, key=lambda report: report["replies_per_s"])


def telegraf(seconds: float, first: int) -> Report:
    return peers.loaded(peers.telegraf(), "telegram", seconds=seconds, start=first)


SUBJECTS: dict[str, Callable[[float, int], Report]] = {
    "parley": ours, "normal": normal, "floor": floor, "pywa": pywa, "telegraf": telegraf,
}  # fmt: skip


def open_loop(rates: Sequence[int], seconds: float, rounds: int) -> dict[int, Report]:
    """Arrivals at planned instants; latencies count from the plan."""
    found: dict[int, list[Report]] = {rate: [] for rate in rates}
    for turn in range(rounds):
        for rate in rates:
            with product.installed() as at, product.running(at) as server:
                server.load(seconds=1, start=turn)
                found[rate].append(server.load(seconds=seconds, rate=rate, start=1_000_000))
    return {rate: median(reports) for rate, reports in found.items()}


def sync_ms(count: int = 400) -> float:
    """What the disk takes for 4 KiB and fdatasync; the same disk as the database."""
    path = machine.CACHE / "sync.bin"
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    took = []
    try:
        for place in range(count):
            began = time.perf_counter()
            os.pwrite(file, os.urandom(4096), place % 64 * 4096)
            os.fdatasync(file)
            took.append(time.perf_counter() - began)
    finally:
        os.close(file)
        path.unlink()
    return statistics.median(took) * 1000


def idle_memory() -> float:
    with product.installed() as at, product.running(at) as server:
        time.sleep(1)
        return machine.memory(server.pid)


def start_up(command: Sequence[str], rounds: int = 5) -> float:
    """ms from the start of the process to its first 200, on an installation that exists; median."""
    took = []
    with product.installed() as at:
        for _ in range(rounds):
            port = machine.free_port()
            began = time.perf_counter()
            with machine.serving([*command, "serve", "--port", str(port)], port, path="/healthz", **at.environment):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
                took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def binary() -> Path | None:
    found = machine.ROOT / "dist" / "parley" / "parley"
    return found if found.exists() else None


def streams() -> dict[str, Report]:
    """A thousand open event streams, our bell and sse-starlette's."""
    bell = [sys.executable, "-m", "tests.bench.peers.bell"]
    return {"parley": _listened(bell), "sse-starlette": _listened(peers.python("sse_starlette_bell"))}


def _listened(command: list[str]) -> Report:
    with peers.running(command) as (port, _, pid):
        return _json("tests.bench.listeners", str(port), str(pid), core=machine.LOAD)


def large(count: int) -> Report:
    return _json("tests.bench.large", str(count), core=machine.SERVER)


def _json(module: str, *words: str, core: str) -> Report:
    command = machine.pinned(core, [sys.executable, "-m", module, *words])
    ended = subprocess.run(command, cwd=machine.ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    report: Report = json.loads(ended.stdout.splitlines()[-1])
    return report
