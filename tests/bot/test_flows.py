"""Flows: where an answer goes on, what may interrupt, what is noted, and the bounds of a run."""

import pytest

from app.bot.document import DocumentError, Version, compile_version
from app.bot.run import DEEPEST
from app.bot.scene import Close, Decision, Frame, HandOff, Send, SetField, State, Tag, Waiting
from app.content import Buttons, Content, Image, Location, Text
from tests.bot.turns import NOW, WHATSAPP, press, said, turn

RULES = """\
bot: T
rules:
  - {name: go, when: {says: go}, do: [{start: main}]}
  - {name: plain, when: {says: plain}, do: [{say: plain}]}
  - {name: help, when: {says: help}, interrupt: true, do: [{say: helping}]}
  - {name: person, when: {says: person}, interrupt: true, do: [{handoff: asked}]}
  - name: aside
    when: {says: aside}
    interrupt: true
    do: [{ask: {text: aside?, save: aside}}, {say: "so {{ aside }}"}]
fallback: {do: [{say: fallback}]}
"""


def flows(text: str) -> Version:
    return compile_version(f"{RULES}flows:\n{text}\n")


def main(*steps: str) -> Version:
    return flows("  main:\n" + "\n".join(f"    - {step}" for step in steps))


def chat(bot: Version, *messages: str | Content, state: State | None = None) -> list[Decision]:
    made: list[Decision] = []
    for message in messages:
        made.append(turn(bot, message, made[-1].state if made else state))
    return made


def spoken(bot: Version, *messages: str | Content) -> list[list[str]]:
    return [said(decision) for decision in chat(bot, *messages)]


TWO = main(
    "ask: {text: item?, choices: [Bread, {title: Rye bread, id: rye}], save: item, cancel: stop, cancelled: left}",
    "ask: {text: many?, expect: {integer: {min: 1, max: 9}}, save: many, retries: 1, cancel: stop}",
    'say: "{{ many }} {{ item }}"',
)


def test_an_answer_goes_on_where_the_flow_stopped_and_the_trace_says_where() -> None:
    first, second, third = chat(TWO, "go", "bread", "4")
    assert first.state.frames == (Frame("flow main", (0,)),)
    assert first.state.waiting == Waiting("answer", "t0.0", NOW, save="item")
    assert [effect.rule for effect in first.effects] == ["flow main/item"]
    assert (second.trace.rule, second.trace.line, second.trace.code) == ("flow main/item", 14, "answer")
    assert third.trace.verdict == "Said “4”, the answer to flow main, question 2: many."
    assert third.effects == (Send(Text("4 Bread"), "flow main"),)
    assert third.state.frames == () and third.state.waiting is None
    assert third.state.variables == {"item": "Bread", "many": 4}


def test_a_choice_is_pressed_typed_numbered_or_named_in_a_sentence() -> None:
    for answer in ("Rye bread!", "2", "rye", press("rye", "Rye bread"), "RYE BREAD"):
        assert chat(TWO, "go", answer)[-1].state.variables == {"item": "rye"}
    assert chat(TWO, "go", "some bread please")[-1].state.variables == {"item": "Bread"}
    assert chat(TWO, "go", "some rye bread please")[-1].state.variables == {}
    [asked] = turn(TWO, "go", capabilities=WHATSAPP).effects
    assert isinstance(asked, Send) and isinstance(asked.content, Buttons)


def test_a_number_is_the_answer_and_not_the_choice_of_an_earlier_list() -> None:
    assert chat(TWO, "go", "1", "2")[-1].state.variables == {"item": "Bread", "many": 2}


def test_a_wrong_answer_is_asked_again_then_the_rules_answer() -> None:
    assert spoken(TWO, "go", "1", "x", "y") == [["item?\n\n1. Bread\n2. Rye bread"], ["many?"], ["many?"], ["fallback"]]
    again, gone = chat(TWO, "go", "1", "x", "plain")[2:]
    assert again.trace.code == "again" and again.state.waiting is not None and again.state.waiting.tries == 1
    assert said(gone) == ["plain"] and gone.state.frames == () and gone.state.waiting is None


def test_cancel_words_leave_the_flow() -> None:
    assert spoken(TWO, "go", "Stop!", "plain")[1:] == [["left"], ["plain"]]
    assert spoken(TWO, "go", "do not stop")[1] == ["item?\n\n1. Bread\n2. Rye bread"]
    assert spoken(TWO, "go", "1", "stop")[2] == ["fallback"]


def test_only_a_rule_that_says_so_interrupts_and_the_question_is_asked_again() -> None:
    assert spoken(TWO, "go", "1", "plain")[2] == ["many?"]
    helped = chat(TWO, "go", "1", "help")[2]
    assert said(helped) == ["helping", "many?"] and helped.trace.code == "interrupted"
    assert [effect.rule for effect in helped.effects] == ["help", "flow main/many"]
    assert spoken(TWO, "go", "1", "help", "3")[3] == ["3 Bread"]
    assert spoken(TWO, "go", "1", "aside", "well", "3")[2:] == [["aside?"], ["so well", "many?"], ["3 Bread"]]


def test_a_hand_off_ends_every_flow() -> None:
    gone = chat(TWO, "go", "person")[1]
    assert gone.effects == (HandOff("asked", "person"),) and gone.state.frames == () and gone.state.waiting is None
    bot = flows("  main: [{start: other}, {say: never}]\n  other: [{handoff: x}, {say: never}]")
    assert spoken(bot, "go", "plain") == [["→ x"], ["plain"]]


def test_interrupting_for_ever_ends() -> None:
    bot = main("ask: {text: main?, save: a}", 'say: "{{ a }}"')
    *_, last = chat(bot, "go", *["aside"] * DEEPEST)
    assert last.trace.problems == (f"More than {DEEPEST} flows ran inside each other; all but the last were left",)
    assert said(last) == ["aside?"] and len(last.state.frames) == 1


def test_branches() -> None:
    bot = flows(
        """\
  main:
    - ask: {text: a?, expect: decimal, save: a}
    - if: a > 10 and 'vip' in contact.tags
      then: [{say: big}]
      else: [{if: a < 0, then: [{say: negative}]}]
    - switch: a
      cases: {1: [{say: one}], 2.5: [{say: half}]}
      else: [{say: other}]
    - switch: a > 1
      cases: {true: [{say: more}]}
    - say: end"""
    )
    answers = {"11": ["big", "other", "more", "end"], "-1": ["negative", "other", "end"], "1": ["one", "end"]}
    for answer, expected in answers.items():
        assert spoken(bot, "go", answer)[1] == expected
    assert spoken(bot, "go", "2,5")[1] == ["half", "more", "end"]


def test_flows_start_each_other_return_and_go_to_labels() -> None:
    bot = flows(
        """\
  main: [{set: {n: 0}}, {start: sub}, {say: "back {{ n }}"}, {start: sub}, {say: "end {{ n }}"}]
  sub:
    - label: again
    - set: {n: "{{ n + 1 }}"}
    - if: n < 3
      then: [{goto: again}]
    - if: n == 3
      then: [{return: true}]
    - ask: {text: more?, expect: yes_no, save: more}
    - say: "{{ more }}"
"""
    )
    assert spoken(bot, "go", "yes") == [["back 3", "more?"], ["true", "end 4"]]
    assert [frame.flow for frame in chat(bot, "go")[0].state.frames] == ["flow main", "flow sub"]


def test_menus_that_start_each_other_do_not_pile_up() -> None:
    bot = flows("  main: [{ask: {text: q, save: q}}, {start: other}]\n  other: [{say: '{{ q }}'}, {start: main}]")
    *_, last = chat(bot, "go", *"abcdefghijklmnopqrstuvwxyz")
    assert said(last) == ["z", "q"] and len(last.state.frames) == 1


def test_values_stay_what_they_are() -> None:
    bot = main(
        """set: {a: 5, b: "05", c: "true", d: "{{ a + 1 }}", e: "is {{ a }}", f: "{{ ['x', a] }}", g: "{{ x.y }}"}""",
        'set: {h: "{{ contact.fields }}", i: "-2.5"}',
    )
    [made] = chat(bot, "go")
    assert made.state.variables == {
        "a": 5, "b": "05", "c": True, "d": 6, "e": "is 5", "f": ["x", 5], "g": None, "h": {"city": "Recife"}, "i": -2.5,
    }  # fmt: skip
    assert made.trace.problems == ("Nothing is known as x.y; it was left empty",)


def test_what_is_noted_is_an_effect_and_seen_at_once() -> None:
    bot = main(
        "tag: [new, '{{ contact.first_name }}']", "untag: vip", "field: {city: '{{ none }}', note: '{{ 2 * 3 }}'}",
        'say: "{{ contact.tags }} {{ contact.fields.note }}{{ contact.fields.city }}"', "close:", "say: never",
    )  # fmt: skip
    [made] = chat(bot, "go")
    assert made.effects == (
        Tag(("new", "Ana"), (), "flow main"),
        Tag((), ("vip",), "flow main"),
        SetField("city", None, "flow main"),
        SetField("note", 6, "flow main"),
        Send(Text("new, Ana 6"), "flow main"),
        Close("flow main"),
    )


@pytest.mark.parametrize(
    ("expect", "answers"),
    [
        ("integer", {"3 please": 3, "1,200": 1200, "-4": -4, "٣": 3, "2.5": None, "2 or 3": None, "x": None}),
        ("decimal", {"2,5": 2.5, "1.200,50": 1200.5, "1,200.50": 1200.5, "7": 7, "1.200.300": 1200300, "": None}),
        ("{integer: {min: 1, max: 5}}", {"5": 5, "6": None, "0": None}),
        ("email", {"me: a.b@x.example!": "a.b@x.example", "a@b": None, "a@b.example c@d.example": None}),
        ("phone", {"+55 (11) 9999-0000": "+551199990000", "12345": None, "call 030 1234567": "0301234567"}),
        ("yes_no", {"Yes!": True, "ok": True, "não": False, "no, thanks": False, "yes no": None, "maybe yes": None}),
        ("{regex: '[a-z]+'}", {"ABC": "ABC", "abc1": None}),
        ("text", {"anything": "anything"}),
    ],
)
def test_what_an_answer_must_be(expect: str, answers: dict[str, object]) -> None:
    bot = main(f"ask: {{text: q, expect: {expect}, save: a}}")
    for answer, value in answers.items():
        assert chat(bot, "go", answer)[-1].state.variables == ({} if value is None else {"a": value}), answer


def test_places_and_files_are_answers() -> None:
    bot = main(
        "ask: {text: q, expect: location, save: a}", "ask: {text: q, expect: media, save: b}", "say: '{{ b.kind }}'"
    )
    *_, last = chat(bot, "go", Image(), Location(1.5, 2.5, "Shop"), Image(caption="cake"))
    assert last.state.variables["a"] == {"latitude": 1.5, "longitude": 2.5, "name": "Shop", "address": ""}
    assert last.state.variables["b"] == {"kind": "image", "caption": "cake", "filename": ""}
    assert said(last) == ["image"]
    assert chat(main("ask: {text: q, save: a}"), "go", Image())[-1].state.variables == {}


def test_a_loop_that_a_condition_should_have_ended_is_stopped() -> None:
    bot = main("label: a", "set: {n: 1}", "if: n == 1\n      then: [{goto: a}]")
    [made] = chat(bot, "go")
    assert made.trace.problems == ("More than 200 steps without a question in between; the flow was left",)
    assert made.state.frames == ()


def test_what_ran_in_another_version_is_left() -> None:
    state = chat(TWO, "go", "1")[-1].state
    for other in (main("say: x"), flows("  other: [{say: x}]\n  main: [{ask: {text: a, save: a}}, {say: x}]")):
        made = turn(other, "plain", state)
        assert said(made) == ["plain"] and made.state.frames == () and made.state.variables == {"item": "Bread"}


@pytest.mark.parametrize(
    ("step", "column", "message"),
    [
        ("start: mian", 14, "There is no flow “mian”. Did you mean “main”?"),
        ("goto: nowhere", 13, "There is no label “nowhere” here."),
        ("{label: a, goto: a}", 7, "A step does one thing, found label and goto; make it two steps"),
        ("start: main", 1, "These steps go round for ever: nothing is asked and nothing ends it"),
        ("if: '{{ a }}'\n      then: [{say: x}]", 11, "Expected one expression without braces, like quantity > 10"),
        ("if: a(\n      then: [{say: x}]", 11, "This text cannot be read"),
        ("ask: {text: x}", 12, "Expected the key “save”"),
        ("ask: {text: x, save: now}", 28, "“now” already means something in texts; choose another name"),
        ("ask: {text: x, save: a, choices: [a], expect: text}", 12, "A question has either choices or expect"),
        ("ask: {text: x, save: a, expect: number}", 39, "Expected one of text, integer"),
        ("ask: {text: x, save: a, expect: {regex: '('}}", 47, "This pattern cannot be read"),
        ("ask: {text: x, save: a, expect: {integer: {min: 3, max: 2}}}", 49, "“min” is more than “max”"),
        ("set: {_a: 1}", 13, "Expected a name of letters, digits and _"),
        ("switch: a\n      cases: {}", 14, "Expected a group of values and steps"),
        ("return: 5", 15, "Expected nothing, or true, found “5”"),
    ],
)
def test_a_mistake_is_told_with_its_place(step: str, column: int, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        main(step)
    problem = error.value.problems[0]
    assert str(problem.message).startswith(message) and problem.column == column


def test_an_open_question_goes_before_rules_and_the_explanation_says_so() -> None:
    bot = compile_version(
        "bot: T\nrules:\n  - {name: order, when: {says: order}, do: [{ask: {text: What?, save: item}}]}\n"
        "  - {name: menu, when: {says: menu}, do: [{say: Bread.}]}\n"
    )
    asked = turn(bot, "order")
    near = turn(bot, "the menu", asked.state).trace.near
    assert [(miss.rule, str(miss.why)) for miss in near] == [
        ("menu", "Would have answered, but an open question goes before rules"),
    ]  # fmt: skip
    assert turn(bot, "cheese", asked.state).trace.near == ()
