"""Steps that say nothing to the customer: a note, an assignment, consent, and a branch drawn by chance. As an author
writes them, what stands where, and made ready to run.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from app.bot.nodes import MappingNode, Node
from app.bot.scalars import Nothing
from app.bot.scene import Assign, Consent, Effect, Note
from app.bot.shape import Integer, Json, Keys, ListOf, Located, Report, Shape, Text
from app.bot.text import Text as Ready
from app.bot.values import Room
from app.said import N_

if TYPE_CHECKING:
    from app.bot.grammar import Step
    from app.bot.steps import Compiler

MOST_BRANCHES = 20
MOST_WEIGHT = 1_000
LONGEST_NOTE = 4_096


class Remark(msgspec.Struct, frozen=True):
    """A note for the team."""

    text: Located
    line: int = 0


class Assignment(msgspec.Struct, frozen=True):
    """`to` is the e-mail address of a user or the name of a team."""

    to: Located
    line: int = 0


class Opting(msgspec.Struct, frozen=True):
    """The contact opts in (`given`) or out."""

    given: bool
    line: int = 0


class Alternative(msgspec.Struct, frozen=True):
    """One of the branches of a `Random`; drawn `weight` times as often as one with weight 1."""

    do: "tuple[Step, ...]"
    weight: int = 1


class Random(msgspec.Struct, frozen=True):
    """One of the branches is done, drawn by the conversation's seed."""

    branches: tuple[Alternative, ...]
    line: int = 0


Act = Remark | Assignment | Opting | Random


# ---- shapes ---------------------------------------------------------------------------------------------------------


class Branch(Shape):
    """A list of steps, or a group that says how often it is drawn, too."""

    def __init__(self, steps: Shape) -> None:
        self.expected = N_("a list of steps, or a group of weight and do")
        self.steps = steps
        self.keys = Keys(Alternative, {"weight": Integer(1, MOST_WEIGHT), "do": steps}, ("do",))

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, MappingNode):
            return self.keys.read(node, report)
        steps = self.steps.read(node, report)
        return Alternative(steps) if isinstance(steps, tuple) else steps

    def schema(self) -> Json:
        return {"anyOf": [self.steps.schema(), self.keys.schema()]}


def _remark(note: Located, line: int) -> Remark:
    return Remark(note, line)


def _assignment(assign: Located, line: int) -> Assignment:
    return Assignment(assign, line)


def _random(random: tuple[Alternative, ...], line: int) -> Random:
    return Random(random, line)


def _opting(given: bool) -> Callable[..., Opting]:
    def make(line: int, **_: Any) -> Opting:
        return Opting(given, line)

    return make


def verbs(steps: Shape) -> Mapping[str, Keys]:
    """The steps of this file by the key that names them."""
    note, whom = Text(LONGEST_NOTE, N_("a text")), Text(320, N_("the e-mail address of a user, or the name of a team"))
    branches = ListOf(Branch(steps), MOST_BRANCHES, N_("a list of branches"), 2)
    return {
        "random": Keys(_random, {"random": branches}, ("random",), located=True),
        "note": Keys(_remark, {"note": note}, ("note",), located=True),
        "assign": Keys(_assignment, {"assign": whom}, ("assign",), located=True),
        "opt_in": Keys(_opting(True), {"opt_in": Nothing()}, ("opt_in",), located=True),
        "opt_out": Keys(_opting(False), {"opt_out": Nothing()}, ("opt_out",), located=True),
    }


# ---- made ready -----------------------------------------------------------------------------------------------------


class Doing(msgspec.Struct, frozen=True):
    """Asks for an effect. `make` gets the room and who speaks; None where there is nothing to do."""

    make: Callable[[Room, str], Effect | None]
    line: int


class Draw(msgspec.Struct, frozen=True):
    """Goes on at the place of a branch, which ends at a number of all weights: ((2, 5), (3, 9)) draws 5 twice as often
    as 9."""

    places: tuple[tuple[int, int], ...]
    line: int

    def drawn(self, seed: int, step: int) -> int:
        """The place for this seed and this step of the turn: well mixed, so that draws do not follow each other."""
        mixed = ((seed ^ (step * 0x9E37_79B9_7F4A_7C15)) * 0xBF58_476D_1CE4_E5B9) & 0xFFFF_FFFF_FFFF_FFFF
        mixed = ((mixed ^ (mixed >> 31)) * 0x94D0_49BB_1331_11EB) & 0xFFFF_FFFF_FFFF_FFFF
        number = (mixed >> 32) % self.places[-1][0]
        return next(place for end, place in self.places if number < end)


def doing(step: Remark | Assignment | Opting, compiler: "Compiler") -> Doing:
    match step:
        case Remark(text=text, line=line):
            return Doing(noting(compiler.text(text)), line)
        case Assignment(to=to, line=line):
            return Doing(assigning(compiler.text(to)), line)
        case Opting(given=given, line=line):
            return Doing(lambda room, rule: Consent(given, rule), line)


def noting(text: Ready) -> Callable[[Room, str], Effect | None]:
    def make(room: Room, rule: str) -> Effect | None:
        said = text.render(room).strip()[:LONGEST_NOTE]
        if not said:
            room.problem(N_("A note came out empty and was not written"))
        return Note(said, rule) if said else None

    return make


def assigning(to: Ready) -> Callable[[Room, str], Effect | None]:
    def make(room: Room, rule: str) -> Effect | None:
        whom = " ".join(to.render(room).split())[:320]
        if not whom:
            room.problem(N_("Nobody was named to assign the conversation to; it was left as it is"))
        return Assign(whom, rule) if whom else None

    return make
