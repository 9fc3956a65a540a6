"""Python files that answer for bots: the real child, its files written, changed and broken."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from app import handlers
from app.channels import Live
from app.routes import home
from app.runtime import Runtime
from tests.clock import ManualClock
from tests.shop import open_shop, rows, said, take_in

pytestmark = pytest.mark.anyio
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # files know nothing of databases
BOT = """
bot: Files
rules:
  - name: price
    when: {says: price}
    do:
      - call: {handler: prices, json: {item: "{{ message.text }}"}, map: {p: reply.price}, timeout: 20}
        failed: {404: [{say: No such thing.}, {return: }], else: [{say: "{{ call.status }}"}, {return: }]}
      - say: "It costs {{ p }}."
  - name: slow
    when: {says: slow}
    do:
      - call: {handler: slow, json: {}, timeout: 1}
        failed: [{say: "Slow: {{ call.error }}"}]
"""
FILE = """
import sqlite3
from parley import Refusal, handles
from _shelf import PRICES

@handles("prices")
async def price(question):
    print("asked for", question.data["item"])
    item = question.data["item"].split()[-1]
    if item == "gold":
        raise Refusal(404)
    return {"price": PRICES[item]}
"""
LOOP = """
from parley import handles

@handles("slow")
def slow(question):
    while True:
        pass
"""


def write(rt: Runtime, name: str, text: str) -> Path:
    folder = Path(rt.settings.data) / "handlers"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
async def live(rt: Runtime) -> Live:
    return await open_shop(rt, BOT)


async def hear(rt: Runtime, live: Live, words: str, *answers: str) -> None:
    """A customer writes, and the bot has said just this."""
    await take_in(rt, live, said(rt, words))
    await until(lambda: True)
    async with asyncio.timeout(30):
        while (found := await spoken(rt)) != list(answers):
            assert len(found) <= len(answers), found
            await asyncio.sleep(0.02)


async def spoken(rt: Runtime) -> list[str]:
    return [text for (text,) in await rows(rt, "select text from message where direction = 'out' order by id")]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


@ONLY_SQLITE
async def test_a_file_answers_and_a_changed_one_takes_over(rt: Runtime, live: Live) -> None:
    assert rt.handlers.running is None, "without a folder there is no child"
    write(rt, "_shelf.py", "PRICES = {'bread': 5}")
    path = write(rt, "prices.py", FILE)
    await rt.handlers.look()
    assert rt.handlers.names == ("prices",) and not rt.handlers.troubles
    first = rt.handlers.running
    await hear(rt, live, "price bread", "It costs 5.")
    await hear(rt, live, "price gold", "It costs 5.", "No such thing.")
    path.write_text(FILE.replace("PRICES[item]", "7"))
    await rt.handlers.look()
    assert first is not None and rt.handlers.running is not first
    await hear(rt, live, "price cake", "It costs 5.", "No such thing.", "It costs 7.")
    assert await asyncio.wait_for(first.process.wait(), 30) == 0
    for each in path.parent.glob("*.py"):
        each.unlink()
    await rt.handlers.look()
    assert rt.handlers.running is None


@ONLY_SQLITE
async def test_what_is_wrong_in_a_file_is_told_with_its_line_and_stops_nothing_else(
    rt: Runtime, live: Live, clock: ManualClock
) -> None:
    write(rt, "_shelf.py", "PRICES = {}")
    write(rt, "prices.py", FILE)
    write(rt, "broken.py", "x = 1\ndef (:\n")
    write(rt, "lost.py", "\n\nimport nothing_of_that_name\n")
    await rt.handlers.look()
    found = {(trouble.file, trouble.line): trouble.text for trouble in rt.handlers.troubles}
    assert found.keys() == {("broken.py", 2), ("lost.py", 3)}
    assert "SyntaxError" in found["broken.py", 2] and "nothing_of_that_name" in found["lost.py", 3]
    await hear(rt, live, "price bread", "500")
    trouble = rt.handlers.troubles[0]
    assert (trouble.file, trouble.line, trouble.text) == ("prices.py", 12, "KeyError: 'bread'")
    # Home tells of each file, until it is changed or a day has passed.
    assert [one.file for one in rt.handlers.failing(0)] == ["prices.py", "lost.py", "broken.py"]
    assert len((await home.concerns(rt))["failing"]) == 3 and rt.handlers.failing(trouble.at + 1) == []
    clock.advance(1)
    for name in ("broken.py", "lost.py", "prices.py"):
        write(rt, name, "")
    await rt.handlers.look()
    assert rt.handlers.failing(0) == []


@ONLY_SQLITE
async def test_a_loop_without_end_is_ended_and_the_next_question_is_answered(
    rt: Runtime, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "TO_STOP", 0.0)
    monkeypatch.setattr(handlers, "PAUSES", (0.0,))
    write(rt, "_shelf.py", "PRICES = {'bread': 5}")
    write(rt, "prices.py", FILE)
    write(rt, "loop.py", LOOP)
    await rt.handlers.look()
    first = rt.handlers.running
    assert first is not None
    await hear(rt, live, "slow", "Slow: timeout")
    await until(lambda: first.process.returncode is not None)
    await until(lambda: rt.handlers.running is not first and rt.handlers.names)
    await hear(rt, live, "price bread", "Slow: timeout", "It costs 5.")
    assert "did not end" in rt.handlers.troubles[0].text


@ONLY_SQLITE
async def test_a_stop_ends_the_child(rt: Runtime) -> None:
    write(rt, "loop.py", LOOP)
    await rt.handlers.look()
    running = rt.handlers.running
    assert running is not None
    await rt.handlers.close()
    assert running.process.returncode is not None
