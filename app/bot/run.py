"""Runs what leads a conversation: the programs of flows and rules, up to the next question or their end.

Bounded: a turn makes at most `MOST_STEPS` steps, and at most `DEEPEST` flows run inside each other. What is beyond is
told in the turn's explanation, and the flows (or the outer ones) are left.
"""

from typing import Any, Final, Literal

import msgspec

from app.bot.acts import Doing, Draw
from app.bot.calling import NO_BRANCH, REPLY, Calling, fails
from app.bot.document import Version
from app.bot.keep import Measure, texts, value_of, whole
from app.bot.moment import due
from app.bot.program import (
    Asking,
    Assigning,
    Begin,
    Deferring,
    Ending,
    Fork,
    Jump,
    Leave,
    Noting,
    Pausing,
    Program,
    Sending,
    Tags,
    Test,
)
from app.bot.scene import (
    Arrived,
    CallResult,
    Close,
    Decision,
    Event,
    HandOff,
    Later,
    Scene,
    Send,
    SetField,
    StartTimer,
    State,
    Tag,
    Trace,
    Waiting,
)
from app.bot.standing import DEEPEST, Place, opened, reminding
from app.bot.steps import Handing, Plan, Saying
from app.bot.turn import Turn, after, languages, names
from app.bot.values import Room, as_text
from app.bot.words import READ_LIMIT, fold
from app.said import N_

MOST_STEPS = 200
MOST_VARIABLES = 100
TOO_DEEP: Final = N_("More than {most} flows ran inside each other; all but the last were left", most=DEEPEST)


def machine(bot: Version, scene: Scene, event: Event, now: int) -> "Machine":
    """One at the places where the flows wait."""
    known = names(scene, event, now)
    turn = Turn(scene.capabilities, "", Room(known, bot.speech), scene.state, answers=isinstance(event, Arrived))
    made = Machine(bot, turn, scene, known, now)
    made.places = opened(bot, scene.state)
    return made


class Machine:
    """One run. `names` are what texts can read, `variables` what the conversation remembers."""

    def __init__(self, bot: Version, turn: Turn, scene: Scene, names: dict[str, Any], now: int) -> None:
        self.bot, self.turn, self.state, self.names, self.now = bot, turn, scene.state, names, now
        self.variables, self.contact = dict(scene.state.variables), scene.contact
        self.places: list[Place] = []
        self.waiting: Waiting | None = None
        self.steps = 0

    def begin(self, program: Program) -> None:
        """One more program, on top. One that has nothing left to do makes room."""
        while self.places and self.at_end(self.places[-1].program, self.places[-1].at):
            self.places.pop()
        if len(self.places) >= DEEPEST:
            self.turn.room.problem(TOO_DEEP)
            self.places.clear()
        self.places.append(Place(program, 0))

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
        self.places[-1] = Place(self.places[-1].program, at)

    def run(self) -> None:
        """Up to where it waits or the end. Whoever has handed over or closed the conversation does nothing more."""
        while self.places and self.waiting is None:
            last = self.places[-1]
            program, at = last.program, last.at
            if last.token:
                self.wait(last)
                return
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
            self.places[-1] = Place(program, at + 1)
            self.turn.rule = program.shown
            self.step(program, at)
            if self.turn.over:
                self.places.clear()

    def perform(self, plan: Plan) -> bool:
        """The steps of a rule or the fallback, on top of what waits. Whether they came to their end."""
        depth, self.waiting = len(self.places), None
        self.begin(plan.program or Program("", plan.name, plan.steps))
        self.run()
        return not self.turn.over and len(self.places) <= depth

    def rejoin(self, below: list[Place]) -> None:
        """What had waited before waits on, below what began meanwhile."""
        if self.turn.over:
            return
        if len(below) + len(self.places) > DEEPEST:
            self.turn.room.problem(TOO_DEEP)
            below = []
        self.places = below + self.places
        if self.waiting is None:
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
            case Pausing(when=when):
                self.pause(program, at, due(when, room, self.bot.hours, self.now))
            case Calling() as calling:
                self.call(program, at, calling)
            case Sending(sayings=sayings, when=when):
                self.send(sayings, due(when, room, self.bot.hours, self.now))
            case Deferring(flow=flow, when=when, values=values):
                then = due(when, room, self.bot.hours, self.now)
                if then is not None:
                    data = {name: value_of(room, text) for name, text in values}
                    self.turn.add(Later(flow, max(then, self.now), data, self.turn.rule))
            case Ending():
                self.turn.add(Close(self.turn.rule))
                self.turn.over = True

    def ask(self, program: Program, at: int, asking: Asking, saying: Saying, tries: int) -> None:
        """Says the question and waits."""
        self.turn.rule = f"{program.shown}/{asking.save}"
        self.turn.choices = ()
        self.turn.say(saying, self.state.seed + self.steps)
        self.go_on(at)
        due = self.now + asking.timeout[0] * 1_000 if asking.timeout else 0
        self.waiting = Waiting("answer", self.token(), self.now, due, tries, asking.save)
        timers = [StartTimer(self.token(), due, self.turn.rule)] if due else []
        if asking.reminder:
            timers.append(StartTimer(reminding(self.token()), self.now + asking.reminder[0] * 1_000, self.turn.rule))
        self.turn.keep(*timers)

    def token(self) -> str:
        """Of what this turn waits for; a turn waits for one thing."""
        return f"t{self.state.turns}.0"

    def pause(self, program: Program, at: int, until: int | None) -> None:
        """Waits, unless the time is past or nobody knows when it is."""
        if until is not None and until > self.now:
            self.places[-1] = Place(program, at, self.token(), self.now, until)
            self.turn.keep(StartTimer(self.token(), until, self.turn.rule))
            self.wait(self.places[-1])

    def wait(self, place: Place) -> None:
        """For what this place waits for, maybe since an earlier turn."""
        kind: Literal["timer", "call"] = "call" if isinstance(place.instruction(), Calling) else "timer"
        self.waiting = Waiting(kind, place.token, place.since, place.due)

    def call(self, program: Program, at: int, calling: Calling) -> None:
        """Asks, and waits for what comes back."""
        self.places[-1] = Place(program, at, self.token(), self.now)
        self.turn.keep(calling.call(self.turn.room, self.token(), self.turn.rule))
        self.wait(self.places[-1])

    def came_back(self, at: int, result: CallResult) -> bool:
        """Remembers what came of the call of that place, which goes on accordingly. Returns whether it succeeded."""
        place = self.places[at]
        calling: Calling = place.instruction()
        self.names["call"] = {"status": result.status, "error": result.error}
        if calling.save:
            self.set(calling.save, whole(self.turn.room, result.body, Measure()))
        if fails(result):
            to = calling.otherwise(result)
            if to < 0:
                self.turn.rule = place.program.shown
                self.turn.hand(NO_BRANCH, "")
                self.places.clear()
                return False
            for name, _ in calling.map:
                self.set(name, None)
        else:
            to = place.at + 1
            self.take(calling, result.body)
        self.places[at] = Place(self.places[at].program, to)
        return not fails(result)

    def take(self, calling: Calling, body: Any) -> None:
        """What the document wants of an answer."""
        room = Room({**self.names, REPLY: body}, self.turn.room.speech)
        for name, text in calling.map:
            assert text.evaluate is not None
            self.set(name, whole(room, text.evaluate(room), Measure()))
        for problem in room.problems:
            self.turn.room.problem(problem)

    def send(self, sayings: tuple[Saying, ...], at: int | None) -> None:
        """What is said later leaves the choices of now as they are."""
        if at is None:
            return
        choices, self.turn.at, self.turn.choices = self.turn.choices, at if at > self.now else 0, ()
        for saying in sayings:
            self.turn.say(saying, self.state.seed + self.steps)
        self.turn.at, self.turn.choices = 0, choices

    def set(self, name: str, value: Any) -> None:
        if name not in self.variables and len(self.variables) >= MOST_VARIABLES:
            self.turn.room.problem(N_("More than {most} values cannot be remembered", most=MOST_VARIABLES))
            return
        self.variables[name] = self.names[name] = value
        if name == "language":
            self.speak()

    def speak(self) -> None:
        """Go on in the language that was just chosen. The programs are the same, step by step, in every language."""
        self.bot = self.bot.in_language(*languages(self.variables, self.contact))
        spoken, replace = self.bot.programs, msgspec.structs.replace
        self.places = [replace(at, program=spoken.get(at.program.key, at.program)) for at in self.places]
        self.turn.room.speech = self.bot.speech

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
        frames = tuple(place.frame() for place in self.places)
        state = State(
            state.missed,
            state.choices,
            self.variables,
            state.seed,
            state.turns,
            frames,
            self.waiting,
            state.held,
            state.asked,
        )
        return Decision(tuple(turn.effects), state, turn.explained(seen))
