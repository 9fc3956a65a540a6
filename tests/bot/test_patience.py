"""A question that nobody answers: its reminder, its time-out, and what makes them void."""

import pytest

from app.bot.document import DocumentError, Version, compile_version, parse
from app.bot.lint import lint
from app.bot.scene import Send, StartTimer, Waiting
from app.bot.turn import MOST_EFFECTS
from app.content import Text
from tests.bot.turns import NOW
from tests.bot.world import World

RULES = """\
bot: T
rules:
  - {name: go, when: {says: go}, do: [{start: main}]}
  - {name: plain, when: {says: plain}, do: [{say: plain}]}
  - {name: help, when: {says: help}, interrupt: true, do: [{say: helping}]}
fallback: {do: [{say: fallback}]}
flows:
  main:
"""


def main(*steps: str) -> Version:
    return compile_version(RULES + "\n".join(f"    - {step}" for step in steps))


BOTH = main(
    "ask: {text: item?, choices: [Bread, Cake], save: item, retries: 1, reminder: {after: 10m, text: Still there?},"
    " timeout: {after: 1h, do: [{say: Another time.}, {tag: late}]}}",
    "say: 'so {{ item }}'",
)
ASKED = "item?\n\n1. Bread\n2. Cake"
AGAIN = "Still there?\n\n1. Bread\n2. Cake"


def test_a_question_is_reminded_of_once_and_then_given_up() -> None:
    world = World(BOTH)
    assert world.say("go") == [ASKED]
    assert world.last.effects[1:] == (
        StartTimer("t0.0", NOW + 3_600_000, "flow main/item"),
        StartTimer("t0.0.r", NOW + 600_000, "flow main/item"),
    )
    assert world.state.waiting == Waiting("answer", "t0.0", NOW, NOW + 3_600_000, 0, "item")
    assert world.wait(600) == [AGAIN]
    assert (world.code, world.last.trace.rule, world.last.trace.line) == ("reminded", "flow main/item", 9)
    assert world.last.trace.verdict == "No answer yet to flow main, question 1: item."
    assert world.wait(2_999) == [] and world.wait(1) == ["Another time.", "so"]
    assert (world.code, world.last.trace.rule) == ("timed_out", "flow main/item")
    assert world.state.frames == () and world.state.waiting is None and world.wait(99_999) == []


def test_an_answer_makes_both_void() -> None:
    world = World(BOTH)
    assert world.say("go", "1")[1:] == ["so Bread"]
    assert world.wait(4_000) == [] and [made.trace.code for made in world.decisions[2:]] == ["stale", "stale"]
    world = World(BOTH)
    world.say("go")
    world.wait(600)
    assert world.say("2") == ["so Cake"], "a number is still understood after the reminder"


def test_asking_again_begins_the_time_again() -> None:
    for message, heard in (("what?", [ASKED]), ("help", ["helping", ASKED])):
        world = World(BOTH)
        world.say("go")
        world.wait(599)
        assert world.say(message) == heard
        assert world.wait(599) == [] and world.wait(1) == [AGAIN]
        assert world.wait(2_999) == [] and world.wait(1) == ["Another time.", "so"]


def test_without_steps_the_flow_is_left() -> None:
    world = World(main("ask: {text: q?, save: a, timeout: {after: 5m}}", "say: never"))
    world.say("go")
    assert world.wait(300) == [] and world.code == "timed_out"
    assert world.state.frames == () and world.say("plain") == ["plain"]


def test_a_question_below_another_flow_does_not_time_out() -> None:
    bot = compile_version(
        RULES.replace("do: [{say: helping}]", "do: [{ask: {text: aside?, save: b}}, {say: '{{ b }}'}]")
        + "    - ask: {text: q?, save: a, timeout: {after: 5m}}\n    - say: '{{ a }}'"
    )
    world = World(bot)
    world.say("go", "help")
    assert world.wait(300) == [] and world.code == "stale"
    assert world.say("x") == ["x", "q?"]
    assert world.wait(299) == [] and world.say("y") == ["y"]


def test_both_timers_are_kept_in_a_full_turn() -> None:
    world = World(
        main(*["say: x"] * 25, "ask: {text: q?, save: a, reminder: {after: 1m, text: r}, timeout: {after: 2m}}")
    )
    world.say("go")
    kinds = [type(effect) for effect in world.last.effects]
    assert len(kinds) == MOST_EFFECTS and kinds[-2:] == [StartTimer, StartTimer]
    assert world.wait(60) == ["r"] and world.last.effects == (Send(Text("r"), "flow main/a"),)


def test_what_can_go_round_without_anybody_is_doubtful() -> None:
    steps = (
        "    - label: a\n    - ask: {text: q?, save: a, timeout: {after: 1d, do: [{goto: a}]}}\n    - say: '{{ a }}'\n"
    )
    [found] = lint(parse(RULES + steps))
    assert found.message == "These steps can go round again and again, waiting in between; only a condition ends it"


def test_what_is_said_after_the_window_is_doubtful() -> None:
    late = "This may come more than 24 hours after the customer wrote. WhatsApp takes only a template then."
    for patience, lines in {
        "reminder: {after: 23h, text: r}": [],
        "reminder: {after: 25h, text: r}": [9],
        "timeout: {after: 25h, do: [{say: b}]}": [9, 10],
        "timeout: {after: 25h, do: [{tag: b}]}": [10],
        "timeout: {after: 25h}": [],
    }.items():
        steps = f"    - ask: {{text: q?, save: a, {patience}}}\n    - say: '{{{{ a }}}}'\n"
        assert [(one.line, one.message) for one in lint(parse(RULES + steps))] == [(line, late) for line in lines]


@pytest.mark.parametrize(
    ("patience", "message"),
    [
        ("reminder: {after: 1h, text: r}, timeout: {after: 1h}", "The reminder comes before the time-out"),
        ("reminder: {after: 1h}", "Expected the key “text”"),
        ("timeout: {do: [{say: x}]}", "Expected the key “after”"),
        ("timeout: {after: soon}", "Expected how long, like 10m"),
        ("timeout: 1h", "Expected a group of keys"),
    ],
)
def test_a_mistake_is_told(patience: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        main(f"ask: {{text: q?, save: a, {patience}}}")
    assert str(error.value.problems[0].message).startswith(message)
