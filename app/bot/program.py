"""Steps that lead a conversation, made ready to run: one flat list of instructions for each rule or flow.

Branches become jumps, so the place where a conversation waits is one number, and the lint can see where steps lead.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from app.bot.acts import Alternative, Assignment, Draw, Opting, Random, Remark, doing
from app.bot.calling import calling
from app.bot.expect import Expected
from app.bot.flow import Ask, Closing, Fields, Goto, If, Label, Return, Set, Start, Switch, Tagging
from app.bot.index import whole
from app.bot.moment import Moment, When
from app.bot.request import Request
from app.bot.shape import Located, Problem
from app.bot.text import Evaluate, Text, compile_expression, compile_value
from app.bot.timing import Delay, Pause, Postpone
from app.bot.words import fold, words
from app.said import N_

if TYPE_CHECKING:
    from app.bot.grammar import Step
    from app.bot.steps import Compiler, Saying


class Asking(msgspec.Struct, frozen=True):
    """A question that waits for its answer. `number` counts the questions of its flow from 1; `wrong` goes to
    `otherwise` when it was asked again `retries` times (-1: the flow is left); `cancel` are whole messages; `reminder`:
    seconds without an answer, and what is said then; `timeout`: seconds, and where it goes on then (-1: the flow is
    left)."""

    number: int
    save: str
    saying: "Saying"
    expected: Expected
    retries: int
    again: "Saying"
    cancel: frozenset[str]
    cancelled: "Saying | None"
    otherwise: int
    line: int
    reminder: "tuple[int, Saying] | None" = None
    timeout: tuple[int, int] | None = None

    def ends(self) -> list[int]:
        """Where it goes on without an answer."""
        return [self.timeout[1]] if self.timeout is not None and self.timeout[1] >= 0 else []


class Test(msgspec.Struct, frozen=True):
    """Goes on if it holds, else at `to`."""

    condition: Evaluate
    to: int
    line: int


class Jump(msgspec.Struct, frozen=True):
    to: int
    line: int


class Fork(msgspec.Struct, frozen=True):
    """Goes on at the place of the value, else at `to`."""

    value: Evaluate
    cases: dict[str, int]
    to: int
    line: int


class Begin(msgspec.Struct, frozen=True):
    flow: str
    line: int


class Leave(msgspec.Struct, frozen=True):
    line: int


class Assigning(msgspec.Struct, frozen=True):
    values: tuple[tuple[str, Text], ...]
    line: int


class Tags(msgspec.Struct, frozen=True):
    add: tuple[Text, ...]
    remove: tuple[Text, ...]
    line: int


class Noting(msgspec.Struct, frozen=True):
    values: tuple[tuple[str, Text], ...]
    line: int


class Pausing(msgspec.Struct, frozen=True):
    when: When
    line: int


class Sending(msgspec.Struct, frozen=True):
    """Messages that are sent later."""

    sayings: "tuple[Saying, ...]"
    when: When
    line: int


class Deferring(msgspec.Struct, frozen=True):
    flow: str
    when: When
    values: tuple[tuple[str, Text], ...]
    line: int


class Ending(msgspec.Struct, frozen=True):
    line: int


class Program(msgspec.Struct, frozen=True):
    """`key` names it in a conversation's state; `shown` is what people read: `order`, `flow order`."""

    key: str
    shown: str
    code: tuple[Any, ...]


class Assembler:
    """One list of steps on its way to a program. Targets are filled in at the end, when labels are known."""

    def __init__(self, compiler: "Compiler") -> None:
        self.compiler, self.flows = compiler, compiler.flows
        self.code: list[Any] = []
        self.labels: dict[str, int] = {}
        self.jumps: list[tuple[int, Located]] = []
        self.questions = 0

    def program(self, key: str, shown: str, steps: "tuple[Step, ...]") -> Program:
        self.steps(steps)
        for at, label in self.jumps:
            if label.text not in self.labels:
                guess = close(label.text, list(self.labels))
                self.wrong(label, N_("There is no label “{name}” here.{guess}", name=label.text, guess=guess))
            else:
                self.code[at] = Jump(self.labels[label.text], label.line)
        return Program(key, shown, tuple(self.code))

    def steps(self, steps: "tuple[Step, ...]") -> None:
        for step in steps:
            self.step(step)

    def step(self, step: "Step") -> None:
        match step:
            case Ask():
                self.ask(step)
            case If():
                self.choose(step)
            case Switch():
                self.switch(step)
            case Label(name=name):
                if name.text in self.labels:
                    self.wrong(name, N_("Two labels are called “{name}”", name=name.text))
                self.labels[name.text] = len(self.code)
            case Goto(label=label):
                self.jumps.append((len(self.code), label))
                self.code.append(Jump(len(self.code) + 1, label.line))
            case Start(flow=flow):
                self.start(flow)
            case Return(line=line):
                self.code.append(Leave(line))
            case Set(values=values, line=line):
                self.code.append(Assigning(self.values(values), line))
            case Fields(values=values, line=line):
                self.code.append(Noting(self.values(values), line))
            case Tagging(line=line):
                text = self.compiler.text
                self.code.append(Tags(tuple(map(text, step.add)), tuple(map(text, step.remove)), line))
            case Pause(when=when, line=line):
                self.code.append(Pausing(self.when(when), line))
            case Postpone(when=when, line=line):
                self.code.append(Sending(self.messages(step), self.when(when), line))
            case Delay(flow=flow, when=when, line=line):
                self.known(flow)
                self.code.append(Deferring(flow.text, self.when(when), self.values(step.values), line))
            case Request():
                self.call(step)
            case Closing(line=line):
                self.code.append(Ending(line))
            case Remark() | Assignment() | Opting():
                self.code.append(doing(step, self.compiler))
            case Random(branches=branches, line=line):
                self.draw(branches, line)
            case _:
                self.code.append(self.compiler.step(step))

    def when(self, moment: Moment) -> When:
        return When(self.compiler.text(moment.text), moment.kind)

    def messages(self, step: Postpone) -> "tuple[Saying, ...]":
        """What is sent later: nothing may stand there that does something else."""
        if isinstance(step.what, Located):
            return (self.compiler.question(step.what, ()).saying,)
        ready = [self.compiler.saying(one) for one in step.what]
        if None in ready:
            said = N_("Only messages can be scheduled; “later” starts a flow at another time")
            self.compiler.problems.append(Problem(step.line, 1, said))
        return tuple(one for one in ready if one is not None)

    def start(self, flow: Located) -> None:
        self.known(flow)
        self.code.append(Begin(flow.text, flow.line))

    def known(self, flow: Located) -> None:
        if flow.text not in self.flows:
            guess = close(flow.text, sorted(self.flows))
            self.wrong(flow, N_("There is no flow “{name}”.{guess}", name=flow.text, guess=guess))

    def ask(self, step: Ask) -> None:
        self.questions += 1
        at = len(self.code)
        self.code.append(None)
        otherwise, late = -1, -1
        skips = []
        if step.otherwise is not None:
            skips.append(self.jump(step.line))
            otherwise = len(self.code)
            self.steps(step.otherwise)
        if step.timeout is not None and step.timeout.do is not None:
            skips.append(self.jump(step.line))
            late = len(self.code)
            self.steps(step.timeout.do)
        for skip in skips:
            self.land(skip, step.line)
        asked = self.compiler.question(step.text, step.choices)
        options = tuple(
            (choice, choice.id if button.id else choice.title)
            for choice, button in zip(asked.choices, step.choices, strict=True)
        )
        expect, reminder = step.expect, step.reminder
        pattern = self.compiler.pattern(expect.regex) if expect.regex is not None else None
        self.code[at] = Asking(
            self.questions,
            step.save.text,
            asked.saying,
            Expected(expect.kind, expect.low, expect.high, pattern, options, expect.future),
            step.retries,
            self.compiler.question(step.again, step.choices).saying if step.again else asked.saying,
            frozenset(whole(words(text.text, self.compiler.pairs), text.text) for text in step.cancel),
            self.compiler.question(step.cancelled, ()).saying if step.cancelled else None,
            otherwise,
            step.line,
            (reminder.after, self.compiler.question(reminder.text, step.choices).saying) if reminder else None,
            (step.timeout.after, late) if step.timeout else None,
        )

    def call(self, step: Request) -> None:
        at = len(self.code)
        self.code.append(None)
        failed: dict[str, int] = {}
        if step.failed is not None:
            skips = [self.jump(step.line)]
            for kind, steps in step.failed.items():
                failed[kind] = len(self.code)
                self.steps(steps)
                skips.append(self.jump(step.line))
            for skip in skips:
                self.land(skip, step.line)
        self.code[at] = calling(step, self.compiler, failed)

    def choose(self, step: If) -> None:
        at = len(self.code)
        self.code.append(None)
        condition = self.expression(step.condition)
        self.steps(step.then)
        if step.otherwise:
            skip = self.jump(step.line)
            self.code[at] = Test(condition, len(self.code), step.line)
            self.steps(step.otherwise)
            self.land(skip, step.line)
        else:
            self.code[at] = Test(condition, len(self.code), step.line)

    def switch(self, step: Switch) -> None:
        at = len(self.code)
        self.code.append(None)
        cases: dict[str, int] = {}
        skips = []
        for value, steps in step.cases.items():
            if fold(value.strip()) in cases:
                self.wrong(step.value, N_("“{text}” is given twice", text=value))
            cases[fold(value.strip())] = len(self.code)
            self.steps(steps)
            skips.append(self.jump(step.line))
        self.code[at] = Fork(self.expression(step.value), cases, len(self.code), step.line)
        self.steps(step.otherwise)
        for skip in skips:
            self.land(skip, step.line)

    def draw(self, branches: tuple[Alternative, ...], line: int) -> None:
        at, weights = len(self.code), 0
        self.code.append(None)
        places, skips = [], []
        for branch in branches:
            weights += branch.weight
            places.append((weights, len(self.code)))
            self.steps(branch.do)
            skips.append(self.jump(line))
        self.code[at] = Draw(tuple(places), line)
        for skip in skips:
            self.land(skip, line)

    def jump(self, line: int) -> int:
        """A jump whose target comes later."""
        self.code.append(None)
        return len(self.code) - 1

    def land(self, jump: int, line: int) -> None:
        self.code[jump] = Jump(len(self.code), line)

    def expression(self, source: Located) -> Evaluate:
        text = self.compiler.compiled(source, compile_expression)
        return text.evaluate if text is not None and text.evaluate is not None else lambda room: None

    def values(self, values: dict[str, Located]) -> tuple[tuple[str, Text], ...]:
        texts = ((name, self.compiler.compiled(source, compile_value)) for name, source in values.items())
        return tuple((name, text) for name, text in texts if text is not None)

    def wrong(self, place: Located, message: Any) -> None:
        self.compiler.problems.append(Problem(place.line, place.column, message))


def close(name: str, known: list[str]) -> Any:
    found = get_close_matches(name, known, 1, 0.6)
    return N_(" Did you mean “{close}”?", close=found[0]) if found else ""
