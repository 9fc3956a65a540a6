"""Linked devices in the real process, with the real library against the fake server: three kills, order, memory (P8,
P38). Contract §2.3, §5.1."""

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import turned
from tests.fakes.whatsapp.library import FOLDER
from tests.fakes.whatsapp.noise import ROOT
from tests.fakes.whatsapp.threaded import Threaded
from tests.faults.house import PASSWORD, House, wait_for

# Seconds between two messages. Said all at once, the library acknowledges a burst faster than it tells of it, and a
# kill in that moment takes up to the whole burst along (docs/reliability.md).
PACE = 0.02
ACCOUNTS, ACCOUNTS_FULL = 2, 10
SAID = 100  # by one person to every account: a thousand for ten
ALL_MB, ONE_MB = 150, 85
DROPS, DROPS_FULL = 20, 200
GROWTH_MB = 5
FIRST_REPLY = 2.0  # seconds from the scan of the code
BOT = """
bot: Echo
language: en
fallback: {do: [{say: "You said {{ message.text }}"}]}
"""
PATIENCE = 90


class LinkedHouse(House):
    """A data folder whose linked devices reach the fake."""

    def __init__(self, folder: Path, phone: Threaded) -> None:
        super().__init__(folder, python=turned.command(phone.server.port, ROOT.public))
        self.phone = phone

    def environment(self) -> dict[str, str]:
        url = f"ws://127.0.0.1:{self.phone.server.port}/ws/chat"
        return super().environment() | {"PARLEY_WHATSAPP_WEB_URL": url, "SSL_CERT_FILE": str(FOLDER / "ca.pem")}

    @property
    def pid(self) -> int:
        assert self.server
        return self.server.child.pid

    def children(self) -> list[int]:
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(child) for child in path.read_text(encoding="ascii").split()]

    def connected(self) -> int:
        return int(self.query("select count(*) from channel where state = 'connected'")[0][0])

    def link(self, name: str) -> None:
        """Let the phone scan the code of this channel."""
        wait_for(lambda: self.code_of(name), f"a code of {name}", PATIENCE)
        self.phone.do(self.phone.server.scan(self.code_of(name)))

    def code_of(self, name: str) -> str:
        return str(json.loads(self.command("channel", "link", name, "--json"))["qr"])

    def settle(self, *names: str, **values: str) -> None:
        """An owner, and a channel of each name."""
        self.command("setup", "--email", "o@example.com", "--password-stdin", given=PASSWORD)
        more = [f"{name}={value}" for name, value in values.items()]
        for number, name in enumerate(names):
            phone = f"phone=1555000{number:04}"
            self.command("channel", "add", "whatsapp_web", "--name", name, phone, "risk=yes", "rate=0", *more)

    def heard(self, channel: str) -> list[int]:
        """The numbers that Alice said, as they were stored."""
        found = self.query(
            "select m.text from message m join channel c on c.id = m.channel_id"
            " where c.name = ? and m.author = 'contact' order by m.id",
            channel,
        )
        return [int(text) for (text,) in found]


@pytest.fixture
def linked_house(tmp_path: Path) -> Iterator[LinkedHouse]:
    phone = Threaded()
    house = LinkedHouse(tmp_path, phone)
    yield house
    house.close()
    phone.close()


def resident(pid: int) -> float:
    """In MB."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def test_P8_P38_three_kills_lose_nothing_that_was_told(linked_house: LinkedHouse, full: bool) -> None:
    house, phone = linked_house, linked_house.phone
    names = [f"Phone {number}" for number in range(ACCOUNTS_FULL if full else ACCOUNTS)]
    house.settle(*names)
    house.start()
    wait_for(lambda: house.code_of(names[0]), "a code", PATIENCE)
    # While a code is shown a call of the library never returns; nobody waits for it.
    assert house.server and house.server.stop() == 0
    house.start()
    for name in names:
        house.link(name)
    wait_for(lambda: house.connected() == len(names), "the links", PATIENCE)
    together = resident(house.pid)
    assert not house.children()

    said = itertools.count()

    def say(times: int) -> None:
        for _ in range(times):
            phone.say(str(next(said)))
            time.sleep(PACE)

    def all_heard() -> bool:
        return not any(linked.waiting for linked in phone.server.linked.values())

    def caught_up() -> None:
        wait_for(lambda: house.connected() == len(names) and all_heard(), "the connections", PATIENCE)

    # The first kill meets the library in Parley's own process.
    say(SAID // 6)
    house.close()
    say(SAID // 6)
    house.start()
    wait_for(lambda: len(house.children()) == len(names), "a process for each account", PATIENCE)
    caught_up()
    first = next(said)
    apart = [resident(child) for child in house.children()]

    # The second kill leaves the children alone, which write down what they still hear.
    say(SAID // 6)
    orphans = house.children()
    house.close()
    say(SAID // 6)
    wait_for(lambda: not any(Path(f"/proc/{child}/maps").exists() for child in orphans), "the end of the children")
    house.start()
    caught_up()
    second = next(said)

    # The third takes the children too.
    say(SAID // 6)
    for pid in (*house.children(), house.pid):
        os.kill(pid, signal.SIGKILL)
    house.close()
    say(SAID - 5 * (SAID // 6))
    house.start()
    caught_up()
    last = next(said)
    phone.say(str(last))
    wait_for(lambda: all(house.heard(name)[-1:] == [last] for name in names), "the last message", PATIENCE)

    expected = set(range(last + 1)) - {first, second}
    lost: list[int] = []
    for name in names:
        heard = house.heard(name)
        assert heard == sorted(set(heard)), f"{name}: not in order, or twice"
        gone = sorted(expected - set(heard))
        for run in ([n for n in gone if n < first], [n for n in gone if n > second]):
            # Acknowledged one after the other, so what a kill took is one run.
            assert run == list(range(run[0], run[0] + len(run))) if run else True, f"{name}: {run}"
        lost += gone
    assert not [number for number in lost if first < number < second], "lost though only Parley was killed"
    assert house.server and house.server.stop() == 0
    print(
        f"\nlinked devices: {len(names)} accounts, {len(names) * len(expected)} messages, 3 kills, {len(lost)} lost; "
        f"{together:.0f} MB together, {max(apart):.0f} MB at most apart",
    )
    assert len(lost) <= 2 * len(names), lost
    assert together < ALL_MB and max(apart) < ONE_MB


@pytest.mark.parametrize("process", ["shared", "own"])
def test_first_reply_and_a_life_of_lost_connections(linked_house: LinkedHouse, full: bool, process: str) -> None:
    house, phone = linked_house, linked_house.phone
    house.settle("Phone", process=process)
    document = house.folder / "bot.yaml"
    document.write_text(BOT)
    house.command("bot", "import", str(document))
    house.command("bot", "publish", "Echo", "--channel", "Phone")
    house.start()
    wait_for(lambda: house.code_of("Phone"), "a code", PATIENCE)
    code, began = house.code_of("Phone"), time.monotonic()
    phone.do(phone.server.scan(code))
    wait_for(lambda: house.connected() == 1, "the link", PATIENCE)
    phone.say("0")
    phone.do(phone.server.seen("message", text="You said 0", patience=PATIENCE))
    first = time.monotonic() - began

    carrier = house.children()[0] if process == "own" else house.pid
    drops = DROPS_FULL if full else DROPS
    sizes = [resident(carrier)]
    for drop in range(1, drops + drops // 2):
        phone.do(phone.server.end())
        phone.say(str(drop))
        wait_for(lambda last=drop: house.heard("Phone")[-1:] == [last], "what was said meanwhile", PATIENCE)
        sizes.append(resident(carrier))
    settled = sizes[drops // 2]
    print(
        f"\nlinked device, process {process}: first reply {first:.2f} s after the scan; {settled:.0f} MB, "
        f"after {drops} lost connections {sizes[-1] - settled:+.1f} MB"
    )
    assert sizes[-1] - settled < GROWTH_MB
    assert not full or first < FIRST_REPLY
