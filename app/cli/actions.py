"""What each command does: gather its values, have it carried out, show the result. Here the program itself; the rest
is in a file for each kind of thing."""

import asyncio
import gc
import platform
from collections.abc import Callable
from typing import Final

import msgspec

from app.cli import bots, channels, output, people
from app.cli.given import Given, call, settings_of
from app.cli.output import show
from app.errors import Misconfigured
from app.i18n import _, tell
from app.instance import find_running
from app.said import N_, Sentence
from app.version import VERSION


def run(given: Given) -> int:
    """The exit code. Raises `ParleyError`."""
    return ACTIONS[given.action](given)


def serve(given: Given) -> int:
    gc.disable()  # until all is loaded, which stays: looking through it for garbage took a tenth of the start
    from app.serving import serve as run_server

    return run_server(settings_of(given), open_browser=given.open)


def demo(given: Given) -> int:
    if given.remove:
        done = call(given, "demo.remove")
        text = _("The demo is gone: people erased: {people}. Its bot stays.")
    else:
        done = call(given, "demo", starter=given.starter, seed=given.seed, anyway=given.anyway)
        text = _("A month on the channel “{channel}”: {visits} visits of {people} people. The bot “{bot}” answered.")
    return show(given, done, text.format(**done))


def version(given: Given) -> int:
    from app.db import library

    told = {
        "version": VERSION, "python": platform.python_version(), "sqlite": library.VERSION,
        "system": platform.platform(),
    }  # fmt: skip
    return show(given, told, f"parley {VERSION}")


def doctor(given: Given) -> int:
    # From a running Parley its sentences come as JSON.
    found = [
        finding | {key: msgspec.convert(finding[key], Sentence) for key in ("name", "text")}
        for finding in call(given, "doctor")
    ]
    if given.json:
        output.as_json([finding | {"name": str(finding["name"]), "text": str(finding["text"])} for finding in found])
    else:
        for finding in found:
            output.say(f"{output.mark(finding['ok'])} {tell(finding['name'])}: {tell(finding['text'])}")
    return 1 if any(finding["ok"] is False for finding in found) else 0


def mcp(given: Given) -> int:
    from app import assistants

    holder = find_running(settings_of(given).data) if not given.url else None
    if not given.url and (holder is None or not holder.port):
        raise Misconfigured(N_("Parley does not run on this data folder. Start it, or name another with --url."))
    url = given.url or f"http://127.0.0.1:{holder.port if holder else 0}"
    asyncio.run(assistants.over_stdio(url, assistants.key_of_environment()))
    return 0


ACTIONS: Final[dict[str, Callable[[Given], int]]] = {
    "serve": serve,
    "setup": people.set_up,
    "user.add": people.add_user,
    "user.list": people.list_users,
    "user.disable": people.disable_user,
    "user.limit": people.limit_user,
    "user.reset-password": people.reset_password,
    "user.reset-two-step": people.reset_two_step,
    "team.add": people.add_team,
    "team.list": people.list_teams,
    "team.remove": people.remove_team,
    "team.join": people.join_team,
    "team.leave": people.leave_team,
    "team.limit": people.limit_team,
    "channel.kinds": channels.channel_kinds,
    "channel.add": channels.add_channel,
    "channel.list": channels.list_channels,
    "channel.show": channels.show_channel,
    "channel.set": channels.set_channel,
    "channel.remove": channels.remove_channel,
    "channel.link": channels.link_channel,
    "channel.unlink": channels.unlink_channel,
    "secret.set": channels.set_secrets,
    "secret.list": channels.list_secrets,
    "secret.remove": channels.remove_secret,
    "bot.import": bots.import_bot,
    "bot.export": bots.export_bot,
    "bot.lint": bots.lint_bot,
    "bot.test": bots.test_bot,
    "bot.replay": bots.replay_bot,
    "bot.publish": bots.publish_bot,
    "bot.list": bots.list_bots,
    "token.create": people.create_token,
    "audit.verify": people.verify_audit,
    "keys.rotate": people.rotate_keys,
    "simulate": bots.simulate,
    "demo": demo,
    "doctor": doctor,
    "version": version,
    "mcp": mcp,
}
