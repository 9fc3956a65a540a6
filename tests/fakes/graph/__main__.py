"""The command line. The first line printed is JSON with the address; it ends on SIGTERM or Ctrl-C."""

import argparse
import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import msgspec

from .config import FAST, Config, Number, Settings, changed
from .play import play
from .server import Graph

NUMBER_FLAGS = {
    "--webhook": "webhook",
    "--app-secret": "app_secret",
    "--verify-token": "verify_token",
    "--token": "token",
    "--phone-number-id": "phone_number_id",
    "--waba": "waba",
    "--display-phone-number": "display_phone_number",
}


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m tests.fakes.graph", description=__doc__)
    found.add_argument("--host", default="127.0.0.1")
    found.add_argument("--port", type=int, default=9200, help="0 = any free one")
    found.add_argument("--config", type=Path, help="JSON file: settings, numbers, templates")
    for flag, member in NUMBER_FLAGS.items():
        found.add_argument(flag, dest=member, help=f"of the first number (default {getattr(Number(), member)!r})")
    found.add_argument("--truth", type=Path, help="append-only file of what really happened")
    found.add_argument("--mode", help="what goes wrong with every send; see faults.py")
    found.add_argument("--fast", action="store_true", help="no limits, no statuses: for benchmarks")
    found.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=", ".join(Settings.__struct_fields__),
    )
    found.add_argument("--play", action="store_true", help="talk to Parley as a customer, in this terminal")
    return found


def configured(given: argparse.Namespace) -> Config:
    """Flags over file over defaults. Raises `ValueError`."""
    config = msgspec.json.decode(given.config.read_bytes(), type=Config) if given.config else Config()
    if not config.numbers:
        raise ValueError("no numbers in the configuration")
    flags = {name: getattr(given, name) for name in NUMBER_FLAGS.values() if getattr(given, name) is not None}
    config.numbers[0] = changed(config.numbers[0], flags)
    settings: dict[str, Any] = dict(FAST) if given.fast else {}
    for pair in given.set:
        name, _, value = pair.partition("=")
        settings[name] = value
    config.settings = changed(config.settings, settings)
    return config


async def run(config: Config, given: argparse.Namespace) -> None:
    graph = Graph(config, given.truth)
    if given.mode:
        graph.world.faults.set(default=given.mode)
    await graph.start(given.host, given.port)
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    try:
        if given.play:
            await play(graph.world, ended)
        else:
            ids = [number.phone_number_id for number in config.numbers]
            print(json.dumps({"url": graph.url, "phone_number_ids": ids}), flush=True)
            await ended.wait()
    finally:
        await graph.close()


def main() -> None:
    flags = parser()
    given = flags.parse_args()
    try:
        config = configured(given)
    except (ValueError, OSError) as error:
        flags.error(str(error))
    try:
        import uvloop

        uvloop.run(run(config, given))
    except ImportError:
        asyncio.run(run(config, given))


if __name__ == "__main__":
    main()
