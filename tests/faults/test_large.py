"""Large documents are being read: a stop does not wait for all of them (P34), and who asked is told when it is gone."""

import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.faults.house import ROOT, House, wait_for
from tests.routes.test_large_bot import large

ASKED = 16  # their reading takes far longer than a stop may
ENOUGH = 10.0  # seconds for a stop and for one reading


def test_P34_SIGTERM_while_bots_of_9000_rules_are_saved_ends_in_time(house: House) -> None:
    house.furnish()
    house.start_graph()
    house.start()
    assert house.server
    with ExitStack() as doors:
        for n in range(ASKED):
            doors.enter_context(import_through_the_door(house, large().replace("bot: Large", f"bot: Large {n}")))
        wait_for(lambda: under_way(house) == ASKED, "the commands")
        began = time.monotonic()
        assert house.server.stop(60) == 0
        took = time.monotonic() - began
    saved = house.query("select count(*) from bot where name like 'Large %'")[0][0]
    print(f"stopped after {took:.1f} s with {ASKED} documents asked for, {saved} of them saved")
    assert took < ENOUGH and saved < ASKED / 2


def test_a_command_whose_server_is_killed_ends_with_a_sentence(house: House, tmp_path: Path) -> None:
    house.furnish()
    house.start_graph()
    house.start()
    file = tmp_path / "large.yaml"
    file.write_text(large(), encoding="utf-8")
    words = [sys.executable, "-m", "app", "bot", "import", str(file)]
    with subprocess.Popen(
        words, cwd=ROOT, env=house.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as command:
        wait_for(lambda: under_way(house) == 1, "the command")
        assert house.server
        house.server.kill()
        _, complaint = command.communicate(timeout=5)
    assert command.returncode == 1 and b"may have been carried out or not" in complaint


def import_through_the_door(house: House, text: str) -> socket.socket:
    """Asks as `parley bot import` does, which reads the document itself before: here all ask at once."""
    door = socket.socket(socket.AF_UNIX)
    door.connect(str(house.data / "control"))
    door.sendall(json.dumps({"command": "bot.import", "values": {"text": text}}).encode() + b"\n")
    return door


def under_way(house: House) -> int:
    """How many imports the server has begun."""
    return (house.folder / "server.log").read_text().count("command bot.import")
