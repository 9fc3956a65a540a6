"""A stop while large documents are being read: nobody waits for all of them (P34)."""

import subprocess
import sys
import time
from pathlib import Path

from tests.faults.house import ROOT, House
from tests.routes.test_large_bot import large


def test_P34_SIGTERM_while_bots_of_9000_rules_are_saved_ends_in_time(house: House, tmp_path: Path) -> None:
    house.furnish()
    house.start_graph()
    house.start()
    asked = []
    for n in range(6):
        file = tmp_path / f"large-{n}.yaml"
        file.write_text(large().replace("bot: Large", f"bot: Large {n}"), encoding="utf-8")
        asked.append(import_bot(house, file))
    time.sleep(2)
    assert house.server
    began = time.monotonic()
    assert house.server.stop(15) == 0
    took = time.monotonic() - began
    print(f"stopped after {took:.1f} s with {len(asked)} documents asked for")
    assert took < 15
    for command in asked:
        command.kill()
        command.communicate(timeout=5)


def import_bot(house: House, file: Path) -> "subprocess.Popen[bytes]":
    """The command, which hands the document to the server that runs."""
    words = [sys.executable, "-m", "app", "bot", "import", str(file)]
    return subprocess.Popen(words, cwd=ROOT, env=house.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
