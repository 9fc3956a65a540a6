"""From YAML text to a tree of nodes. libyaml reads; which node is a number or a date is nobody's question here, because
every shape of a bot document reads texts as they are written. Only "nothing" is told from other texts.

What YAML 1.2 changed and libyaml does not know is mended before: U+0085, U+2028 and U+2029 are characters, not ends of
lines. JSON is read too, also where it writes a character as two escaped halves.
"""

import re
from collections.abc import Iterator
from itertools import count

import yaml
from yaml import AliasEvent, Event, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent
from yaml import SequenceStartEvent as ListStartEvent

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.shape import Problem
from app.errors import Misconfigured
from app.said import N_, Sentence

try:
    from yaml import CSafeLoader
except ImportError:
    raise Misconfigured(
        N_(
            "The PyYAML of this machine was built without libyaml, which reads bot documents. Install libyaml with its "
            "headers, then PyYAML again: pip install --force-reinstall --no-binary PyYAML PyYAML"
        )
    ) from None

DEEPEST = 64
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
NULL_TAG = "tag:yaml.org,2002:null"
NOT_BREAKS = "\x85\u2028\u2029"
HALVES = re.compile(r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
END_OF_LINE = re.compile(r"\r\n|\r|\n")
AT_A_COLON = ("did not find expected node content", "found unexpected ':'")
PRIVATE = 0xF0000  # from here on, characters mean nothing to anybody


class NotYaml(Exception):
    """The text has no tree. `problem` says where and why."""

    def __init__(self, line: int, column: int, message: Sentence) -> None:
        super().__init__(str(message))
        self.problem = Problem(line, column, message)


def compose(text: str) -> MappingNode:
    """The tree of the text's one document, a group of keys. An alias is the node that it names. Raises `NotYaml`."""
    text = whole(text) if text.startswith("{") else text
    instead = stand_ins(text)
    back = {stand_in: code for code, stand_in in instead.items()}
    try:
        node = _document(yaml.parse(text.translate(instead), Loader=CSafeLoader), back)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.count("\n") + 1
        if line > lines:  # libyaml begins another line where a text ends too early
            line, column = lines, len(text) - text.rfind("\n")
        if error.problem in AT_A_COLON and _character(text, line, column) == ":":
            said = N_("Within braces or brackets, a text that begins or ends with “:” stands in quotes, like ':)'")
            raise NotYaml(line, column, said) from None
        raise _broken(line, column, error.problem or error.context or "") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _broken(1, 1, str(error).splitlines()[0]) from None
    if not isinstance(node, MappingNode):
        raise NotYaml(1, 1, N_("Expected a bot document, which begins with “bot: name”"))
    return node


def end_of(text: str, items: SequenceNode) -> tuple[int, int]:
    """Line and column of the bracket that closes a list of this text, or of what follows a list written in lines."""
    open_lists: list[tuple[int, int]] = []
    for event in yaml.parse(text.translate(stand_ins(text)), Loader=yaml.CSafeLoader):
        mark = event.start_mark
        here = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, ListStartEvent):
            open_lists.append(here)
        elif isinstance(event, SequenceEndEvent) and open_lists.pop() == (items.line, items.column):
            return here
    raise LookupError("the list is not of this text")


def _broken(line: int, column: int, reason: str) -> NotYaml:
    return NotYaml(line, column, N_("This is not YAML: {reason}", reason=reason))


def _character(text: str, line: int, column: int) -> str:
    """What stands at a place that libyaml named; '' at an end."""
    return END_OF_LINE.split(text)[line - 1][column - 1 : column]


def whole(text: str) -> str:
    """The JSON text with characters instead of two escaped halves each, which YAML does not have. Later columns of such
    a line count what is left."""

    def character(found: re.Match[str]) -> str:
        return (
            chr(0x10000 + (int(found[1], 16) - 0xD800) * 0x400 + int(found[2], 16) - 0xDC00) if found[1] else found[0]
        )

    return HALVES.sub(character, text)


def stand_ins(text: str) -> dict[int, int]:
    """For each character that libyaml would take for the end of a line, one that the text does not have."""
    found = [ord(character) for character in NOT_BREAKS if character in text]
    free = (code for code in count(PRIVATE) if chr(code) not in text)
    return {code: next(free) for code in found}


def _document(events: Iterator[Event], back: dict[int, int]) -> Node | None:
    """The root of the only document; None if there is none."""
    root: Node | None = None
    open_nodes: list[SequenceNode | MappingNode] = []
    keys: list[Node | None] = []  # for each open group, the key whose value comes next
    anchors: dict[str, Node] = {}
    for event in events:
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            open_nodes.pop()
            keys.pop()
            continue
        node = _node(event, anchors, back)
        if node is None:
            continue
        if open_nodes:
            _add(open_nodes[-1], keys, node)
        elif root is None:
            root = node
        else:
            raise _broken(node.line, node.column, "expected one document, but found another")
        if isinstance(event, MappingStartEvent | ListStartEvent) and not isinstance(node, ScalarNode):
            if len(open_nodes) == DEEPEST:
                raise NotYaml(node.line, node.column, N_("This is nested too deeply"))
            open_nodes.append(node)
            keys.append(None)
    return root


def _add(parent: SequenceNode | MappingNode, keys: list[Node | None], node: Node) -> None:
    if isinstance(parent, SequenceNode):
        parent.value.append(node)
        return
    key, keys[-1] = keys[-1], None
    if key is None:
        keys[-1] = node
    else:
        parent.value.append((key, node))


def _node(event: Event, anchors: dict[str, Node], back: dict[int, int]) -> Node | None:
    """What begins with this event; None if it is only a frame around the document."""
    mark = event.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    node: Node
    if isinstance(event, ScalarEvent):
        value = event.value.translate(back) if back else event.value
        empty = event.tag == NULL_TAG or (event.tag is None and event.implicit[0] and value in NULLS)
        node = ScalarNode(line, column, value, empty, event.style in ("|", ">"), event.style in ("'", '"'))
    elif isinstance(event, MappingStartEvent):
        node = MappingNode(line, column, [], bool(event.flow_style))
    elif isinstance(event, ListStartEvent):
        node = SequenceNode(line, column, [], bool(event.flow_style))
    elif isinstance(event, AliasEvent):
        if event.anchor not in anchors:
            raise _broken(line, column, f"found undefined alias {event.anchor!r}")
        return anchors[event.anchor]
    else:
        return None
    if event.anchor:
        anchors[event.anchor] = node
    return node
