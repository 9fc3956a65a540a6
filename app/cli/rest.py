"""An installation that does not run, opened for one command: everything is there, nothing is at work."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial

from app import users
from app.case import Intake
from app.channels import Channels, Live
from app.clock import SystemClock
from app.compiled import Versions
from app.db import open_database
from app.poison import Guard
from app.runtime import Runtime, ensure_install
from app.security.secrets import Keyring
from app.settings import Settings
from app.storage import open_store


class Resting(Channels):
    """Channels whose rows change while nothing connects or is sent."""

    def _begin(self, live: Live) -> None:
        pass


def nothing(lane: str, at: int) -> None:
    """No job runs while the installation is at rest."""


@contextlib.asynccontextmanager
async def at_rest(settings: Settings) -> AsyncIterator[Runtime]:
    """Database, keys, versions and channels. The caller has the folder's lock. Raises `Misconfigured`."""
    rt = Runtime()
    rt.settings, rt.clock = settings, SystemClock()
    rt.started_at = rt.clock.now()
    rt.db = open_database(settings.database_url or settings.data / "parley.db", clock=rt.clock)
    await rt.db.start()
    try:
        rt.keys = await Keyring.load(settings, rt.db)
        rt.install = await rt.db.write(ensure_install)
        await users.load_passes(rt.db)
        rt.versions = Versions(rt.db)
        rt.media = open_store(settings)
        guard = Guard(settings.data / "deciding")
        make = partial(Intake, bots=rt.versions, guard=guard, install=rt.install, answer_age=0, raw_age=0, due=nothing)
        rt.channels = Resting(rt.db, rt.clock, rt.keys, {}, rt.media, make)
        await rt.channels.start()
        yield rt
        await rt.channels.stop()
    finally:
        await rt.db.stop()
