"""The commands on bots and their documents."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from app.cli import output
from app.cli.given import Given, Row, call, read_file
from app.cli.output import rows, show
from app.errors import Invalid
from app.i18n import _, tell
from app.said import N_, Sentence

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
    from app.documents import NOWHERE, Around

    return msgspec.convert(call(given, "bot.around", channels=given.channel), Around) if given.channel else NOWHERE


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


def document_of(given: Given) -> str:
    """The text of a file, or the draft of the bot with that name."""
    path = Path(given.bot)
    if path.is_file():
        return read_file(path, N_("the bot"))
    text: str = call(given, "bot.export", name=given.bot, number=0)["document"]
    return text
