"""A thousand open event streams in one process, and how long a burst of rings takes to reach the last of them.

`python -m tests.bench.listeners PORT PID` prints one line of JSON: deliveries a second, KiB of the server for each.
"""

import asyncio
import json
import statistics
import sys
import time

import uvloop

from tests.bench.machine import memory

LISTENERS, EVENTS, ROUNDS = 1000, 20, 5
APART = 0.5  # seconds between bursts: a topic rings once in 300 ms


class Listener(asyncio.Protocol):
    """Counts the events that arrive on one stream."""

    def __init__(self) -> None:
        self.heard = 0
        self.end = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.write(b"GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        data = self.end + data
        self.heard += data.count(b"\ndata: ")
        self.end = data[-6:]


async def ring(port: int, events: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /ring?events={events} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    writer.write(head.encode())
    await reader.read()
    writer.close()


async def until_heard(listeners: list[Listener], count: int) -> None:
    end = time.monotonic() + 60
    while any(listener.heard < count for listener in listeners):
        if time.monotonic() > end:
            raise RuntimeError(f"heard {sum(listener.heard for listener in listeners)} of {count * len(listeners)}")
        await asyncio.sleep(0.001)


async def main(port: int, pid: int) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    before = memory(pid)
    listeners = [(await loop.create_connection(Listener, "127.0.0.1", port))[1] for _ in range(LISTENERS)]
    await asyncio.sleep(1)
    each = (memory(pid) - before) * 1024 / LISTENERS
    rates = []
    for done in range(1, ROUNDS + 1):
        begun = time.perf_counter()
        await ring(port, EVENTS)
        await until_heard(listeners, done * EVENTS)
        rates.append(LISTENERS * EVENTS / (time.perf_counter() - begun))
        await asyncio.sleep(APART)
    return {"deliveries_per_s": statistics.median(rates), "kib_each": each}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))), flush=True)
