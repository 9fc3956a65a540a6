"""What an explanation makes of a stored turn beside the rule: its calls, what else was done, where things stand."""

from typing import Any, get_args

import msgspec
import pytest

from app.bot.scene import (
    Arrived,
    Assign,
    Call,
    CallError,
    CallResult,
    Close,
    Consent,
    ContactView,
    Decision,
    Event,
    Frame,
    GivenBack,
    HandOff,
    Later,
    Note,
    Quiet,
    Scene,
    Send,
    SetField,
    StartTimer,
    State,
    Tag,
    TimerFired,
    Trace,
    Triggered,
    TurnInput,
    Waiting,
    WatchQuiet,
)
from app.content import Buttons, Choice, Image, Text
from app.routes.explain import view
from app.routes.happened import Called, Standing, did, happened
from app.store.explained import Step, Turn
from tests.bot.turns import PLAIN

AT = 1_790_000_000_000
CALL = Call("t3.0", "GET", "https://shop.example/orders?key=\0secret:shop\0&n=7")


def stored(event: Event, *effects: Any, state: State | None = None, at: int = AT) -> tuple[str, str]:
    """Input and output of a turn, as they are kept."""
    given = TurnInput(Scene(State(), ContactView("1"), PLAIN), event, at)
    decision = Decision(effects, state or State(), Trace("So it is."))
    return msgspec.json.encode(given).decode(), msgspec.json.encode(decision).decode()


def turn(event: Event, *effects: Any, state: State | None = None) -> Turn:
    given, output = stored(event, *effects, state=state)
    return Turn(1, 2, 3, given, output, "", 400, AT, 4, "Luna", 5, 1)


def step(at: int, event: Event, *effects: Any) -> Step:
    return Step(at, *stored(event, *effects, at=at))


def test_a_call_is_shown_with_its_answer_however_late_and_never_a_secret() -> None:
    asking = turn(Arrived(Text("order")), CALL)
    url = "https://shop.example/orders?key={shop}&n=7"
    assert view(asking).calls == (Called("GET", url),)
    later = step(AT + 1_300, CallResult("t3.0", 200, {"state": "baked"}))
    other = step(AT + 10, CallResult("t9.0", 500))
    assert view(asking, around=(other, later)).calls == (Called("GET", url, "200", '{"state":"baked"}', "1.3 s"),)
    failed = step(AT + 10_000, CallResult("t3.0", error="timeout"))
    assert view(asking, around=(failed,)).calls[0].answer == "No answer came in time."


def test_the_turn_of_an_answer_shows_the_call_that_it_answers() -> None:
    answered = turn(CallResult("t3.0", 404, "not there"), Send(Text("No such order.")))
    asked = step(AT - 800, Arrived(Text("order")), CALL)
    [called] = view(answered, around=(asked,)).calls
    assert (called.answer, called.body, called.took) == ("404", '"not there"', "800 ms")


def test_the_time_of_the_call_itself_is_shown_where_it_is_known() -> None:
    later = step(AT + 9_000, CallResult("t3.0", 200, took_ms=84))
    assert view(turn(Arrived(Text("order")), CALL), around=(later,)).calls[0].took == "84 ms"


@pytest.mark.parametrize("error", [error for error in get_args(CallError) if error])
def test_whatever_went_wrong_with_a_call_has_its_sentence(error: CallError) -> None:
    later = step(AT + 1, CallResult("t3.0", error=error))
    assert view(turn(Arrived(Text("order")), CALL), around=(later,)).calls[0].answer.endswith(".")


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (Send(Image(mime="image/png")), "Photo"),
        (Send(Buttons("What?", (Choice("a", "Bread"),))), "What?"),
        (HandOff("Angry", team="orders"), "Handed to orders: Angry"),
        (Tag(("vip",), ("new",)), "+ vip, - new"),
        (SetField("city", "Recife"), 'city = "Recife"'),
        (SetField("city"), "- city"),
        (Note("A nut allergy."), "A nut allergy."),
        (Assign("rosa@luna.example"), "Assigned to rosa@luna.example"),
        (Close(), "Closed the conversation"),
        (Consent(False), "Opted out"),
        (StartTimer("t1", AT), "Waits until Sep 21, 2026 14:13"),
        (CALL, "GET https://shop.example/orders?key={shop}&n=7"),
        (Later("after", AT), "Starts flow “after” at Sep 21, 2026 14:13"),
        (WatchQuiet(1800), "Watches for 30 min of silence"),
    ],
)
def test_every_effect_is_told_in_words(effect: Any, text: str) -> None:
    assert [line.text for line in did([effect])] == [text]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Arrived(Text("one"), "one two", burst=(Text("one"),)), "one two (2 quick messages)"),
        (Arrived(Image()), "Photo"),
        (GivenBack(), "A person gave the conversation back"),
        (TimerFired("t1"), "The wait was over"),
        (CallResult("t1", 503), "The call was answered: 503"),
        (CallResult("t1", error="not_allowed"), "The call failed: Calls may not go to this address."),
        (Triggered("flow:after"), "Flow “after” was due"),
        (Triggered("paid"), "Asked for from outside: paid"),
        (Quiet(90), "Nobody wrote for 2 min"),
    ],
)
def test_every_event_is_told_in_words(event: Event, text: str) -> None:
    assert happened(event).text == text


def test_where_the_conversation_stands_names_flows_waits_and_messages_kept_for_later() -> None:
    waiting = Waiting("answer", "t1.0", AT, AT + 60_000, 2, "count")
    state = State(frames=(Frame("rule order"), Frame("flow order", (3,))), waiting=waiting, held=(Arrived(Text("hm")),))
    assert view(turn(Arrived(Text("?")), state=state)).standing == Standing(
        ("rule order", "order"),
        "Waits for an answer: count, until Sep 21, 2026 14:14 (2 answers did not fit)",
        ("hm",),
    )
    for kind, words in (("timer", "Waits"), ("call", "Waits for a call")):
        state = State(waiting=Waiting(kind, "t1.0", AT))
        assert view(turn(Arrived(Text("?")), state=state)).standing.waiting == words


def test_rules_that_let_others_go_on_are_told_before_the_one_that_decided() -> None:
    given = TurnInput(Scene(State(), ContactView("1"), PLAIN), Arrived(Text("hi")), AT)
    decision = Decision((), State(), Trace("Second.", before=("First.",)))
    texts = (msgspec.json.encode(value).decode() for value in (given, decision))
    why = view(Turn(1, 2, 3, *texts, "", 400, AT, 4, "Luna", 5, 1))
    assert (why.before, why.verdict) == (("First.",), "Second.")
