"""What a rule listens to, as an author writes it under `when`. Every part that is given must hold."""

from typing import Any, Final

import msgspec

from app.bot.moment import LONGEST, Length
from app.bot.nodes import MappingNode, Node
from app.bot.scalars import NAME, Name, Truth
from app.bot.shape import A_TEXT, Either, Json, Keys, Located, MapOf, OneOrMany, Report, Shape, Text, did_you_mean
from app.said import N_, Sentence

KINDS: Final = ("image", "video", "audio", "voice", "document", "sticker")
NETWORKS: Final = ("whatsapp_cloud", "whatsapp_web", "telegram", "sms", "webchat", "simulator")
ANY: Final = "any"
OF_MESSAGES: Final = frozenset(
    "says pressed media location order reaction referral first first_after".split()
)  # parts that only a message can have


class Condition(msgspec.Struct, frozen=True):
    """What a message must say. Every part that is given must hold; within a part one of the phrases is enough, but for
    `all`, where each must be there."""

    any: tuple[Located, ...] = ()
    all: tuple[Located, ...] = ()
    starts: tuple[Located, ...] = ()
    exact: tuple[Located, ...] = ()
    regex: tuple[Located, ...] = ()
    fuzzy: tuple[Located, ...] = ()

    @property
    def texts(self) -> tuple[Located, ...]:
        """Everything it listens for."""
        return (*self.any, *self.all, *self.starts, *self.exact, *self.regex, *self.fuzzy)


class When(msgspec.Struct, frozen=True):
    """All that a rule asks for. Within a part one is enough, but for tags and fields, where each must be as it says.

    `media`: kinds, or `any`; `reaction`: emojis, or `any`; `referral`: what the link or ad tells, by key, empty for
    any; `first_after`: seconds without a message before this one; `field`: the values it may have, none for any;
    `condition`: an expression; `trigger`: names by which somebody outside asks for it, with values named `data`;
    `inactivity`: seconds in which nobody wrote.
    """

    says: Condition = Condition()
    pressed: tuple[Located, ...] = ()
    media: tuple[Located, ...] = ()
    location: bool = False
    order: bool = False
    reaction: tuple[Located, ...] = ()
    referral: dict[str, tuple[Located, ...]] | None = None
    first: bool = False
    first_after: int = 0
    tag: tuple[Located, ...] = ()
    no_tag: tuple[Located, ...] = ()
    field: dict[str, tuple[Located, ...]] = {}
    no_field: tuple[Located, ...] = ()
    channel: tuple[Located, ...] = ()
    network: tuple[Located, ...] = ()
    open: bool | None = None
    condition: Located | None = None
    trigger: tuple[Located, ...] = ()
    data: tuple[Located, ...] = ()
    inactivity: int = 0
    line: int = 0


# ---- shapes ---------------------------------------------------------------------------------------------------------


class OneOf(Text):
    """One of some words."""

    def __init__(self, *names: str) -> None:
        super().__init__(40, N_("one of {names}", names=", ".join(names)))
        self.names = names

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if isinstance(value, Located) and value.text not in self.names:
            guess = did_you_mean(value.text, list(self.names))
            return report.add(node, N_("“{value}” is not known here.{guess}", value=value.text[:40], guess=guess))
        return value

    def schema(self) -> Json:
        return {"enum": list(self.names)}


class Says(Either):
    """A word, a list of words and phrases, or a group of any, all, starts, exact, regex and fuzzy."""

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return Condition(any=value) if isinstance(value, tuple) else value


class Trigger(Either):
    """Names, or a group of names and what comes with them. As both."""

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return (value, ()) if isinstance(value, tuple) and not isinstance(node, MappingNode) else value


class TriggerName(Text):
    """What somebody outside asks for; flows have their own way."""

    def __init__(self) -> None:
        super().__init__(100, N_("the name of a trigger"), "^(?!flow:)")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        if isinstance(value, Located) and value.text.startswith("flow:"):
            return report.add(node, N_("“flow:” begins the name of a flow, which is started without a rule"))
        return value


class NamesOrGroup(Shape):
    """A group of names with their values (one or many each), or names whose value does not matter."""

    def __init__(self, names: OneOrMany, group: MapOf, expected: Sentence) -> None:
        self.names, self.group, self.expected = names, group, expected

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, MappingNode):
            return self.group.read(node, report)
        names = self.names.read(node, report)
        return {name.text: () for name in names} if isinstance(names, tuple) else names

    def schema(self) -> Json:
        return {"anyOf": [self.names.schema(), self.group.schema()]}


class AnyOrGroup(Either):
    """`any`, or a group of keys and values."""

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return {} if isinstance(value, Located) else value


def _condition(**parts: tuple[Located, ...]) -> Condition:
    if not parts:
        raise ValueError(N_("Expected one of any, all, starts, exact, regex, fuzzy"))
    return Condition(**parts)


def _when(line: int, **values: Any) -> When:
    if not values:
        raise ValueError(N_("Expected what the rule listens to, like “says”"))
    prompts = [key for key in ("trigger", "inactivity") if key in values]
    others = [key for key in values if key in OF_MESSAGES]
    if len(prompts) > 1 or (prompts and others):
        one, other = (*prompts, *others)[:2]
        said = N_(
            "No message comes with “{one}”, so it cannot be with “{other}”; make it two rules", one=one, other=other
        )
        raise ValueError(said)
    condition = values.pop("if", None)
    values["trigger"], values["data"] = values.get("trigger", ((), ()))
    return When(condition=condition, line=line, **values)


PHRASES = OneOrMany(Text(200, N_("a word or phrase")), 500, N_("a word or a list of words and phrases"))
PATTERNS = OneOrMany(Text(300, N_("a pattern")), 20, N_("a pattern or a list of patterns"))
SAYS = Says(
    PHRASES,
    Keys(
        _condition,
        {"any": PHRASES, "all": PHRASES, "starts": PHRASES, "exact": PHRASES, "regex": PATTERNS, "fuzzy": PHRASES},
    ),
    "a word, a list of words, or a group of any, all, starts, exact, regex, fuzzy",
)
_VALUES = OneOrMany(Text(200, N_("a value")), 50, N_("a value or a list of values"))
_FIELD = Name(NAME, N_("the name of a field"))
_FIELDS = OneOrMany(_FIELD, 20, N_("the name of a field, or a list of names"))
_TAGS = OneOrMany(Text(100, N_("a tag")), 20, N_("a tag or a list of tags"))
_TRIGGERS = OneOrMany(TriggerName(), 20, N_("the name of a trigger, or a list of names"))
_DATA = OneOrMany(Name(NAME, N_("a name of letters, digits and _"), free=True), 50, N_("a name or a list of names"))
WHEN = Keys(
    _when,
    {
        "says": SAYS,
        "pressed": OneOrMany(Text(200, N_("the id of a button or row")), 50, N_("an id or a list of ids")),
        "media": OneOrMany(OneOf(ANY, *KINDS), len(KINDS), N_("a kind of file or a list of kinds")),
        "location": Truth("true"),
        "order": Truth("true"),
        "reaction": OneOrMany(Text(20, N_("an emoji, or any")), 50, N_("an emoji or a list of emojis, or any")),
        "referral": AnyOrGroup(
            OneOf(ANY), MapOf(Name(NAME, N_("a name")), _VALUES, 20, N_("a group of names and values")), A_TEXT
        ),
        "first": Truth("true"),
        "first_after": Length(1, LONGEST),
        "tag": _TAGS,
        "no_tag": _TAGS,
        "field": NamesOrGroup(
            _FIELDS, MapOf(_FIELD, _VALUES, 20, N_("a group of fields and values")), N_("fields, or a group of them")
        ),
        "no_field": _FIELDS,
        "channel": OneOrMany(Text(100, N_("the name of a channel")), 50, N_("a channel or a list of channels")),
        "network": OneOrMany(OneOf(*NETWORKS), len(NETWORKS), N_("a network or a list of networks")),
        "open": Truth(),
        "trigger": Trigger(
            _TRIGGERS,
            Keys(lambda name, data=(): (name, data), {"name": _TRIGGERS, "data": _DATA}, ("name",)),
            A_TEXT,
        ),
        "inactivity": Length(1, LONGEST),
        "if": Text(1_000, N_("an expression, like quantity > 10")),
    },
    expected=N_("what the rule listens to, like {says: hi}"),
    located=True,
)
