"""What a turn is given and what it answers survives being stored, and an event nothing waits for changes nothing."""

import msgspec
import pytest

from app.bot import scene as words
from app.bot.decide import decide
from app.bot.scene import Arrived, Decision, Effect, Event, Frame, State, TurnInput, Waiting
from app.content import Text
from tests.bot.turns import NOW, arrived, listening, scene

BOT = listening(hi="hi")
BUSY = State(
    variables={"item": "bread"},
    turns=3,
    frames=(Frame("order", (0, "then", 1)),),
    waiting=Waiting("call", "t3.0", NOW - 5, due=NOW + 5, tries=1, save="reply"),
    held=(Arrived(Text("and a cake"), burst=(Text("wait"),)),),
)
EVENTS: list[tuple[Event, str]] = [
    (words.TimerFired("t1.0"), "stale"),
    (words.CallResult("t1.0", 200, {"number": 7}), "stale"),
    (words.CallResult("t1.0", error="timeout"), "stale"),
    (words.Triggered("flow:order", {"n": 1}), "no_flow"),
    (words.Triggered("paid", {"n": 1}), "no_trigger"),
    (words.Quiet(3600), "no_trigger"),
]
EFFECTS: tuple[Effect, ...] = (
    words.Send(Text("a"), "r", at=NOW, reply_to="m1"),
    words.HandOff("why", "r", team="Orders"),
    words.Tag(("a",), ("b",), "r"),
    words.SetField("city", ["Recife"], "r"),
    words.Note("n", "r"),
    words.Assign("ana@shop.example", "r"),
    words.Close("r"),
    words.Consent(False, "r"),
    words.StartTimer("t1.0", NOW, "r"),
    words.Call("t1.1", "POST", "https://shop.example", {"A": "\0secret:key\0"}, {"n": 1}, secrets=("key",), rule="r"),
    words.Later("order", NOW, {"n": 1}, "r"),
    words.WatchQuiet(60, "r"),
)


@pytest.mark.parametrize(("event", "code"), EVENTS)
def test_an_event_that_nothing_waits_for_changes_nothing(event: Event, code: str) -> None:
    decision = decide(BOT, scene(BUSY), event, NOW)
    assert decision.effects == () and decision.state == BUSY and decision.trace.code == code


def test_a_message_leaves_what_this_version_does_not_have() -> None:
    state = decide(BOT, scene(BUSY), arrived("hi"), NOW).state
    assert (state.frames, state.waiting, state.held) == ((), None, ())
    assert state.variables == BUSY.variables


@pytest.mark.parametrize("event", [event for event, _ in EVENTS] + [BUSY.held[0]])
def test_what_a_turn_was_given_is_read_back_as_it_was(event: Event) -> None:
    given = TurnInput(scene(BUSY), event, NOW)
    assert msgspec.json.decode(msgspec.json.encode(given), type=TurnInput) == given


def test_every_effect_is_read_back_as_it_was_and_names_its_rule() -> None:
    decision = Decision(EFFECTS, BUSY, decide(BOT, scene(), arrived("hi"), NOW).trace)
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision
    assert [effect.rule for effect in EFFECTS] == ["r"] * len(EFFECTS)
    assert {type(effect) for effect in EFFECTS} == set(Effect.__args__)
