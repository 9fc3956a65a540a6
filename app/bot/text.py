"""Texts with places to fill in: `Hi {{ contact.first_name or 'there' }}!`.

Jinja only parses; its tree is accepted when it holds nothing but output, names, fields, comparisons, `if`, bounded
arithmetic and the filters of `app.bot.filters`, and is turned into plain closures over plain data. There is no way from
here to Python objects, no loop, no call and no assignment, and every operation that can grow a text is counted.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from jinja2 import Environment, TemplateSyntaxError, nodes

from app.bot.filters import FILTERS, TESTS, Filter
from app.bot.values import MISSING, Room, Unknown, add, as_text, divide, multiply, order, remainder, spend, subtract
from app.said import N_, Sentence

Evaluate = Callable[[Room], Any]

LONGEST = 16_384
DEPTH = 40
NODES = 1_000
SECRET = "secret"  # what a call alone may name

_environment = Environment(autoescape=False, keep_trailing_newline=True)

_ARITHMETIC: dict[type[nodes.Node], Callable[[Any, Any], Any]] = {
    nodes.Add: add,
    nodes.Sub: subtract,
    nodes.Mul: multiply,
    nodes.Div: divide,
    nodes.Mod: remainder,
}
_NOT_ALLOWED = {
    nodes.Call: N_("Calls, like name(), are not possible in texts"),
    nodes.For: N_("Loops are not possible in texts"),
    nodes.Macro: N_("Macros are not possible in texts"),
    nodes.Assign: N_("Assigning a value is not possible in texts"),
    nodes.Pow: N_("Powers (**) are not possible in texts"),
    nodes.Dict: N_("Braces with keys are not possible in texts"),
}


class TextError(ValueError):
    """The text is not accepted; `line` counts from 1 within it."""

    def __init__(self, message: Sentence, line: int = 1) -> None:
        super().__init__(str(message))
        self.said = message
        self.line = line


class Text(msgspec.Struct, frozen=True):
    """A checked text. `constant`: nothing is to be filled in. `names`: dotted names it reads, with their lines;
    `parts`: how many an expression has."""

    constant: str | None
    evaluate: Evaluate | None = None
    names: tuple[tuple[str, int], ...] = ()
    parts: int = 0

    def render(self, room: Room) -> str:
        """The text with its places filled in. Unknown names give nothing and a problem in the room; never raises."""
        if self.constant is not None:
            return spend(room, self.constant)
        assert self.evaluate is not None
        return as_text(room, self.evaluate(room))


def compile_text(source: str, builder: "Builder | None" = None) -> Text:
    """Checks a text and makes it ready. Raises `TextError`."""
    if "{{" not in source and "{%" not in source and "{#" not in source:
        return Text(source)
    if len(source) > LONGEST:
        raise TextError(N_("Expected at most {most} characters, found {count}", most=LONGEST, count=len(source)))
    builder = builder or Builder()
    evaluate = builder.output(_parse(source).body, 0)
    return Text(None, evaluate, tuple(builder.names))


def compile_expression(source: str) -> Text:
    """Checks one expression, as it stands between braces: `evaluate` gives its value. Raises `TextError`."""
    if any(brace in source for brace in ("{{", "}}", "{%", "%}", "{#", "#}")):
        raise TextError(N_("Expected one expression without braces, like quantity > 10"))
    body = _parse("{{" + source + "}}").body
    [node] = body if len(body) == 1 else [None]
    if not isinstance(node, nodes.Output) or len(node.nodes) != 1 or isinstance(node.nodes[0], nodes.TemplateData):
        raise TextError(N_("Expected one expression without braces, like quantity > 10"))
    builder = Builder()
    evaluate = builder.expression(node.nodes[0], 1)
    return Text(None, evaluate, tuple(builder.names), builder.count)


def compile_value(source: str) -> Text:
    """Checks what a variable is set to: a text, or, where it is one place to fill in and nothing else, that value as it
    is. Raises `TextError`."""
    text = source.strip()
    inside = text[2:-2]
    if text.startswith("{{") and text.endswith("}}") and "{{" not in inside and "}}" not in inside:
        return compile_expression(inside.strip("-"))
    return compile_text(source)


def _parse(source: str) -> nodes.Template:
    try:
        return _environment.parse(source)
    except TemplateSyntaxError as error:
        raise TextError(N_("This text cannot be read: {message}", message=error.message), error.lineno) from None
    except (RecursionError, OverflowError, ValueError):
        raise TextError(N_("This text cannot be read: it is nested too deeply or holds a number too large")) from None


class Builder:
    """Turns Jinja's tree into closures; whatever it has no case for is refused."""

    def __init__(self) -> None:
        self.names: list[tuple[str, int]] = []
        self.count = 0

    def output(self, body: list[nodes.Node], depth: int) -> Evaluate:
        """The parts of a text one after the other, as one text."""
        parts: list[Evaluate] = []
        for node in body:
            if isinstance(node, nodes.Output):
                parts += [self.part(part, depth + 1) for part in node.nodes]
            elif isinstance(node, nodes.If):
                parts.append(self.choice(node, depth + 1))
            else:
                raise self.refuse(node)
        return _joined(parts)

    def part(self, node: nodes.Node, depth: int) -> Evaluate:
        """One part of a text: what stands there, or what a place is filled with."""
        return self.expression(node, depth)

    def choice(self, node: nodes.If, depth: int) -> Evaluate:
        self.enter(node, depth)
        branches = [(self.expression(part.test, depth), self.output(part.body, depth)) for part in (node, *node.elif_)]
        otherwise = self.output(node.else_, depth)

        def choose(room: Room) -> Any:
            for test, body in branches:
                if test(room):
                    return body(room)
            return otherwise(room)

        return choose

    def expression(self, node: nodes.Node, depth: int) -> Evaluate:
        """One value."""
        self.enter(node, depth)
        depth += 1
        match node:
            case nodes.TemplateData():
                return _constant(node.data)
            case nodes.Const():
                return _constant(_plain(node))
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self.path(node)
            case nodes.List() | nodes.Tuple():
                return _list([self.expression(item, depth) for item in node.items])
            case nodes.Not():
                return _negation(self.expression(node.node, depth))
            case nodes.And():
                return _both(self.expression(node.left, depth), self.expression(node.right, depth))
            case nodes.Or():
                return _either(self.expression(node.left, depth), self.expression(node.right, depth))
            case nodes.Neg():
                return _operation(subtract, _constant(0), self.expression(node.node, depth))
            case nodes.Pos():
                return _operation(add, _constant(0), self.expression(node.node, depth))
            case nodes.Concat():
                return _joined([self.expression(part, depth) for part in node.nodes])
            case nodes.CondExpr():
                return self.conditional(node, depth)
            case nodes.Compare():
                return self.comparison(node, depth)
            case nodes.Filter():
                return self.filter(node, depth)
            case nodes.Test():
                return self.test(node, depth)
            case nodes.BinExpr() if type(node) in _ARITHMETIC:
                operate = _ARITHMETIC[type(node)]
                return _operation(operate, self.expression(node.left, depth), self.expression(node.right, depth))
            case _:
                raise self.refuse(node)

    def path(self, node: nodes.Node) -> Evaluate:
        """A name with fields: `contact.fields.city`, `items[0]`. Only constant keys, never an underscore in front."""
        keys: list[str | int] = []
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            keys.append(self.key(node))
            node = node.node
            self.enter(node, len(keys))
        if not isinstance(node, nodes.Name):
            raise TextError(N_("A field can only be read from a name"), node.lineno)
        if node.name == SECRET:
            raise TextError(
                N_(
                    "A secret stands as {example} and nothing more, in the address, headers, json or form of a call",
                    example="{{ secret.name }}",
                ),
                node.lineno,
            )
        if node.name.startswith("_"):
            raise TextError(N_("Names do not begin with an underscore: {name}", name=node.name), node.lineno)
        keys.reverse()
        dotted = ".".join([node.name, *map(str, keys)])
        self.names.append((dotted, node.lineno))
        return _lookup(node.name, tuple(keys), dotted)

    def key(self, node: nodes.Getattr | nodes.Getitem) -> str | int:
        value = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
            raise TextError(N_("Only a fixed name or number may stand in brackets"), node.lineno)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise TextError(N_("Only a name or a whole number may stand in brackets"), node.lineno)
        if isinstance(value, str) and value.startswith("_"):
            raise TextError(N_("Names do not begin with an underscore: {value}", value=value[:40]), node.lineno)
        return value

    def conditional(self, node: nodes.CondExpr, depth: int) -> Evaluate:
        test, yes = self.expression(node.test, depth), self.expression(node.expr1, depth)
        no = self.expression(node.expr2, depth) if node.expr2 is not None else _constant("")
        return lambda room: yes(room) if test(room) else no(room)

    def comparison(self, node: nodes.Compare, depth: int) -> Evaluate:
        first = self.expression(node.expr, depth)
        rest = [(operand.op, self.expression(operand.expr, depth)) for operand in node.ops]

        def compare(room: Room) -> bool:
            left = first(room)
            for operator, right in rest:
                value = right(room)
                if not order(room, operator, left, value):
                    return False
                left = value
            return True

        return compare

    def filter(self, node: nodes.Filter, depth: int) -> Evaluate:
        known = FILTERS.get(node.name)
        if known is None or node.node is None:
            raise TextError(
                N_("There is no filter “{name}” here. Known: {names}", name=node.name, names=", ".join(FILTERS)),
                node.lineno,
            )
        arguments = self.arguments(node, known, depth)
        value, apply = self.expression(node.node, depth), known.apply
        return lambda room: apply(room, value(room), *[argument(room) for argument in arguments])

    def arguments(self, node: nodes.Filter, known: Filter, depth: int) -> list[Evaluate]:
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) not in known.arguments:
            counts = " or ".join(map(str, known.arguments))
            raise TextError(
                N_("The filter “{name}” takes {counts} values in parentheses", name=node.name, counts=counts),
                node.lineno,
            )
        return [self.expression(argument, depth) for argument in node.args]

    def test(self, node: nodes.Test, depth: int) -> Evaluate:
        known = TESTS.get(node.name)
        if known is None or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise TextError(
                N_("There is no test “{name}” here. Known: {names}", name=node.name, names=", ".join(TESTS)),
                node.lineno,
            )
        value = self.expression(node.node, depth)
        return lambda room: known(value(room))

    def enter(self, node: nodes.Node, depth: int) -> None:
        self.count += 1
        if depth > DEPTH:
            raise TextError(N_("This text is nested more than {depth} deep", depth=DEPTH), node.lineno)
        if self.count > NODES:
            raise TextError(N_("This text has more than {nodes} parts", nodes=NODES), node.lineno)

    def refuse(self, node: nodes.Node) -> TextError:
        line = _line(node)
        for kind, message in _NOT_ALLOWED.items():
            if isinstance(node, kind):
                return TextError(message, line)
        return TextError(N_("“{value}” is not possible in texts", value=type(node).__name__.lower()), line)


def _line(node: nodes.Node) -> int:
    """Where it begins. Jinja gives none to what it puts around a block by itself; what is inside has one."""
    lines = [found.lineno for found in (node, *node.find_all(nodes.Node))]
    return next((line for line in lines if line), 1)


def _plain(node: nodes.Const) -> Any:
    value = node.value
    if isinstance(value, int | float) and not abs(value) <= 1e15:
        raise TextError(N_("This number is too large"), node.lineno)
    if value is not None and not isinstance(value, str | int | float | bool):
        raise TextError(N_("Only texts, numbers, true and false may be written here"), node.lineno)
    return value


def _constant(value: Any) -> Evaluate:
    return lambda room: value


def _joined(parts: list[Evaluate]) -> Evaluate:
    return lambda room: spend(room, "".join([as_text(room, part(room)) for part in parts]))


def _list(items: list[Evaluate]) -> Evaluate:
    return lambda room: [item(room) for item in items]


def _negation(value: Evaluate) -> Evaluate:
    return lambda room: not value(room)


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda room: left(room) and right(room)


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda room: left(room) or right(room)


def _operation(operate: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    def run(room: Room) -> Any:
        value = operate(left(room), right(room))
        if value is MISSING:
            room.problem(N_("A calculation had no number to work with; it was left empty"))
        return value

    return run


def _lookup(name: str, keys: tuple[str | int, ...], dotted: str) -> Evaluate:
    missing = Unknown(dotted)

    def look(room: Room) -> Any:
        value: Any = room.names.get(name, missing)
        for key in keys:
            if isinstance(value, Mapping):
                value = value.get(key, missing)
            elif isinstance(value, list | tuple) and isinstance(key, int) and -len(value) <= key < len(value):
                value = value[key]
            else:
                return missing
        return value

    return look
