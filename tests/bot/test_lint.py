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
    assert warnings(text + FINE) == [(5, "“b” never answers: “a” above it knows all its words.")]


def test_an_unknown_name_in_a_text_is_told_with_what_was_meant() -> None:
    assert warnings(
        with_say('say: "{{ contact.nam }} {{ contact.fields.x }} {{ message.text }} {{ now | date }}"')
    ) == [
        (6, "No variable “contact.nam” is known here, so nothing will stand in its place. Did you mean “contact.name”?")
    ]


@pytest.mark.parametrize(
    ("step", "warning"),
    [
        ("{say: x, buttons: [a, b, c]}", ""),
        ("{say: x, buttons: [a, b, c, d]}", "WhatsApp shows 3 buttons; these 4 become a list."),
        (f"{{say: x, buttons: [{'t' * 21}]}}", "WhatsApp shows 20 characters on a button; these 21 make it a list."),
        (
            f"{{say: x, buttons: [{'t' * 25}]}}",
            "WhatsApp shows 20 characters on a button; these 25 make it a numbered text.",
        ),
        (
            f"{{say: x, buttons: [{', '.join(f't{n}' for n in range(11))}]}}",
            "WhatsApp shows 10 choices; these 11 become a numbered text.",
        ),
        (
            f"{{say: x, list: {{label: l, choices: [{'t' * 25}]}}}}",
            "WhatsApp shows 24 characters in a row; these 25 make it a numbered text.",
        ),
        (f"{{say: {'x' * 1_100}, buttons: [a]}}", "WhatsApp takes 1,024 characters here; this text is split."),
        (f"{{say: {'x' * 5_000}}}", "WhatsApp takes 4,096 characters here; this text is split."),
    ],
)
def test_what_whatsapp_cannot_show_is_told_beforehand(step: str, warning: str) -> None:
    assert warnings(with_say(step)) == ([(6, warning)] if warning else [])


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
        (7, "WhatsApp shows 3 buttons; these 4 become a list."),
        (7, "The answer “unused” is never used."),
        (14, "These steps can go round without a question; only a condition ends it"),
        (14, "No variable “wrong” is known here, so nothing will stand in its place."),
        (15, "The flow “three” never runs: nothing starts it."),
        (16, "The flow “four” never runs: nothing starts it."),
    ]
