"""Killed while a program has a bot's question: it is answered by whoever has begun it, asked again of whoever wants
that, or told as unknown; never begun by two."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.faults.house import House, wait_for
from tests.faults.test_calls import at_rest, heard, said, say

BOT = """
bot: Asks
rules:
  - name: order
    when: {says: order}
    do:
      - call: {handler: orders, json: {who: "{{ contact.phone }}"}, save: reply, timeout: 6}
        failed: {unknown: [{say: Nobody knows.}, {return: }], else: [{say: "{{ call.error }}"}, {return: }]}
      - say: "Number {{ reply.number }}."
fallback: {do: [{say: "Sorry?"}]}
"""


@pytest.fixture
def asking(house: House) -> House:
    house.furnish()
    document = house.folder / "asks.yaml"
    document.write_text(BOT)
    house.command("bot", "import", str(document))
    house.command("bot", "publish", "Asks", "--channel", "Shop")
    house.start_graph("--set", "statuses=0")
    house.start()
    return house


@pytest.fixture
def key(asking: House) -> str:
    made = asking.command("token", "create", "--name", "orders", "--scopes", "read,send")
    return next(line for line in made.splitlines() if line.startswith("pk_"))


class Worker:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.socket.recv(10))
        return found

    def say(self, **words: Any) -> dict[str, Any]:
        self.socket.send(json.dumps(words))
        return self.hear()

    def take(self) -> dict[str, Any]:
        question: dict[str, Any] = self.hear()["question"]
        assert self.say(do="taken", question=question["id"])["ok"]
        return question


@contextmanager
def working(house: House, key: str, *, again: bool = False) -> Iterator[Worker]:
    address = f"ws://127.0.0.1:{house.port}/api/v1/socket"
    with connect(address, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
        worker = Worker(socket)
        assert worker.say(do="handle", handlers=["orders"], again=again)["ok"]
        yield worker


def begun_and_killed(house: House, key: str, *, again: bool = False) -> dict[str, Any]:
    """A program has begun when the server dies, and both are back."""
    with working(house, key, again=again) as worker:
        assert say(house, "wamid.ask.1", "15551110001", "order") == 200
        question = worker.take()
        assert house.server
        house.server.kill()
    house.start()
    return question


def test_P18_killed_after_it_was_begun_its_answer_is_still_heard_once(asking: House, key: str) -> None:
    question = begun_and_killed(asking, key)
    with working(asking, key) as worker:
        answer = {"do": "answer", "question": question["id"], "body": {"number": 7}}
        wait_for(lambda: worker.say(**answer)["ok"], "the answer to be taken")
        assert worker.say(**answer)["ok"] is False
    wait_for(lambda: at_rest(asking), "rest")
    assert said(asking) == ["Number 7."] and len(heard(asking)) == 1


def test_P18_killed_after_it_was_begun_nobody_else_begins_and_the_bot_hears_unknown(asking: House, key: str) -> None:
    begun_and_killed(asking, key)
    with working(asking, key) as worker:
        offered: list[Any] = []
        listener = threading.Thread(target=lambda: offered.extend(worker.socket), daemon=True)
        listener.start()
        wait_for(lambda: said(asking), "what the bot says to it")
    listener.join(5)
    assert said(asking) == ["Nobody knows."] and offered == []


def test_P18_killed_a_program_that_wants_it_is_asked_again_with_the_same_id(asking: House, key: str) -> None:
    question = begun_and_killed(asking, key, again=True)
    with working(asking, key, again=True) as worker:
        again = worker.take()
        assert (again["id"], again["again"]) == (question["id"], True)
        assert worker.say(do="answer", question=again["id"], body={"number": 7})["ok"]
    assert said(asking) == ["Number 7."]


def test_P18_killed_before_it_was_begun_it_is_asked_anew(asking: House, key: str) -> None:
    with working(asking, key) as worker:
        assert say(asking, "wamid.ask.1", "15551110001", "order") == 200
        question = worker.hear()["question"]
        assert asking.server
        asking.server.kill()
    asking.start()
    with working(asking, key) as worker:
        offered = worker.take()
        assert (offered["id"], offered["again"]) == (question["id"], False)
        assert worker.say(do="answer", question=offered["id"], body={"number": 7})["ok"]
    assert said(asking) == ["Number 7."]
