"""Tests in a bot document: their structs, and the shapes that say what may stand under `tests`."""

import re
from typing import Any

import msgspec

from app.bot.answers import ANSWERS, Answer, plain
from app.bot.moment import EXAMPLE, LENGTH, length
from app.bot.nodes import SequenceNode
from app.bot.request import Body
from app.bot.scalars import NAME, Name
from app.bot.scene import ContactView
from app.bot.shape import Either, Json, Keys, ListOf, Located, MapOf, OneOrMany, Report, Shape, Text, Verbs
from app.bot.triggers import NETWORKS, OneOf
from app.content import Audio, Document, Image, Sticker, Video
from app.said import N_, Sentence

A_DAY = "2026-01-05 12:00"  # a Monday at noon, for tests that name no time
MOST_CASES = 200
MOST_LINES = 50
MOST_QUICK = 10
HAPPENS = ("user", "button", "pressed", "media", "location", "reaction", "order", "wait", "trigger")
KINDS: dict[str, Image | Video | Audio | Document | Sticker] = {
    "image": Image(mime="image/jpeg"),
    "video": Video(mime="video/mp4"),
    "audio": Audio(mime="audio/mpeg"),
    "voice": Audio(mime="audio/ogg", voice=True),
    "document": Document(mime="application/pdf", filename="file.pdf"),
    "sticker": Sticker(mime="image/webp"),
}
SOMEBODY = ContactView("1")


class Line(msgspec.Struct, frozen=True):
    """One line of a test's chat. `who`: `user` (writes the text, after quick messages in `before`), `button` (the user
    presses the one with this title or id), `pressed` (the one with this id, offered or not), `media` (the user sends a
    file of this kind, `said` below it), `location` (the user sends the place of this name), `reaction` (with this
    emoji), `order` (with this text), `wait` (so long passes), `trigger` (a program asks for this by name, with `data`),
    `bot` (says a text that fits the pattern) or `handoff` (with a reason that fits the pattern). `referral`: what the
    link or ad tells that brought the user."""

    who: str
    text: Located
    before: tuple[Located, ...] = ()
    said: str = ""
    referral: dict[str, str] | None = None
    data: dict[str, Any] = {}


class Case(msgspec.Struct, frozen=True):
    """A test: what the customer does, and after each time all that the bot is to answer. `at` is local time in the
    zone of the opening hours, as 2026-09-21 14:30; '' for a fixed day; `last_heard`, like it: when the customer wrote
    before, '' for never; `calls`: what web services answer."""

    name: Located
    chat: tuple[Line, ...]
    at: str = ""
    last_heard: str = ""
    contact: ContactView = SOMEBODY
    calls: tuple[Answer, ...] = ()
    channel: str = "Test"
    network: str = "whatsapp_cloud"
    line: int = 0


class Moment(Text):
    """A day and a time, as text."""

    def __init__(self) -> None:
        super().__init__(
            16, N_("a day and time, like 2026-09-21 14:30"), r"^20\d\d-(0[1-9]|1[0-2])-\d\d[ T]([01]\d|2[0-3]):[0-5]\d$"
        )

    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        if not isinstance(value, Located):
            return value
        fits = re.match(self.pattern, value.text) and 1 <= int(value.text[8:10]) <= days(value.text)
        return value.text if fits else self.wrong(node, report)


def days(text: str) -> int:
    """Of the month that the text begins with, as 2026-09."""
    year, month = int(text[:4]), int(text[5:7])
    if month == 2:
        return 29 if year % 4 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


class Passing(Text):
    """How long something takes, as it is written."""

    def __init__(self) -> None:
        super().__init__(100, EXAMPLE, f"^{LENGTH}$")

    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        return value if not isinstance(value, Located) or length(value.text) else self.wrong(node, report)


class Writes(Either):
    """What the customer does: a text, several quick ones, or a group."""

    def __init__(self, plain: Shape, many: Shape, keys: Shape, expected: Sentence) -> None:
        super().__init__(plain, keys, expected)
        self.many = many

    def read(self, node: Any, report: Report) -> Any:
        return self.many.read(node, report) if isinstance(node, SequenceNode) else super().read(node, report)

    def schema(self) -> Json:
        return {"anyOf": [self.plain.schema(), self.many.schema(), self.keys.schema()]}


def _user(user: Located | Line | tuple[Located, ...]) -> Line:
    if isinstance(user, tuple):
        *before, last = user
        return Line("user", last, tuple(before))
    return user if isinstance(user, Line) else Line("user", user)


def _write(text: Located, referral: dict[str, Located] | None = None) -> Line:
    return Line("user", text, referral={name: value.text for name, value in referral.items()} if referral else None)


def _does(**one: Located) -> Line:
    """What takes one word: the key says who."""
    ((who, text),) = one.items()
    return Line(who, text)


def _asks(trigger: Located, **values: Any) -> Line:
    return Line("trigger", trigger, data={name: plain(value) for name, value in values.get("with", {}).items()})


def _send(media: Located, caption: Located | None = None) -> Line:
    return Line("media", media, said=caption.text if caption else "")


def _contact(
    name: Located | None = None, first_name: Located | None = None, tags: tuple[Located, ...] = (), **values: Any
) -> ContactView:
    full = name.text.strip() if name else ""
    first = first_name.text if first_name else full.partition(" ")[0]
    fields = {key: value.text for key, value in values.pop("fields", {}).items()}
    others = {key: value.text for key, value in values.items()}
    return ContactView("1", full, first, tags=tuple(tag.text for tag in tags), fields=fields, **others)


def _case(chat: tuple[Line, ...], **values: Any) -> Case:
    if chat and chat[0].who not in HAPPENS:
        raise ValueError(N_("A test begins with what the customer writes: “user”"))
    if values.get("last_heard", "") > values.get("at", A_DAY):
        raise ValueError(N_("“last_heard” is before “at”"))
    where = {name: values[name].text for name in ("channel", "network") if name in values}
    return Case(chat=chat, **values | where)


SHORT = Text(200, N_("a short text"))
REFERRAL = MapOf(Name(NAME, N_("a name")), SHORT, 20, N_("a group of names and values"))
CONTACT = Keys(
    _contact,
    {
        "name": SHORT,
        "first_name": SHORT,
        "phone": SHORT,
        "username": SHORT,
        "language": Text(35, N_("a language, like en or pt-BR")),
        "tags": OneOrMany(SHORT, 50, N_("a tag or a list of tags")),
        "fields": MapOf(Text(100, N_("a name")), Text(1_000), 50, N_("fields with their values")),
    },
)
DATA = MapOf(Name(NAME, N_("a name")), Body(), 50, N_("names with their values"))
LINE = Verbs(
    {
        "user": Keys(
            _user,
            {
                "user": Writes(
                    Text(4_096),
                    ListOf(Text(4_096), MOST_QUICK, N_("a list of quick messages"), least=2),
                    Verbs(
                        {
                            "button": Keys(_does, {"button": SHORT}, ("button",)),
                            "pressed": Keys(_does, {"pressed": SHORT}, ("pressed",)),
                            "media": Keys(_send, {"media": OneOf(*KINDS), "caption": Text(1_024)}, ("media",)),
                            "location": Keys(_does, {"location": SHORT}, ("location",)),
                            "reaction": Keys(_does, {"reaction": SHORT}, ("reaction",)),
                            "order": Keys(_does, {"order": SHORT}, ("order",)),
                            "text": Keys(_write, {"text": Text(4_096), "referral": REFERRAL}, ("text",)),
                        },
                        N_("something that a customer does"),
                    ),
                    N_("a text, a list of quick ones, or a group like {button: title}"),
                )
            },
            ("user",),
        ),
        "wait": Keys(_does, {"wait": Passing()}, ("wait",)),
        "trigger": Keys(_asks, {"trigger": SHORT, "with": DATA}, ("trigger",)),
        "bot": Keys(_does, {"bot": Text(16_384, N_("what the bot says, with * for anything"))}, ("bot",)),
        "handoff": Keys(_does, {"handoff": Text(4_096, N_("the reason, with * for anything"))}, ("handoff",)),
    },
    N_("a line of a chat"),
)
CASE = Keys(
    _case,
    {
        "name": Text(200, N_("a name")),
        "at": Moment(),
        "last_heard": Moment(),
        "channel": SHORT,
        "network": OneOf(*NETWORKS),
        "contact": CONTACT,
        "calls": ANSWERS,
        "chat": ListOf(LINE, MOST_LINES, N_("the lines of a chat")),
    },
    ("name", "chat"),
    N_("a test"),
    located=True,
)
CASES = ListOf(CASE, MOST_CASES, N_("a list of tests"), least=0)
