"""What each command does: gather its values, have it carried out, show the result."""

import argparse
import asyncio
import getpass
import platform
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from app import settings as boot
from app.cli import output
from app.errors import Invalid, NotFound
from app.i18n import _, fmt, ngettext, tell
from app.said import N_, Sentence
from app.settings import Settings
from app.version import VERSION

Given = argparse.Namespace
Row = dict[str, Any]


def run(given: Given) -> int:
    """The exit code. Raises `ParleyError`."""
    return ACTIONS[given.action](given)


def settings_of(given: Given) -> Settings:
    flags = {setting.name: getattr(given, setting.name, None) for setting in boot.TABLE}
    return boot.load({name: value for name, value in flags.items() if value is not None})


def call(given: Given, command: str, **values: Any) -> Any:
    """Carry a command out on the installation, running or not."""
    from app.cli.reach import call as reach

    return asyncio.run(reach(settings_of(given), command, values))


def show(given: Given, result: Any, text: str) -> int:
    """A sentence, or the whole result as JSON."""
    if given.json:
        output.as_json(result)
    else:
        output.say(text)
    return 0


def rows(given: Given, found: list[Row], heads: dict[str, str], nothing: str) -> int:
    """A table of the keys in `heads`, or JSON."""
    if given.json:
        output.as_json(found)
    elif found:
        output.table(list(heads.values()), [[cell(row[key]) for key in heads] for row in found])
    else:
        output.say(nothing)
    return 0


def cell(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return fmt.number(value)
    if isinstance(value, dict):
        return ", ".join(_("{name} (version {n})").format(name=name, n=number) for name, number in value.items()) or "-"
    return "-" if value is None else str(value)


# ---- serve and the program itself -----------------------------------------------------------------------------------


def serve(given: Given) -> int:
    from app.runtime import serve as run_server

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
    import sqlite3

    sqlite = getattr(sys.modules.get("sqlite3", sqlite3), "sqlite_version", sqlite3.sqlite_version)
    told = {"version": VERSION, "python": platform.python_version(), "sqlite": sqlite, "system": platform.platform()}
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


# ---- people ---------------------------------------------------------------------------------------------------------


def set_up(given: Given) -> int:
    made = call(given, "setup", email=given.email, name=given.name, password=read_password())
    return show(given, made, _("{email} owns this installation.").format(**made))


def add_user(given: Given) -> int:
    password = read_password() if given.password_stdin else None
    made = call(given, "user.add", email=given.email, name=given.name, role=given.role, password=password)
    return show(given, made, told_once(_("{email} was added as {role}.").format(**made), made))


def list_users(given: Given) -> int:
    heads = {"email": _("E-mail"), "name": _("Name"), "role": _("Role"), "disabled": _("Disabled")}
    return rows(given, call(given, "user.list"), heads, _("Nobody yet. Create the owner with: parley setup"))


def disable_user(given: Given) -> int:
    done = call(given, "user.disable", email=given.email)
    return show(given, done, _("{email} cannot log in any more.").format(**done))


def reset_password(given: Given) -> int:
    password = read_password() if given.password_stdin else None
    done = call(given, "user.reset-password", email=given.email, password=password)
    return show(given, done, told_once(_("{email} has a new password; every session is over.").format(**done), done))


def reset_two_step(given: Given) -> int:
    done = call(given, "user.reset-two-step", email=given.email)
    return show(given, done, _("{email} logs in with the password alone; every session is over.").format(**done))


def add_team(given: Given) -> int:
    return show(given, made := call(given, "team.add", name=given.team), _("The team {name} was added.").format(**made))


def list_teams(given: Given) -> int:
    heads = {"name": _("Name"), "members": _("Members")}
    return rows(given, call(given, "team.list"), heads, _("No teams yet. Add one with: parley team add NAME"))


def remove_team(given: Given) -> int:
    done = call(given, "team.remove", name=given.team)
    return show(given, done, _("The team {name} was removed.").format(**done))


def join_team(given: Given) -> int:
    done = call(given, "team.join", name=given.team, email=given.email)
    return show(given, done, _("{email} is in the team {name}.").format(**done))


def leave_team(given: Given) -> int:
    done = call(given, "team.leave", name=given.team, email=given.email)
    return show(given, done, _("{email} is not in the team {name} any more.").format(**done))


def told_once(sentence: str, made: Row) -> str:
    shown = _("Password, shown this once: {password}")
    return f"{sentence}\n{shown.format(**made)}" if "password" in made else sentence


def read_password() -> str:
    """One line of stdin; typed unseen on a terminal."""
    text = getpass.getpass(_("Password: ")) if sys.stdin.isatty() else sys.stdin.readline()
    return text.rstrip("\r\n")


# ---- channels -------------------------------------------------------------------------------------------------------


def channel_kinds(given: Given) -> int:
    from app.connectors import CONNECTORS

    kinds = [connector for connector in CONNECTORS.values() if connector.settings]
    if given.json:
        output.as_json(
            [{"kind": c.kind, "label": c.label, "rate": c.default_rate, "settings": fields(c)} for c in kinds]
        )
        return 0
    for connector in kinds:
        output.say(f"{output.paint(connector.kind, 'bold')}: {connector.label}, rate={cell(connector.default_rate)}")
        for setting in connector.settings:
            notes = [
                word for word, holds in ((_("secret"), setting.secret), (_("optional"), not setting.required)) if holds
            ]
            output.say(f"  {setting.name}  {_(setting.help)}" + (f" ({', '.join(notes)})" if notes else ""))
    return 0


def fields(connector: Any) -> list[Row]:
    return [
        {"name": s.name, "label": s.label, "help": s.help, "secret": s.secret, "required": s.required}
        for s in connector.settings
    ]


def add_channel(given: Given) -> int:
    values, rate = read_paced(given.values)
    made = call(given, "channel.add", kind=given.kind, name=given.name, values=values, rate=rate)
    webhook = " " + _("Webhook: {address}").format(address=made["webhook"]) if made["webhook"] else ""
    links = " " + _("Link the phone: parley channel link “{name}”").format(name=made["name"]) if made["links"] else ""
    return show(given, made, _("“{name}” was added.").format(name=made["name"]) + webhook + links)


def link_channel(given: Given) -> int:
    if given.json:
        return show(given, call(given, "channel.link", name=given.channel, code=given.code, again=True), "")

    def ask(**values: Any) -> Row:
        told: Row = call(given, "channel.link", **values)
        return told

    from app.cli.linking import follow

    return follow(ask, given.channel, code=given.code)


def unlink_channel(given: Given) -> int:
    done = call(given, "channel.unlink", name=given.channel)
    return show(given, done, _("“{name}” is not linked any more.").format(**done))


def list_channels(given: Given) -> int:
    heads = {
        "name": _("Name"),
        "kind": _("Kind"),
        "account": _("Account"),
        "rate": _("Rate"),
        "state_text": _("State"),
    }
    return rows(given, [told(row) for row in call(given, "channel.list")], heads, _("No channels yet."))


def told(row: Row) -> Row:
    """A channel with its state in the language of the terminal."""
    return row | {"state_text": _(row["state_text"])}


def show_channel(given: Given) -> int:
    found = call(given, "channel.show", name=given.channel)
    lines = [f"{key}: {plain(value)}" for key, value in told(found).items() if key != "state"]
    return show(given, found, "\n".join(lines))


def plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in value.items()) or "-"
    return (", ".join(map(str, value)) or "-") if isinstance(value, list) else cell(value)


def set_channel(given: Given) -> int:
    values, rate = read_paced(given.values)
    if not values and rate is None and given.new_name is None:
        raise Invalid(N_("Say what to change: NAME=VALUE or --name."))
    done = call(given, "channel.set", name=given.channel, values=values, rate=rate, new_name=given.new_name)
    return show(given, done, _("“{name}” was changed.").format(**done))


def remove_channel(given: Given) -> int:
    done = call(given, "channel.remove", name=given.channel)
    return show(given, done, _("“{name}” was removed. Its conversations stay readable.").format(**done))


def read_paced(words: list[str]) -> tuple[dict[str, str], float | None]:
    """What `read_values` reads, and the rate among it."""
    values = read_values(words)
    rate = values.pop("rate", None)
    try:
        return values, None if rate is None else float(rate)
    except ValueError:
        raise Invalid(N_("rate is a number of messages per second, 0 for not paced.")) from None


def read_values(words: list[str]) -> dict[str, str]:
    """`name=value` pairs; `@file` and `-` are read, without the line break at their end."""
    values: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise Invalid(N_("“{name}” has no value; write it as {value}=value.", name=name, value=name or "name"))
        if name in values:
            raise Invalid(N_("“{name}” is given twice.", name=name))
        values[name] = read_value(name, text)
    return values


def read_value(name: str, text: str) -> str:
    if text == "-":
        return sys.stdin.read().rstrip("\r\n")
    if not text.startswith("@"):
        return text
    return read_file(Path(text[1:]), N_("the value of {name}", name=name)).rstrip("\r\n")


def read_file(path: Path, what: Sentence) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Invalid(
            N_("{path}, {what}, cannot be read: {strerror}.", path=path, what=what, strerror=error.strerror)
        ) from None
    except UnicodeDecodeError:
        raise Invalid(N_("{path}, {what}, is not UTF-8 text.", path=path, what=what)) from None


# ---- secrets --------------------------------------------------------------------------------------------------------


def set_secrets(given: Given) -> int:
    done = call(given, "secret.set", values=read_values(given.values))
    text = [(_("“{name}” was added.") if row["new"] else _("“{name}” has a new value.")).format(**row) for row in done]
    return show(given, done, "\n".join(text))


def list_secrets(given: Given) -> int:
    found = call(given, "secret.list")
    if not given.json:
        found = [row | {"changed_at": fmt.datetime(row["changed_at"])} for row in found]
    heads = {"name": _("Name"), "changed_at": _("Set"), "changed_by": _("By")}
    return rows(given, found, heads, _("No secrets yet. Add one with: parley secret set NAME=@file"))


def remove_secret(given: Given) -> int:
    done = call(given, "secret.remove", name=given.secret)
    return show(given, done, _("“{name}” was deleted.").format(**done))


# ---- bots -----------------------------------------------------------------------------------------------------------


def import_bot(given: Given) -> int:
    text = read_file(given.file, N_("the bot"))
    if problems_shown(given.file, text, errors_only=True):
        raise Invalid(N_("{file} has errors, so it was not imported.", file=given.file), code="document")
    done = call(given, "bot.import", text=text)
    text = _("New bot “{name}”.") if done["new"] else _("New draft of “{name}”.")
    return show(given, done, text.format(name=done["name"]) + " " + _("Put it live: bot publish"))


def export_bot(given: Given) -> int:
    found = call(given, "bot.export", name=given.bot, number=given.version)
    if given.json:
        output.as_json(found)
    else:
        sys.stdout.write(found["document"])
    return 0


def lint_bot(given: Given) -> int:
    from app.documents import problems_of

    text = read_file(given.file, N_("the bot"))
    there = around(given)
    if given.json:
        found = problems_of(text, there, time.time_ns() // 1_000_000)
        output.as_json(
            [{"line": p.line, "column": p.column, "severity": p.severity, "message": str(p.message)} for p in found]
        )
        return int(any(p.severity == "error" for p in found))
    failed = problems_shown(given.file, text, there)
    if not failed:
        output.say(output.paint(_("No errors."), "good"))
    return int(failed)


def around(given: Given) -> Any:
    """What this installation has for a document, if channels of it are named. Raises `NotFound`."""
    from app.bot.named import Known
    from app.documents import NOWHERE, Around

    if not given.channel:
        return NOWHERE
    channels = {row["name"].casefold(): (row["name"], row["kind"]) for row in call(given, "channel.list")}
    for name in given.channel:
        if name.casefold() not in channels:
            raise NotFound(N_("There is no channel “{name}”.", name=name))
    secrets, teams, users = (call(given, f"{what}.list") for what in ("secret", "team", "user"))
    known = Known(
        frozenset(row["name"] for row in secrets),
        frozenset(row["name"] for row in teams),
        frozenset(row["email"] for row in users if not row["disabled"]),
    )
    return Around(tuple(channels[name.casefold()] for name in given.channel), known)


def problems_shown(path: Path, text: str, there: Any = None, *, errors_only: bool = False) -> bool:
    """Print them, to stderr when they stand in the way of something else. Tells whether there is an error."""
    from app.documents import NOWHERE, problems_of

    stream = sys.stderr if errors_only else sys.stdout
    failed = False
    for problem in problems_of(text, there or NOWHERE, time.time_ns() // 1_000_000):
        wrong = problem.severity == "error"
        failed = failed or wrong
        if wrong or not errors_only:
            name = {"error": _("error"), "test": _("test")}.get(problem.severity, _("warning"))
            kind = output.paint(name, "bad" if wrong else "doubtful", stream)
            print(f"{path}:{problem.line}:{problem.column}: {kind}: {tell(problem.message)}", file=stream)
    return failed


def missed(given: Given, line: int, message: Any) -> Row:
    """Where a secret is named that is not there, printed for a person."""
    sentence = msgspec.convert(message, Sentence)  # from a running Parley it comes as JSON
    if not given.json:
        print(_("line {n}: {sentence}").format(n=line, sentence=tell(sentence)), file=sys.stderr)
    return {"line": line, "message": str(sentence)}


def publish_bot(given: Given) -> int:
    done = call(
        given, "bot.publish", name=given.bot, channels=given.channel, note=given.note, anyway=given.anyway, at=given.at
    )
    done["missing_secrets"] = [missed(given, **found) for found in done["missing_secrets"]]
    if "at" in done:
        when = datetime.fromtimestamp(done["at"] / 1000).astimezone().isoformat(" ", "minutes")
        text = _("“{name}” version {version} goes live at {when}.")
        return show(given, done, text.format(name=done["name"], version=done["version"], when=when))
    if live := done["live"]:
        text = _("“{name}” version {version} is live on {channels}.")
    elif done["older"]:
        text = _("“{name}” version {version} is ready, but on {older} an earlier one answers: name it with --channel.")
    else:
        text = _("“{name}” version {version} is live nowhere: name a channel with --channel.")
    told = {"channels": ", ".join(live), "older": ", ".join(done["older"])}
    return show(given, done, text.format(name=done["name"], version=done["version"], **told))


def list_bots(given: Given) -> int:
    heads = {"name": _("Bot"), "version": _("Newest version"), "live": _("Live on")}
    return rows(given, call(given, "bot.list"), heads, _("No bots yet. Import one with: parley bot import FILE"))


def simulate(given: Given) -> int:
    from app.cli.chat import chat

    return chat(document_of(given), given.bot, as_json=given.json)


def test_bot(given: Given) -> int:
    from app.cli.trials import run as run_tests

    return run_tests(document_of(given), given.bot, as_json=given.json, junit=given.junit)


def replay_bot(given: Given) -> int:
    from app.cli.replay import tell as tell_replay

    text = None if given.draft is None else read_file(given.draft, N_("the bot"))
    found = call(given, "bot.replay", name=given.bot, text=text, last=given.last, tag=given.tag)
    if given.json:
        output.as_json(found)
    else:
        tell_replay(found)
    return 0


def create_token(given: Given) -> int:
    scopes = [scope for scope in given.scopes.split(",") if scope]
    made = call(given, "token.create", name=given.name, scopes=scopes, days=given.expires, rate=given.rate)
    return show(given, made, made["key"])


def verify_audit(given: Given) -> int:
    found = call(given, "audit.verify")
    if found["wrong"] is None:
        text = ngettext("{n} line, all in order.", "{n} lines, all in order.", found["lines"]).format(n=found["lines"])
    else:
        text = _("Line {n} does not fit: the log was changed after it was written.").format(n=found["wrong"])
    show(given, found, text)
    return 0 if found["wrong"] is None else 1


def document_of(given: Given) -> str:
    """The text of a file, or the draft of the bot with that name."""
    path = Path(given.bot)
    if path.is_file():
        return read_file(path, N_("the bot"))
    text: str = call(given, "bot.export", name=given.bot, number=0)["document"]
    return text


ACTIONS: Final[dict[str, Callable[[Given], int]]] = {
    "serve": serve,
    "setup": set_up,
    "user.add": add_user,
    "user.list": list_users,
    "user.disable": disable_user,
    "user.reset-password": reset_password,
    "user.reset-two-step": reset_two_step,
    "team.add": add_team,
    "team.list": list_teams,
    "team.remove": remove_team,
    "team.join": join_team,
    "team.leave": leave_team,
    "channel.kinds": channel_kinds,
    "channel.add": add_channel,
    "channel.list": list_channels,
    "channel.show": show_channel,
    "channel.set": set_channel,
    "channel.remove": remove_channel,
    "channel.link": link_channel,
    "channel.unlink": unlink_channel,
    "secret.set": set_secrets,
    "secret.list": list_secrets,
    "secret.remove": remove_secret,
    "bot.import": import_bot,
    "bot.export": export_bot,
    "bot.lint": lint_bot,
    "bot.test": test_bot,
    "bot.replay": replay_bot,
    "bot.publish": publish_bot,
    "bot.list": list_bots,
    "token.create": create_token,
    "audit.verify": verify_audit,
    "simulate": simulate,
    "demo": demo,
    "doctor": doctor,
    "version": version,
}
