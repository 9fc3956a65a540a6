"""The steps that lead a conversation, as an author writes them: questions, branches, places to go on from, and what is
noted about the person. What stands where, as in `grammar`; `app.bot.program` makes them runnable.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from app.bot.moment import LONGEST, Length
from app.bot.nodes import MappingNode, Node
from app.bot.request import Request
from app.bot.request import verbs as called
from app.bot.scalars import FLOW_NAME, LARGEST, NAME, Name, Nothing, Number, Truth
from app.bot.shape import (
    Either,
    Integer,
    Json,
    Keys,
    ListOf,
    Located,
    MapOf,
    OneOrMany,
    Report,
    Shape,
    Text,
    Verbs,
)
from app.bot.timing import Delay, Pause, Postpone
from app.bot.timing import verbs as timed
from app.said import N_

if TYPE_CHECKING:
    from app.bot.grammar import Button, Step

PLAIN_ANSWERS = (
    "text",
    "integer",
    "decimal",
    "email",
    "phone",
    "yes_no",
    "location",
    "media",
    "date",
    "time",
    "datetime",
)


class Expect(msgspec.Struct, frozen=True):
    """What an answer must be: one of `PLAIN_ANSWERS`, `choice` or `regex`; `low` and `high` bound a number; `future`: a
    day or time that is past does not fit."""

    kind: str = "text"
    low: float = -LARGEST
    high: float = LARGEST
    regex: Located | None = None
    future: bool = False


class Reminder(msgspec.Struct, frozen=True):
    """What is said if there is no answer for `after` seconds."""

    after: int
    text: Located


class TimeOut(msgspec.Struct, frozen=True):
    """What is done if there is no answer for `after` seconds; None: the flow is left."""

    after: int
    do: "tuple[Step, ...] | None" = None


class Ask(msgspec.Struct, frozen=True):
    """A question. `again` is said instead of `text` after an answer that does not fit; `retries`: how often it is asked
    again; `otherwise` is done after that; `cancel` are words that leave the flow, answered by `cancelled`."""

    text: Located
    save: Located
    choices: "tuple[Button, ...]" = ()
    expect: Expect = Expect()
    retries: int = 2
    again: Located | None = None
    cancel: tuple[Located, ...] = ()
    cancelled: Located | None = None
    otherwise: "tuple[Step, ...] | None" = None
    reminder: Reminder | None = None
    timeout: TimeOut | None = None
    line: int = 0


class If(msgspec.Struct, frozen=True):
    condition: Located
    then: "tuple[Step, ...]"
    otherwise: "tuple[Step, ...]" = ()
    line: int = 0


class Switch(msgspec.Struct, frozen=True):
    value: Located
    cases: "dict[str, tuple[Step, ...]]"
    otherwise: "tuple[Step, ...]" = ()
    line: int = 0


class Start(msgspec.Struct, frozen=True):
    flow: Located
    line: int = 0


class Label(msgspec.Struct, frozen=True):
    """A place for `goto`; does nothing itself."""

    name: Located
    line: int = 0


class Goto(msgspec.Struct, frozen=True):
    label: Located
    line: int = 0


class Return(msgspec.Struct, frozen=True):
    """The flow ends here; the one that started it goes on."""

    line: int = 0


class Set(msgspec.Struct, frozen=True):
    values: dict[str, Located]
    line: int = 0


class Tagging(msgspec.Struct, frozen=True):
    add: tuple[Located, ...] = ()
    remove: tuple[Located, ...] = ()
    line: int = 0


class Fields(msgspec.Struct, frozen=True):
    values: dict[str, Located]
    line: int = 0


class Closing(msgspec.Struct, frozen=True):
    line: int = 0


Move = (
    Ask | If | Switch | Start | Label | Goto | Return | Set | Tagging | Fields | Closing
    | Pause | Postpone | Delay | Request
)  # fmt: skip


# ---- shapes ---------------------------------------------------------------------------------------------------------


class Steps(Shape):
    """A list of steps, which may hold lists of steps: named once in the JSON Schema (`#/$defs/steps`). The verbs are
    given when all of them are known."""

    def __init__(self, most: int) -> None:
        self.verbs: dict[str, Keys] = {}
        self.list = ListOf(Verbs(self.verbs, N_("a step")), most, N_("a list of steps"))

    def read(self, node: Node, report: Report) -> Any:
        return self.list.read(node, report)

    def schema(self) -> Json:
        return {"$ref": "#/$defs/steps"}


class ExpectShape(Either):
    """A kind of answer by its name, or a group that says more."""

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return Expect(value.text) if isinstance(value, Located) else value


class Kind(Text):
    def __init__(self) -> None:
        super().__init__(20, N_("one of {names}", names=", ".join(PLAIN_ANSWERS)))

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return self.wrong(node, report) if isinstance(value, Located) and value.text not in PLAIN_ANSWERS else value

    def schema(self) -> Json:
        return {"enum": list(PLAIN_ANSWERS)}


class Cases(MapOf):
    """Values and what is done then. A number may stand as it is; `true` and `false` are yes and no."""

    def schema(self) -> Json:
        return super().schema() | {"minProperties": 1}

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, MappingNode) and not node.value:
            return self.wrong(node, report)
        return super().read(node, report)


def _expect(**kinds: Any) -> Expect:
    if len(kinds) != 1:
        raise ValueError(N_("An answer is expected to be one thing"))
    ((kind, value),) = kinds.items()
    if kind == "regex":
        return Expect(kind, regex=value)
    if kind in ("date", "datetime"):
        return Expect(kind, future=value)
    low, high = value
    return Expect(kind, low, high)


def _range(min: float = -LARGEST, max: float = LARGEST) -> tuple[float, float]:
    if min > max:
        raise ValueError(N_("“min” is more than “max”"))
    return min, max


def _question(**values: Any) -> Ask:
    expect = values.get("expect")
    if values.get("choices"):
        if expect is not None:
            raise ValueError(N_("A question has either choices or expect"))
        values["expect"] = Expect("choice")
    if "cancelled" in values and not values.get("cancel"):
        raise ValueError(N_("“cancelled” needs “cancel”: the words that leave the flow"))
    reminder, timeout = values.get("reminder"), values.get("timeout")
    if reminder and timeout and reminder.after >= timeout.after:
        raise ValueError(N_("The reminder comes before the time-out, so its “after” must be shorter"))
    return Ask(**values)


def _ask(ask: Ask, otherwise: Any = None, line: int = 0) -> Ask:
    return msgspec.structs.replace(ask, otherwise=otherwise, line=line)


def _if(then: Any, line: int, **values: Any) -> If:
    return If(values["if"], then, values.get("else", ()), line)


def _switch(switch: Located, cases: Any, line: int, **values: Any) -> Switch:
    return Switch(switch, cases, values.get("else", ()), line)


def _made(kind: Callable[..., Any], **names: str) -> Callable[..., Any]:
    """A step that has one value: `names` says which of the struct's fields a key is."""

    def make(line: int, **values: Any) -> Any:
        return kind(line=line, **{names[key]: value for key, value in values.items() if key in names})

    return make


def verbs(steps: Shape, buttons: Shape, said: Shape) -> Mapping[str, Keys]:
    """The steps of this file by the key that names them. `said` is the shape of what customers read."""
    text, words = Text(4_096, N_("a text")), Text(200, N_("a word or phrase"))
    variable = Name(NAME, N_("a name of letters, digits and _"), free=True)
    label, flow = Name(FLOW_NAME, N_("the name of a label")), Name(FLOW_NAME, N_("the name of a flow"))
    patience = Length(1, LONGEST)
    expression = Text(1_000, N_("an expression, like quantity > 10"))
    tags = OneOrMany(Text(100, N_("a tag")), 20, N_("a tag or a list of tags"))
    ahead = Keys(lambda future: future, {"future": Truth("true")}, ("future",))
    limits = Keys(_range, {"min": Number(), "max": Number()})
    expect = ExpectShape(
        Kind(),
        Keys(
            _expect,
            {
                "integer": limits,
                "decimal": limits,
                "regex": Text(300, N_("a pattern")),
                "date": ahead,
                "datetime": ahead,
            },
        ),
        "a kind of answer",
    )
    question = Keys(
        _question,
        {
            "text": said,
            "choices": buttons,
            "expect": expect,
            "save": variable,
            "retries": Integer(0, 10),
            "again": said,
            "cancel": OneOrMany(words, 50, N_("a word or a list of words")),
            "cancelled": said,
            "reminder": Keys(Reminder, {"after": patience, "text": said}, ("after", "text")),
            "timeout": Keys(TimeOut, {"after": patience, "do": steps}, ("after",)),
        },
        ("text", "save"),
        N_("a group with text and save"),
    )
    cases = Cases(Text(200, N_("a value")), steps, 100, N_("a group of values and steps"))
    values = MapOf(variable, text, 50, N_("a group of names and values"))
    fields = MapOf(Name(NAME, N_("the name of a field")), text, 50, N_("a group of fields and values"))
    return {
        "ask": Keys(_ask, {"ask": question, "otherwise": steps}, ("ask",), located=True),
        "if": Keys(_if, {"if": expression, "then": steps, "else": steps}, ("if", "then"), located=True),
        "switch": Keys(
            _switch, {"switch": expression, "cases": cases, "else": steps}, ("switch", "cases"), located=True
        ),
        "start": Keys(_made(Start, start="flow"), {"start": flow}, ("start",), located=True),
        "label": Keys(_made(Label, label="name"), {"label": label}, ("label",), located=True),
        "goto": Keys(_made(Goto, goto="label"), {"goto": label}, ("goto",), located=True),
        "return": Keys(_made(Return), {"return": Nothing()}, ("return",), located=True),
        "set": Keys(_made(Set, set="values"), {"set": values}, ("set",), located=True),
        "tag": Keys(_made(Tagging, tag="add"), {"tag": tags}, ("tag",), located=True),
        "untag": Keys(_made(Tagging, untag="remove"), {"untag": tags}, ("untag",), located=True),
        "field": Keys(_made(Fields, field="values"), {"field": fields}, ("field",), located=True),
        "close": Keys(_made(Closing), {"close": Nothing()}, ("close",), located=True),
        **timed(steps, said, flow, values),
        **called(steps, variable, expression),
    }
