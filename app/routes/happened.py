"""What happened to a conversation, in words: the event of a turn, what the bot asked for, and where it stands then."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app import content
from app.bot.calling import failure
from app.bot.replay import titles
from app.bot.scene import (
    Arrived,
    Assign,
    Call,
    CallResult,
    Close,
    Consent,
    Effect,
    Event,
    GivenBack,
    HandOff,
    Later,
    Note,
    Quiet,
    Send,
    SetField,
    StartTimer,
    State,
    Tag,
    TimerFired,
    Triggered,
    WatchQuiet,
)
from app.i18n import _, fmt, ngettext, tell
from app.routes.kinds import kind_name

LONGEST: Final = 300  # characters shown of a text
FLOW: Final = "flow:"
SECRET: Final = "\0secret:"


class Line(msgspec.Struct, frozen=True):
    """One thing that happened. `who`: whose words `text` are (`user`, `bot`), '' for what is told about; `choices` are
    what can be pressed or picked."""

    icon: str
    text: str
    who: str = ""
    rule: str = ""
    choices: tuple[str, ...] = ()


class Called(msgspec.Struct, frozen=True):
    """An HTTP call and how it went; `answer` and `took` are '' while none is known."""

    method: str
    url: str
    answer: str = ""
    body: str = ""
    took: str = ""


class Standing(msgspec.Struct, frozen=True):
    """Where a conversation stands after a turn: the running flows, outermost first, what it waits for, and the messages
    that are kept until then."""

    flows: tuple[str, ...] = ()
    waiting: str = ""
    held: tuple[str, ...] = ()


def happened(event: Event) -> Line:
    match event:
        case Arrived(content=said, text=text, burst=burst):
            words = shortened(text or content.text(said)) or kind_name(content.kind(said))
            if burst:
                many = ngettext("{n} quick message", "{n} quick messages", len(burst) + 1).format(n=len(burst) + 1)
                return Line("inbox", f"{words} ({many})", "user")
            return Line("inbox", words, "user")
        case GivenBack():
            return Line("undo", _("A person gave the conversation back"))
        case TimerFired():
            return Line("clock", _("The wait was over"))
        case CallResult():
            return Line("globe", answer_of(event))
        case Triggered(name=name) if name.startswith(FLOW):
            return Line("calendar", _("Flow “{name}” was due").format(name=name.removeprefix(FLOW)))
        case Triggered(name=name):
            return Line("bolt", _("Asked for from outside: {name}").format(name=name))
        case Quiet(seconds=seconds):
            return Line("clock", _("Nobody wrote for {time}").format(time=fmt.duration(seconds * 1000)))


def did(effects: Sequence[Effect]) -> tuple[Line, ...]:
    return tuple(map(done, effects))


def done(effect: Effect) -> Line:
    match effect:
        case Send(content=said):
            words = shortened(content.text(said)) or kind_name(content.kind(said))
            if effect.at:
                words = _("{time}: {text}").format(time=fmt.datetime(effect.at), text=words)
            return Line("bot", words, "bot", effect.rule, titles(said))
        case HandOff(reason=reason, team=team):
            words = _("Handed to people") if not team else _("Handed to {team}").format(team=team)
            return Line("hand", _("{what}: {text}").format(what=words, text=reason) if reason else words)
        case Tag(add=add, remove=remove):
            return Line("tag", ", ".join([*(f"+ {tag}" for tag in add), *(f"- {tag}" for tag in remove)]))
        case SetField(name=name, value=value):
            return Line("user", f"{name} = {short(value)}" if value is not None else f"- {name}")
        case Note(text=text):
            return Line("note", shortened(text))
        case Assign(to=to):
            return Line("user", _("Assigned to {who}").format(who=to))
        case Close():
            return Line("check", _("Closed the conversation"))
        case Consent(given=given):
            return Line("shield", _("Opted in") if given else _("Opted out"))
        case StartTimer(due=due):
            return Line("clock", _("Waits until {time}").format(time=fmt.datetime(due)))
        case Call(method=method, url=url):
            return Line("globe", f"{method} {readable(url)}")
        case Later(flow=flow, due=due):
            return Line("calendar", _("Starts flow “{name}” at {time}").format(name=flow, time=fmt.datetime(due)))
        case WatchQuiet(seconds=seconds):
            return Line("clock", _("Watches for {time} of silence").format(time=fmt.duration(seconds * 1000)))


def standing(state: State) -> Standing:
    return Standing(
        flows=tuple(frame.flow.removeprefix("flow ") for frame in state.frames),
        waiting=waiting(state),
        held=tuple(happened(message).text for message in state.held),
    )


def waiting(state: State) -> str:
    """What the conversation waits for, as a sentence; '' if for nothing."""
    wait = state.waiting
    if wait is None:
        return ""
    if wait.kind == "answer":
        asked = _("Waits for an answer")
        said = _("{what}: {text}").format(what=asked, text=wait.save) if wait.save else asked
    else:
        said = _("Waits for a call") if wait.kind == "call" else _("Waits")
    if wait.due:
        said = _("{what}, until {time}").format(what=said, time=fmt.datetime(wait.due))
    if wait.tries:
        times = ngettext("{n} answer did not fit", "{n} answers did not fit", wait.tries).format(n=wait.tries)
        said = f"{said} ({times})"
    return said


def answer_of(result: CallResult) -> str:
    if result.error:
        return _("The call failed: {why}").format(why=tell(failure(result)))
    return _("The call was answered: {status}").format(status=result.status)


def called(call: Call, result: CallResult | None, took: int | None = None) -> Called:
    """`took` in ms until the bot heard of it; the call's own time is shown where it is known."""
    if result is not None and result.took_ms:
        took = result.took_ms
    if result is None:
        return Called(call.method, readable(call.url))
    return Called(
        call.method,
        readable(call.url),
        answer=tell(failure(result)) if result.error else str(result.status),
        body=short(result.body) if result.body is not None else "",
        took=milliseconds(took) if took is not None else "",
    )


def milliseconds(ms: float) -> str:
    """0.4 ms, 214 ms, 1.2 s."""
    if ms < 0.1:
        return _("under 0.1 ms")
    if ms >= 1000:
        return fmt.duration(round(ms))
    return _("{n} ms").format(n=fmt.number(round(ms, 1) if ms < 10 else round(ms)))


def readable(url: str) -> str:
    """The address with the names of secrets where their values go."""
    parts = url.split(SECRET)
    return shortened(parts[0] + "".join("{" + part.replace("\0", "}", 1) for part in parts[1:]))


def short(value: Any) -> str:
    """As JSON, short."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else f"{text[:119]}…"


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
