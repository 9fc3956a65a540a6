"""Rules that never answer, conditions that never hold, and what costs much: told beforehand."""

from datetime import datetime

import pytest

from app.bot.document import compile_version, parse
from app.bot.lint import lint
from app.documents import problems_of, read
from tests.bot.turns import said, turn

FINE = "fallback: {do: [{say: sorry}]}\n"


def warnings(*rules: str, more: str = "") -> list[str]:
    """Of rules `name: when`, which say their name."""
    lines = [
        f"  - {{name: {name}, when: {{{when}}}, do: [{{say: {name}}}]{rest}}}"
        for name, when, rest in (
            rule.split(" > ") if rule.count(" > ") == 2 else [*rule.split(" > "), ""] for rule in rules
        )
    ]
    text = "bot: T\n" + more + "rules:\n" + "\n".join(lines) + "\n" + FINE
    compile_version(text)
    return [str(problem.message) for problem in lint(parse(text))]


def behind(name: str, above: str) -> str:
    return f"“{name}” never answers: “{above}”, which is asked before it, holds whenever it does."


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (["a > media: image", "b > media: image"], [behind("b", "a")]),
        (["a > media: image", "b > says: x, media: image"], [behind("b", "a")]),
        (["a > media: image, tag: vip", "b > media: image"], []),
        (["a > tag: vip", "b > says: x, tag: VIP, open: true"], [behind("b", "a")]),
        (["a > says: x, tag: vip", "b > says: x"], []),
        (["a > says: x", "b > says: x, tag: vip"], [behind("b", "a")]),
        (["a > says: x, tag: vip", "b > says: x, tag: vip, no_tag: y"], [behind("b", "a")]),
        (["a > says: [x, y], tag: vip", "b > says: [x, z], tag: vip"], []),
        (["a > says: {fuzzy: menu}", "b > says: menu"], []),  # of a long message less is read for slips
        (["a > says: {fuzzy: menu}", "b > says: {fuzzy: [menu]}"], [behind("b", "a")]),
        (["a > says: menu", "b > says: {fuzzy: menu}"], []),
        (["a > says: {all: [x, y]}", "b > says: {all: [x, y]}"], [behind("b", "a")]),
        (["a > says: x > , continue: true", "b > says: x"], []),
        (["a > says: x", "b > says: x > , priority: 1"], ["“a” never answers: “b” before it knows all its words."]),
        (["a > says: x", "b > says: x > , interrupt: true"], []),
        (
            ["a > says: x > , interrupt: true", "b > says: x > , interrupt: true"],
            ["“b” never answers: “a” before it knows all its words."],
        ),
        (["a > tag: vip", "b > tag: vip, reaction: any"], []),
        (["a > reaction: any", "b > reaction: any, tag: vip"], [behind("b", "a")]),
        (["a > if: 1 < 2", "b > if: 1 < 2, says: x"], [behind("b", "a")]),
        (["a > field: {x: [b, a]}", "b > field: {x: [A, b]}"], [behind("b", "a")]),
        (["a > first_after: 12h", "b > first_after: 24h"], []),
        (["a > referral: {source_type: ad}", "b > referral: {source_type: ad}"], [behind("b", "a")]),
    ],
)
def test_a_rule_behind_one_that_always_holds_never_answers(rules: list[str], expected: list[str]) -> None:
    hours = "hours: {zone: UTC, mon-fri: '08:00-18:00'}\n"
    assert warnings(*rules, more=hours) == expected


def test_what_is_told_of_a_rule_is_so() -> None:
    bot = compile_version(
        "bot: T\nrules: [{name: a, when: {tag: vip}, do: [{say: a}]},"
        " {name: b, when: {says: x, tag: vip}, do: [{say: b}]}]"
    )
    assert said(turn(bot, "x")) == ["a"]


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("tag: vip, no_tag: VIP", "the contact cannot have the tag “VIP” and not have it"),
        ("field: {x: 1}, no_field: x", "the field “x” cannot have a value and have none"),
        ("location: true, media: image", "a message is only one of media, location"),
        ("reaction: any, pressed: x", "a message is only one of pressed, reaction"),
        ("reaction: 👍, says: hi", "a reaction says nothing"),
        ("open: true", "by its hours, it is never open"),
    ],
)
def test_conditions_that_cannot_hold_together(when: str, why: str) -> None:
    hours = "hours: {zone: UTC, holidays: [12-25]}\n"
    assert warnings(f"r > {when}", more=hours) == [f"“r” never answers: {why}."]


def test_gathered_messages_may_be_of_several_kinds() -> None:
    assert warnings("r > location: true, media: image", more="gather: 3s\n") == []


def test_a_word_that_is_nearly_a_group() -> None:
    groups = "vocabulary: {opening-hours: [open, close]}\n"
    assert warnings("r > says: [openning-hours, opening-hours, closed]", more=groups) == [
        "Is the group of words “opening-hours” meant? “openning-hours” is none."
    ]


def test_many_rules_that_nothing_finds_are_told_once() -> None:
    few, many = [[f"r{n} > no_tag: t{n}" for n in range(count)] for count in (100, 101)]
    assert warnings(*few) == []
    [said] = warnings(*many)
    assert said.startswith("101 rules ask for nothing by which they are found")
    assert warnings(*[f"r{n} > tag: t{n}" for n in range(101)]) == []


def test_a_name_that_a_condition_reads_is_looked_at() -> None:
    assert warnings("r > if: contact.nam == 'Ana'") == [
        "No variable “contact.nam” is known here, so nothing will stand in its place. Did you mean “contact.name”?"
    ]


def test_a_rule_that_lets_others_go_on_may_say_nothing() -> None:
    text = "bot: T\nrules: [{name: r, when: {says: x}, continue: true, do: [{tag: seen}]}]\n" + FINE
    assert lint(parse(text)) == []


def test_holidays_that_have_gone_by_are_told_by_their_day_there() -> None:
    text = (
        "bot: T\nhours:\n  zone: America/Sao_Paulo\n  holidays:\n    - 2026-12-25\n    - 12-24\n"
        "    - {date: 2026-12-25, to: 2026-12-26}\n" + FINE
    )
    lines = {"2026-12-26T02:59": [], "2026-12-26T03:00": [5], "2026-12-27T03:00": [5, 7]}
    for moment, expected in lines.items():
        now = int(datetime.fromisoformat(moment + "+00:00").timestamp() * 1_000)
        assert [problem.line for problem in problems_of(text, now=now)] == expected, moment


def test_the_list_of_rules_tells_what_each_asks_for_and_in_which_order() -> None:
    text = (
        "bot: T\nrules:\n"
        "  - {name: a, when: {says: [hi, hello], tag: vip}, priority: 5, continue: true, do: [{say: a}]}\n"
        "  - {name: b, when: {referral: {source_type: ad}}, do: [{say: b}]}\n"
    )
    assert [str(rule.hears) for rule in read(text).rules] == [
        "hi, hello, the contact has the tag “vip”, priority 5, then others",
        "a link or ad with source_type ad",
    ]
