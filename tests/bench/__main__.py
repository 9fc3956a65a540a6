"""`python -m tests.bench`: measures every goal and writes `docs/performance.md`."""

import argparse
import os
import sys
import time

from tests.bench import measure, report
from tests.bench.machine import Report
from tests.bench.peers import run as peers
from tests.bench.report import Row, at_least, at_most, kib, mb, ms, percent, times, us

# 250 and 120 µs on the machine of the goals, where a request of the floor takes 44.7 µs.
FLOORS_MUST, FLOORS_GOAL = 250 / 44.7, 120 / 44.7
PARTS = ("throughput", "open", "memory", "start", "streams", "large")
NAMES = {
    "parley": "Parley", "normal": "Parley, `synchronous=NORMAL`", "floor": "Starlette floor", "pywa": "pywa",
    "telegraf": "telegraf",
}  # fmt: skip


def main() -> int:
    args = arguments()
    began, busy = time.monotonic(), os.getloadavg()[0]
    peers.fetch()
    rows: list[Row] = []
    numbers: list[str] = []
    for part in (args.only,) if args.only else PARTS:
        print(f"{part}…", flush=True)
        found, detail = globals()[f"do_{part}"](args)
        rows += found
        numbers.append(detail)
        print(report.table(found), flush=True)
    if not args.only:
        rows.append(
            Row(
                12,
                "kill -9 under load: acknowledged and lost; sent twice",
                "see `make faults`",
                "0; held",
                "0; 0",
                "see there",
            )
        )
        busy_line = f"Load average before the run {busy:.1f}: numbers on a busy machine are worse than on a quiet one."
        text = report.page(
            sorted(rows, key=lambda row: row.number), "\n\n".join(numbers), busy_line, time.monotonic() - began
        )
        report.PAGE.write_text(text)
    return int(any(row.verdict == "missed" for row in rows))


def do_throughput(args: argparse.Namespace) -> tuple[list[Row], str]:
    found = measure.throughput(args.rounds, args.seconds)
    we = found["parley"]
    rows = []
    if "pywa" in found:
        ratio = we["replies_per_s"] / found["pywa"]["replies_per_s"]
        rows.append(at_least(1, "messages/s end to end ÷ pywa at its best concurrency", ratio, 8, 15, times))
    if "telegraf" in found:
        ratio = we["replies_per_s"] / found["telegraf"]["replies_per_s"]
        rows.append(at_least(2, "÷ telegraf, 50 connections", ratio, 1.2, 2, times))
    cost = we["cpu_us"] / found["floor"]["cpu_us"]
    spent = f"CPU per message ({us(we['cpu_us'])}) ÷ CPU per request of the floor ({us(found['floor']['cpu_us'])})"
    rows += [
        at_least(
            3, "÷ the Starlette HTTP floor", we["replies_per_s"] / found["floor"]["acks_per_s"], 0.2, 0.4, percent
        ),
        at_most(4, spent, cost, FLOORS_MUST, FLOORS_GOAL, times
