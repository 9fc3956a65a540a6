"""Flows as they are drawn: boxes and arrows with places in pixels, from the tree of a document. Pure.

What is read is the tree, not the accepted document, so a flow is drawn while something elsewhere is still wrong; a step
that nobody knows is a box with its key. Branches stand side by side, what comes after them below. Each box leads to its
line. What starts a flow stands above it, and a step that starts one leads to it.
"""

from typing import Final, Literal
from unicodedata import east_asian_width

import msgspec

from app.bot.links import HEIGHT, WIDTH, Link, row, row_wide, starters
from app.bot.nodes import MappingNode, ScalarNode
from app.bot.outline import ENDS, STRIPES, Step, Stripe, get, steps_of, walk
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
    turn: Literal["down", "left", "right"] = "down"
    label: Sentence = ""
    at: tuple[int, int] = (0, 0)


class Map(msgspec.Struct, frozen=True):
    """A flow as it is drawn, `line` where it begins. `steps` is the same as a list; `links` lead to what starts it and
    to what it starts."""

    name: str
    line: int
    count: int
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    steps: tuple[Step, ...]
    links: tuple[Link, ...] = ()


class Maps(msgspec.Struct, frozen=True):
    """The flows that are drawn, and how many more there are."""

    flows: tuple[Map, ...] = ()
    more: int = 0


def maps(text: str) -> Maps:
    """Every flow of a document, drawn; none while it is not YAML."""
    if "flows" not in text:
        return Maps()  # a large document without flows is not read once more
    try:
        root = compose(text)
    except NotYaml:
        return Maps()
    flows, started = get(root, "flows"), starters(root)
    found: list[Map] = []
    left = STEPS
    known = flows.value if isinstance(flows, MappingNode) else []
    for key, node in known[:FLOWS]:
        steps = steps_of(node)
        size = sum(1 for _ in walk(steps))
        if size > left:
            break
        left -= size
        name = key.value if isinstance(key, ScalarNode) else ""
        found.append(drawn(name, key.line, steps, started.get(name, [])))
    return Maps(tuple(found), len(known) - len(found))


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


def drawn(name: str, line: int, steps: tuple[Step, ...], started: list[Link]) -> Map:
    room = max(wide(steps), row_wide(len(started)))
    middle, top = room // 2 + 14, 14
    links = row(started, middle, top)
    ways = [End(link.x + WIDTH // 2, top + HEIGHT, link.x + WIDTH // 2) for link in links]
    drawing = Drawing()
    bottom, _ends = drawing.column(steps, middle, top + (HEIGHT + BELOW if links else 0), ways)
    places = {box.step.named: box for box in drawing.boxes if box.step.named}
    lane = room + 14
    for box in drawing.boxes:
        to = places.get(box.step.goes)
        if box.step.goes and to:
            lane += LANE
            right, there = box.x + WIDE // 2, to.x + WIDE // 2
            path = f"M{right} {box.y + HIGH // 2}H{lane}V{to.y + HIGH // 2}H{there + 5}"
            drawing.arrows.append(Arrow(path, there, to.y + HIGH // 2, "left"))
    beside = [box for box in drawing.boxes if box.step.starts]
    for box in beside:
        across = box.y + HIGH // 2
        links.append(Link(N_("flow {name}", name=box.step.starts), box.step.starts, 0, lane + 14, across - HEIGHT // 2))
        drawing.arrows.append(Arrow(f"M{box.x + WIDE // 2} {across}H{lane + 9}", lane + 14, across, "right"))
    count = sum(1 for _ in walk(steps))
    width = lane + 14 + (WIDTH + 14 if beside else 0)
    return Map(name, line, count, width, bottom, tuple(drawing.boxes), tuple(drawing.arrows), steps, tuple(links))
