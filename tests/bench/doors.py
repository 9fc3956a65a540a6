"""`python -m tests.bench.doors [--only PART] [--messages N]`: how fast the API is, written to
docs/api-performance.md.

reads, search: on a database with a million messages, made once and kept in `.cache/bench`; send, streams, flood,
import: on a new one. The server runs on core 0, this program on core 1, over plain HTTP on loopback.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import large, machine, product, report, stocked, wire
from tests.bench.load import cpu_of, share
from tests.bench.product import Product, parley
from tests.bench.report import Row, at_least, at_most, ms
from tests.bench.wired import Wired

PAGE = machine.ROOT / "docs" / "api-performance.md"
ASKED = 300
SECONDS = 10.0
LISTENERS, EACH = 1000, 6
FLOOD = 20_000
PEOPLE = 1_000_000
Found = tuple[list[Row], str]


class Hooked(NamedTuple):
    """Seconds of each notification, without a flood and with it."""

    idle: list[float]
    flooded: list[float]


def key_for(at: dict[str, str], rate: float = 0) -> str:
    return parley(
        at, "token", "create", "--name", "bench", "--scopes", "read,send,manage,admin", "--rate", str(rate)
    ).strip()


@contextmanager
def fresh() -> Iterator[tuple[Product, str]]:
    """A new installation whose channel is paced so slowly that nothing goes out while something is measured."""
    with product.installed() as at:
        parley(at.environment, "channel", "set", "Bench", "rate=0.01")
        key = key_for(at.environment)
        with product.running(at) as running:
            yield running, key


@contextmanager
def full(place: Path, count: int) -> Iterator[tuple[Product, str]]:
    """The installation with so many messages, filled and indexed the first time."""
    if not (place / "parley.db").exists():
        asyncio.run(fill(place, count))
    at = {"PARLEY_DATA": str(place), "PARLEY_LOG_LEVEL": "warning"}
    key = key_for(at)
    with product.running(product.Installation(place, "", 0, at)) as running:
        yield running, key


async def fill(place: Path, count: int) -> None:
    from app import search

    place.mkdir(parents=True, exist_ok=True)
    async with large.running(place) as rt:
        channel_id = await large.furnish(rt)
    stocked.fill(place / "parley.db", channel_id, count)
    async with large.running(place) as rt:
        await search.keep(rt.db)


class Timed(NamedTuple):
    """Seconds of each answer, and of the server's processor for one, which means something on a busy machine, too."""

    took: list[float]
    cpu: float


async def timed(running: Product, key: str, make: Callable[[], str], count: int = ASKED) -> Timed:
    """So many GETs, one after the other, after a few that are not counted."""
    took, before = [], 0.0
    async with Wired(running.port, key) as wired:
        for number in range(count + 20):
            if number == 20:
                before = cpu_of(running.pid)
            path = make()
            status, answer, seconds = await wired.ask("GET", f"/api/v1{path}")
            if status != 200:
                raise RuntimeError(f"GET {path}: {status} {answer}")
            if number >= 20:
                took.append(seconds)
    return Timed(took, (cpu_of(running.pid) - before) / count)


def told(name: str, found: Timed) -> str:
    took = found.took
    numbers = (share(took, 0.5), share(took, 0.95), max(took) * 1000, found.cpu * 1000)
    return f"| {name} | {' | '.join(map(ms, numbers))} |"


HEAD = "| asked | p50 | p95 | slowest | processor time each |\n|---|---|---|---|---|\n"


async def reads(running: Product, key: str, count: int) -> Found:
    dice, people = random.Random(2), count // stocked.EACH
    pages: list[str] = []
    async with Wired(running.port, key) as wired:
        path = "/conversations?limit=50"
        for _ in range(40):
            pages.append(path)
            _status, answer, _took = await wired.ask("GET", f"/api/v1{path}")
            path = f"/conversations?limit=50&cursor={answer['next_cursor']}"

    def person() -> int:
        return stocked.FIRST + dice.randrange(people)

    singles = {
        "one message": lambda: f"/messages/{stocked.FIRST + dice.randrange(count) * 1000}",
        "one conversation": lambda: f"/conversations/{person()}",
        "one contact": lambda: f"/contacts/{person()}",
    }
    lists = {
        "50 conversations": lambda: dice.choice(pages),
        "50 messages of a conversation": lambda: f"/conversations/{person()}/messages",
        "50 contacts": lambda: f"/contacts?cursor={person()}",
        "contacts by name": lambda: f"/contacts?q=Customer%20{dice.randrange(people)}",
    }
    found = {name: await timed(running, key, make) for name, make in (singles | lists).items()}
    one = max(share(found[name].took, 0.95) for name in singles)
    many = max(share(found[name].took, 0.95) for name in lists)
    rows = [
        at_most(1, f"one thing of {count:,} messages, p95 of the slowest kind", one, 15, 15, ms),
        at_most(2, "a list of fifty, p95 of the slowest kind", many, 30, 30, ms),
    ]
    return rows, HEAD + "\n".join(told(name, each) for name, each in found.items())


def asking(make: Callable[[], str]) -> Callable[[], str]:
    return lambda: f"/messages?q={make()}"


async def search(running: Product, key: str, count: int) -> Found:
    words, dice = stocked.vocabulary(), random.Random(4)

    def word(first: int, last: int) -> str:
        return words[dice.randrange(first, last)]

    kinds: dict[str, Callable[[], str]] = {
        "a frequent word": lambda: f"{word(0, 20)}%20",
        "a rare word": lambda: f"{word(2000, 20_000)}%20",
        "two letters": lambda: word(0, 2000)[:2],
        "five letters": lambda: (word(0, 20_000) + "sasa")[:5],
        "a frequent and a rarer word": lambda: f"{word(0, 50)}%20{word(100, 3000)}",
        "three words": lambda: f"{word(0, 50)}%20{word(0, 500)}%20{word(0, 500)}",
        "two words in quotes": lambda: f"%22{word(0, 20)}%20{word(0, 50)}%22",
        "a frequent word of the bot": lambda: f"{word(0, 20)}&author=bot",
        "a frequent word in one conversation": lambda: (
            f"{word(0, 20)}&conversation={stocked.FIRST + dice.randrange(1000)}"
        ),
    }
    found = {name: await timed(running, key, asking(make), 100) for name, make in kinds.items()}
    every = [seconds for each in found.values() for seconds in each.took]
    row = at_most(6, f"search in {count:,} messages, p95 of all kinds together", share(every, 0.95), 100, 100, ms)
    return [row], HEAD + "\n".join(told(name, each) for name, each in found.items())


async def many(port: int, key: str, ask: Callable[[Wired, int], Awaitable[int]], connections: int) -> float:
    """How many a second are accepted, by so many programs at once."""
    done, end = 0, time.perf_counter() + SECONDS

    async def program(number: int) -> None:
        nonlocal done
        async with Wired(port, key) as wired:
            while time.perf_counter() < end:
                count = await ask(wired, number)
                done += count

    begun = time.perf_counter()
    await asyncio.gather(*(program(number) for number in range(connections)))
    return done / (time.perf_counter() - begun)


def message(number: int, text: str = "Your order is ready") -> dict[str, Any]:
    return {"channel": "Bench", "to": f"+{5511900000000 + number}", "text": text}


async def one(wired: Wired, number: int) -> int:
    status, answer, _took = await wired.ask("POST", "/api/v1/messages", message(number))
    if status != 202:
        raise RuntimeError(f"{status} {answer}")
    return 1


async def hundred(wired: Wired, number: int) -> int:
    body = {"messages": [message(number * 100 + each) for each in range(100)]}
    status, answer, _took = await wired.ask("POST", "/api/v1/messages/bulk", body)
    if status != 202:
        raise RuntimeError(f"{status} {answer}")
    return len(answer["items"])


def per_second(value: float) -> str:
    return f"{value:,.0f}/s"


async def send(running: Product, key: str, _count: int) -> Found:
    alone = await many(running.port, key, one, 50)
    together = await many(running.port, key, hundred, 4)
    row = at_least(
        3, "messages accepted and on disk, by `POST /messages` from 50 connections", alone, 1500, 1500, per_second
    )
    return [row], f"By `POST /messages/bulk`, a hundred at a time from four connections: {per_second(together)}."


def same(ear: "Listener") -> "Listener":
    return ear


class Listener(asyncio.Protocol):
    """One open stream of events: when each marked text arrived."""

    def __init__(self, key: str, arrived: dict[bytes, list[float]]) -> None:
        self.key, self.arrived, self.rest, self.open = key, arrived, b"", False

    def connection_made(self, transport: asyncio.Transport) -> None:
        head = (
            f"GET /api/v1/events?types=message.created HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self.key}"
        )
        transport.write(f"{head}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\n\n")
        self.open = self.open or any(b"retry:" in event for event in whole)
        for event in whole:
            if (at := event.find(b'"mark ')) >= 0:
                self.arrived.setdefault(event[at + 1 : at + 11], []).append(time.perf_counter())


async def streams(running: Product, key: str, _count: int) -> Found:
    arrived: dict[bytes, list[float]] = {}
    loop = asyncio.get_running_loop()
    async with Wired(running.port, key) as wired:
        keys = []
        for _ in range(LISTENERS // EACH + 1):
            _status, made, _took = await wired.ask(
                "POST", "/api/v1/tokens", {"name": "ear", "scopes": ["read"], "rate": 0}
            )
            keys.append(made["secret"])
        await wired.ask("POST", "/api/v1/messages", message(1))
        await asyncio.sleep(1)
        before = machine.memory(running.pid)
        ears = [Listener(keys[number // EACH], arrived) for number in range(LISTENERS)]
        for ear in ears:
            await loop.create_connection(partial(same, ear), "127.0.0.1", running.port)
        until = time.perf_counter() + 30
        while not all(ear.open for ear in ears) and time.perf_counter() < until:
            await asyncio.sleep(0.05)
        each = (machine.memory(running.pid) - before) * 1024 / LISTENERS
        took: list[float] = []
        for number in range(30):
            begun = time.perf_counter()
            await wired.ask("POST", "/api/v1/messages", message(2, f"mark {number:05}"))
            mark = f"mark {number:05}".encode()
            while len(arrived.get(mark, ())) < LISTENERS and time.perf_counter() - begun < 10:
                await asyncio.sleep(0.005)
            took += [at - begun for at in arrived.get(mark, ())]
    heard = len(took) / 30 / LISTENERS
    rows = [
        at_most(
            4,
            "1,000 listeners to the stream: from the message to each of them, p95",
            share(took, 0.95),
            250,
            250,
            ms,
        ),
        at_most(5, "memory of the server for each of them", each, 25, 25, report.kib),
    ]
    return (
        rows,
        f"{heard:.1%} of what 30 messages had to tell arrived; p50 {ms(share(took, 0.5))}, slowest"
        f" {ms(max(took) * 1000)}.",
    )


async def hooks(running: Product, first: int, until: Callable[[], bool], flooded: Callable[[], bool]) -> Hooked:
    """Fifty signed notifications a second from the network, each timed from when it was due."""
    took = Hooked([], [])
    async with Wired(running.port, "") as wired:
        begun, number = time.perf_counter(), 0
        while not until():
            due = begun + number / 50
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            mine = took.flooded if flooded() else took.idle
            status, _answer, _took = await wired.send(wire.cloud_request(running.at.hook, first + number))
            if status != 200:
                raise RuntimeError(f"the hook answered {status}")
            mine.append(time.perf_counter() - due)
            number += 1
    return took


async def flood(running: Product, key: str, _count: int) -> Found:
    """A flood between two times without, which count together: what else the machine does meets both."""
    limited = key_for(running.at.environment, 50)
    end = time.perf_counter() + SECONDS / 2
    await hooks(running, 0, lambda: time.perf_counter() > end, bool)  # warm
    left, counts, on = FLOOD, dict[int, int](), asyncio.Event()

    async def program() -> None:
        nonlocal left
        async with Wired(running.port, limited) as wired:
            while left > 0:
                left -= 1
                status, _answer, _took = await wired.ask("GET", "/api/v1/contacts")
                counts[status] = counts.get(status, 0) + 1

    async def turns() -> float:
        """Seconds of flood."""
        await asyncio.sleep(2 * SECONDS)
        on.set()
        begun = time.perf_counter()
        await asyncio.gather(*(program() for _ in range(50)))
        seconds = time.perf_counter() - begun
        on.clear()
        await asyncio.sleep(2 * SECONDS)
        return seconds

    task = asyncio.create_task(turns())
    took = await hooks(running, 10_000, task.done, on.is_set)
    ratio = share(took.flooded, 0.99) / share(took.idle, 0.99)
    row = at_most(
        7, "p99 of the webhook while a key with a limit sends 20,000 requests ÷ idle", ratio, 2, 2, report.times
    )
    answered = ", ".join(f"{count:,} answered {status}" for status, count in sorted(counts.items()))
    return [row], (
        f"Idle p99 {ms(share(took.idle, 0.99))}, flooded p99 {ms(share(took.flooded, 0.99))}; p50"
        f" {ms(share(took.idle, 0.5))} and {ms(share(took.flooded, 0.5))}. Twenty seconds without a flood, then"
        f" {task.result():.0f} s of it, then twenty without; from 50 connections: {answered}."
    )


async def bring_in(running: Product, key: str, people: int) -> Found:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=machine.CACHE) as file:
        file.write("phone,name,language,tags,city\n")
        file.writelines(f"+{5511000000000 + n},Customer {n},pt-BR,tag{n % 50},City {n % 900}\n" for n in range(people))
        file.flush()
        size = os.path.getsize(file.name)
        before, most = machine.memory(running.pid), 0.0
        async with Wired(running.port, key) as wired:
            begun = time.perf_counter()
            head = f"POST /api/v1/contacts/imports HTTP/1.1\r\n{wired.head}content-type: text/csv\r\n"
            wired.writer.write(f"{head}content-length: {size}\r\n\r\n".encode())
            with open(file.name, "rb") as data:
                while piece := data.read(2**18):
                    wired.writer.write(piece)
                    await wired.writer.drain()
            status, made, _took = await wired.send(b"")
            taken = time.perf_counter() - begun
            if status != 201:
                raise RuntimeError(f"{status} {made}")
            place, worked = f"/api/v1/contacts/imports/{made['id']}", cpu_of(running.pid)
            await wired.ask("POST", f"{place}/start", {})
            while True:
                await asyncio.sleep(0.5)
                most = max(most, machine.memory(running.pid))
                _status, now, _took = await wired.ask("GET", place)
                if now["state"] != "running":
                    break
            seconds, worked = time.perf_counter() - begun, cpu_of(running.pid) - worked
    if now["state"] != "done" or now["made"] != people:
        raise RuntimeError(str(now))
    rows = [
        at_most(
            8,
            f"a file of {people:,} contacts, from the first byte to the last row",
            seconds,
            90 * people / 1e6,
            90 * people / 1e6,
            lambda s: f"{s:.0f} s",
        ),
        at_most(9, "memory of the server on top of what it had", most - before, 100, 60, report.mb),
    ]
    return (
        rows,
        f"{size / 1e6:.0f} MB, taken in after {taken:.1f} s; {worked / people * 1e6:.0f} µs of the processor for a row;"
        f" the server had {before:.0f} MB and {most:.0f} MB at most.",
    )


PARTS: dict[str, Any] = {
    "reads": reads,
    "search": search,
    "send": send,
    "streams": streams,
    "flood": flood,
    "import": bring_in,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=1_000_000, help="contacts in the file")
    parser.add_argument("--place", type=Path, default=None, help="a folder that was filled before")
    args = parser.parse_args()
    os.sched_setaffinity(0, {int(machine.LOAD)})
    place, missed = args.place or machine.CACHE / f"stocked-{args.messages}", False
    for name in (args.only,) if args.only else PARTS:
        print(f"{name}…", flush=True)
        busy, when = os.getloadavg()[0], time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        with full(place, args.messages) if name in ("reads", "search") else fresh() as (running, key):
            count = args.people if name == "import" else args.messages
            rows, detail = asyncio.run(PARTS[name](running, key, count))
        print(report.table(rows), detail, sep="\n\n", flush=True)
        detail = f"### {name}\n\n{when} UTC, commit {report.commit()}, load average {busy:.1f} before it.\n\n{detail}"
        kept = {"rows": [asdict(row) for row in rows], "detail": detail}
        (machine.CACHE / f"doors-{name}.json").write_text(json.dumps(kept))
        missed = missed or any(row.verdict == "missed" for row in rows)
    PAGE.write_text(page())
    return int(missed)


def page() -> str:
    """Of each part what was measured last."""
    paths = (machine.CACHE / f"doors-{name}.json" for name in PARTS)
    parts = [json.loads(path.read_text()) for path in paths if path.exists()]
    rows = sorted((Row(**row) for part in parts for row in part["rows"]), key=lambda row: row.number)
    details = "\n\n".join(part["detail"] for part in parts)
    return f"""# How fast the API is

Written by `python -m tests.bench.doors`; do not edit. Each part can be measured alone: `--only PART`.

Machine: {report.machine_line()}. With a load average above 1 before a part the cores were shared with other work; then
only its ratios and processor times mean something.

The server runs on core 0 with all its threads, the asking program on core 1, plain HTTP on loopback, SQLite with
`synchronous=FULL`.

{report.table(rows)}

{details}
"""


if __name__ == "__main__":
    sys.exit(main())
