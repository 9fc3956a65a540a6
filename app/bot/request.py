"""The step that asks a web service, or a program that is connected to Parley (`handler`): as an author writes it, and
what stands where."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.bot.address import Address
from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.shape import A_TEXT, MISSING, Either, Json, Keys, Located, MapOf, Report, Shape, Text, is_empty, place
from app.said import N_, mark

if TYPE_CHECKING:
    from app.bot.grammar import Step

METHODS: Final = ("get", "post", "put", "patch", "delete", "handler")
HANDLER: Final = "HANDLER"  # the method of a call to a program, whose name stands in place of an address
HANDLER_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
ANY: Final = "else"
TIMEOUT: Final = 10
MOST_SECONDS: Final = 30
ERRORS: Final = {
    "timeout": mark("No answer came in time."),
    "refused": mark("The connection was refused."),
    "unreachable": mark("The address could not be reached."),
    "too_large": mark("The answer was too large."),
    "not_allowed": mark("Calls may not go to this address."),
    "bad_json": mark("The answer was not JSON."),
    "bad_request": mark("The request could not be made."),
    "unknown": mark("It may have arrived or not, and was not made again."),
    "no_secret": mark("A secret that it names is not there, so it was not made."),
}


class Relay(msgspec.Struct, frozen=True):
    """The program that is given what the customer writes before the rules are: the handler's name, and for how many
    seconds its answer is waited for."""

    name: str
    timeout: float = TIMEOUT


class Leaf(msgspec.Struct, frozen=True):
    """A value of a body; one that is not quoted may be a number, true or false."""

    text: Located
    quoted: bool = False


class Request(msgspec.Struct, frozen=True):
    """`json` is a tree of groups, lists, leaves and None. `save` is the variable that takes the whole answer, `map` are
    variables and the expressions that give them; `failed`: what is done by kind of failure, `else` for any other."""

    method: str
    url: Located
    headers: dict[str, Located] = {}
    json: Any = MISSING
    form: dict[str, Located] | None = None
    timeout: float = TIMEOUT
    save: Located | None = None
    map: dict[str, Located] = {}
    failed: "dict[str, tuple[Step, ...]] | None" = None
    line: int = 0


class Body(Shape):
    """Any value of JSON, written as YAML, of at most `most` values."""

    expected = N_("a value, a list or a group")
    most, deepest = 200, 8

    def read(self, node: Node, report: Report) -> Any:
        if size(node, self.deepest) > self.most:
            said = N_("Expected at most {most} values, {deep} deep", most=self.most, deep=self.deepest)
            return report.add(node, said)
        return self.value(node, report)

    def value(self, node: Node, report: Report) -> Any:
        if isinstance(node, ScalarNode):
            return None if is_empty(node) else Leaf(Located(node.value, *place(node), node.block), node.quoted)
        if not report.enter(node):
            return MISSING
        if isinstance(node, SequenceNode):
            items = [self.value(item, report) for item in node.value]
            return MISSING if MISSING in items else tuple(items)
        found: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, ScalarNode) or key.value in found:
                return report.add(key, N_("Expected each name once, as a text"))
            found[key.value] = self.value(item, report)
        return MISSING if MISSING in found.values() else found

    def schema(self) -> Json:
        return {}


def size(node: Node, deep: int) -> int:
    """How many values there are; more than any number if they are nested too deeply."""
    if isinstance(node, ScalarNode):
        return 1
    if deep == 0:
        return 1 << 30
    items = [item for _, item in node.value] if isinstance(node, MappingNode) else node.value
    return 1 + sum(size(item, deep - 1) for item in items)


class Header(Text):
    def __init__(self) -> None:
        super().__init__(100, N_("the name of a header"), r"^[A-Za-z0-9!#$%&'*+.^_|~-]+$")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        fits = not isinstance(value, Located) or re.fullmatch(self.pattern[1:-1], value.text)
        return value if fits else self.wrong(node, report)


class Handler(Text):
    """The name under which programs offer to answer."""

    def __init__(self) -> None:
        super().__init__(60, N_("the name of a handler: letters, digits, dots, - and _"), f"^{HANDLER_NAME}$")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        fits = not isinstance(value, Located) or re.fullmatch(HANDLER_NAME, value.text)
        return value if fits else self.wrong(node, report)


class Seconds(Shape):
    expected = N_("a number of seconds from 1 to {most}", most=MOST_SECONDS)

    def read(self, node: Node, report: Report) -> Any:
        text = node.value if isinstance(node, ScalarNode) else ""
        fits = re.fullmatch(r"[0-9]{1,2}(\.[0-9])?", text) and 1 <= float(text) <= MOST_SECONDS
        return float(text) if fits else self.wrong(node, report)

    def schema(self) -> Json:
        return {"type": "number", "minimum": 1, "maximum": MOST_SECONDS}


class Failure(Text):
    """What went wrong: a kind, a status as `404` or `4xx`, or `else`."""

    def __init__(self) -> None:
        expected = N_("what went wrong: one of {names}", names=", ".join((*ERRORS, "404", "5xx", ANY)))
        super().__init__(20, expected, rf"^({'|'.join(ERRORS)}|[1-5](\d\d|xx)|{ANY})$")

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        fits = not isinstance(value, Located) or re.fullmatch(self.pattern[1:-1], value.text)
        return value if fits else self.wrong(node, report)


class Failed(Shape):
    """Steps for any failure, or steps by what went wrong."""

    expected = N_("a list of steps, or a group of failures and steps")

    def __init__(self, steps: Shape) -> None:
        self.steps = steps
        self.kinds = MapOf(Failure(), steps, 20, self.expected)

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, MappingNode):
            return self.kinds.read(node, report)
        steps = self.steps.read(node, report)
        return {ANY: steps} if isinstance(steps, tuple) else steps

    def schema(self) -> Json:
        names = {"propertyNames": {"pattern": self.kinds.name.schema()["pattern"]}}
        return {"anyOf": [self.steps.schema(), {**self.kinds.schema(), **names}]}


def _relay(name: Located, timeout: float = TIMEOUT) -> Relay:
    return Relay(name.text, timeout)


class RelayShape(Either):
    """A plain name is a handler with the usual time."""

    def __init__(self) -> None:
        expected = N_("the name of a handler, or a group of name and timeout")
        super().__init__(Handler(), Keys(_relay, {"name": Handler(), "timeout": Seconds()}, ("name",)), expected)

    def read(self, node: Node, report: Report) -> Any:
        value = super().read(node, report)
        return Relay(value.text) if isinstance(value, Located) else value


def _request(**values: Any) -> Request:
    methods = [method for method in METHODS if method in values]
    if len(methods) != 1:
        raise ValueError(N_("A call has one of get, post, put, patch, delete and handler, with the address or name"))
    [method] = methods
    body = [name for name in ("json", "form") if name in values]
    if len(body) > 1:
        raise ValueError(N_("A call has either json or form"))
    if body and method == "get":
        raise ValueError(N_("A call with get sends no {name}; put it in the address", name=body[0]))
    if method == "handler" and values.keys() & {"headers", "form"}:
        raise ValueError(N_("A handler is given json, and neither headers nor form"))
    return Request(method.upper(), values.pop(method), **values)


def _call(call: Request, line: int, failed: Any = None) -> Request:
    return msgspec.structs.replace(call, failed=failed, line=line)


def verbs(steps: Shape, variable: Shape, expression: Shape) -> Mapping[str, Keys]:
    """The step of this file by the key that names it."""
    text = Text(4_096, A_TEXT)
    call = Keys(
        _request,
        {
            **dict.fromkeys(METHODS, Address()),
            "handler": Handler(),
            "headers": MapOf(Header(), text, 20, N_("a group of headers and texts")),
            "json": Body(),
            "form": MapOf(Text(100, N_("a name")), text, 100, N_("a group of names and texts")),
            "timeout": Seconds(),
            "save": variable,
            "map": MapOf(variable, expression, 50, N_("a group of names and expressions")),
        },
        expected=N_("a group with get, post, put, patch, delete or handler"),
    )
    return {"call": Keys(_call, {"call": call, "failed": Failed(steps)}, ("call",), located=True)}
