"""`parley bot replay`: what came out, for people."""

from typing import Any, Final

from app.cli import output
from app.i18n import _, fmt, ngettext
from app.said import mark

SHOWN: Final = 20  # conversations
NAMED: Final = {
    "same": mark("{n} same"),
    "changed": mark("{n} changed"),
    "gained": mark("{n} newly answered"),
    "lost": mark("{n} newly unanswered"),
    "stopped": mark("{n} stopped at a call that was not recorded"),
}
TURN: Final = {
    "changed": mark("changed"),
    "gained": mark("newly answered"),
    "lost": mark("newly unanswered"),
    "stopped": mark("needs a call that was not recorded"),
}


def tell(found: dict[str, Any]) -> None:
    counts, turns = found["conversations"], sum(found["turns"].values()) + found["held"]
    if not sum(counts.values()):
        output.say(_("This bot answered in none of the conversations that were chosen."))
        return
    for one in found["differing"][:SHOWN]:
        output.say(output.paint(one["contact"] or _("No name"), "bold"))
        for turn in one["turns"]:
            output.say(f"  {_(TURN[turn['outcome']])}: {shortened(turn['asked'])}")
            output.say(output.paint(f"    - {answer(turn['before'])}", "bad"))
            output.say(output.paint(f"    + {answer(turn['after'])}", "good"))
    if len(found["differing"]) > SHOWN:
        output.say(_("… and {n} more; --json lists them").format(n=len(found["differing"]) - SHOWN))
    shown = [key for key in NAMED if counts[key] or key != "stopped"]
    output.say(", ".join(_(NAMED[key]).format(n=fmt.number(counts[key])) for key in shown))
    seconds = fmt.number(round(found["took_ms"] / 1000, 1))
    said = ngettext("{n} turn in {seconds} s; nothing was sent", "{n} turns in {seconds} s; nothing was sent", turns)
    output.say(output.paint(said.format(n=fmt.number(turns), seconds=seconds), "faint"))


def answer(said: list[dict[str, str]]) -> str:
    shown = [one for one in said if one["who"] != "event" and (one["text"] or one["who"] != "missing")]
    return " / ".join(map(spoken, shown)) or _("No answer")


def spoken(one: dict[str, str]) -> str:
    if one["who"] == "bot":
        return shortened(one["text"])
    handed = one["who"] == "handoff"
    return (_("handed to a person: ") if handed else _("needs a call: ")) + shortened(one["text"])


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
