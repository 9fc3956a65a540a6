"""Lines of a test's chat: what a customer may do, what the bot is to say, and time that passes."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.bot.flow import NAME, Name
from app.bot.moment import LONGEST, Length
from app.bot.nodes import MappingNode, Node
from app.bot.shape import Json, Keys, Located, MapOf, Report, Shape, Text, Verbs
from app.content import (
    Audio,
    Content,
    Document,
    Image,
    Location,
    Order,
    Picked,
    Pressed,
    Reaction,
    Sticker,
    Video,
    kind,
)
from app.content import text as text_of
from app.said import N_

LONGEST_WORDS: Final = 200


class Line(msgspec.Struct, frozen=True):
    """One line of a test's chat. `who`: `user` (writes the text, or sends `content`), `button` (the user presses the
    one with this title or id), `bot` (says a text that fits the pattern), `handoff` (with a reason that fits the
    pattern) or `wait` (so many `seconds` pass). `referral`: the link or ad that brought the user."""

    who: str
    text: Located
    content: Content | None = None
    referral: dict[str, str] | None = None
    seconds: int = 0


# What a customer sends besides texts, made from its words.
SENDS: Final[dict[str, Callable[[str], Content]]] = {
    "button": lambda title: Pressed("", title),
    "pressed": lambda id: Pressed(id, id),
    "image": lambda caption: Image(caption=caption),
    "video": lambda caption: Video(caption=caption),
    "audio": lambda caption: Audio(caption=caption),
    "voice": lambda caption: Audio(caption=caption, voice=True),
    "document": lambda caption: Document(caption=caption),
    "sticker": lambda caption: Sticker(caption=caption),
    "location": lambda name: Location(-23.5614, -46.6559, name),
    "reaction": lambda emoji: Reaction("", emoji),
    "order": lambda text: Order("", (), text),
}
SHORT = Text(LONGEST_WORDS, N_("a short text"))
REFERRAL = MapOf(Name(NAME, N_("a name")), SHORT, 20, N_("a group of names and values"))


class Sent(Shape):
    """What a customer does: a text, or a group with one of `SENDS` and, if a link or ad brought them, `referral`."""

    expected = N_("a text, or a group like {button: title} or {image: caption}")

    def __init__(self) -> None:
        self.text = Text(4_096, self.expected)
        self.kinds = {kind: Text(4_096) for kind in SENDS}
        self.group = Keys(_sent, {"text": self.text, **self.kinds, "referral": REFERRAL}, located=True)

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, MappingNode):
            return self.group.read(node, report)
        value = self.text.read(node, report)
        return Line("user", value) if isinstance(value, Located) else value

    def schema(self) -> Json:
        return {"anyOf": [self.text.schema(), self.group.schema()]}


def _sent(line: int, referral: dict[str, Located] | None = None, **values: Located) -> Line:
    if len(values) != 1:
        raise ValueError(N_("A customer does one thing at a time: {names}", names=", ".join(("text", *SENDS))))
    ((kind, value),) = values.items()
    told = {name: text.text for name, text in referral.items()} if referral else None
    if kind == "button":
        return Line("button", value, referral=told)
    content = SENDS[kind](value.text if value.text != "true" else "") if kind in SENDS else None
    shown = value if kind in ("text", "pressed") else Located(shown_as(content), line)
    return Line("user", shown, content, told)


def shown_as(content: Content | None) -> str:
    """How a content that is no text reads in a chat: `[image] Our cake`."""
    if content is None:
        return ""
    name = "voice" if isinstance(content, Audio) and content.voice else kind(content)
    return f"[{name}] {text_of(content)}".strip()


def sends(content: Content) -> dict[str, str | bool] | None:
    """How a customer's content is written in a test, the other way round; None for a kind that no test can have."""
    match content:
        case Pressed(title=title) | Picked(title=title):
            return {"button": title[:LONGEST_WORDS]}
        case Audio(voice=True):
            return {"voice": text_of(content)[:LONGEST_WORDS] or True}
        case Image() | Video() | Audio() | Document() | Sticker() | Location() | Reaction() | Order():
            return {kind(content): text_of(content)[:LONGEST_WORDS] or True}
        case _:
            return None


def _bot(bot: Located) -> Line:
    return Line("bot", bot)


def _handoff(handoff: Located) -> Line:
    return Line("handoff", handoff)


def _wait(wait: int, line: int) -> Line:
    return Line("wait", Located("", line), seconds=wait)


LINE = Verbs(
    {
        "user": Keys(lambda user: user, {"user": Sent()}, ("user",)),
        "bot": Keys(_bot, {"bot": Text(16_384, N_("what the bot says, with * for anything"))}, ("bot",)),
        "handoff": Keys(_handoff, {"handoff": Text(4_096, N_("the reason, with * for anything"))}, ("handoff",)),
        "wait": Keys(_wait, {"wait": Length(1, LONGEST)}, ("wait",), located=True),
    },
    N_("a line of a chat"),
)
