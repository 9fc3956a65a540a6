"""Flows as they are drawn: boxes and arrows with places in pixels, from the tree of a document. Pure.

What is read is the tree, not the accepted document, so a flow is drawn while something elsewhere is still wrong; a step
that nobody knows is a box with its key. Branches stand side by side, what comes after them below. Each box leads to its
line.
"""

from collections.abc import Iterator
from typing import Final, Literal
from unicodedata import east_asian_width

import msgspec

from app.bot.nodes import MappingNode, Node, ScalarNode, SequenceNode
from app.bot.tree import NotYaml, compose
from app.said import N_, Sentence

WIDE: Final = 170  # of a box
HIGH: Final = 48
BESIDE: Final = 28  # between branches
BELOW: Final = 34  # between a box and the next
LANE: Final = 14  # between the ways back
TITLE: Final = 22  # characters that fit, a Chinese one counts twice
FLOWS: Final = 20  # drawn; the document lists them all
STEPS: Final = 600  # drawn, of all flows together

Stripe = Literal["q", "", "p", "x"]  # ask; say and call; hand-off; the rest
STRIPES: Final[dict[str, Stripe]] = {
    "ask": "q", "say": "", "image": "", "video": "", "audio": "", "document": "", "call": "", "handoff": "p",
}  # fmt: skip
BRANCHES: Final = ("if", "switch", "ask", "call")
ENDS: Final = ("return", "goto", "close")


class Step(msgspec.Struct, frozen=True):
    """One step. `branches`: what is done when, by label; `goes`: the label that a `goto` names; `named`: a label's."""

    kind: str
    line: int
    title: Sentence
    detail: str = ""
    branches: "tuple[Branch, ...]" = ()
    goes: str = ""
    named: str = ""


class Branch(msgspec.Struct, frozen=True):
    label: Sentence
    steps: tuple[Step, ...]


class Box(msgspec.Struct, frozen=True):
    """A drawn step: its middle and top."""

    step: Step
    x: int
    y: int
    stripe: Stripe


class Arrow(msgspec.Struct, frozen=True):
    """A way from one box to another. `path`: for SVG, without its head, which is at `x`, `y`; `turn`: where the head
    points. `label` stands at `at`."""

    path: str
    x: int
    y: int
    turn: Literal["down", "left"] = "down"
    label: Sentence = ""
    at: tuple[int, int] = (0, 0)


class Map(msgspec.Struct, frozen=True):
    """A flow as it is drawn, `line` where it begins. `steps` is the same as a list."""

    name: str
    line: int
    count: int
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    steps: tuple[Step, ...]


class Maps(msgspec.Struct, frozen=True):
    """The flows that are drawn, and how many more there are."""

    flows: tuple[Map, ...] = ()
    more: int = 0


def maps(text: str) -> Maps:
    """Every flow of a document, drawn; none while it is not YAML."""
    if "flows" not in text:
        return Maps()  # a large document without flows is not read once more
    try:
        flows = get(compose(text), "flows")
    except NotYaml:
        return Maps()
    found: list[Map] = []
    left = STEPS
    known = flows.value if isinstance(flows, MappingNode) else []
    for key, node in known[:FLOWS]:
        steps = steps_of(node)
        size = sum(1 for _ in walk(steps))
        if size > left:
            break
        left -= size
        found.append(drawn(key.value if isinstance(key, ScalarNode) else "", key.line, steps))
    return Maps(tuple(found), len(known) - len(found))


# ---- what a flow is made of -----------------------------------------------------------------------------------------


def get(node: Node | None, key: str) -> Node | None:
    """The value of a group's key."""
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for name, value in pairs if isinstance(name, ScalarNode) and name.value == key), None)


def steps_of(node: Node | None) -> tuple[Step, ...]:
    entries = node.value if isinstance(node, SequenceNode) else []
    return tuple(step for entry in entries if isinstance(entry, MappingNode) for step in step_of(entry))


def step_of(node: MappingNode) -> Iterator[Step]:
    """The step, or nothing where the group is empty."""
    keys = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
    kind = next((key for key in keys if key in KNOWN), keys[0] if keys else "")
    if kind:
        value = get(node, kind)
        title, detail = words_of(kind, value)
        yield Step(
            kind,
            node.line,
            title,
            detail,
            tuple(branches_of(kind, node)),
            plain(value) if kind == "goto" else "",
            plain(value) if kind == "label" else "",
        )


def branches_of(kind: str, node: MappingNode) -> Iterator[Branch]:
    if kind == "if":
        yield Branch(N_("yes"), steps_of(get(node, "then")))
        yield Branch(N_("no"), steps_of(get(node, "else")))
    elif kind == "switch":
        cases = get(node, "cases")
        for key, steps in cases.value if isinstance(cases, MappingNode) else []:
            yield Branch(plain(key), steps_of(steps))
        yield Branch(N_("else"), steps_of(get(node, "else")))
    elif kind == "call" and (failed := get(node, "failed")):
        yield Branch(N_("answered"), ())
        if isinstance(failed, MappingNode):
            yield from (Branch(N_("failed: {what}", what=plain(key)), steps_of(steps)) for key, steps in failed.value)
        else:
            yield Branch(N_("failed"), steps_of(failed))
    elif kind in BRANCHES:
        otherwise, late = steps_of(get(node, "otherwise")), steps_of(get(get(get(node, "ask"), "timeout"), "do"))
        if otherwise or late:
            yield Branch(N_("answered"), ())
        if otherwise:
            yield Branch(N_("no valid answer"), otherwise)
        if late:
            yield Branch(N_("no answer in time"), late)


def words_of(kind: str, value: Node | None) -> tuple[Sentence, str]:
    """What a box says: its title and the line below."""
    first = plain(value)
    match kind:
        case "ask":
            return N_("Ask: {name}", name=plain(get(value, "save"))), plain(get(value, "text"))
        case "if" | "switch":
            return first, ""
        case "say":
            return N_("Say"), first
        case "handoff":
            return N_("Hand off"), first
        case "start":
            return N_("Start: {name}", name=first), ""
        case "goto":
            return N_("Go to: {name}", name=first), ""
        case "label":
            return N_("Label: {name}", name=first), ""
        case "return":
            return N_("End of flow"), ""
        case "tag":
            return N_("Tag: {name}", name=first), ""
        case "untag":
            return N_("Take off tag: {name}", name=first), ""
        case "call":
            method = next((key for key in ("get", "post", "put", "patch", "delete") if get(value, key)), "")
            return N_("Call: {method}", method=method), plain(get(value, method))
        case "wait":
            until = plain(get(value, "until"))
            return (N_("Wait until: {time}", time=until) if until else N_("Wait: {time}", time=first)), ""
        case "schedule":
            said = value.value[0] if isinstance(value, SequenceNode) and value.value else value
            return N_("Send later"), plain(said) or plain(get(said, "say"))
        case "later":
            return N_("Start later: {name}", name=first), ""
        case "close":
            return N_("Close the chat"), ""
        case "set" | "field":
            title = N_("Remember") if kind == "set" else N_("Note of the person")
            return title, ", ".join(plain(key) for key, _ in value.value) if isinstance(value, MappingNode) else ""
        case _:
            return kind, first


KNOWN: Final = frozenset(
    {
        *STRIPES,
        *BRANCHES,
        *ENDS,
        "start",
        "label",
        "tag",
        "untag",
        "set",
        "field",
        "wait",
        "schedule",
        "later",
        "note",
        "assign",
    }
)


def plain(node: Node | None) -> str:
    """A text as it is written; the first of a list."""
    if isinstance(node, SequenceNode):
        return plain(node.value[0]) if node.value else ""
    return " ".join(node.value.split()) if isinstance(node, ScalarNode) else ""


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        for branch in step.branches:
            yield from walk(branch.steps)


def short(text: str, most: int) -> str:
    """As much as fits."""
    room = most
    for at, character in enumerate(text):
        room -= 2 if east_asian_width(character) in "WF" else 1
        if room < 0:
            return text[:at].rstrip() + "…"
    return text


# ---- where it stands ------------------------------------------------------------------------------------------------


class End(msgspec.Struct, frozen=True):
    """An open end: the way goes on from here, down the column at `down`."""

    x: int
    y: int
    down: int
    label: Sentence = ""


def wide(steps: tuple[Step, ...]) -> int:
    """How much room a list of steps takes."""
    return max((WIDE, *(branches_wide(step) for step in steps)))


def branches_wide(step: Step) -> int:
    return sum(wide(branch.steps) for branch in step.branches) + BESIDE * max(0, len(step.branches) - 1)


class Drawing:
    """Boxes and arrows as they come."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []

    def column(self, steps: tuple[Step, ...], x: int, y: int, ends: list[End]) -> tuple[int, list[End]]:
        """Draw steps below each other around `x` from `y` on, entered from `ends`. Returns where they stop, and the
        open ends there."""
        for step in steps:
            self.arrows += [arrow(end, x, y) for end in ends]
            self.boxes.append(Box(step, x, y, STRIPES.get(step.kind, "x")))
            y, ends = self.branches(step, x, y + HIGH) if step.branches else (y + HIGH, [End(x, y + HIGH, x)])
            ends = [] if step.kind in ENDS else ends
            y += BELOW
        return y, ends

    def branches(self, step: Step, x: int, y: int) -> tuple[int, list[End]]:
        left, deepest = x - branches_wide(step) // 2, y
        ends: list[End] = []
        for branch in step.branches:
            room = wide(branch.steps)
            middle = left + room // 2
            found = [End(x, y, middle, branch.label)]
            if branch.steps:
                bottom, found = self.column(branch.steps, middle, y + BELOW + HIGH // 2, found)
                deepest = max(deepest, bottom - BELOW)
            ends += found
            left += room + BESIDE
        # Ways that meet bend below all branches, and labels take a line.
        return max(deepest, y + HIGH // 2) + BELOW // 2, ends


def arrow(end: End, x: int, y: int) -> Arrow:
    """From an open end to the top of a box: over to its column, down, over to the box."""
    over = f"V{end.y + 12}H{end.down}" if end.down != end.x else ""
    back = f"V{y - 18}H{x}" if end.down != x else ""
    return Arrow(f"M{end.x} {end.y}{over}{back}V{y - 5}", x, y, label=end.label, at=(end.down, end.y + 33))


def drawn(name: str, line: int, steps: tuple[Step, ...]) -> Map:
    room = wide(steps)
    drawing = Drawing()
    bottom, _ends = drawing.column(steps, room // 2 + 14, 14, [])
    places = {box.step.named: box for box in drawing.boxes if box.step.named}
    lane = room + 14
    for box in drawing.boxes:
        to = places.get(box.step.goes)
        if box.step.goes and to:
            lane += LANE
            right, there = box.x + WIDE // 2, to.x + WIDE // 2
            path = f"M{right} {box.y + HIGH // 2}H{lane}V{to.y + HIGH // 2}H{there + 5}"
            drawing.arrows.append(Arrow(path, there, to.y + HIGH // 2, "left"))
    count = sum(1 for _ in walk(steps))
    return Map(name, line, count, lane + 14, bottom, tuple(drawing.boxes), tuple(drawing.arrows), steps)
