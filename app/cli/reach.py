"""How a command finds the installation: a running Parley is asked through its door, one at rest is opened here."""

import asyncio
import time
from typing import Any, Final

from app import control
from app.instance import AlreadyRunning, Instance
from app.settings import Settings

PATIENCE: Final = 15.0  # seconds in which a Parley that starts, stops or runs another command is waited for
STEP: Final = 0.05


async def call(settings: Settings, command: str, values: dict[str, Any]) -> Any:
    """The command's result, from wherever the installation is. Raises what the command raises, `AlreadyRunning` if
    another process keeps the folder without answering, or `control.Lost`: a command that was asked for is never carried
    out a second time."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return await control.ask(settings.data, command, values)
        except control.NotListening:
            pass
        try:
            lock = Instance.take(settings.data)
        except AlreadyRunning:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(STEP)
            continue
        try:
            return await run_here(settings, command, values)
        finally:
            lock.release()


async def run_here(settings: Settings, command: str, values: dict[str, Any]) -> Any:
    # Imported only now: asking a running Parley needs none of it.
    from app.cli.rest import at_rest
    from app.commands import COMMANDS

    async with at_rest(settings) as rt:
        return await control.run(rt, COMMANDS, command, values)
