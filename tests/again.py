"""Every turn that a test leaves behind is decided again from what is stored, and must come out the same.

The count is shown at the end of the run; a run of the whole suite that found no turns is no proof of anything.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.bot.decide import decide
from app.bot.scene import TurnInput
from app.db import Query
from app.runtime import Runtime
from app.store.turns import CAPABILITIES, GIVEN

MOST = 500  # of one test
TURNS = Query(
    f"""
    select t.id, t.version_id, {GIVEN}, t.output from turn t {CAPABILITIES}
    where t.error = '' and t.at >= :since order by t.id limit :limit
    """,
    lambda *row: row,
)
KEY = "turns-decided-again"


class Again:
    """Counts in every process; under xdist the controller adds up what its workers tell."""

    def __init__(self) -> None:
        self.turns = 0

    async def decide(self, rt: Runtime, since: int = 0) -> None:
        """Raises AssertionError for the turns that come out differently. `since`: ms, of the turns."""
        different = []
        for turn_id, version_id, given, output in await rt.db.reader.all(TURNS, since=since, limit=MOST):
            turn = msgspec.json.decode(given, type=TurnInput)
            decision = decide(await rt.versions.load(version_id), turn.scene, turn.event, turn.now)
            now = msgspec.json.encode(decision).decode()
            if now != output:
                different.append(f"turn {turn_id} of {given}\n  was {output}\n  is  {now}")
            self.turns += 1
        assert not different, "decided differently:\n" + "\n".join(different)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        told: dict[str, Any] = getattr(session.config, "workeroutput", {})
        told[KEY] = self.turns
        yield

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.turns += getattr(node, "workeroutput", {}).get(KEY, 0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.turns:
            terminalreporter.write_line(f"{self.turns} turns decided again from what is stored")


again = Again()
