"""The table of goals and the page that shows it, `docs/performance.md`, written by the run itself."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.bench import machine

PAGE = machine.ROOT / "docs" / "performance.md"


@dataclass(frozen=True)
class Row:
    """One goal. `measured`, `must` and `goal` as shown; `verdict` is `goal`, `must`, `missed` or `not measured`."""

    number: int
    what: str
    measured: str
    must: str
    goal: str
    verdict: str


def at_least(number: int, what: str, value: float, must: float, goal: float, shown: Callable[[float], str]) -> Row:
    verdict = "goal" if value >= goal else "must" if value >= must else "missed"
    return Row(number, what, shown(value), f"≥ {shown(must)}", f"≥ {shown(goal)}", verdict)


def at_most(number: int, what: str, value: float, must: float, goal: float, shown: Callable[[float], str]) -> Row:
    verdict = "goal" if value <= goal else "must" if value <= must else "missed"
    return Row(number, what, shown(value), f"≤ {shown(must)}", f"≤ {shown(goal)}", verdict)


def times(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "\N{MULTIPLICATION SIGN}"


def percent(value: float) -> str:
    return f"{value * 100:.0f} %"


def ms(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") + " ms" if value < 100 else f"{value:.0f} ms"


def us(value: float) -> str:
    return f"{value:.0f} µs"


def mb(value: float) -> str:
    return f"{value:.0f} MB"


def kib(value: float) -> str:
    return f"{value:.1f} KiB".replace(".0 ", " ")


def table(rows: Iterable[Row]) -> str:
    lines = ["| # | what | measured | must | goal | reached |", "|---|---|---|---|---|---|"]
    lines += [f"| {r.number} | {r.what} | {r.measured} | {r.must} | {r.goal} | {r.verdict} |" for r in rows]
    return "\n".join(lines)


def machine_line() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model}, {os.cpu_count()} cores, {gigabytes:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(asked, cwd=machine.ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return found or "unknown"


def page(rows: list[Row], numbers: str, busy: str, took: float) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return f"""# How fast it is

Written by `make bench`; do not edit. {when} UTC, commit {commit()}, took {took / 60:.0f} minutes.

Machine: {machine_line()}. {busy}

Repeat it with `make bench`. `make bench ARGS="--messages 10000000"` fills the large file as far as the goal names;
`ARGS=--only=throughput` measures one part without writing this page. It needs Linux with two cores, `taskset`, node
and npm.

The server runs on core 0 with all its threads, the load generator and the network it plays on core 1, everything over
plain HTTP on loopback. A message is a signed WhatsApp notification of about 1 KB from a sender who never wrote before;
it meets fifty rules, is stored with its turn, and is answered; SQLite writes with `synchronous=FULL`. Peers and floors
are measured in turns with us, so a ratio says more than a number: pywa and telegraf do the same work and keep nothing.
"must" is the line below which something is wrong, "goal" is where it should be.

{table(rows)}

12 is not a number: `make faults` kills the server under load and counts what was acknowledged and lost.
What holds the rows that are missed: [profile.md](profile.md).

## The numbers behind it

{numbers}
"""


def load_table(name: str, reports: dict[str, machine.Report]) -> str:
    lines = [
        f"| {name} | answered/s | replies/s | CPU µs/message | ack p50 / p99 ms | reply p50 / p99 ms |",
        "|---|---|---|---|---|---|",
    ]
    for label, r in reports.items():
        replies = f"{r['replies_per_s']:.0f}" if r["replies"] else ""
        late = f"{r['reply_p50']:.1f} / {r['reply_p99']:.1f}" if r["replies"] else ""
        lines.append(
            f"| {label} | {r['acks_per_s']:.0f} | {replies} | {r['cpu_us']:.0f}"
            f" | {r['ack_p50']:.2f} / {r['ack_p99']:.2f} | {late} |"
        )
    return "\n".join(lines)
