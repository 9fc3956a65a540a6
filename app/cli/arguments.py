"""What can be typed. One function a group of commands; nothing is carried out here."""

import argparse
from pathlib import Path
from typing import TypeAlias

from app import settings
from app.i18n import _
from app.said import mark
from app.security.permissions import ROLES
from app.version import VERSION

# argparse has no other name for what `add_subparsers` returns.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

HELP = ("-h", "--help", "--version")
EPILOG = mark(
    """`parley` alone runs it. Every command works whether Parley runs or not, and finds the installation by
--data, PARLEY_DATA or the platform's user data folder. Exit codes: 0 fine, 1 failed, 2 wrong usage, 78 cannot start."""
)


def read(words: list[str]) -> argparse.Namespace:
    """The command with its values. Ends the process with 2 where the words make no command."""
    if not words or (words[0].startswith("-") and words[0] not in HELP):
        words = ["serve", *words]
    parser = build()
    given, rest = parser.parse_known_args(words)
    # argparse gives up on NAME=VALUE words behind an option; they belong to the command all the same.
    if rest and ("values" not in given or any(word.startswith("-") for word in rest)):
        parser.error(_("this cannot be used here: {words}").format(words=" ".join(rest)))
    if rest:
        given.values = [*given.values, *rest]
    return given


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parley", description=_("Parley answers your WhatsApp."), epilog=_(EPILOG))
    parser.add_argument("--version", action="version", version=f"parley {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve(commands)
    people(commands)
    teams(commands)
    channels(commands)
    secrets(commands)
    bots(commands)
    tokens(commands)
    upkeep(commands)
    return parser


def add(commands: "Commands", name: str, help: str, action: str = "") -> argparse.ArgumentParser:
    """A command with what all of them take."""
    parser = commands.add_parser(name, help=help, description=help)
    parser.add_argument("--json", action="store_true", help=_("print JSON, for programs"))
    for setting in settings.TABLE:
        if setting.flag in ("--data", "--database"):
            parser.add_argument(setting.flag, dest=setting.name, metavar=setting.name.upper(), help=_(setting.help))
    parser.set_defaults(action=action or name)
    return parser


def group(commands: "Commands", name: str, help: str) -> "Commands":
    parser = commands.add_parser(name, help=help, description=help)
    return parser.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND")


def serve(commands: "Commands") -> None:
    parser = add(commands, "serve", _("run Parley (the same as `parley` alone)"))
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        [_("environment, .env, or parley.toml in the data folder:"), *map(described, settings.TABLE)]
    )
    for setting in settings.TABLE:
        if setting.flag and setting.flag not in ("--data", "--database"):
            parser.add_argument(setting.flag, dest=setting.name, metavar=setting.name.upper(), help=_(setting.help))
    parser.add_argument("--open", action="store_true", help=_("open the dashboard in the browser"))


def described(setting: settings.Setting) -> str:
    """One line of help for a setting."""
    default = f" ({setting.default})" if setting.default else ""
    return f"  {setting.env:<24}{_(setting.help)}{default}"


def people(commands: "Commands") -> None:
    parser = add(commands, "setup", _("create the owner without a browser"))
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--password-stdin", action="store_true", required=True, help=_("read the password from stdin"))
    users = group(commands, "user", _("people of the dashboard"))
    parser = add(users, "add", _("add a person; prints a password once unless one is given"), "user.add")
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--role", choices=ROLES, default="agent")
    parser.add_argument("--password-stdin", action="store_true", help=_("read the password from stdin"))
    add(users, "list", _("everybody"), "user.list")
    limited(add(users, "limit", _("a viewer or agent sees these channels only"), "user.limit"), "email", "EMAIL")
    add(users, "disable", _("no log-in any more, every session over"), "user.disable").add_argument("email")
    parser = add(users, "reset-password", _("a new password, printed once unless given"), "user.reset-password")
    parser.add_argument("email")
    parser.add_argument("--password-stdin", action="store_true", help=_("read the password from stdin"))
    parser = add(users, "reset-two-step", _("no code at log-in, for who lost phone and codes"), "user.reset-two-step")
    parser.add_argument("email")


def limited(parser: argparse.ArgumentParser, name: str, metavar: str) -> None:
    parser.add_argument(name, metavar=metavar)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--channels", metavar="NAME[,NAME]", help=_("by name or id"))
    chosen.add_argument("--all", action="store_true", help=_("every channel, now and later"))


def teams(commands: "Commands") -> None:
    group_ = group(commands, "team", _("named groups of people, to whom bots assign and hand over conversations"))
    add(group_, "add", _("a new team"), "team.add").add_argument("team", metavar="TEAM")
    add(group_, "list", _("every team and who is in it"), "team.list")
    limited(add(group_, "limit", _("its members see these channels only"), "team.limit"), "team", "TEAM")
    parser = add(group_, "remove", _("the team is gone; its conversations belong to no team"), "team.remove")
    parser.add_argument("team", metavar="TEAM")
    for name, help in (("join", _("a person comes into a team")), ("leave", _("a person leaves a team"))):
        parser = add(group_, name, help, f"team.{name}")
        parser.add_argument("team", metavar="TEAM")
        parser.add_argument("email", metavar="EMAIL")


def tokens(commands: "Commands") -> None:
    keys = group(commands, "token", _("API keys for programs"))
    parser = add(keys, "create", _("make an API key and print it, once"), "token.create")
    parser.add_argument("--name", required=True)
    parser.add_argument("--scopes", required=True, metavar="S[,S]", help=_("of read, send, manage, admin"))
    parser.add_argument("--expires", type=int, metavar="DAYS", help=_("a year unless told; 0: never"))
    parser.add_argument("--rate", type=float, metavar="N", help=_("requests a second; 0: unlimited"))
    parser.add_argument("--channels", metavar="NAME[,NAME]", help=_("all that it sees; every channel unless told"))


def channels(commands: "Commands") -> None:
    group_ = group(commands, "channel", _("accounts at the networks"))
    values = _("name=value, name=@file, or name=- for stdin; rate=N is messages per second, 0 = not paced")
    add(group_, "kinds", _("the networks and what each needs"), "channel.kinds")
    parser = add(group_, "add", _("connect an account"), "channel.add")
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--name", required=True)
    parser.add_argument("values", nargs="*", metavar="NAME=VALUE", help=values)
    add(group_, "list", _("every channel and its state"), "channel.list")
    parser = add(group_, "show", _("one channel; secrets by name only"), "channel.show")
    parser.add_argument("channel", metavar="CHANNEL")
    parser = add(group_, "set", _("change values of a channel"), "channel.set")
    parser.add_argument("channel", metavar="CHANNEL")
    parser.add_argument("--name", dest="new_name", help=_("rename it; the old name keeps working"))
    parser.add_argument("values", nargs="*", metavar="NAME=VALUE", help=values)
    parser = add(group_, "link", _("link a phone: shows a QR code to scan"), "channel.link")
    parser.add_argument("channel", metavar="CHANNEL")
    parser.add_argument("--code", action="store_true", help=_("a code to type on the phone instead"))
    parser = add(group_, "unlink", _("end the link to a phone"), "channel.unlink")
    parser.add_argument("channel", metavar="CHANNEL")
    parser = add(group_, "remove", _("disconnect a channel; its conversations stay readable"), "channel.remove")
    parser.add_argument("channel", metavar="CHANNEL")


def secrets(commands: "Commands") -> None:
    group_ = group(commands, "secret", _("keys of the services that bots call; a bot names them"))
    parser = add(group_, "set", _("add secrets, or give them other values"), "secret.set")
    values = _("name=@file, name=- for stdin, or name=value, which the shell may remember")
    parser.add_argument("values", nargs="+", metavar="NAME=VALUE", help=values)
    add(group_, "list", _("the names; values are never shown"), "secret.list")
    parser = add(group_, "remove", _("delete a secret; calls that name it fail"), "secret.remove")
    parser.add_argument("secret", metavar="NAME")


def bots(commands: "Commands") -> None:
    group_ = group(commands, "bot", _("bots as files; BOT is the name in the document"))
    parser = add(group_, "import", _("make a document the draft of the bot it names"), "bot.import")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser = add(group_, "export", _("print a bot's document"), "bot.export")
    parser.add_argument("bot", metavar="BOT")
    parser.add_argument("--version", type=int, default=0, metavar="N", help=_("that version instead of the draft"))
    parser = add(
        group_, "lint", _("what is wrong or doubtful in a document; exits 1 if something is wrong"), "bot.lint"
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--channel", action="append", metavar="NAME", help=_("what it looks like there; else WhatsApp"))
    parser = add(group_, "test", _("run the tests of a document or a draft; exits 1 if one fails"), "bot.test")
    parser.add_argument("bot", metavar="FILE_OR_BOT")
    parser.add_argument("--junit", type=Path, metavar="FILE", help=_("also write the results as JUnit XML"))
    parser = add(group_, "replay", _("what a draft would have answered to past conversations"), "bot.replay")
    parser.add_argument("bot", metavar="BOT")
    parser.add_argument("--draft", type=Path, metavar="FILE", help=_("a document; else the bot's draft"))
    parser.add_argument("--last", type=int, default=500, metavar="N", help=_("the newest N conversations (500)"))
    parser.add_argument("--tag", default="", help=_("only of contacts with this tag"))
    parser = add(group_, "publish", _("put the draft live"), "bot.publish")
    parser.add_argument("bot", metavar="BOT")
    parser.add_argument("--channel", action="append", metavar="NAME", help=_("where; else every channel without a bot"))
    parser.add_argument("--at", default="", metavar="TIME", help=_("then instead of now, like “2026-12-24 08:00”"))
    parser.add_argument("--note", default="", help=_("what changed, for the list of versions"))
    parser.add_argument("--anyway", action="store_true", help=_("although a test of the draft fails"))
    add(group_, "list", _("every bot and where it is live"), "bot.list")
    parser = add(commands, "simulate", _("chat with a bot here; a file needs no installation"))
    parser.add_argument("bot", metavar="BOT_OR_FILE")


def upkeep(commands: "Commands") -> None:
    parser = add(commands, "demo", _("fill the installation with a month of made-up chats"))
    parser.add_argument("--starter", default="bakery", metavar="NAME", help=_("whose bot talks (bakery)"))
    parser.add_argument("--seed", type=int, default=1, metavar="N", help=_("another number makes another month (1)"))
    parser.add_argument("--anyway", action="store_true", help=_("although real conversations are here"))
    parser.add_argument("--remove", action="store_true", help=_("erase the made-up chats again"))
    log = group(commands, "audit", _("the log of who changed what"))
    add(log, "verify", _("follow the log's chain; exits 1 if a line was changed, left out or put in"), "audit.verify")
    keys = group(commands, "keys", _("the key that encrypts stored secrets"))
    add(keys, "rotate", _("make a new one and encrypt everything with it; nobody is logged out"), "keys.rotate")
    add(commands, "doctor", _("look whether the installation is sound; exits 1 if not"))
    parser = add(commands, "mcp", _("tools for an assistant over stdin and stdout; PARLEY_API_KEY is its key"))
    parser.add_argument("--url", help=_("of a Parley elsewhere; otherwise the one that runs on this data folder"))
    add(commands, "version", _("what this is"))
