"""An installation with a million messages of ordinary talk, for measuring what is read from it.

Words are as frequent as in real talk (the most frequent one in every third message, most of them rare), people and
conversations as `large` makes them; the index is filled by the product itself.
"""

import random
import time
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from app.db.sqlite_file import connect

EACH = 50  # messages of a conversation
CHUNK = 20_000
VOCABULARY = 30_000
SYLLABLES = (
    "ba be bi bo ca ce co da de di do fa fe fi la le li lo ma me mi mo na ne ni no pa pe po ra re ri ro sa se".split()
)
FIRST = 10**15  # ids rise from here, a thousand apart


def vocabulary() -> list[str]:
    """Made-up words, the most frequent first."""
    dice = random.Random(11)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        found["".join(dice.choice(SYLLABLES) for _ in range(dice.randint(1, 4)))] = None
    return list(found)


def talk(seed: int) -> Iterator[str]:
    """Messages of 3 to 17 words."""
    words, dice = vocabulary(), random.Random(seed)
    limits = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    while True:
        yield " ".join(words[bisect(limits, dice.random() * limits[-1])] for _ in range(dice.randint(3, 17)))


def fill(path: Path, channel_id: int, count: int) -> None:
    file = connect(path, write=True)
    file.execute("pragma synchronous = off")
    file.execute("pragma cache_size = -200000")
    dice, now, said = random.Random(7), time.time_ns() // 1_000_000, talk(5)
    for first in range(0, count, CHUNK):
        file.execute("begin")
        people = range(first // EACH, min(first + CHUNK, count) // EACH)
        file.executemany(
            "insert into contact (id, name, phone, created_at) values (?, ?, ?, ?)",
            ((FIRST + n, f"Customer {n}", str(n), now) for n in people),
        )
        file.executemany(
            "insert into conversation (id, channel_id, contact_id, address, last_at, last_id, snippet, created_at)"
            " values (?, ?, ?, '{}', ?, ?, 'Good morning', ?)",
            (
                (FIRST + n, channel_id, FIRST + n, now - (n * 7919) % 10**9, FIRST + n * EACH * 1000, now)
                for n in people
            ),
        )
        rows = []
        for number in range(first, min(first + CHUNK, count)):
            words, coming, at = next(said), number % 2 == 0, now - (count - number) * 20_000
            rows.append((
                FIRST + number * 1000, FIRST + dice.randrange(count // EACH), channel_id, "in" if coming else "out",
                "contact" if coming else "bot", words, f'{{"kind":"text","text":"{words}"}}',
                f"wamid.{dice.getrandbits(96):024x}", "received" if coming else "read", at, at,
            ))  # fmt: skip
        file.execute("pragma foreign_keys = off")
        file.executemany(
            "insert into message (id, conversation_id, channel_id, direction, author, kind, text, content, provider_id,"
            " status, at, sent_at) values (?, ?, ?, ?, ?, 'text', ?, ?, ?, ?, ?, ?)", rows,
        )  # fmt: skip
        file.execute("commit")
    file.execute("pragma wal_checkpoint(truncate)")
    file.close()
