"""What is doubtful in a document that could run."""

import pytest

from app.bot.document import parse
from app.bot.lint import lint

FINE = "fallback: {do: [{say: sorry}]}\n"


def warnings(text: str) -> list[tuple[int, str]]:
    found = lint(parse(text))
    assert all(problem.severity == "warning" for problem in found)
    return [(problem.line, problem.message) for problem in found]


def with_say(step: str) -> str:
    return f"bot: T\nrules:\n  - name: r\n    when: {{says: x}}\n    do:\n      - {step}\n{FINE}"


def test_a_bot_without_a_fallback_is_doubtful() -> None:
    assert warnings("bot: T") == [(1, "There is no fallback: a message that no rule knows stays unanswered.")]
    assert warnings("bot: T\n" + FINE) == []


def test_a_rule_whose_words_are_all_taken_never_answers() -> None:
    text = """\
bot: T
vocabulary: {order: [buy]}
rules:
  - {name: a, when: {says: [Hi, order]}, do: [{say: a}]}
  - {name: b, when: {says: [hí, buy]}, do: [{say: b}]}
  - {name: c, when: {says: [hi, new]}, do: [{say: c}]}
  - {name: d, when: {says: {starts: hi}}, do: [{say: d}]}
"""
    assert warnings(text + FINE) == [(5, "“b” never answers: “a” before it knows all its words.")]


def test_an_unknown_name_in_a_text_is_told_with_what_was_meant() -> None:
    assert warnings(
        with_say('say: "{{ contact.nam }} {{ contact.fields.x }} {{ message.text }} {{ now | date }}"')
    ) == [
        (6, "No variable “contact.nam” is known here, so nothing will stand in its place. Did you mean “contact.name”?")
    ]


def test_what_is_doubtful_about_flows() -> None:
    text = """\
bot: T
rules:
  - {name: a, when: {says: a}, do: [{start: one}]}
flows:
  one:
    - ask: {text: "q {{ itme }}", save: item}
    - ask: {text: "{{ item }} {{ total.x }}", save: unused, choices: [a, b, c, d]}
    - set: {total: 1}
    - start: two
  two:
    - label: again
    - set: {n: 1}
    - if: n > 1
      then: [{goto: again}, {say: "{{ wrong }}"}]
  three: [{start: four}]
  four: [{say: x}]
"""
    assert warnings(text + FINE) == [
        (6, "No variable “itme” is known here, so nothing will stand in its place. Did you mean “item”?"),
        (7, "After the answer “unused” the customer may hear nothing."),
        (7, "The answer “unused” is never used."),
        (14, "These steps can go round without a question; only a condition ends it"),
        (14, "This is never done: the step before always goes elsewhere."),
        (14, "No variable “wrong” is known here, so nothing will stand in its place."),
        (15, "Nothing here starts the flow “three”; only a program could."),
        (16, "Nothing here starts the flow “four”; only a program could."),
    ]


def in_flow(*steps: str) -> list[tuple[int, str]]:
    lines = "".join(f"    - {step}\n" for step in steps)
    return warnings(f"bot: T\nrules: [{{name: r, when: {{says: x}}, do: [{{start: f}}]}}]\n{FINE}flows:\n  f:\n{lines}")


LATE = "This may come more than 24 hours after the customer wrote. WhatsApp takes only a template then."


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        (["wait: 24h", "say: a"], []),
        (["wait: 25h", "say: a", "say: b"], [7, 8]),
        (["wait: 13h", "say: a", "wait: 13h", "say: b"], [9]),
        (["wait: 13h", "ask: {text: a, save: a}", "wait: 13h", "say: '{{ a }}'"], []),
        (["if: channel == 'a'\n      then: [{wait: 2d}]", "say: b"], [8]),
        (["wait: 2d", "template: again"], []),
        (["schedule: a\n      after: 25h"], [6]),
        (["schedule: [{template: a}]\n      after: 25h"], []),
        (["wait: 23h", "schedule: [{say: b}]\n      after: 2h"], [7]),
        (["wait: '{{ message.text }}'", "say: a"], []),
    ],
)
def test_what_comes_after_the_window_is_doubtful(steps: list[str], lines: list[int]) -> None:
    assert in_flow(*steps) == [(line, LATE) for line in lines]


def test_a_flow_that_is_started_after_the_window_is_doubtful() -> None:
    steps = ["later: g\n      after: 2d", "say: now", "later: h\n      after: 2h"]
    assert in_flow(*steps, "say: x\n  g: [{say: a}]\n  h: [{say: b}]") == [(12, LATE)]


def test_a_flow_that_comes_back_is_doubtful() -> None:
    again = "The flow “{}” is started again by itself; only a condition ends that."
    assert in_flow("later: f\n      after: 2h", "say: x") == [(6, again.format("f"))]
    found = in_flow("later: g\n      after: 2h", "say: x\n  g: [{start: h}]\n  h: [{later: f, after: 2h}]")
    assert found == [(6, again.format("f")), (10, again.format("h"))]


def test_a_loop_with_a_wait_is_told_as_one() -> None:
    loop = ["label: a", "say: a", "{}", "if: now > 5\n      then: [{{goto: a}}]"]
    for step, said in (("wait: 1h", "again and again, waiting in between"), ("say: b", "without a question")):
        [(_, message)] = in_flow(*(one.format(step) if "{" in one else one for one in loop))
        assert said in message


def test_what_only_waits_or_asks_a_service_leaves_the_customer_without_an_answer() -> None:
    silent = (2, "This may leave the customer without an answer.")
    call = "call: {get: 'https://shop.example'}\n      failed: "
    assert in_flow("wait: 10s") == in_flow("later: f\n      after: 2h")[:1] == [silent]
    assert in_flow(call + "[{tag: a}]", "wait: 10s") == [silent]
    assert in_flow(call + "[{tag: a}]", "say: a") == in_flow(call + "[{say: b}, {return: }]", "say: a") == []
    assert in_flow(call + "[{tag: a}, {return: }]", "say: a") == [silent]


@pytest.mark.parametrize(
    "more",
    [
        "{name: a, when: {says: hi, tag: vip}, do: [{say: a}]}",
        "{name: a, when: {says: hi}, continue: true, do: [{say: a}]}",
        "{name: a, when: {says: hi}, priority: -1, do: [{say: a}]}",
        "{name: a, when: {says: {fuzzy: hi}}, do: [{say: a}]}",
    ],
)
def test_a_rule_that_asks_for_more_or_goes_on_takes_no_words(more: str) -> None:
    text = f"bot: T\nrules:\n  - {more}\n  - {{name: b, when: {{says: hi}}, do: [{{say: b}}]}}\n"
    assert [words for _, words in warnings(text + FINE) if str(words).startswith("“b” never")] == []


def test_only_what_answers_has_to_say_something() -> None:
    said = "This may leave the customer without an answer."
    rules = [
        ("{says: hi}, do: [{tag: a}]", True),
        ("{pressed: a}, do: [{tag: a}]", True),
        ("{says: hi}, continue: true, do: [{tag: a}]", False),
        ("{media: any}, do: [{tag: a}]", False),
    ]
    for rule, told in rules:
        text = f"bot: T\nrules:\n  - {{name: r, when: {rule}}}\n{FINE}"
        assert ((3, said) in warnings(text)) is told, rule
