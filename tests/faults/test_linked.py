"""Linked devices in the real process, with the real library against the fake server: three kills, order, memory (P8,
P38). Contract §2.3, §5.1."""

import itertools
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import turned
from tests.fakes.whatsapp.library import FOLDER
from tests.fakes.whatsapp.noise import ROOT
from tests.fakes.whatsapp.threaded import Threaded
from tests.faults.house import House, wait_for

ACCOUNTS, ACCOUNTS_FULL = 2, 10
SAID = 100  # by one person to every account: a thousand for ten
ALL_MB, ONE_MB = 150, 85
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
        code = ""

        def shown() -> bool:
            nonlocal code
            code = json.loads(self.command("channel", "link", name, "--json"))["qr"]
            return bool(code)

        wait_for(shown, f"a code of {name}", PATIENCE)
        self.phone.do(self.phone.server.scan(code))

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
    house.command("setup", "--email", "o@example.com", "--password-stdin", given="correct horse battery staple")
    for number, name in enumerate(names):
        house.command("channel", "add", "whatsapp_web", "--name", name, f"phone=1555000{number:04}", "risk=yes")
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
        lost += expected - set(heard)
    assert not [number for number in lost if first < number < second], "lost though only Parley was killed"
    assert house.server and house.server.stop() == 0
    print(
        f"\nlinked devices: {len(names)} accounts, {len(names) * len(expected)} messages, 3 kills, {len(lost)} lost; "
        f"{together:.0f} MB together, {max(apart):.0f} MB at most apart",
    )
    assert len(lost) <= 2 * len(names), lost
    assert together < ALL_MB and max(apart) < ONE_MB
