"""Decides a past conversation again by another document, which keeps a state and an agenda of its own. Pure.

What came from outside (messages, triggers, a conversation given back) is given to it when it came then. What followed
from what the bot did (a wait that is over, the answer of a call, a flow begun later, silence) follows from what the
document does now: where it asks for just what was asked for then, it shares the fate that this had; where it asks for
something else, that comes at its own time, and a call is answered as the same method and address was answered then.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

import msgspec

from app.bot.agenda import Agenda, ends
from app.bot.contact import noted_on
from app.bot.decide import decide
from app.bot.document import Version
from app.bot.record import Record, Recorded, identity
from app.bot.scene import (
    Arrived,
    Call,
    CallResult,
    Decision,
    Effect,
    Event,
    GivenBack,
    HandOff,
    Scene,
    SetField,
    StartTimer,
    State,
    Tag,
    Trace,
    TurnInput,
    WatchQuiet,
)
from app.bot.standing import left

OWN: Final = 50  # events of its own that a document has between two that came from outside
NOTHING: Final = Decision((), State(), Trace(""))

_given: msgspec.json.Decoder[TurnInput] = msgspec.json.Decoder(TurnInput)
_output: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)


class Past(msgspec.Struct, frozen=True):
    """A stored turn: input and output as JSON; `output` is '' where the bot failed then. `at`: ms UTC."""

    at: int
    given: str
    output: str


class Moment(msgspec.Struct, frozen=True):
    """One event decided, at `at` (ms UTC). `due`: when a wait, a silence or the time of a later flow was to
    be over, 0 for other events."""

    at: int
    event: Event
    decision: Decision
    due: int = 0


class Step(msgspec.Struct, frozen=True):
    """An event that came from outside and all that followed from it up to the next, as it was and as it would have
    been. `after` is None where the document was not asked; `missing` is a call that it makes and nobody recorded: from
    there on the conversation cannot be followed."""

    given: TurnInput
    before: tuple[Moment, ...]
    after: tuple[Moment, ...] | None
    missing: Call | None = None


def again(bot: Version, past: Sequence[Past], until: int = 0) -> tuple[list[Step], int]:
    """`past`: turns of one conversation, oldest first; the first begins with the state it had then. What the document
    asks for after the last of them is followed up to `until` (ms UTC). Returns the steps and how many turns could not
    be read."""
    turns: list[tuple[TurnInput, Decision]] = []
    for turn in past:
        try:
            given = _given.decode(turn.given)
            turns.append((given, _output.decode(turn.output) if turn.output else NOTHING))
        except msgspec.DecodeError:
            continue
    return list(_Rerun(bot, Record(turns), until).steps()), len(past) - len(turns)


class _Rerun:
    """One conversation. `shared`: what the document and the bot of then both asked for and has not come yet; `silent`:
    the document handed over where nobody was called then; `noted`: what it noted about the contact."""

    def __init__(self, bot: Version, record: Record, until: int) -> None:
        self.bot, self.record, self.until = bot, record, until
        self.agenda = Agenda()
        self.shared: set[Hashable] = set()
        self.used: dict[tuple[str, str], int] = defaultdict(int)
        self.noted: tuple[Tag | SetField, ...] = ()
        self.state: State | None = None
        self.heard = 0
        self.silent = False
        self.missing: Call | None = None

    def steps(self) -> Iterator[Step]:
        groups = self.record.groups
        for at, group in enumerate(groups):
            last = group[-1].given.now
            end = groups[at + 1][0].given.now if at + 1 < len(groups) else max(self.until, last)
            before = tuple(Moment(turn.given.now, turn.given.event, turn.decision, turn.due) for turn in group)
            if self.missing is not None:
                yield Step(group[0].given, before, None, self.missing)
                continue
            if isinstance(group[0].given.event, GivenBack):
                self.silent = False
            if self.silent:
                self.unheard(group, end)
            after = None if self.silent else tuple(self.follow(group, end))
            yield Step(group[0].given, before, after, self.missing)
            # A turn that follows a hand-off of then exists because a person had given the conversation back.
            self.silent = self.silent and not any(hands_over(turn.decision.effects) for turn in group)

    def follow(self, group: Sequence[Recorded], end: int) -> Iterator[Moment]:
        """One event that came from outside, and what happens up to the next, at `end`."""
        own = OWN
        for at, turn in enumerate(group):
            if self.over:
                return
            if turn.cause is None or turn.cause in self.shared:
                self.shared.discard(turn.cause)
                yield self.lived(turn)
            upto = group[at + 1].given.now if at + 1 < len(group) else end
            while own and not self.over and (due := self.agenda.next(upto)) is not None:
                own -= 1
                if due.event is not None:
                    timed = 0 if isinstance(due.event, CallResult) else due.at
                    yield self.decide(turn.given, due.event, due.at, timed)

    def unheard(self, group: Sequence[Recorded], end: int) -> None:
        """A person has the conversation: what comes due is not made up for."""
        self.shared.difference_update(turn.cause for turn in group)
        while self.agenda.next(end) is not None:
            pass

    @property
    def over(self) -> bool:
        return self.silent or self.missing is not None

    def lived(self, turn: Recorded) -> Moment:
        """An event of then, with the chance that it had."""
        given, then = turn.given, turn.given.scene.state
        state = then if self.state is None else left(self.state) if turn.left else self.state
        self.state = msgspec.structs.replace(state, seed=then.seed, turns=max(then.turns, state.turns))
        moment = self.decide(given, given.event, given.now, turn.due)
        if isinstance(given.event, Arrived):
            self.heard = given.now
            self.agenda.heard(given.now)
        return moment

    def decide(self, given: TurnInput, event: Event, now: int, due: int) -> Moment:
        """Where deciding fails the customer gets no answer, as it is live."""
        assert self.state is not None
        scene = given.scene
        last_heard = scene.last_heard if event is given.event else self.heard or scene.last_heard
        contact = noted_on(scene.contact, self.noted) if self.noted else scene.contact
        here = Scene(self.state, contact, scene.capabilities, scene.channel, scene.network, last_heard, scene.opted_out)
        try:
            decision = decide(self.bot, here, event, now)
        except Exception:
            decision = Decision((), self.state, NOTHING.trace)
        self.state = decision.state
        if decision.effects:
            self.promise(decision.effects, now)
        return Moment(now, event, decision, due)

    def promise(self, effects: Sequence[Effect], now: int) -> None:
        """What is asked for later, and by which fate it comes."""
        self.silent = hands_over(effects)
        self.noted += tuple(
            effect for effect in effects if isinstance(effect, Tag | SetField) and effect not in self.record.noted
        )
        if ends(effects):
            self.forget(StartTimer, WatchQuiet, Call)
        keys = [(effect, identity(effect, now)) for effect in effects]
        if any(isinstance(effect, WatchQuiet) for effect in effects):
            self.forget(WatchQuiet)
        self.shared |= {key for _effect, key in keys if key in self.record.asked}
        self.agenda.promise([effect for effect, key in keys if key not in self.record.asked], now)
        for call, key in keys:
            if isinstance(call, Call):
                self.call(call, now, answered_as_then=key in self.record.asked)

    def forget(self, *kinds: type[Effect]) -> None:
        """What was asked for by such effects does not come any more."""
        self.agenda.drop(*kinds)
        self.shared = {key for key in self.shared if not isinstance(self.record.asked[key], kinds)}

    def call(self, call: Call, now: int, *, answered_as_then: bool) -> None:
        """The answer that this method and address had, the next one each time and the last again and again."""
        known = self.record.answers.get((call.method, call.url), [])
        number = self.used[call.method, call.url]
        self.used[call.method, call.url] += 1
        if answered_as_then:
            return
        if not known:
            self.missing = call
        else:
            took, result = known[min(number, len(known) - 1)]
            self.agenda.answer(call, result, now + took)


def hands_over(effects: Sequence[Effect]) -> bool:
    return any(isinstance(effect, HandOff) for effect in effects)
