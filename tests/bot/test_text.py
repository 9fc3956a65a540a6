"""Texts with places to fill in: what they may hold, what they make of it, and that nothing else is possible."""

import time
from pathlib import Path
from typing import Any

import pytest

from app.bot.text import TextError, compile_text
from app.bot.values import OUTPUT, Room

CORPUS = [
    line
    for line in Path(__file__).with_name("ssti.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]
# What a leak would look like: the program's own objects, or a calculation that must not happen.
LEAKS = ("<class", "__", "object at", "builtin", "root:", "Undefined", "mappingproxy", "dict_", "7777777")

NAMES: dict[str, Any] = {
    "contact": {"name": "Ana Souza", "first_name": "", "tags": ["vip", "cake"], "fields": {"city": "Recife", "n": 12}},
    "price": 1234.5,
    "count": 3,
    "nothing": None,
    "yes": True,
    "items": [{"name": "Bread"}, {"name": "Cake"}],
    "long": "x" * 60_000,
    "huge": 10**30,
}


def show(source: str) -> tuple[str, list[str]]:
    room = Room(NAMES)
    return compile_text(source).render(room), room.problems


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain {text}", "plain {text}"),
        ("Hi {{ contact.first_name or 'there' }}.", "Hi there."),
        ("{{ contact.name | upper }}", "ANA SOUZA"),
        ("{{ contact.fields.city }}, {{ contact['fields']['n'] }}", "Recife, 12"),
        ("{{ contact.tags | join(' and ') }}", "vip and cake"),
        ("{{ contact.tags }}", "vip, cake"),
        ("{{ items[1].name }}{{ items[0]['name'] }}", "CakeBread"),
        ("{{ price | number(2) }} {{ price | round }} {{ 1234567 | number }}", "1,234.50 1234 1,234,567"),
        ("{{ count * 2 + 1 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 % 4 }} {{ -count }}", "7 3.5 3 3 -3"),
        ("{{ 'a' ~ count ~ 'b' }}", "a3b"),
        ("{% if count > 2 and not nothing %}many{% elif count == 1 %}one{% else %}none{% endif %}", "many"),
        ("{{ 'yes' if 'vip' in contact.tags else 'no' }}", "yes"),
        ("{{ 'yes' if 'vip' not in contact.tags else 'no' }}", "no"),
        ("{{ contact.age | default('unknown') }}", "unknown"),
        ("{{ 'set' if contact.age is defined else 'not set' }}", "not set"),
        ("{{ contact.name | replace('a', 'o') | lower }}", "ano souzo"),
        ("{{ contact.name | length }} {{ contact.name | first }} {{ contact.name | truncate(5) }}", "9 A Ana…"),
        ("{{ ' 12 ' | int + 1 }}", "13"),
        ("{{ 1790000000000 | date }}", "2026-09-21"),
        ("{{ yes }} {{ nothing }}.", "true ."),
        ("{{ 1 < 2 < 3 }}", "true"),
        ("{# not shown #}x", "x"),
    ],
)
def test_a_text_is_filled_in(source: str, expected: str) -> None:
    assert show(source) == (expected, [])


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a{{ contact.nam }}b", "Nothing is known as contact.nam; it was left empty"),
        ("a{{ unknown }}b", "Nothing is known as unknown; it was left empty"),
        ("a{{ contact.name.x.y }}b", "Nothing is known as contact.name.x.y; it was left empty"),
        ("a{{ contact.fields }}b", "A group of values cannot be shown; name one of them"),
        ("a{{ contact.name * 3 }}b", "A calculation had no number to work with; it was left empty"),
        ("a{{ count / 0 }}b", "A calculation had no number to work with; it was left empty"),
        ("a{{ 'x' if 'b' > 1 }}b", "Two values that cannot be compared were compared; the answer was taken as no"),
    ],
)
def test_what_has_no_value_is_left_empty_and_told(source: str, problem: str) -> None:
    assert show(source) == ("ab", [problem])


@pytest.mark.parametrize("source", CORPUS)
def test_P17_no_text_reaches_beyond_its_values(source: str) -> None:
    began = time.thread_time()
    try:
        shown, _ = show(source)
    except TextError as error:
        shown = ""
        assert error.line == 1
    assert time.thread_time() - began < 0.1
    assert len(shown) <= OUTPUT * 2
    if "{{" in source or "{%" in source:
        assert not any(leak in shown for leak in LEAKS)
        assert "49" not in shown


def test_what_jinja_puts_around_a_block_by_itself_is_refused_at_the_block() -> None:
    with pytest.raises(TextError) as refusal:
        compile_text("one\n{% autoescape false %}{{ contact.name }}{% endautoescape %}")
    assert refusal.value.line == 2


def test_P17_the_corpus_is_as_large_as_promised() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize(
    "source",
    [
        "{{ long ~ long ~ long ~ long }}",
        "{{ (long ~ long) | replace('x', 'xxxxxxxxxx') }}",
        "{{ long | upper }}" * 10,
        "{{ " + " ~ ".join(["long"] * 900) + " }}",
        "{{ [long, long, long, long] | join(long) }}",
    ],
)
def test_P17_a_text_never_grows_past_its_room(source: str) -> None:
    shown, problems = show(source)
    assert len(shown) <= OUTPUT * 2
    assert problems == ["The texts of this turn were longer than is possible; the rest was left out"]


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("{{ x", "This text cannot be read", 1),
        ("one\ntwo {{ x() }}", "Calls, like name(), are not possible in texts", 2),
        ("{% for x in y %}{% endfor %}", "Loops are not possible in texts", 1),
        ("{{ x | shout }}", "There is no filter “shout” here. Known: upper", 1),
        ("{{ x | upper(1) }}", "The filter “upper” takes 0 values", 1),
        ("{{ x is odd }}", "There is no test “odd” here", 1),
        ("{{ " + "(" * 45 + "x" + " ~ 'a')" * 45 + " }}", "This text is nested more than 40 deep", 1),
        ("{{ " + "(" * 5_000 + "x" + ")" * 5_000 + " }}", "This text cannot be read", 1),
        ("{{ " + "x ~ " * 1_100 + "x }}", "This text has more than 1,000 parts", 1),
        ("{{ 'x' }}" * 4_000, "Expected at most 16,384 characters", 1),
    ],
)
def test_a_text_that_is_not_accepted_says_why(source: str, message: str, line: int) -> None:
    with pytest.raises(TextError) as caught:
        compile_text(source)
    assert str(caught.value).startswith(message)
    assert caught.value.line == line


def test_numbers_out_of_bounds_are_left_empty() -> None:
    assert show("{{ huge }}")[0] == ""
    assert show("{{ huge + 1 }}")[0] == ""
    assert show("{{ 999999999999999 * 999999999999999 }}")[0] == ""
