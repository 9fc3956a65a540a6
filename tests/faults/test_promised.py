"""What is to happen later happens once, though the server is killed again and again before, while and after (P15)."""

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults import check
from tests.faults.house import House, wait_for
from tests.faults.load import Load, message

CYCLES, CYCLES_FULL = 6, 60
FEW = 150  # messages a cycle at most: what is tested is what comes after them
LATER = """
bot: Faults
language: en
rules:
  - name: remind
    when: {says: remind}
    do: [{schedule: "Reminder: {{ message.text }}", after: 1s}]
  - name: wait
    when: {says: wait}
    do: [{start: waiting}]
  - name: begin
    when: {says: begin}
    do: [{later: begun, after: 2s, with: {what: "{{ message.text }}"}}]
flows:
  begun:
    - say: "Begun: {{ what }}"
  waiting:
    - set: {what: "{{ message.text }}"}
    - wait: 1s
    - say: "Waited: {{ what }}"
"""
TOGETHER = """
bot: Faults
language: en
gather: 1s
fallback: {do: [{say: "Heard: {{ message.text }}"}]}
"""
UNFINISHED = "select count(*) from job where lane = 'turn'"


class Numbered(Load):
    """Every message says something of its own, and every customer says `each` of them."""

    def __init__(self, house: House, words: Sequence[str], each: int) -> None:
        super().__init__(house)
        self.words, self.each, self.left = words, each, FEW

    def message(self) -> dict[str, Any]:
        number = next(self.numbers)
        self.left -= 1
        said = f"{self.words[number % len(self.words)]} {number}"
        return message(f"wamid.load.{number}", str(15550000000 + number // self.each), said)

    async def post(self, client: Any, messages: list[dict[str, Any]]) -> bool:
        if self.left < 0:
            await asyncio.sleep(0.05)
            return False
        return await super().post(client, messages)


def answers(database: Path) -> tuple[set[str], Counter[str]]:
    """What customers said, and how often each of it stands in something that the bot said."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as db:
        said = {text for (text,) in db.execute("select text from message where direction = 'in'")}
        lines = (
            line
            for (text,) in db.execute("select text from message where direction = 'out'")
            for line in text.split("\n")
        )
        return said, Counter(line.partition(": ")[2] or line for line in lines)


def kept_once(house: House) -> list[str]:
    """Every promise that was not kept, or kept twice."""
    said, told = answers(house.database)
    texts = dict(house.query("select cast(id as text), text from message where direction = 'out'"))
    taken = Counter(texts.get(str(record["opaque"]).partition(".")[2]) for record in check.truth(house.truth))
    lost = sorted(said - set(told))
    twice = [words for words, count in told.items() if count > 1]
    sent_twice = [words for words, count in taken.items() if count > 1]
    return [
        *([f"{len(lost)} of {len(said)} were never told, e.g. {lost[:3]}"] if lost else []),
        *([f"{len(twice)} were told twice, e.g. {twice[:3]}"] if twice else []),
        *([f"{len(sent_twice)} were taken twice, e.g. {sent_twice[:3]}"] if sent_twice else []),
    ]


@pytest.mark.parametrize(
    ("document", "words", "each"), [(LATER, ("remind", "wait", "begin"), 1), (TOGETHER, ("please",), 3)],
    ids=["later", "together"],
)  # fmt: skip
def test_P15_killed_before_and_while_it_is_due_everything_promised_happens_once(
    house: House, full: bool, document: str, words: Sequence[str], each: int
) -> None:
    house.furnish(document)
    house.start_graph("--set", "statuses=0")
    dice = random.Random(15)
    load = Numbered(house, words, each)
    for _ in range(CYCLES_FULL if full else CYCLES):
        house.start()
        load.left = FEW
        asyncio.run(_killed(house, load, dice.uniform(0.3, 2.5)))
    house.start()
    load.left = 10**9
    asyncio.run(load.repeat())
    wait_for(lambda: house.query(UNFINISHED) == [(0,)], "an end of what was promised", 60)
    wait_for(lambda: house.query(check.RESTLESS) == [(0,)], "rest", 60)
    broken = check.faults_of(house.database, load.answered(), check.truth(house.truth), settled=True)
    print(f"messages answered 200: {len(load.answered())}, told: {sum(answers(house.database)[1].values())}")
    assert not broken, broken
    assert not kept_once(house), kept_once(house)
    assert len(load.answered()) > 100, "there was hardly any load"


async def _killed(house: House, load: Numbered, after: float) -> None:
    posting = asyncio.create_task(load.run(30))
    await asyncio.sleep(after)
    assert house.server
    await asyncio.to_thread(house.server.kill)
    await posting
