"""A conversation with everything around the bot that a test needs: a clock that is set forward, timers that fire, calls
that somebody answers."""

from typing import Any

import msgspec

from app.bot import scene as words
from app.bot.decide import decide
from app.bot.document import Version
from app.bot.scene import (
    Arrived,
    Call,
    CallResult,
    ContactView,
    Decision,
    Event,
    Later,
    Quiet,
    Send,
    StartTimer,
    State,
    TimerFired,
)
from app.capabilities import Capabilities
from app.content import Content
from tests.bot.turns import ANA, NOW, PLAIN, arrived, said

Due = tuple[int, int, Event | Send]


class World:
    """`decisions` are all so far; what is heard is what the customer sees, a hand-off as `→ reason`."""

    def __init__(
        self, bot: Version, now: int = NOW, capabilities: Capabilities = PLAIN, contact: ContactView = ANA
    ) -> None:
        self.bot, self.now, self.capabilities, self.contact = bot, now, capabilities, contact
        self.state, self.last_heard = State(), 0
        self.decisions: list[Decision] = []
        self.due: list[Due] = []
        self.calls: list[Call] = []

    @property
    def last(self) -> Decision:
        return self.decisions[-1]

    @property
    def code(self) -> str:
        return self.last.trace.code

    def say(self, *messages: str | Content) -> list[str]:
        heard: list[str] = []
        for message in messages:
            heard += self.happen(arrived(message))
        return heard

    def happen(self, event: Event) -> list[str]:
        scene = words.Scene(self.state, self.contact, self.capabilities, "Shop", "simulator", self.last_heard)
        decision = decide(self.bot, scene, event, self.now)
        if isinstance(event, Arrived):
            self.last_heard = self.now
            self.due = [due for due in self.due if not isinstance(due[2], Quiet)]
        self.state = msgspec.json.decode(msgspec.json.encode(decision.state), type=State)
        self.decisions.append(decision)
        for effect in decision.effects:
            self.note(effect)
        return said(Decision(tuple(e for e in decision.effects if not getattr(e, "at", 0)), self.state, decision.trace))

    def note(self, effect: words.Effect) -> None:
        match effect:
            case Send(at=at) if at:
                self.add(at, effect)
            case StartTimer(token=token, due=due):
                self.add(due, TimerFired(token))
            case Later(flow=flow, due=due, data=data):
                self.add(due, words.Triggered(f"flow:{flow}", data))
            case words.WatchQuiet(seconds=seconds):
                self.due = [due for due in self.due if not isinstance(due[2], Quiet)]
                self.add(self.now + seconds * 1_000, Quiet(seconds))
            case Call():
                self.calls.append(effect)

    def add(self, at: int, what: Event | Send) -> None:
        self.due.append((at, len(self.decisions), what))

    def wait(self, seconds: float) -> list[str]:
        """Time passes, and what comes due in it happens."""
        end, heard = self.now + int(seconds * 1_000), list[str]()
        while coming := min((due for due in self.due if due[0] <= end), key=lambda due: due[:2], default=None):
            self.due.remove(coming)
            self.now = max(self.now, coming[0])
            what = coming[2]
            if isinstance(what, Send):
                heard += said(Decision((what,), self.state, words.Trace("")))
            else:
                heard += self.happen(what)
        self.now = end
        return heard

    def answer(self, status: int = 200, body: Any = None, error: Any = "") -> list[str]:
        """The oldest call that is under way comes back."""
        return self.happen(CallResult(self.calls.pop(0).token, status, body, error))
