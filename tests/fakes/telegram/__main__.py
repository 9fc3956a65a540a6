"""The command line. The first line printed is JSON with the address; it ends on SIGTERM or Ctrl-C."""

import argparse
import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from .config import QUICK, Settings, changed
from .play import play
from .server import BotApi


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m tests.fakes.telegram", description=__doc__)
    found.add_argument("--host", default="127.0.0.1")
    found.add_argument("--port", type=int, default=9300, help="0 = any free one")
    found.add_argument("--token", help=f"of the bot (default {Settings().token!r})")
    found.add_argument("--truth", type=Path, help="append-only file of what really happened")
    found.add_argument("--mode", help="what goes wrong with every send; see graph/faults.py")
    found.add_argument("--quick", action="store_true", help="no paces, no waits")
    found.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help=", ".join(Settings.__struct_fields__)
    )
    found.add_argument("--play", action="store_true", help="talk to Parley as a person, in this terminal")
    return found


def configured(given: argparse.Namespace) -> Settings:
    """Flags over defaults. Raises `ValueError`."""
    values: dict[str, Any] = dict(QUICK) if given.quick else {}
    if given.token:
        values["token"] = given.token
    for pair in given.set:
        name, _, value = pair.partition("=")
        values[name] = value
    return changed(Settings(), values)


async def run(settings: Settings, given: argparse.Namespace) -> None:
    api = BotApi(settings, given.truth)
    if given.mode:
        api.world.faults.set(default=given.mode)
    await api.start(given.host, given.port)
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    try:
        if given.play:
            await play(api.world, ended)
        else:
            print(json.dumps({"url": api.url, "token": settings.token}), flush=True)
            await ended.wait()
    finally:
        await api.close()


def main() -> None:
    flags = parser()
    given = flags.parse_args()
    try:
        settings = configured(given)
    except ValueError as error:
        flags.error(str(error))
    asyncio.run(run(settings, given))


if __name__ == "__main__":
    main()
