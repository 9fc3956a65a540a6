"""One process that serves until it is told to stop: the installation's lock, the runtime, and what listens."""

import asyncio
import gc
import webbrowser
from typing import Any

from app.i18n import _
from app.instance import Instance
from app.runtime import Runtime, start, stop
from app.security.setup import SetupLink
from app.settings import Settings
from app.store import users as user_rows
from app.system import take_longer_turns
from app.version import VERSION


def serve(settings: Settings, *, open_browser: bool = False) -> int:
    """Run until a signal. Raises `Misconfigured` if the folder is in use, the key wrong or the address taken."""
    from app import logs, server

    take_longer_turns()
    logs.set_up(settings.log_level, settings.log_format)
    lock = Instance.take(settings.data)
    try:
        server.run(_serve(settings, lock, open_browser))
    finally:
        lock.release()
    return 0


async def _serve(settings: Settings, lock: Instance, open_browser: bool) -> None:
    from app import control, server
    from app.dashboard import Dashboard
    from app.routes.hooks import Hooks

    listening = server.listen(settings.host, settings.port)
    rt = await start(settings)
    link = SetupLink(rt.clock)
    door = control.Control(rt, commands)
    await door.open()
    lock.listens_on(listening.getsockname()[1])
    await _greet(rt, link, server.address(listening), open_browser)
    # What is loaded stays: looking through all of it for garbage took 40 ms, in which nobody was answered. A batch of
    # messages makes some thousand objects that go with it; looking at them more than once was 2 % of the time.
    gc.freeze()
    gc.set_threshold(2_000, 10, 10)
    gc.enable()  # the command switched it off (`cli.actions.serve`)

    async def close() -> None:
        await door.close()
        await stop(rt)

    await server.serve(Hooks(rt, Dashboard(rt, link)), listening, on_stop=rt.begin_stop, close=close)


def commands() -> dict[str, Any]:
    """What the command line may ask of a running Parley, loaded with the first command."""
    from app.commands import COMMANDS

    return COMMANDS


async def _greet(rt: Runtime, link: SetupLink, address: str, open_browser: bool) -> None:
    """Where to look, and the one-time link while there is no owner (S1)."""
    url = rt.settings.public_url or address
    print(_("Parley {version} listens on {address}").format(version=VERSION, address=address), flush=True)
    if await rt.db.reader.one(user_rows.COUNT_OWNERS) == 0:
        url = f"{url}/setup?token={link.issue()}"
        print(_("Set it up within 30 minutes: {url}").format(url=url), flush=True)
    if open_browser:
        await asyncio.to_thread(webbrowser.open, url)
