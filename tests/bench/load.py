"""Load generator and network in one process, so that one clock sees a message leave and its reply come back.

`python -m tests.bench.load --port N --kind cloud --path /hooks/… --connections 50 --seconds 5` prints one line of JSON.
Closed loop without `--rate`; with it an open loop whose latencies count from the planned instant. Times in ms.
"""

import argparse
import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Callable

import httptools
import uvloop

from tests.bench import wire

MAKE = {"cloud": wire.cloud_request, "telegram": wire.telegram_request, "floor": wire.cloud_request}
ASKED: dict[str, Callable[[bytes, bytes], wire.Asked]] = {
    "cloud": wire.cloud_asked, "telegram": wire.telegram_asked, "floor": wire.cloud_asked,
}  # fmt: skip
PREPARED = 120_000
QUIET = 4.0  # seconds without a reply after which no more is awaited
TICK = os.sysconf("SC_CLK_TCK")


class Run:
    """One measurement: what is sent when, and what came of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.sent: dict[int, float] = {}
        self.acks: list[float] = []
        self.replies: list[float] = []
        self.refused = self.twice = self.next = 0
        self.last_reply = 0.0
        self.until = 0.0
        self.free: deque[Client] = deque()
        self.due: deque[float] = deque()  # instants that found no free connection
        rate = args.rate or 12_000
        self.ready = [
            MAKE[args.kind](args.path, args.start + i) for i in range(min(PREPARED, int(rate * args.seconds)))
        ]

    def request(self) -> tuple[int, bytes]:
        number = self.next
        self.next += 1
        made = self.ready[number] if number < len(self.ready) else self.make(number)
        return self.args.start + number, made

    def make(self, number: int) -> bytes:
        return MAKE[self.args.kind](self.args.path, self.args.start + number)

    def replied(self, number: int) -> None:
        now = time.perf_counter()
        sent = self.sent.pop(number, None)
        if sent is None:
            self.twice += 1
        else:
            self.replies.append(now - sent)
            self.last_reply = now


class Client(asyncio.Protocol):
    """One connection of the network to the server under test; one request at a time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.parser = httptools.HttpResponseParser(self)
        self.started = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        run, now = self.run, time.perf_counter()
        run.acks.append(now - self.started)
        run.refused += self.parser.get_status_code() != 200
        if run.due:
            self.fire(run.due.popleft())
        elif not run.args.rate and now < run.until:
            self.fire(now)
        else:
            run.free.append(self)

    def fire(self, started: float) -> None:
        number, request = self.run.request()
        self.run.sent[number] = self.started = started
        self.transport.write(request)


class Network(asyncio.Protocol):
    """The network's own HTTP address, where replies arrive."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asked = ASKED[run.args.kind]
        self.parser = httptools.HttpRequestParser(self)
        self.url, self.body = b"", b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        asked = self.asked(self.url, self.body)
        self.url, self.body = b"", b""
        if asked.number is not None:
            self.run.replied(asked.number)
        self.transport.write(asked.answer)


async def closed(run: Run, clients: list[Client]) -> None:
    for client in clients:
        client.fire(time.perf_counter())
    await asyncio.sleep(run.args.seconds)


async def opened(run: Run, clients: list[Client]) -> None:
    """Fires at planned instants; a request that finds no free connection waits, and the wait counts."""
    run.free.extend(clients)
    loop = asyncio.get_running_loop()

    def fire(planned: float) -> None:
        if run.free:
            run.free.popleft().fire(planned)
        else:
            run.due.append(planned)

    def keep_time() -> None:
        """On a thread that sleeps: the loop's own timers are whole milliseconds, and asking it again and again keeps a
        core busy that may be half of the server's."""
        begun = time.perf_counter()
        for number in range(int(run.args.rate * run.args.seconds)):
            planned = begun + number / run.args.rate
            time.sleep(max(0.0, planned - time.perf_counter()))
            loop.call_soon_threadsafe(fire, planned)

    await asyncio.to_thread(keep_time)


async def drain(run: Run) -> None:
    """Wait for the replies that are under way."""
    heard, since = len(run.replies), time.perf_counter()
    while len(run.replies) < run.next and run.args.kind != "floor":
        await asyncio.sleep(0.2)
        now = time.perf_counter()
        if len(run.replies) > heard:
            heard, since = len(run.replies), now
        elif now - since > QUIET:
            return


async def measure(args: argparse.Namespace) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    run = Run(args)
    network = await loop.create_server(lambda: Network(run), "127.0.0.1", args.network, backlog=1024)
    clients = [
        (await loop.create_connection(lambda: Client(run), "127.0.0.1", args.port))[1] for _ in range(args.connections)
    ]
    begun, used, own = time.perf_counter(), cpu_of(args.pid), time.process_time()
    run.until = begun + args.seconds
    await (opened if args.rate else closed)(run, clients)
    ended = time.perf_counter()
    acks = len(run.acks)
    await drain(run)
    used, own = cpu_of(args.pid) - used, time.process_time() - own
    network.close()
    wall = (run.last_reply or ended) - begun
    return {
        "sent": run.next, "refused": run.refused, "acks_per_s": acks / (ended - begun), "replies": len(run.replies),
        "twice": run.twice, "replies_per_s": len(run.replies) / wall, "cpu_us": used / max(1, run.next) * 1e6,
        "ack_p50": share(run.acks, 0.5), "ack_p99": share(run.acks, 0.99), "reply_p50": share(run.replies, 0.5),
        "reply_p99": share(run.replies, 0.99), "own_share": own / wall,
    }  # fmt: skip


def share(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 if ordered else float("nan")


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process; 0 without one."""
    if not pid:
        return 0.0
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--network", type=int, required=True, help="port of the network's side")
    parser.add_argument("--path", default="/")
    parser.add_argument("--kind", choices=MAKE, default="cloud")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rate", type=float, default=0, help="arrivals a second; 0: as fast as answers come")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--start", type=int, default=0, help="number of the first sender")
    parser.add_argument("--pid", type=int, default=0, help="whose processor time is counted")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(measure(arguments()))), flush=True)
