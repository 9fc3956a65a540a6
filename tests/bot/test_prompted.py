"""Rules and flows that no message begins: asked for by name, started later, and because nobody writes."""

from typing import Any

import pytest

from app.bot.document import DocumentError, Version, compile_version, parse
from app.bot.lint import lint
from app.bot.run import DEEPEST
from app.bot.scene import Close, Quiet, Triggered, WatchQuiet
from app.bot.turn import MOST_EFFECTS
from tests.bot.world import World

RULES = """\
bot: T
hours: {zone: UTC, mon-fri: "08:00-18:00"}
rules:
  - {name: go, when: {says: go}, do: [{start: main}]}
  - {name: any, when: {says: {regex: ".*"}}, do: [{say: any}]}
  - {name: open, when: {open: true}, do: [{say: open}]}
"""
FLOWS = """\
flows:
  main:
    - ask: {text: "q?", save: a}
    - say: "{{ a }}"
  slow: [{wait: 10s}, {say: slow}]
"""


def bot(*rules: str) -> Version:
    return compile_version(RULES + "".join(f"  - {{name: r{at}, {rule}}}\n" for at, rule in enumerate(rules)) + FLOWS)


SHIPPED = bot("when: {trigger: {name: Shipped, data: number}}, do: [{say: 'On its way: {{ number }}'}]")


def test_a_rule_listens_to_a_trigger_by_its_name() -> None:
    world = World(SHIPPED)
    assert world.happen(Triggered("shipped", {"number": 17})) == ["On its way: 17"]
    assert (world.code, world.last.trace.rule, world.last.trace.line) == ("event", "r0", 7)
    assert world.last.trace.verdict == "Rule r0 had all that it asks for: the trigger “Shipped”."
    assert world.state.variables == {"number": 17}
    before = world.state
    assert world.happen(Triggered("paid", {"number": 18})) == [] and world.code == "no_trigger"
    assert world.state == before, "what nobody listens to is not remembered"


def test_a_message_is_no_trigger_and_a_trigger_no_message() -> None:
    world = World(SHIPPED)
    assert world.say("shipped") == ["any"]
    assert World(bot()).happen(Triggered("go")) == []


@pytest.mark.parametrize(
    ("data", "kept", "problem"),
    [
        ({"now": 1, "a b": 2, "number": 3}, {"number": 3}, "“now” cannot be the name of a value; it was left out"),
        ({"number": [1, {"a": ["x\0y"]}]}, {"number": [1, {"a": ["xy"]}]}, ""),
        ({"number": "x" * 50_000}, {"number": "x" * 16_384}, "A value was larger than is possible"),
    ],
)
def test_what_comes_with_a_trigger_is_bounded(data: dict[str, Any], kept: dict[str, Any], problem: str) -> None:
    world = World(SHIPPED)
    world.happen(Triggered("shipped", data))
    assert world.state.variables == kept
    assert any(str(said).startswith(problem) for said in world.last.trace.problems) or not problem


def test_a_trigger_is_answered_at_once_and_an_open_question_asked_again() -> None:
    world = World(SHIPPED)
    assert world.say("go") == ["q?"]
    assert world.happen(Triggered("shipped", {"number": 1})) == ["On its way: 1", "q?"]
    assert world.say("x") == ["x"]
    assert world.happen(Triggered("flow:slow")) == []
    assert world.happen(Triggered("shipped", {"number": 2})) == ["On its way: 2"] and world.wait(10) == ["slow"]


def test_an_open_question_is_asked_once_after_all_rules_that_listen() -> None:
    world = World(bot("when: {trigger: t}, continue: true, do: [{say: a}]", "when: {trigger: t}, do: [{say: b}]"))
    world.say("go")
    assert world.happen(Triggered("t")) == ["a", "b", "q?"]
    world = World(bot("when: {trigger: t}, do: [{ask: {text: 'b?', save: b}}, {say: '{{ b }}'}]"))
    for _ in range(DEEPEST + 2):
        world.happen(Triggered("t"))
        assert len(world.state.frames) <= DEEPEST
    world = World(bot("when: {trigger: t}, do: [{handoff: h}]"))
    world.say("go")
    assert world.happen(Triggered("t")) == ["→ h"] and world.state.frames == ()


def test_what_comes_with_a_trigger_may_choose_the_language() -> None:
    text = """\
bot: T
language: en
rules: [{name: r, when: {trigger: t}, do: [{say: {en: Hello, pt: Olá}}]}]
flows: {f: [{say: {en: Bye, pt: Tchau}}]}
"""
    world = World(compile_version(text))
    assert world.happen(Triggered("t", {"language": "pt"})) == ["Olá"]
    world = World(compile_version(text))
    assert world.happen(Triggered("flow:f", {"language": "pt"})) == ["Tchau"]


def test_a_flow_is_started_by_its_name() -> None:
    world = World(bot())
    assert world.happen(Triggered("flow:main", {"b": 1})) == ["q?"] and world.state.variables == {"b": 1}
    assert (world.code, world.last.trace.verdict) == ("started", "flow main was asked for by name.")
    before = world.state
    assert world.happen(Triggered("flow:gone")) == [] and world.code == "no_flow" and world.state == before
    assert world.last.trace.verdict == "There is no flow “gone” in this bot."


def test_a_flow_starts_itself_later() -> None:
    world = World(bot("when: {trigger: remind}, do: [{later: main, after: 2h, with: {b: '{{ 1 + 1 }}'}}]"))
    assert world.happen(Triggered("remind")) == []
    assert world.wait(7_199) == [] and world.wait(1) == ["q?"] and world.state.variables == {"b": 2}


def test_conditions_and_priorities_hold_for_triggers() -> None:
    world = World(
        bot(
            "when: {trigger: t, tag: vip}, continue: true, do: [{say: vip}]",
            "when: {trigger: t, tag: other}, do: [{say: never}]",
            "when: {trigger: [s, t], open: false}, do: [{say: closed}]",
            "when: {trigger: t, if: n > 1}, priority: 5, continue: true, do: [{say: many}]",
            "when: {trigger: t}, do: [{say: last}]",
        )
    )
    assert world.happen(Triggered("t", {"n": 2})) == ["many", "vip", "last"]
    assert len(world.last.trace.before) == 2
    world.now += 8 * 3_600_000
    assert world.happen(Triggered("t", {"n": 1})) == ["vip", "closed"]
    assert world.happen(Triggered("s")) == ["closed"]


# ---- nobody writes ---------------------------------------------------------------------------------------------------

STILL = bot(
    "when: {inactivity: 10m}, do: [{say: still there?}]",
    "when: {inactivity: 30m}, do: [{say: bye}, {close: }]",
)


def test_a_rule_listens_to_nobody_writing() -> None:
    world = World(STILL)
    assert world.say("x") == ["any"]
    assert world.last.effects[-1] == WatchQuiet(600)
    assert world.wait(599) == [] and world.wait(1) == ["still there?"]
    assert world.last.trace.verdict == "Rule r0 had all that it asks for: nobody wrote for 10 min."
    assert world.last.effects[-1] == WatchQuiet(1_200), "what is left of half an hour"
    assert world.wait(1_199) == [] and world.wait(1) == ["bye"]
    assert isinstance(world.last.effects[-1], Close), "nothing more is watched for"
    assert world.wait(99_999) == []


def test_whoever_writes_begins_the_time_again() -> None:
    world = World(STILL)
    world.say("x")
    world.wait(599)
    world.say("y")
    assert world.wait(599) == [] and world.wait(1) == ["still there?"]
    world.say("z")
    assert world.wait(600) == ["still there?"]


def test_an_open_question_is_asked_again() -> None:
    world = World(STILL)
    world.say("go")
    assert world.wait(600) == ["still there?", "q?"] and world.say("x") == ["x"]


def test_of_several_times_that_are_over_the_longest_counts() -> None:
    world = World(STILL)
    world.say("x")
    world.now += 7_200_000
    assert world.happen(Quiet(600)) == ["bye"]
    world = World(STILL)
    assert world.happen(Quiet(600)) == ["still there?"], "without knowing when they wrote"
    assert World(STILL).happen(Quiet(60)) == [] and World(bot()).happen(Quiet(600)) == []


def test_a_bot_that_does_not_listen_watches_nothing_nor_does_one_that_handed_over() -> None:
    world = World(bot())
    world.say("x")
    assert not any(isinstance(effect, WatchQuiet) for effect in world.last.effects)
    world = World(bot("when: {inactivity: 10m}, do: [{say: x}]", "when: {says: p}, priority: 1, do: [{handoff: h}]"))
    assert world.say("p") == ["→ h"] and len(world.last.effects) == 1


def test_the_watch_has_its_place_in_a_full_turn() -> None:
    world = World(
        bot("when: {inactivity: 10m}, do: [{say: x}]", f"when: {{says: f}}, priority: 1, do: [{'{say: a}, ' * 20}]")
    )
    world.say("f")
    assert len(world.last.effects) == MOST_EFFECTS and world.last.effects[-1] == WatchQuiet(600)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{trigger: a, says: b}", "No message comes with “trigger”, so it cannot be with “says”"),
        ("{inactivity: 1h, first: true}", "No message comes with “inactivity”, so it cannot be with “first”"),
        ("{inactivity: 1h, trigger: a}", "No message comes with “trigger”, so it cannot be with “inactivity”"),
        ("{trigger: 'flow:main'}", "“flow:” begins the name of a flow"),
        ("{trigger: {data: a}}", "Expected the key “name”"),
        ("{trigger: {name: a, data: now}}", "“now” already means something"),
        ("{inactivity: soon}", "Expected how long"),
    ],
)
def test_a_mistake_is_told(when: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        bot(f"when: {when}, do: [{{say: x}}]")
    assert str(error.value.problems[0].message).startswith(message)


def test_the_lint_knows_what_comes_with_a_trigger() -> None:
    rule = "  - {name: r, when: {trigger: %s}, do: [{say: '{{ number }}'}]}\n"
    text = "bot: T\nrules:\n%sfallback: {do: [{say: x}]}\n"
    assert lint(parse(text % (rule % "{name: a, data: [number]}"))) == []
    [found] = lint(parse(text % (rule % "a")))
    assert str(found.message).startswith("No variable “number” is known here")


def test_rules_that_no_message_begins_are_no_rivals_of_others() -> None:
    rules = [
        "trigger: a",
        "inactivity: 5m",
        "says: x",
        "trigger: b",
        "trigger: a, tag: vip",
        "inactivity: 5m, open: true",
    ]
    text = "".join(f"  - {{name: r{at}, when: {{{when}}}, do: [{{say: x}}]}}\n" for at, when in enumerate(rules))
    hours = 'hours: {zone: UTC, mon-fri: "08:00-18:00"}\n'
    found = lint(parse(f"bot: T\n{hours}rules:\n{text}fallback: {{do: [{{say: x}}]}}\n"))
    assert [problem.line for problem in found] == [8, 9], "only those that ask for more than an earlier one"
