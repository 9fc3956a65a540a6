"""What the machines share: an installation on SQLite for each run, with one event loop, and how much is asked of it.

A machine draws one step after another, does each to the product and to a model of a few dictionaries, and compares.
The suite walks a little, `--hypothesis-profile=hostile` a lot; both walk the same way each time.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from app.channels import Live
from app.runtime import Runtime, start, stop
from app.settings import load
from tests.clock import ManualClock
from tests.databases import Templates
from tests.effort import examples
from tests.shop import open_shop

T = TypeVar("T")


class Machine(RuleBasedStateMachine):
    """`rt` is an installation of this run alone; `made` prepares what a kind of machine needs of it."""

    rt: Runtime
    live: Live

    def __init__(self, templates: Templates) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-machine-"))
        (self.folder / "ballast").touch()
        database = templates.copy(self.folder / "parley.db", self.clock.now())
        where = load({"data": str(self.folder), "database_url": f"sqlite:///{database}"}, {}, self.folder)
        self.runner = asyncio.Runner()
        self.rt = self.do(start(where, self.clock))
        self.do(self.made())

    async def made(self) -> None:
        self.live = await open_shop(self.rt)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.do(stop(self.rt))
        self.runner.close()
        shutil.rmtree(self.folder)


def walk(machine: Callable[[], Machine], runs: int, steps: int = 50) -> None:
    """So many runs with `--hypothesis-profile=hostile`, five short ones otherwise."""
    size = settings(
        max_examples=examples(5, runs), stateful_step_count=examples(15, steps), deadline=None,
        database=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=size)
