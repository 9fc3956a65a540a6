"""A full database: how fast its pages are read and how fast it still takes messages, against an empty one.

`python -m tests.bench.large MESSAGES` prints one line of JSON. The rows are made by SQL, fifty messages a conversation;
what is measured goes through the product's own functions.
"""

import asyncio
import contextlib
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from app import bots, connecting, inbox
from app.channels import Live
from app.connectors.whatsapp_cloud.notification import parse_notification
from app.db.ids import EPOCH
from app.db.sqlite_file import connect
from app.runtime import Runtime, start, stop
from app.settings import load
from app.store import inbox as inbox_rows
from app.store import threads
from tests.bench import machine, product, wire
from tests.bench.load import share

EACH = 50
CHUNK = 20_000
READS = 300
HOUR = 3_600_000
SPAN = 90 * 24 * HOUR
TAKEN, BATCH = 2_000, 20
SECRET = {"access_token": "E" * 180, "app_secret": wire.SECRET, "verify_token": "bench"}


@contextlib.asynccontextmanager
async def running(place: Path) -> AsyncIterator[Runtime]:
    rt = await start(load({"data": str(place)}, {}, place))
    try:
        yield rt
    finally:
        await stop(rt)


async def furnish(rt: Runtime) -> int:
    """One channel with the bot on it."""
    values = SECRET | {"phone_number_id": wire.NUMBER}
    channel_id = await connecting.add(rt.channels, "whatsapp_cloud", "Bench", values, rate=0)
    await bots.publish(rt, await bots.create(rt, "", product.BOT, None), [channel_id], "", None)
    return channel_id


def fill(path: Path, channel_id: int, count: int) -> None:
    """Contacts, conversations and messages of the last quarter, with scattered provider ids and numbers, as use leaves
    them: every hour of it was counted."""
    file = connect(path, write=True)
    file.execute("pragma synchronous = off")
    file.execute("pragma cache_size = -200000")
    dice, now = random.Random(7), time.time_ns() // 1_000_000
    for first in range(0, count, CHUNK):
        file.execute("begin")
        people = range(first // EACH, min(first + CHUNK, count) // EACH)
        file.executemany(
            "insert into contact (id, name, phone, created_at) values (?, ?, ?, ?)",
            ((1_000_000 + n, f"Customer {n}", str(n), now) for n in people),
        )
        file.executemany(
            "insert or ignore into identity (kind, value, contact_id, created_at) values ('wa_id', ?, ?, ?)",
            ((str(dice.randrange(10**11, 10**12)), 1_000_000 + n, now) for n in people),
        )
        file.executemany(
            "insert into conversation (id, channel_id, contact_id, address, last_at, last_id, snippet, created_at)"
            " values (?, ?, ?, '{}', ?, ?, 'Good morning', ?)",
            (
                (1_000_000 + n, channel_id, 1_000_000 + n, last, id_of(last, n * EACH), now)
                for n in people
                for last in (now - SPAN + (n + 1) * EACH * SPAN // count,)
            ),
        )
        file.executemany(
            "insert into message (id, conversation_id, channel_id, direction, author, kind, text, content, provider_id,"
            " status, at, sent_at) values (?, ?, ?, ?, ?, 'text', ?, ?, ?, ?, ?, ?)",
            (
                _message(channel_id, number, now - SPAN + number * SPAN // count, dice)
                for number in range(first, min(first + CHUNK, count))
            ),
        )
        file.execute("commit")
    hours = range((now - SPAN) // HOUR, now // HOUR)
    file.executemany("insert into statistic_slice values (?, ?)", ((hour, now) for hour in hours))
    file.execute("pragma wal_checkpoint(truncate)")
    file.close()


def id_of(at: int, number: int) -> int:
    """An id that was given at this time."""
    return (at - EPOCH) << 22 | number & 0xFFF


def _message(channel_id: int, number: int, at: int, dice: random.Random) -> tuple[Any, ...]:
    coming = number % 2 == 0
    words = f"Message {number} about the large blue kettle and when it comes."
    return (
        id_of(at, number), 1_000_000 + number // EACH, channel_id, "in" if coming else "out",
        "contact" if coming else "bot", words, f'{{"kind":"text","text":"{words}"}}',
        f"wamid.{dice.getrandbits(96):024x}",
        "received" if coming else "read", at, at,
    )  # fmt: skip


async def reads(rt: Runtime, count: int) -> list[float]:
    """Seconds for the inbox's list from any place, and for the end of any conversation; alternating."""
    dice, took, now = random.Random(3), [], time.time_ns() // 1_000_000
    for turn in range(READS):
        begun = time.perf_counter()
        if turn % 2:
            key = (now - dice.randrange(SPAN), 2**62)
            await rt.db.read(inbox_rows.list_rows, "all", 0, before=key, down_to=threads.LAST, limit=41)
        else:
            await rt.db.read(threads.get_page, 1_000_000 + dice.randrange(max(1, count // EACH)))
        took.append(time.perf_counter() - begun)
    return took


async def taking(rt: Runtime, live: Live) -> float:
    """Messages a second through the whole unit of work, twenty to a commit."""
    parsed = [parse_notification(wire.cloud_body(number))[0] for number in range(TAKEN)]
    arrivals = [arrival for arrival in parsed if isinstance(arrival, inbox.Inbound)]

    def nothing(_: object) -> None:
        """Nobody sends here."""

    intake = msgspec.structs.replace(rt.channels.intake, send=nothing, wake=nothing)

    def batch(tx: Any, first: int) -> None:
        inbox.receive_all(tx, [(intake, live.here, arrival, True) for arrival in arrivals[first : first + BATCH]])

    begun = time.perf_counter()
    for first in range(0, TAKEN, BATCH):
        await rt.db.write(batch, first)
    return TAKEN / (time.perf_counter() - begun)


async def one(count: int) -> dict[str, float]:
    """A new installation with so many messages in it."""
    with tempfile.TemporaryDirectory(prefix="large-", dir=machine.CACHE) as folder:
        place = Path(folder)
        async with running(place) as rt:
            channel_id = await furnish(rt)
        if count:
            fill(place / "parley.db", channel_id, count)
        size = (place / "parley.db").stat().st_size
        async with running(place) as rt:
            page = share(await reads(rt, count), 0.99) if count else 0.0
            return {"page_p99": page, "per_s": await taking(rt, rt.channels.by_id[channel_id]), "mb": size / 2**20}


async def main(count: int) -> dict[str, float]:
    machine.CACHE.mkdir(parents=True, exist_ok=True)
    empty, full = await one(0), await one(count)
    again = await one(0)  # the machine may have been busier in one of them
    before = (empty["per_s"] + again["per_s"]) / 2
    return full | {"empty_per_s": before, "ratio": full["per_s"] / before}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    print(json.dumps(asyncio.run(main(int(sys.argv[1])))), flush=True)
