"""Runs what leads a conversation: the programs of flows and rules, up to the next question or their end.

Bounded: a turn makes at most `MOST_STEPS` steps, and at most `DEEPEST` flows run inside each other. What is beyond is
told in the turn's explanation, and the flows (or the outer ones) are left.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.bot.acts import Doing, Draw
from app.bot.document import Version
from app.bot.flow import LARGEST
from app.bot.program import Asking, Assigning, Begin, Ending, Fork, Jump, Leave, Noting, Program, Tags, Test
from app.bot.scene import Close, Decision, Frame, HandOff, Scene, Send, SetField, State, Tag, Trace, Waiting
from app.bot.steps import Handing, Plan, Saying
from app.bot.text import Text
from app.bot.turn import Turn, after
from app.bot.values import MISSING, Room, Unknown, as_text, bounded, is_number
from app.bot.words import READ_LIMIT, fold
from app.said import N_, Sentence

MOST_STEPS = 200
DEEPEST = 16
MOST_VARIABLES = 100
MOST_ITEMS = 100
LONGEST_ITEM = 500
LONGEST_TAG = 100

Place = tuple[Program, int]


def opened(bot: Version, state: State) -> list[Place]:
    """The running programs, outermost first, where a question is open in the last; empty if there is none, or if what
    ran is not in this version."""
    if state.waiting is None or state.waiting.kind != "answer":
        return []
    places: list[Place] = []
    for frame in state.frames[:DEEPEST]:
        program, at = bot.programs.get(frame.flow), frame.at[0] if frame.at else -1
        if program is None or not isinstance(at, int) or not 0 <= at <= len(program.code):
            return []
        places.append((program, at))
    return places if places and _asking(places[-1]) is not None else []


def _asking(place: Place) -> Asking | None:
    program, at = place
    instruction = program.code[at] if at < len(program.code) else None
    return instruction if isinstance(instruction, Asking) else None


def left(state: State) -> State:
    """The state when no flow runs any more."""
    return State(state.missed, (), state.variables, state.seed, state.turns, (), None, state.held)


def title(program: Program) -> Sentence:
    kind, _, name = program.key.partition(" ")
    if kind == "flow":
        return N_("flow {name}", name=name)
    return N_("rule {name}", name=name) if kind == "rule" else N_("the fallback")


class Machine:
    """One run. `names` are what texts can read, `variables` what the conversation remembers."""

    def __init__(self, bot: Version, turn: Turn, scene: Scene, names: dict[str, Any], now: int) -> None:
        self.bot, self.turn, self.state, self.names, self.now = bot, turn, scene.state, names, now
        self.variables = dict(scene.state.variables)
        self.places: list[Place] = []
        self.waiting: Waiting | None = None
        self.steps = 0

    def begin(self, program: Program) -> None:
        """One more program, on top. One that has nothing left to do makes room."""
        while self.places and self.at_end(*self.places[-1]):
            self.places.pop()
        if len(self.places) >= DEEPEST:
            said = N_("More than {most} flows ran inside each other; all but the last were left", most=DEEPEST)
            self.turn.room.problem(said)
            self.places.clear()
        self.places.append((program, 0))

    def at_end(self, program: Program, at: int) -> bool:
        for _ in range(MOST_STEPS):
            if at >= len(program.code):
                return True
            if not isinstance(program.code[at], Jump):
                return isinstance(program.code[at], Leave)
            at = program.code[at].to
        return False

    def go_on(self, at: int) -> None:
        """From there in the program on top."""
        self.places[-1] = (self.places[-1][0], at)

    def run(self) -> None:
        """Up to the next question or the end. Whoever has handed over or closed the conversation does nothing more."""
        while self.places and self.waiting is None:
            program, at = self.places[-1]
            if at >= len(program.code):
                self.places.pop()
                continue
            self.steps += 1
            if self.steps > MOST_STEPS:
                self.turn.room.problem(
                    N_("More than {most} steps without a question in between; the flow was left", most=MOST_STEPS)
                )
                self.places.clear()
                return
            self.places[-1] = (program, at + 1)
            self.turn.rule = program.shown
            self.step(program, at)
            if self.turn.over:
                self.places.clear()

    def perform(self, plan: Plan) -> None:
        """The steps of a rule or the fallback, up to a question or their end."""
        self.begin(plan.program or Program("", plan.name, plan.steps))
        self.run()

    @property
    def answered(self) -> bool:
        """Whether something was said or handed over so far."""
        return any(isinstance(effect, Send | HandOff) for effect in self.turn.effects)

    def step(self, program: Program, at: int) -> None:
        room = self.turn.room
        match program.code[at]:
            case Saying() as saying:
                self.turn.say(saying, self.state.seed + self.steps)
            case Handing(reason=reason, team=team):
                self.turn.hand(reason.render(room).strip(), team.render(room).strip())
            case Asking() as asking:
                self.ask(program, at, asking, asking.saying, 0)
            case Test(condition=condition, to=to):
                if not condition(room):
                    self.go_on(to)
            case Fork(value=value, cases=cases, to=to):
                self.go_on(cases.get(fold(as_text(room, value(room))[:READ_LIMIT].strip()), to))
            case Jump(to=to):
                self.go_on(to)
            case Begin(flow=flow):
                self.begin(self.bot.programs[f"flow {flow}"])
            case Leave():
                self.places.pop()
            case Assigning(values=values):
                for name, text in values:
                    self.set(name, value_of(room, text))
            case Noting(values=values):
                for name, text in values:
                    self.note(name, value_of(room, text))
            case Tags(add=add, remove=remove):
                self.tag(texts(room, add), texts(room, remove))
            case Doing(make=make):
                effect = make(room, self.turn.rule)
                if effect is not None:
                    self.turn.add(effect)
            case Draw() as draw:
                self.go_on(draw.drawn(self.state.seed, self.steps))
            case Ending():
                self.turn.add(Close(self.turn.rule))
                self.turn.over = True

    def ask(self, program: Program, at: int, asking: Asking, saying: Saying, tries: int) -> None:
        """Says the question and waits."""
        self.turn.rule = f"{program.shown}/{asking.save}"
        self.turn.choices = ()
        self.turn.say(saying, self.state.seed + self.steps)
        self.go_on(at)
        self.waiting = Waiting("answer", f"t{self.state.turns}.0", self.now, 0, tries, asking.save)

    def set(self, name: str, value: Any) -> None:
        if name not in self.variables and len(self.variables) >= MOST_VARIABLES:
            self.turn.room.problem(N_("More than {most} values cannot be remembered", most=MOST_VARIABLES))
            return
        self.variables[name] = self.names[name] = value

    def note(self, name: str, value: Any) -> None:
        """A field of the contact; an empty value removes it."""
        value = None if value == "" else value
        self.turn.add(SetField(name, value, self.turn.rule))
        contact = self.names["contact"]
        fields = {known: old for known, old in contact["fields"].items() if known != name}
        contact["fields"] = fields if value is None else fields | {name: value}

    def tag(self, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
        if not add and not remove:
            return
        self.turn.add(Tag(add, remove, self.turn.rule))
        contact = self.names["contact"]
        contact["tags"] = (*(tag for tag in contact["tags"] if tag not in add + remove), *add)

    def decision(self, seen: Trace, missed: int) -> Decision:
        state, turn = after(self.state, missed, self.turn.choices), self.turn
        frames = tuple(Frame(program.key, (at,)) for program, at in self.places)
        state = State(
            state.missed, state.choices, self.variables, state.seed, state.turns, frames, self.waiting, state.held
        )
        return Decision(tuple(turn.effects), state, turn.explained(seen))


# ---- values ---------------------------------------------------------------------------------------------------------


def value_of(room: Room, text: Text) -> Any:
    """What a variable or field is set to. A text that is written as a number, `true` or `false` is that."""
    if text.constant is not None:
        return literal(text.constant.strip())
    assert text.evaluate is not None
    return kept(room, text.evaluate(room))


def literal(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,9}", text) else text[:READ_LIMIT]


def kept(room: Room, value: Any) -> Any:
    """The value as it is remembered: bounded, without anything that is not plain."""
    if isinstance(value, list | tuple):
        return [plain(room, item, LONGEST_ITEM) for item in value[:MOST_ITEMS]]
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {str(name)[:LONGEST_ITEM]: plain(room, item, LONGEST_ITEM) for name, item in items}
    return plain(room, value, READ_LIMIT)


def plain(room: Room, value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, Unknown):
        as_text(room, value)
        return None
    if value is None or isinstance(value, bool):
        return value
    number = bounded(value) if is_number(value) and abs(value) <= LARGEST else MISSING
    if number is MISSING:
        room.problem(N_("A value could not be remembered; it was left empty"))
        return None
    return number


def texts(room: Room, given: tuple[Text, ...]) -> tuple[str, ...]:
    """Tags, without empty ones."""
    found = (" ".join(text.render(room).split())[:LONGEST_TAG] for text in given)
    return tuple(dict.fromkeys(tag for tag in found if tag))
