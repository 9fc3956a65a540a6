"""YAML as bot documents read it: texts as they are written, places, and nothing that YAML 1.1 would make of a word."""

import json

import pytest

from app.bot.document import DocumentError, parse
from app.bot.nodes import MappingNode, Node, ScalarNode
from app.bot.tree import DEEPEST, NotYaml, compose

WORDS = (
    "no", "No", "NO", "on", "off", "y", "n", "yes", "true", "False", "1:30:00", "190:20:30", "12:30", "010", "0o10",
    "0x1F", "1_000", "1e3", ".inf", ".NaN", "-0", "+1", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "=", "<<",
    "what?", "a:b", "http://x.example:80/y", "x#y", "-x", "nil", "None", "nULL",
)  # fmt: skip


def value_of(text: str) -> Node:
    [(_, value)] = compose(text).value
    return value


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("around", ["a: {}", "{{a: {}}}", "a:\n  {}", '{{"a": {}}}'])
def test_a_word_is_the_text_that_was_written(word: str, around: str) -> None:
    value = value_of(around.format(word))
    assert isinstance(value, ScalarNode) and (value.value, value.empty, value.block) == (word, False, False)


@pytest.mark.parametrize(
    ("text", "value", "empty", "block"),
    [
        ("a: ~", "~", True, False),
        ("a: null", "null", True, False),
        ("a: NULL", "NULL", True, False),
        ("a:", "", True, False),
        ("a: # nothing\n", "", True, False),
        ("a: ''", "", False, False),
        ("a: 'null'", "null", False, False),
        ('a: "~"', "~", False, False),
        ("a: !!str null", "null", False, False),
        ("a: !!null x", "x", True, False),
        ("a: !own x", "x", False, False),
        ("a: |\n  null\n", "null\n", False, True),
        ("a: >-\n  x\n  y\n\n  z\n", "x y\nz", False, True),
        ("a: |+\n  x\n\n\n", "x\n\n\n", False, True),
        ("a: x\n  y\n\n  z", "x y\nz", False, False),
        ("a: 'it''s'", "it's", False, False),
        (r'a: "\x41\u00e9\U0001F600\t\/\e"', "Aé😀\t/\x1b", False, False),
        ("a: 😀 \u00a0x", "😀 \u00a0x", False, False),
        ("a: x\u2028y\u2029z\x85!", "x\u2028y\u2029z\x85!", False, False),
        ("a: \U000f0000\u2028", "\U000f0000\u2028", False, False),
        ("%YAML 1.1\n---\na: no\n...\n", "no", False, False),
        ("%YAML 1.2\n---\na: 010", "010", False, False),
        ("\ufeffa: x", "x", False, False),
        ("a:\r\n  x\r\n", "x", False, False),
        ("a: &name x", "x", False, False),
    ],
)
def test_a_scalar_is_read_as_yaml_1_2_means_it(text: str, value: str, empty: bool, block: bool) -> None:
    found = value_of(text)
    assert isinstance(found, ScalarNode) and (found.value, found.empty, found.block) == (value, empty, block)


def test_places_count_characters_and_only_real_ends_of_lines() -> None:
    root = compose('# \u2028 \U0001f600\nb: [\U0001f600, x, {y: z}]\n\n"c": |\n  t\nd: e\n')
    keys = [(key.line, key.column) for key, _ in root.value]
    assert keys == [(2, 1), (4, 1), (6, 1)]
    items = root.value[0][1].value
    assert isinstance(items, list)
    assert [(item.line, item.column) for item in items if not isinstance(item, tuple)] == [(2, 5), (2, 8), (2, 11)]


def test_an_alias_is_the_node_that_it_names_also_within_itself() -> None:
    [(_, one), (_, two)] = compose("a: &x [1]\nb: *x").value
    assert one is two
    itself = value_of("a: &x [*x]")
    assert itself.value == [itself]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: *x", 1, 4),
        ("a: b\n---\nc: d", 3, 1),
        ("a: [b, c", 1, 9),
        ("a: x: y", 1, 5),
        ("a: @x", 1, 4),
        ("\ta: b", 1, 1),
        ("a: {b: c]", 1, 9),
        ("a: \x07", 1, 1),
        ("a: \ud800", 1, 1),
        ('a: "\\ud800"', 1, 7),
        ("- a\n- b", 1, 1),
        ("", 1, 1),
        ("a: " + "[" * 70, 1, 67),
    ],
)
def test_what_is_no_document_is_told_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(NotYaml) as caught:
        compose(text)
    assert (caught.value.problem.line, caught.value.problem.column) == (line, column)


@pytest.mark.parametrize("text", ["a: {say: :)}", "{a: x, say: :-)}", "b: x\r\na: [one:, two]", "a: {b: c:}"])
def test_a_text_that_needs_quotes_for_its_colon_is_told_so(text: str) -> None:
    with pytest.raises(NotYaml, match="stands in quotes"):
        compose(text)


def test_a_colon_is_no_reason_where_something_else_is_wrong() -> None:
    for text in ("a: x: y", "a: {b: @x}", "a: {b: c", "a: ]"):
        with pytest.raises(NotYaml, match="This is not YAML"):
            compose(text)
    assert isinstance(compose("a: {say: ':)', b: hi :), c: 'x:'}\nd: :)"), MappingNode)


def test_depth_is_bounded_before_any_stack_is() -> None:
    """Also where the brackets of half a million levels come: neither the interpreter's stack nor libyaml's is at
    stake, and it takes no time."""
    compose("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))
    for opening in ("[", "{", "? "):
        with pytest.raises(NotYaml):
            compose("a: " + opening * 500_000)


def test_json_with_every_character_escaped_is_read() -> None:
    """Python writes emoji as two halves when told to escape; YAML has no halves."""
    for text in ("\U0001f600", "a\u2028b", "\\ud83d\\ude00", "\\\\ud83d", 'é"\n'):
        assert parse(json.dumps({"bot": text})).bot.text == text
    with pytest.raises(DocumentError):
        parse('{"bot": "\\ud83d"}')


def test_the_root_is_a_group_of_keys() -> None:
    assert isinstance(compose("a: b"), MappingNode)
