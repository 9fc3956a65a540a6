"""Tests in a document: what they compare, how they are refused, and that they always come out the same."""

import pytest

from app.bot.document import DocumentError, compile_version, parse
from app.bot.stars import fits
from app.bot.trials import Outcome, run
from tests.bot.turns import WHATSAPP

BOT = """bot: Luna
hours: {zone: America/Sao_Paulo, mon-fri: "08:00-18:00"}
rules:
  - name: greeting
    when: {says: hi}
    do: [{say: "Hi {{ contact.first_name or 'there' }}!", buttons: [Menu, Person]}]
  - name: menu
    when: {says: menu}
    do: [{say: Choose., list: {label: Menu, choices: [Bread, {title: Cake, description: Sweet}]}}]
  - name: cake
    when: {says: cake}
    do: [{say: Sweet.}, {say: "{{ contact.fields.city }} {{ now | date }}"}]
  - name: person
    when: {says: person}
    do: [{say: One moment.}, {handoff: Asked for a person}]
tests:
"""


def outcome(test: str) -> Outcome:
    text = BOT + test
    (found,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    return found


def wrong(test: str) -> list[tuple[str, str, str]]:
    return [(spoken.fits, spoken.who, spoken.text) for spoken in outcome(test).wrong]


def test_a_chat_with_buttons_lists_and_a_handoff_passes() -> None:
    chat = (
        "[{user: hi}, {bot: Hi Ana!}, {user: {button: Menu}}, {bot: Choose*}, {user: {button: Cake}}, {bot: Sweet.}, "
    )
    chat += "{bot: Recife 2026-09-22}, {user: person}, {bot: '*'}, {handoff: '*person'}, {user: hi}]"
    # 23:30 in São Paulo is the next day in UTC, which `date` shows.
    test = (
        "  - {name: all, at: 2026-09-21 23:30, contact: {name: Ana Souza, fields: {city: Recife}}, chat: " + chat + "}"
    )
    assert outcome(test).chat[-1].text == "hi"
    assert wrong(test) == []


def test_the_first_answer_that_differs_is_shown_beside_what_was_expected() -> None:
    found = outcome("  - {name: one, chat: [{user: hi}, {bot: Hello*}, {user: menu}, {bot: never reached}]}")
    assert [(s.fits, s.text, s.line) for s in found.chat] == [
        ("yes", "hi", 17), ("missing", "Hello*", 17), ("extra", "Hi there!", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ("[{user: hi}]", [("extra", "bot", "Hi there!")]),
        ("[{user: hi}, {bot: Hi*}, {bot: More}]", [("missing", "bot", "More")]),
        ("[{user: person}, {bot: One*}]", [("extra", "handoff", "Asked for a person")]),
        ("[{user: {button: Menu}}]", [("unknown", "button", "Menu")]),
        ("[{user: hi}, {bot: Hi*}, {user: {button: Nope}}]", [("unknown", "button", "Nope")]),
    ],
)
def test_what_can_go_wrong(chat: str, expected: list[tuple[str, str, str]]) -> None:
    assert wrong(f"  - {{name: one, chat: {chat}}}") == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("Hi*", "Hi Ana", True), ("Hi", "Hi Ana", False), ("*", "", True), ("a*a", "a", False),
        ("a*b*c", "a-b-c", True),
        ("a*b*b", "a-b", False), ("*Ana*", "Hi Ana!", True), ("*مرحبا*", "قل مرحبا 🎂", True), ("a.c", "abc", False),
        ("*a" * 2000 + "b", "a" * 16_000, False),
    ],
)  # fmt: skip
def test_a_star_stands_for_anything(pattern: str, text: str, expected: bool) -> None:
    assert fits(pattern, text) is expected


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        ("  - {name: one, chat: [{bot: hi}]}", "begins with what the customer writes"),
        ("  - {name: one, at: 2026-02-30 10:00, chat: [{user: hi}]}", "a day and time, like"),
        ("  - {name: one, at: tomorrow, chat: [{user: hi}]}", "a day and time, like"),
        ("  - {name: one, chat: [{usr: hi}]}", "Did you mean “user”"),
        ("  - {name: one}", "Expected the key “chat”"),
    ],
)
def test_a_wrong_test_is_an_error_with_its_line(test: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence) as caught:
        parse(BOT + test)
    assert caught.value.problems[0].line == 17
