"""A conversation that is played for a test: one person, a clock that moves only where the test says so, and services
that answer at once what the test says. Pure."""

from collections.abc import Sequence

import msgspec

from app.bot.agenda import Agenda
from app.bot.answers import Services, pattern
from app.bot.cases import KINDS, Case, Line
from app.bot.contact import noted_on
from app.bot.decide import decide
from app.bot.document import Version
from app.bot.heard import choices_of, heard
from app.bot.moment import length
from app.bot.resume import merged
from app.bot.scene import Arrived, Call, Consent, Effect, Event, HandOff, Scene, State, Triggered
from app.capabilities import Capabilities
from app.content import Content, Location, Order, Picked, Pressed, Reaction, Text
from app.content import text as text_of

Said = list[tuple[str, str]]
MOST = 200  # events of the bot's own making while time passes once


class Stage:
    """`now` and `last_heard` are in ms UTC. What is said is (who, text), as the lines of a test have it."""

    def __init__(self, bot: Version, case: Case, capabilities: Capabilities, now: int, last_heard: int = 0) -> None:
        self.channel, self.network, self.last_heard = case.channel, case.network, last_heard
        self.bot, self.now, self.capabilities = bot, now, capabilities
        self.contact = case.contact
        self.state = State(seed=1)
        self.agenda = Agenda()
        self.services = Services(case.calls)
        self.offered: tuple[Pressed | Picked, ...] = ()
        self.opted_out = self.silent = False

    def happen(self, line: Line) -> Said | None:
        """What a line does, and all that is said to it; None for a button that is not there."""
        match line.who:
            case "wait":
                return self.passing(self.now + length(line.text.text) * 1_000)
            case "trigger":
                return self.turn(Triggered(line.text.text, line.data))
            case "button":
                pressed = next((one for one in self.offered if line.text.text in (one.title, one.id)), None)
                return None if pressed is None else self.hear([pressed])
            case "pressed":
                offered = (one for one in self.offered if one.id == line.text.text)
                return self.hear([next(offered, Pressed(line.text.text, line.text.text))])
            case _:
                contents = [*(Text(earlier.text) for earlier in line.before), sent(line)]
                return self.hear(contents, line.referral)

    def hear(self, contents: Sequence[Content], referral: dict[str, str] | None = None) -> Said:
        """Quick messages are answered as one where the document gathers them."""
        arrived = tuple(Arrived(content, text_of(content), referral=referral) for content in contents)
        if self.bot.gather:
            return self.turn(merged(arrived))
        return [said for event in arrived for said in self.turn(event)]

    def turn(self, event: Event) -> Said:
        """After a hand-off a person answers: the bot says nothing until it is given back."""
        return [] if self.silent else self.decide(event) + self.passing(self.now)

    def decide(self, event: Event) -> Said:
        scene = Scene(
            self.state, self.contact, self.capabilities, self.channel, self.network, self.last_heard, self.opted_out
        )
        decision = decide(self.bot, scene, event, self.now)
        if isinstance(event, Arrived):
            self.last_heard = self.now
            self.agenda.heard(self.now)
        self.state = decision.state
        return self.carry_out(decision.effects)

    def carry_out(self, effects: Sequence[Effect]) -> Said:
        self.offered = choices_of(effects) or self.offered
        self.contact = noted_on(self.contact, effects)
        for effect in effects:
            if isinstance(effect, Consent):
                self.opted_out = not effect.given
        self.silent = any(isinstance(effect, HandOff) for effect in effects)
        self.agenda.promise(effects, self.now)
        return heard(effects) + [said for effect in effects if isinstance(effect, Call) for said in self.call(effect)]

    def call(self, call: Call) -> Said:
        """The answer comes at once; a call without one is said."""
        result = self.services.answer(call)
        if result is None:
            return [("call", f"{call.method} {pattern(call.url)}")]
        self.agenda.answer(call, result, self.now)
        return []

    def passing(self, until: int) -> Said:
        """Time passes, and what comes due in it happens, as long as nobody has taken the conversation."""
        said: Said = []
        for _ in range(MOST):
            due = self.agenda.next(until)
            if due is None:
                break
            self.now = max(self.now, due.at)
            if self.silent:
                continue
            if due.event is not None:
                said += self.decide(due.event)
            elif due.send is not None:
                said += self.carry_out([msgspec.structs.replace(due.send, at=0)])
        self.now = until
        return said


def sent(line: Line) -> Content:
    text = line.text.text
    if line.who == "media":
        return msgspec.structs.replace(KINDS[text], caption=line.said)
    if line.who == "reaction":
        return Reaction("", text)
    if line.who == "order":
        return Order("", (), text)
    return Location(0.0, 0.0, text) if line.who == "location" else Text(text)
