"""What was typed: the settings it names, values from words, files and stdin, and the command asked for with them."""

import argparse
import asyncio
import getpass
import sys
from pathlib import Path
from typing import Any

from app import settings as boot
from app.errors import Invalid
from app.i18n import _
from app.said import N_, Sentence
from app.settings import Settings

Given = argparse.Namespace
Row = dict[str, Any]


def settings_of(given: Given) -> Settings:
    flags = {setting.name: getattr(given, setting.name, None) for setting in boot.TABLE}
    return boot.load({name: value for name, value in flags.items() if value is not None})


def call(given: Given, command: str, **values: Any) -> Any:
    """Carry a command out on the installation, running or not."""
    from app.cli.reach import call as reach

    return asyncio.run(reach(settings_of(given), command, values))


def read_password() -> str:
    """One line of stdin; typed unseen on a terminal."""
    text = getpass.getpass(_("Password: ")) if sys.stdin.isatty() else sys.stdin.readline()
    return text.rstrip("\r\n")


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
