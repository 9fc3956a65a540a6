"""`parley simulate`: a chat with a bot in the terminal. No server, no database; lines from a pipe work too."""

import sys
import time
from typing import Any, Final

from app import content, i18n
from app.bot.decide import decide
from app.bot.degrade import cards, place
from app.bot.document import DocumentError, Version, compile_version
from app.bot.scene import (
    Arrived,
    Assign,
    Close,
    Consent,
    ContactView,
    Decision,
    Effect,
    HandOff,
    Note,
    Scene,
    Send,
    SetField,
    State,
    Tag,
)
from app.cli import output
from app.content import (
    Buttons,
    Choice,
    ChoiceList,
    Contacts,
    Content,
    Link,
    Location,
    Pressed,
    Reaction,
    Template,
    Text,
)
from app.documents import sentence
from app.errors import Invalid
from app.i18n import _
from app.said import mark
from app.simulator import AS_ON

HELP: Final = mark("Write as the customer. A number presses a button; an empty line or Ctrl-D ends.")


def chat(text: str, name: str, *, as_json: bool) -> int:
    """Talk until the input ends. With JSON, one object a turn."""
    try:
        bot = compile_version(text)
    except DocumentError as error:
        first = error.problems[0]
        raise Invalid(f"{name}:{first.line}: {i18n.tell(sentence(first))}", code="document") from None
    if not as_json:
        output.say(output.paint(f"{bot.name}. {_(HELP)}", "faint"))
    state, last_heard = State(seed=1), 0
    offered: list[Choice] = []
    for line in lines(prompt=not as_json and sys.stdin.isatty()):
        now = time.time_ns() // 1_000_000
        decision = turn(bot, state, said(line, offered), now, last_heard)
        state, last_heard = decision.state, now
        offered = [
            choice for effect in decision.effects if isinstance(effect, Send) for choice in choices(effect.content)
        ]
        if as_json:
            output.as_json_line(shown(decision))
        else:
            tell(decision)
    return 0


def lines(*, prompt: bool) -> Any:
    """What the customer writes, line by line; on a terminal an empty line ends."""
    while True:
        if prompt:
            print(output.paint("> ", "bold"), end="", flush=True)
        line = sys.stdin.readline()
        if not line or (prompt and not line.strip()):
            return
        if line.strip():
            yield line.strip()


def said(line: str, offered: list[Choice]) -> Content:
    """A number, or the very words of a button, press it."""
    if line.isdecimal() and 0 < int(line) <= len(offered):
        choice = offered[int(line) - 1]
        return Pressed(choice.id, choice.title)
    pressed = next((choice for choice in offered if choice.title == line), None)
    return Pressed(pressed.id, pressed.title) if pressed else Text(line)


def turn(bot: Version, state: State, what: Content, now: int, last_heard: int) -> Decision:
    scene = Scene(state, ContactView("1"), AS_ON["whatsapp_cloud"], "Terminal", "simulator", last_heard)
    return decide(bot, scene, Arrived(what, content.text(what)), now)


def choices(what: Content) -> tuple[Choice, ...]:
    match what:
        case Buttons():
            return what.choices
        case ChoiceList():
            return tuple(choice for section in what.sections for choice in section.choices)
        case _:
            return ()


def tell(decision: Decision) -> None:
    """What the bot says, and why, in the second voice."""
    number = 0
    for effect in decision.effects:
        if not isinstance(effect, Send):
            output.say(output.paint(f"  ({done(effect)})", "doubtful"))
            continue
        output.say("  " + words(effect.content).replace("\n", "\n  "))
        if isinstance(effect.content, Link):
            output.say(f"  [{effect.content.label}] {effect.content.url}")
        for choice in choices(effect.content):
            number += 1
            output.say(f"  [{number}] {choice.title}")
    where = " " + _("(line {n})").format(n=decision.trace.line) if decision.trace.line else ""
    output.say(output.paint(f"  {i18n.tell(decision.trace.verdict)}{where}", "faint"))


def words(what: Content) -> str:
    """What the customer would see, as text."""
    match what:
        case Location():
            return place(what)
        case Contacts():
            return cards(what)
        case Reaction(emoji=emoji):
            return _("{emoji} on your message").format(emoji=emoji)
        case Template(name=name, text=""):
            return _("[template {name}]").format(name=name)
        case _:
            return content.text(what) or f"[{content.kind(what)}]"


def done(effect: Effect) -> str:
    """What the bot does besides talking."""
    match effect:
        case HandOff(team="") | HandOff(reason=""):
            return _("handed to a person: {reason}").format(reason=effect.reason or effect.team or "-")
        case HandOff():
            return _("handed to {team}: {reason}").format(team=effect.team, reason=effect.reason)
        case Note():
            return _("note for the team: {text}").format(text=effect.text)
        case Assign():
            return _("assigned to {name}").format(name=effect.to)
        case Consent():
            return _("opted in") if effect.given else _("opted out")
        case Tag():
            signed = [f"+{tag}" for tag in effect.add] + [f"-{tag}" for tag in effect.remove]
            return _("tags: {tags}").format(tags=", ".join(signed))
        case SetField(value=None):
            return _("field {name} removed").format(name=effect.name)
        case SetField():
            return _("field {name}: {value}").format(name=effect.name, value=effect.value)
        case Close():
            return _("conversation closed")
        case _:
            return type(effect).__name__


def shown(decision: Decision) -> dict[str, Any]:
    """A turn for programs."""
    import msgspec

    made: dict[str, Any] = msgspec.to_builtins(decision)
    return {"effects": made["effects"], "verdict": str(decision.trace.verdict), "rule": decision.trace.rule}
