"""The bot document: its structs, and the shapes that say what may stand where.

Every struct that can be wrong in itself knows the line it began on. Texts are kept as they were written (`Located`);
`app.bot.document` makes a runnable version of them.
"""

import re
from typing import Any

import msgspec

from app.bot import acts, messages
from app.bot.acts import Act
from app.bot.address import Address
from app.bot.cases import CASES, Case
from app.bot.flow import Move, Steps, verbs
from app.bot.hours import Hours, HoursShape
from app.bot.languages import TAG, Words
from app.bot.messages import Message
from app.bot.moment import Length
from app.bot.request import Relay, RelayShape
from app.bot.scalars import FLOW_NAME, Name, Truth
from app.bot.shape import Either, Integer, Keys, ListOf, Located, MapOf, OneOrMany, Report, Shape, Text, Verbs
from app.bot.triggers import PHRASES, WHEN, Condition, When
from app.said import N_

MEDIA = ("image", "video", "audio", "document")
MOST_STEPS = 20
MOST_FLOW_STEPS = 200


class Button(msgspec.Struct, frozen=True):
    """`id` is empty when the author left it to us."""

    title: Located
    id: Located | None = None
    description: Located | None = None


class Group(msgspec.Struct, frozen=True):
    """Rows of a list under a title."""

    choices: tuple[Button, ...]
    title: Located | None = None


class Menu(msgspec.Struct, frozen=True):
    label: Located
    sections: tuple[Group, ...]


class Header(msgspec.Struct, frozen=True):
    """What stands above the text: `kind` is `text` or one of `image`, `video`, `document`."""

    kind: str
    value: Located


class Say(msgspec.Struct, frozen=True):
    """Send one of `texts`, drawn by the conversation's seed. `quote`: as an answer to the message that came."""

    texts: tuple[Located, ...]
    buttons: tuple[Button, ...] = ()
    menu: Menu | None = None
    header: Header | None = None
    footer: Located | None = None
    quote: bool = False
    line: int = 0


class Show(msgspec.Struct, frozen=True):
    """Send a file from an address. `kind` is one of `MEDIA`."""

    kind: str
    url: Located
    caption: Located | None = None
    filename: Located | None = None
    quote: bool = False
    line: int = 0


class Give(msgspec.Struct, frozen=True):
    """Hand the conversation to a person, of a `team` if one is named. Nothing more is said after it."""

    reason: Located
    team: Located | None = None
    line: int = 0


Step = Say | Show | Message | Give | Move | Act


class Rule(msgspec.Struct, frozen=True):
    """`interrupt`: it answers while a question is open, too. Of a higher `priority` is asked before; `goes_on`: the
    rules after it are asked, too."""

    name: Located
    when: When
    do: tuple[Step, ...]
    line: int = 0
    interrupt: bool = False
    priority: int = 0
    goes_on: bool = False

    @property
    def says(self) -> Condition:
        return self.when.says


class Fallback(msgspec.Struct, frozen=True):
    """What is done when no rule matches; the `after`-th time in a row `then` instead (0: never)."""

    do: tuple[Step, ...] = ()
    after: int = 0
    then: tuple[Step, ...] = ()
    line: int = 0


class Document(msgspec.Struct, frozen=True):
    """A bot as its author wrote it. `gather`: for how many seconds quick messages are taken as one; `languages` are
    those that its texts are in, none if they have one each; `handler`: who is given messages before the rules are."""

    bot: Located
    rules: tuple[Rule, ...] = ()
    language: str = ""
    hours: Hours | None = None
    gather: int = 0
    vocabulary: dict[str, tuple[Located, ...]] = {}
    fallback: Fallback | None = None
    tests: tuple[Case, ...] = ()
    flows: dict[str, tuple[Step, ...]] = {}
    languages: tuple[str, ...] = ()
    handler: Relay | None = None


class Language(Text):
    """A language as in `en` or `pt-BR`."""

    def __init__(self) -> None:
        super().__init__(35, N_("a language, like en or pt-BR"), f"^{TAG}$")

    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        if isinstance(value, Located):
            return value.text if re.fullmatch(self.pattern[1:-1], value.text) else self.wrong(node, report)
        return value


def _header(**values: Any) -> Header:
    if len(values) != 1:
        raise ValueError(N_("A header is one thing: a text, an image, a video or a document"))
    ((kind, value),) = values.items()
    return Header(kind, value)


def _menu(label: Located, choices: tuple[Button, ...] = (), sections: tuple[Group, ...] = ()) -> Menu:
    if bool(choices) == bool(sections):
        raise ValueError(N_("A list has either choices or sections"))
    return Menu(label, sections or (Group(choices),))


def _say(say: tuple[Located, ...], list: Menu | None = None, **values: Any) -> Say:
    if list and values.get("buttons"):
        raise ValueError(N_("A message has either buttons or a list"))
    if "footer" in values and not list and not values.get("buttons"):
        raise ValueError(N_("A footer needs buttons or a list"))
    header = values.get("header")
    if list and header is not None and header.kind != "text":
        raise ValueError(N_("Above a list only a text can stand"))
    if header is not None and not list and not values.get("buttons"):
        raise ValueError(N_("A header needs buttons or a list"))
    return Say(say, menu=list, **values)


def _show(kind: str) -> Any:
    def make(line: int, **values: Any) -> Show:
        return Show(kind, values.pop(kind), line=line, **values)

    return make


def _give(handoff: Located | Give, line: int) -> Give:
    give = handoff if isinstance(handoff, Give) else Give(handoff)
    return msgspec.structs.replace(give, line=line)


def _rule(**values: Any) -> Rule:
    return Rule(goes_on=values.pop("continue", False), **values)


def _fallback(do: tuple[Step, ...] = (), after: int = 0, then: tuple[Step, ...] = (), line: int = 0) -> Fallback:
    if bool(after) != bool(then):
        raise ValueError(N_("“after” and “then” belong together: after how many times, then what"))
    if not do and not then:
        raise ValueError(N_("Expected the key “do”"))
    return Fallback(do, after, then, line)


class HeaderShape(Either):
    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        return Header("text", value) if isinstance(value, Located) else value


TITLE = Words(200, N_("a title"))
SENTENCE = Words(4_096, N_("a text"))
REASON = Text(4_096, N_("a text"))


class ButtonShape(Either):
    """A plain title becomes a button."""

    def read(self, node: Any, report: Report) -> Any:
        value = super().read(node, report)
        return Button(value) if isinstance(value, Located) else value


BUTTON = Keys(Button, {"title": TITLE, "id": Text(60, N_("an id"))}, ("title",))
BUTTONS = ListOf(ButtonShape(TITLE, BUTTON, N_("a title or {id, title}")), 30, N_("a list of buttons"))
ROW = Keys(Button, {"title": TITLE, "id": Text(60, N_("an id")), "description": SENTENCE}, ("title",))
ROWS = ListOf(ButtonShape(TITLE, ROW, N_("a title or {id, title, description}")), 30, N_("a list of choices"))
SECTIONS = ListOf(Keys(Group, {"title": TITLE, "choices": ROWS}, ("choices",)), 10, N_("a list of sections"))
MENU = Keys(
    _menu, {"label": TITLE, "choices": ROWS, "sections": SECTIONS}, ("label",), N_("a group with label and choices")
)
HEADER = HeaderShape(
    SENTENCE,
    Keys(_header, {kind: Address() for kind in ("image", "video", "document")}),
    "a text, or an image, video or document",
)

SAY = Keys(
    _say,
    {
        "say": OneOrMany(Words(16_384, N_("a text")), 20, N_("a text or a list of texts")),
        "buttons": BUTTONS,
        "list": MENU,
        "header": HEADER,
        "footer": SENTENCE,
        "quote": Truth("true"),
    },
    ("say",),
    located=True,
)
FILES = {
    kind: Keys(
        _show(kind),
        {kind: Address(), "caption": SENTENCE, "quote": Truth("true")}
        | ({"filename": Text(200, N_("a file name"))} if kind == "document" else {}),
        (kind,),
        located=True,
    )
    for kind in MEDIA
}
HANDING = Either(
    REASON,
    Keys(Give, {"reason": REASON, "team": Text(100, N_("the name of a team"))}, ("reason",)),
    "a reason, or a group of reason and team",
)
HANDOFF = Keys(_give, {"handoff": HANDING}, ("handoff",), located=True)
STEPS = Steps(MOST_STEPS)
STEPS.verbs.update({"say": SAY, **FILES, **messages.verbs(SENTENCE, HEADER), "handoff": HANDOFF})
STEPS.verbs.update({**verbs(STEPS, BUTTONS, SENTENCE), **acts.verbs(STEPS)})
FLOW = ListOf(Verbs(STEPS.verbs, N_("a step")), MOST_FLOW_STEPS, N_("a list of steps"))
RULE = Keys(
    _rule,
    {
        "name": Text(100, N_("a name")),
        "when": WHEN,
        "do": STEPS,
        "interrupt": Truth(),
        "priority": Integer(-1_000, 1_000),
        "continue": Truth(),
    },
    ("name", "when", "do"),
    N_("a rule"),
    True,
)
FALLBACK = Keys(
    _fallback,
    {"do": STEPS, "after": Integer(1, 100), "then": STEPS},
    expected=N_("a group with do, after, then"),
    located=True,
)
DOCUMENT: Shape = Keys(
    Document,
    {
        "bot": Text(100, N_("the bot's name")),
        "language": Language(),
        "hours": HoursShape(),
        "handler": RelayShape(),
        "gather": Length(1, 60, N_("how long, from 1s to 60s")),
        "vocabulary": MapOf(Text(100, N_("a name")), PHRASES, 500, N_("groups of words")),
        "rules": ListOf(RULE, 20_000, N_("a list of rules"), least=0),
        "fallback": FALLBACK,
        "tests": CASES,
        "flows": MapOf(Name(FLOW_NAME, N_("the name of a flow")), FLOW, 500, N_("flows by name")),
    },
    ("bot",),
    N_("a bot document, which begins with “bot: name”"),
)
