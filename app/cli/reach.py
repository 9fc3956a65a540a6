"""How a command finds the installation: a running Parley is asked through its door, one at rest is opened."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

from app import control
from app.bots import Versions
from app.channels import Channels, Live
from app.clock import SystemClock
from app.commands import COMMANDS
from app.db import open_database
from app.inbox import Intake
from app.instance import AlreadyRunning, Instance
from app.poison import Guard
from app.runtime import Runtime, ensure_install
from app.security.secrets import Keyring
from app.settings import Settings

PATIENCE: Final = 15.0  # seconds in which a Parley that starts, stops or runs another command is waited for
STEP: Final = 0.05


class Resting(Channels):
    """The channels of an installation that does not run: rows change, nothing connects or is sent."""

    def _begin(self, live: Live) -> None:
        pass


async def call(settings: Settings, command: str, values: dict[str, Any]) -> Any:
    """The command's result, from wherever the installation is. Raises what the command raises, or `AlreadyRunning` if
    another process keeps the folder without answering."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return await control.ask(settings.data, command, values)
        except control.NotListening:
            try:
                lock = Instance.take(settings.data)
            except AlreadyRunning:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(STEP)
                continue
        try:
            async with at_rest(settings) as rt:
                return await control.run(rt, COMMANDS, command, values)
        finally:
            lock.release()


@contextlib.asynccontextmanager
async def at_rest(settings: Settings) -> AsyncIterator[Runtime]:
    """Database, keys, versions and channels, without anything at work. The caller has the folder's lock."""
    rt = Runtime()
    rt.settings, rt.clock = settings, SystemClock()
    rt.started_at = rt.clock.now()
    rt.db = open_database(settings.database_url or settings.data / "parley.db", clock=rt.clock)
    await rt.db.start()
    try:
        rt.keys = await Keyring.load(settings, rt.db)
        rt.install = await rt.db.write(ensure_install)
        rt.versions = Versions(rt.db)
        make = partial(
            Intake,
            bots=rt.versions,
            guard=Guard(settings.data / "deciding"),
            install=rt.install,
            answer_age=0,
            raw_age=0,
        )
        rt.channels = Resting(rt.db, rt.clock, rt.keys, {}, make)
        await rt.channels.start()
        yield rt
        await rt.channels.stop()
    finally:
        await rt.db.stop()
