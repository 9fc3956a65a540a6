"""The whole road of a Telegram bot in processes of their own: by the command line, by polling, through kills (P3, P7,
P9, P18)."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.telegram.truth import Sent, Told, read
from tests.faults.check import RESTLESS
from tests.faults.house import PASSWORD, PLAIN, House, Process, free_port, listens, wait_for

TOKEN = "987654321:AAkillkillkillkillkillkillkillkill-0"
BOT = """
bot: Echo
language: en
rules:
  - name: menu
    when: {says: menu}
    do: [{say: What would you like?, buttons: [Bread, Cake]}]
  - name: cake
    when: {pressed: cake}
    do: [{say: Cake it is.}]
fallback: {do: [{say: "You said {{ message.text }}"}]}
"""
CYCLES, CYCLES_FULL = 6, 100
WAITING = """
select i.text from message i join message o on o.turn_id = i.id join outbox b on b.message_id = o.id
"""


class TelegramHouse(House):
    """A data folder with one Telegram channel, and the fake Bot API beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.telegram_port = free_port()
        self.telegram: Process | None = None
        self.public = ""

    def environment(self) -> dict[str, str]:
        network = f"http://127.0.0.1:{self.telegram_port}"
        return super().environment() | {"PARLEY_TELEGRAM_URL": network, "PARLEY_PUBLIC_URL": self.public}

    def furnish(self, document: str = BOT) -> None:
        self.command("setup", "--email", "owner@example.com", "--password-stdin", given=PASSWORD)
        self.command("channel", "add", "telegram", "--name", "Bot", f"token={TOKEN}", "rate=0")
        path = self.folder / "bot.yaml"
        path.write_text(document)
        self.command("bot", "import", str(path))
        self.command("bot", "publish", "Echo", "--channel", "Bot")

    def start_telegram(self, *words: str) -> None:
        self.telegram = Process(
            [*self.python[:1], "-m", "tests.fakes.telegram", "--port", str(self.telegram_port), "--token", TOKEN,
             "--truth", str(self.truth), "--quick", *words],
            self.environment(), self.folder / "telegram.log",
        )  # fmt: skip
        wait_for(lambda: listens(self.telegram_port), "the fake Bot API")

    def fake(self, method: str, verb: str, **given: Any) -> Any:
        url = f"http://127.0.0.1:{self.telegram_port}/_fake/{verb}"
        if method == "GET":
            answer = httpx.get(url, params=given, timeout=30, verify=PLAIN)
        else:
            answer = httpx.post(url, json=given, timeout=30, verify=PLAIN)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def says(self, text: str, who: int = 7001, **more: Any) -> str:
        told = self.fake("POST", "inbound", **{"from": who, "text": text}, **more)
        return f"{more.get('chat', who)}.{told['message_id']}"

    def sent(self, count: int, timeout: float = 20) -> list[dict[str, Any]]:
        return list(self.fake("GET", "sent", wait=count, timeout=timeout))

    def close(self) -> None:
        super().close()
        if self.telegram:
            self.telegram.kill()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TelegramHouse]:
    made = TelegramHouse(tmp_path)
    yield made
    made.close()


def test_a_bot_added_by_the_command_line_answers_with_buttons_and_keeps_a_file(house: TelegramHouse) -> None:
    house.furnish()
    house.start_telegram()
    house.start()
    house.says("hello", names={"first_name": "Anna", "last_name": "Berg", "username": "annab"})
    house.says("menu")
    asked = house.sent(2)
    assert [line["text"] for line in asked] == ["You said hello", "What would you like?"]
    house.fake("POST", "press", **{"from": 7001, "title": "Cake"})
    assert house.sent(3)[2]["text"] == "Cake it is."
    wait_for(lambda: house.fake("GET", "state")["answered"], "the answer to the press")
    house.fake("POST", "inbound", **{"from": 7001, "photo": {"data": "YSBwaWN0dXJl"}, "caption": "my cake"})
    wait_for(lambda: house.query("select count(*) from media where state = 'stored'") == [(1,)], "the file", 30)
    ((sha256, size),) = house.query("select sha256, size from media")
    assert (house.data / "media" / sha256[:2] / sha256).read_bytes() == b"a picture" and size == 9
    assert house.query("select name, username from contact") == [("Anna Berg", "annab")]
    assert house.query("select kind, value from identity") == [("telegram", "7001")]
    shown = json.loads(house.command("channel", "show", "Bot", "--json"))
    assert shown["state"] == "connected" and shown["account"] == "987654321"
    assert TOKEN not in json.dumps(shown)
    logged = (house.folder / "server.log").read_text()
    assert TOKEN.partition(":")[2] not in logged


def test_P3_P7_P18_killed_at_random_every_update_is_there_once_and_answered_once(
    house: TelegramHouse, full: bool
) -> None:
    dice = random.Random(11)
    house.furnish()
    house.start_telegram()
    told: list[str] = []
    for cycle in range(CYCLES_FULL if full else CYCLES):
        house.start()
        until, number = time.monotonic() + dice.uniform(0.05, 0.8), 0
        while time.monotonic() < until:
            told.append(house.says(f"{cycle} and {number}", who=7000 + 10 * cycle + number % 8))
            number += 1
            time.sleep(0.03)  # after twenty replies in five minutes a chat is a person's
        assert house.server
        house.server.kill()
        told += [house.says(f"{cycle} while away {number}", who=7000 + 10 * cycle + number) for number in range(5)]
    house.start()
    house.fake("GET", "settled", timeout=30)
    wait_for(lambda: house.query(RESTLESS) == [(0,)], "rest", 60)
    stored = Counter(name for (name,) in house.query("select provider_id from message where direction = 'in'"))
    assert sorted(stored.elements()) == sorted(told), "each once"
    lines = read(house.truth)
    assert len([line for line in lines if isinstance(line, Told)]) == len(told)
    answers = Counter(line.text for line in lines if isinstance(line, Sent))
    assert set(answers.values()) == {1}, "nothing was said twice"
    # What a kill left without an outcome is shown, and what stands behind it in its chat waits.
    waiting = {f"You said {text}" for (text,) in house.query(WAITING)}
    print(f"told {len(told)}, answered {len(answers)}, waiting behind an unknown outcome or being one {len(waiting)}")
    asked = {f"You said {text}" for (text,) in house.query("select text from message where direction = 'in'")}
    assert asked <= set(answers) | waiting, "nothing is left without an answer"
    assert_in_order(house, [line for line in lines if isinstance(line, Sent)])


def test_P1_P3_called_at_its_public_address_through_a_kill_every_update_is_there_once(house: TelegramHouse) -> None:
    """Telegram's name service and TLS are the fake's; the address, the secret and the repeats are real."""
    house.furnish()
    house.public = "https://shop.example"
    house.start_telegram()
    house.fake("POST", "settings", hosts={"https://shop.example": house.url})
    house.start()
    told = [house.says(f"before {number}", who=7000 + number) for number in range(5)]
    house.sent(5)
    hook = house.fake("GET", "state")["webhook"]
    assert hook["url"].startswith("https://shop.example/hooks/telegram/")
    # Killed before it is on disk that Telegram took an answer, nothing more would be said in that chat for two minutes.
    wait_for(lambda: house.query(RESTLESS) == [(0,)], "the outcomes")
    assert house.server
    house.server.kill()
    told += [house.says(f"while away {number}", who=7000 + number) for number in range(5)]
    house.start()
    house.fake("GET", "settled", timeout=30)
    house.sent(10)
    stored = house.query("select provider_id from message where direction = 'in'")
    assert sorted(name for (name,) in stored) == sorted(told)
    answers = Counter(line.text for line in read(house.truth) if isinstance(line, Sent))
    assert len(answers) == 10 and set(answers.values()) == {1}


def assert_in_order(house: TelegramHouse, sent: list[Sent]) -> None:
    """In every chat the answers are in the order of what they answer."""
    asked = {f"You said {text}": at for text, at in house.query("select text, id from message where direction = 'in'")}
    for chat in {line.chat_id for line in sent}:
        order = [asked[line.text] for line in sent if line.chat_id == chat]
        assert order == sorted(order)
