"""Patterns and texts written to stall a program, live on a channel under load: the webhook answers as fast as with a
plain bot (P17). The turn is part of what is committed before the answer, so a slow one would show."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import re2

from app.bot.document import DocumentError, compile_version
from tests.faults.house import PLAIN, House
from tests.faults.load import message, notification, signed

CORPORA = Path(__file__).parents[1] / "bot"
SAID = ("a" * 4_000, "ab" * 2_000, "a b " * 1_000, "x1.-" * 1_000, "é" * 4_000, "(" * 4_000, "a" * 3_999 + "!")
ANSWER = "A plain answer, as long as those of the other bot are. " * 4
RATE = 40  # messages a second
SLICE = 20  # messages to one bot before it is the other's turn
SLICES, SLICES_FULL = 12, 60
MOST_TIMES = 3.0  # as slow
NOISE = 0.015  # seconds: what a busy disk does to one in a hundred


def test_P17_hostile_patterns_and_texts_leave_the_webhook_as_fast(tmp_path: Path, full: bool) -> None:
    patterns, texts = hostile()
    assert len(patterns) > 50 and len(texts) > 20
    with (
        live(tmp_path / "plain", document([], [ANSWER])) as plain,
        live(tmp_path / "hostile", document(patterns, texts)) as other,
    ):
        good, bad = asyncio.run(load(plain, other, SLICES_FULL if full else SLICES))
        for house in (plain, other):
            assert house.query("select count(*) from turn") == [(len(good),)]
    shown = [f"{at(took, share):.1f}" for share in (0.5, 0.99) for took in (good, bad)]
    print(
        f"{len(patterns)} patterns, {len(texts)} texts, {len(bad)} messages each; ms to answer the webhook, plain and "
        f"hostile: p50 {shown[0]} {shown[1]}, p99 {shown[2]} {shown[3]}"
    )
    assert at(bad, 0.5) < MOST_TIMES * at(good, 0.5)
    assert at(bad, 0.99) < MOST_TIMES * max(at(good, 0.99), NOISE * 1000)


def at(seconds: list[float], share: float) -> float:
    """This percentile, in ms."""
    return sorted(seconds)[int(len(seconds) * share)] * 1000


def hostile() -> tuple[list[str], list[str]]:
    """All that a document may hold of the two corpora: patterns, those that match least first, so that most are tried
    in every turn; and texts, which are worked out but not shown, so that there is one reply as with the plain bot."""
    patterns: list[str] = []
    for pattern in filter(possible_pattern, corpus("redos.txt")):
        if accepted(document([*patterns, pattern], ["x"])):
            patterns.append(pattern)
    texts = [re.sub(r"^\{\{ (.*) \}\}$", r"{{ (\1) ~ '' == '' }}", text) for text in corpus("ssti.txt")]
    return sorted(patterns, key=matches), [text for text in texts if accepted(document([], [text]))]


def corpus(name: str) -> list[str]:
    lines = (CORPORA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


def possible_pattern(pattern: str) -> bool:
    return accepted(document([pattern], ["x"]))


def matches(pattern: str) -> int:
    return sum(re2.search(pattern, text[:500]) is not None for text in SAID)


def accepted(text: str) -> bool:
    try:
        compile_version(text)
    except DocumentError:
        return False
    return True


def document(patterns: list[str], texts: list[str]) -> str:
    """A rule a pattern; each, and the fallback, answers with all the texts in one message."""
    do = [{"say": "So: " + " ".join(texts)}]
    rules = [{"name": f"r{n}", "when": {"says": {"regex": one}}, "do": do} for n, one in enumerate(patterns)]
    never = {"name": "never", "when": {"says": "nobody says this"}, "do": do}
    return json.dumps({"bot": "Hostile", "language": "en", "rules": [*rules, never], "fallback": {"do": do}})


@contextmanager
def live(folder: Path, text: str) -> Iterator[House]:
    """An installation that answers with this bot."""
    folder.mkdir()
    house = House(folder)
    house.furnish()
    (folder / "bot.json").write_text(text, encoding="utf-8")
    house.command("bot", "import", str(folder / "bot.json"))
    house.command("bot", "publish", "Hostile", "--channel", "Shop")
    try:
        house.start_graph()
        house.start()
        yield house
    finally:
        house.close()


async def load(plain: House, hostile: House, slices: int) -> tuple[list[float], list[float]]:
    """Seconds that each post took. The bots take turns, so that what else the machine does is the same for both."""
    took: dict[House, list[float]] = {plain: [], hostile: []}
    numbers = itertools.count()
    async with httpx.AsyncClient(timeout=30, verify=PLAIN) as client:
        for house in (plain, hostile) * slices:
            for number in itertools.islice(numbers, SLICE):
                began = time.perf_counter()
                body = notification([message(f"wamid.{number}", str(15550000000 + number), SAID[number % len(SAID)])])
                answer = await client.post(house.hook, content=body, headers=signed(body))
                assert answer.status_code == 200
                took[house].append(time.perf_counter() - began)
                await asyncio.sleep(max(0.0, 1 / RATE - took[house][-1]))
    return took[plain], took[hostile]
