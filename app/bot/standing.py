"""Where the flows of a conversation stand between two turns: what runs, what it waits for, and what is left of it."""

from typing import Any, Final

import msgspec

from app.bot.calling import Calling
from app.bot.document import Version
from app.bot.program import Asking, Pausing, Program
from app.bot.scene import Frame, State
from app.said import N_, Sentence

DEEPEST = 16  # flows inside each other
WAITS: Final = {"answer": Asking, "timer": Pausing, "call": Calling}


class Place(msgspec.Struct, frozen=True):
    """A running program and where it goes on. With a `token` it waits there for that timer or call, begun at `since`,
    until `due` (ms UTC)."""

    program: Program
    at: int
    token: str = ""
    since: int = 0
    due: int = 0

    def instruction(self) -> Any:
        return self.program.code[self.at] if self.at < len(self.program.code) else None

    def frame(self) -> Frame:
        return Frame(self.program.key, (self.at, self.token, self.since, self.due) if self.token else (self.at,))


def opened(bot: Version, state: State) -> list[Place]:
    """The running programs, outermost first, of which the last waits; empty if none does, or if what ran is not in this
    version."""
    if state.waiting is None:
        return []
    places = [place for frame in state.frames[:DEEPEST] if (place := opened_at(bot, frame)) is not None]
    if not places or len(places) < len(state.frames):
        return []
    last = places[-1]
    waits = WAITS[state.waiting.kind]
    own = isinstance(last.instruction(), waits) and last.token == ("" if waits is Asking else state.waiting.token)
    return places if own else []


def opened_at(bot: Version, frame: Frame) -> Place | None:
    program, at = bot.programs.get(frame.flow), frame.at[0] if frame.at else -1
    if program is None or not isinstance(at, int) or not 0 <= at <= len(program.code):
        return None
    match frame.at[1:]:
        case (str(token), int(since), int(due)):
            place = Place(program, at, token, since, due)
            return place if isinstance(place.instruction(), Pausing | Calling) else None
        case ():
            return Place(program, at)
        case _:
            return None


def left(state: State) -> State:
    """The state when no flow runs any more."""
    return State(state.missed, (), state.variables, state.seed, state.turns, (), None, state.held)


def reminding(token: str) -> str:
    """The token of the reminder of what is waited for."""
    return f"{token}.r"


def title(program: Program) -> Sentence:
    kind, _, name = program.key.partition(" ")
    if kind == "flow":
        return N_("flow {name}", name=name)
    return N_("rule {name}", name=name) if kind == "rule" else N_("the fallback")
