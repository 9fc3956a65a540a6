"""Which rule a message meets: words of every script, phrases, clauses, patterns, buttons, and what nearly matched."""

# Letters that look like others are what is tested here.
# ruff: noqa: RUF001

import time
from pathlib import Path

import pytest

from app.bot.document import DocumentError, Version, compile_version
from app.bot.words import fold, words
from app.said import Said
from tests.bot.turns import listening, pick, press, rules, said, turn

PATTERNS = [
    line
    for line in Path(__file__).with_name("redos.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World_1!", ["hello", "world_1"]),
        ("Olá, VOCÊ é ñandú", ["ola", "voce", "e", "nandu"]),
        ("Ola\u0301", ["ola"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("İstanbul ısı", ["istanbul", "isi"]),
        ("l'heure don’t", ["l", "heure", "don", "t"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("السَّلَامُ عليكم، أهلا", ["السلام", "عليكم", "اهلا"]),
        ("می‌خواهم", ["ميخواهم"]),
        ("你好，菜单", ["你", "好", "菜", "单"]),
        ("カレー と ガム", ["カ", "レ", "ー", "と", "ガ", "ム"]),
        ("메뉴를", ["메", "뉴", "를"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("👍🏽 👍 ❤️", ["👍", "👍", "❤"]),
        ("🇧🇷🇵🇹", ["🇧🇷", "🇵🇹"]),
        ("1️⃣ ２ ٣", ["1", "2", "3"]),
        ("ok👍ok", ["ok", "👍", "ok"]),
        ("?!…", []),
        ("", []),
        ("\ud83d broken", ["broken"]),
    ],
)
def test_words_are_read_alike_in_every_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_very_long_message_is_read_in_part() -> None:
    assert len(words("a " * 100_000)) == 1_000
    assert len(words("菜" * 100_000)) == 1_000


@pytest.mark.parametrize(
    ("says", "message", "matches"),
    [
        ("hi", "Hi there", True),
        ("hi", "this", False),
        ("hi", "THIS — hi!", True),
        ('["good morning"]', "Well, good morning to you", True),
        ('["good morning"]', "good and morning", False),
        ('["good morning"]', "good", False),
        ("[olá]", "OLA", True),
        ("[ola]", "Olá!", True),
        ("[👍]", "thanks 👍🏿", True),
        ("[菜单]", "请给我菜单", True),
        ("[菜单]", "单菜", False),
        ("[नमस्ते]", "नमस्ते जी", True),
        ("[سلام]", "سَلام", True),
        ("1", "1", True),
        ("no", "No", True),
        ("{any: [a, b]}", "x b", True),
        ("{all: [order, cake]}", "a cake I order", True),
        ("{all: [order, cake]}", "order bread", False),
        ('{all: [order, "big cake"]}', "order one big cake", True),
        ("{starts: order}", "order cake", True),
        ("{starts: order}", "I order cake", False),
        ("{exact: stop}", "Stop!", True),
        ("{exact: stop}", "stop it", False),
        ('{exact: ["?"]}', " ? ", True),
        ('{exact: ["?"]}', "what?", False),
        ('{regex: "^#[0-9]{4}$"}', "#1234", True),
        ('{regex: "^#[0-9]{4}$"}', "1234", False),
        ('{regex: "order\\\\s+no"}', "ORDER   NO", True),
        ('{regex: ["x{3}", "y{3}"]}', "ayyy", True),
        ('{starts: order, regex: "[0-9]"}', "order 5", True),
        ('{starts: order, regex: "[0-9]"}', "order five", False),
        ("{any: [cake, bread], all: [order]}", "order bread", True),
        ("{any: [cake, bread], all: [order]}", "bread", False),
        ("{exact: hi, any: [hello]}", "hi", False),
        ("{any: [stop], starts: stop}", "stop now", True),
        ("{any: [stop], starts: stop}", "now stop", False),
        ("{exact: stop, any: [stop]}", "stop", True),
        ("{starts: stop, all: [stop, now]}", "stop, stop now", True),
    ],
)
def test_a_rule_listens(says: str, message: str, matches: bool) -> None:
    assert said(turn(listening(rule=says), message)) == (["rule"] if matches else ["fallback"])


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("two one", "first"),
        ("two", "second"),
        ("one two three", "clause"),
        ("three", "fourth"),
        ("x3", "pattern"),
        ("x3 three", "pattern"),
        ("x3 two", "second"),
        ("stop", "exact"),
    ],
)
def test_the_first_rule_in_the_document_wins(message: str, rule: str) -> None:
    bot = listening(
        clause="{all: [two, three]}",
        first="one",
        second="two",
        pattern='{regex: "x[0-9]"}',
        exact="{exact: stop}",
        fourth="three",
        fifth="stop",
    )
    assert said(turn(bot, message)) == [rule]


def test_a_group_of_words_stands_for_its_name_and_its_words() -> None:
    bot = compile_version(
        "{bot: T, vocabulary: {order: [buy, 'place an order']}, rules: [{name: order, when: {says: order},"
        " do: [{say: ordered}]}, {name: both, when: {says: {starts: order, regex: x}}, do: [{say: never}]}]}"
    )
    for message in ("I buy", "place an order", "order"):
        assert said(turn(bot, message)) == ["ordered"]
    assert said(turn(bot, "place")) == []


def test_a_pressed_button_matches_by_title_and_by_id() -> None:
    bot = listening(menu="menu", hours='["opening hours"]', exact="{exact: go-on}")
    assert said(turn(bot, press("x1", "📋 Menu"))) == ["menu"]
    assert said(turn(bot, press("menu", "Was gibt es"))) == ["menu"]
    assert said(turn(bot, pick("opening-hours", "Öffnungszeiten"))) == ["hours"]
    assert said(turn(bot, press("go-on", "Weiter"))) == ["exact"]
    assert turn(bot, press("menu", "Karte")).trace.verdict == "Pressed “menu”, a word of rule menu."


@pytest.mark.parametrize(
    ("says", "message", "verdict", "matched"),
    [
        ("hi", "hi", "Said “hi”, a word of rule rule.", ("hi",)),
        ("[olá]", "OLA", "Said “olá”, a word of rule rule.", ("olá",)),
        ('["good day"]', "good day", "Said “good day”, a phrase of rule rule.", ("good day",)),
        ("{starts: hi}", "hi", "Said “hi” at the beginning, as rule rule asks.", ("hi",)),
        ("{exact: hi}", "Hi!", "Said exactly “hi”, as rule rule asks.", ("hi",)),
        ("{all: [a, b]}", "b a", "Said “a”, “b”, all that rule rule asks.", ("a", "b")),
        ('{regex: "n[0-9]+"}', "an12x", "Said “n12”, which fits a pattern of rule rule.", ("n12",)),
    ],
)
def test_the_verdict_says_why_in_one_sentence(says: str, message: str, verdict: str, matched: tuple[str, ...]) -> None:
    trace = turn(listening(rule=says), message).trace
    assert (trace.verdict, trace.matched, trace.rule, trace.line) == (verdict, matched, "rule", 3)
    assert trace.code and isinstance(trace.verdict, Said) and trace.verdict.values["rule"] == "rule"


@pytest.mark.parametrize(
    ("message", "rule", "score", "why"),
    [
        ("greetigns", "greeting", 0.89, "Said “greetigns”, one letter away from “greetings”"),
        ("greting", "greeting", 0.88, "Said “greting”, one letter away from “greeting”"),
        ("greeeting", "greeting", 0.88, "Said “greeeting”, one letter away from “greeting”"),
        ("opening times", "hours", 0.5, "“opening hours” was said in part; missing: hours"),
        ("hours opening", "hours", 0.95, "The words of “opening hours” were there, but not one after the other"),
        ("order now", "both", 0.5, "“order” was said, but it asks for more"),
    ],
)
def test_a_near_miss_says_what_was_lacking(message: str, rule: str, score: float, why: str) -> None:
    bot = listening(greeting="[greeting, greetings]", hours='["opening hours"]', both="{all: [order, cake]}")
    trace = turn(bot, message).trace
    assert trace.rule == "fallback"
    assert (trace.near[0].rule, trace.near[0].score, trace.near[0].why) == (rule, score, why)


def test_later_rules_that_would_match_are_named() -> None:
    near = turn(listening(a="x", b="[x, y]", c="y", d="x", e="x"), "y x").trace.near
    assert [(miss.rule, miss.why) for miss in near] == [
        ("b", "Has “y” too, but a stands first"),
        ("c", "Has “y” too, but a stands first"),
        ("d", "Has “x” too, but a stands first"),
    ]


def test_at_most_three_near_misses_are_told() -> None:
    bot = listening(**{f"r{n}": f'["shared word{n}"]' for n in range(50)})
    assert len(turn(bot, "shared").trace.near) == 3


def compiled(pattern: str) -> Version | None:
    quoted = pattern.replace("'", "''")
    try:
        return listening(rule=f"{{regex: '{quoted}'}}")
    except DocumentError as error:
        assert error.problems[0].line == 3
        assert "pattern" in error.problems[0].message
        return None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_P17_no_pattern_stalls_a_turn(pattern: str) -> None:
    bot = compiled(pattern)
    if bot is None:
        return
    for text in (
        "a" * 4_000,
        "ab" * 2_000,
        "a b " * 1_000,
        "x1.-" * 1_000,
        "é" * 4_000,
        "(" * 4_000,
        "a" * 3_999 + "!",
    ):
        began = time.thread_time()
        turn(bot, text)
        assert time.thread_time() - began < 0.05


def test_P17_the_corpus_is_as_large_as_promised() -> None:
    assert len(PATTERNS) >= 80
    refused = [pattern for pattern in PATTERNS if compiled(pattern) is None]
    assert len(refused) > 20 and r"(a+)\1+b" in refused and "(a{1000}){1000}" in refused


def test_P17_all_patterns_of_a_document_together_are_bounded() -> None:
    many = "\n".join(
        f"  - {{name: r{n}, when: {{says: {{regex: '[a-f]{{30}}x{n}'}}}}, do: [{{say: hi}}]}}" for n in range(200)
    )
    with pytest.raises(DocumentError, match="All patterns of this bot together are too large"):
        rules(many)


def test_half_a_character_does_not_disturb_a_pattern() -> None:
    assert said(turn(listening(rule="{regex: 'b+'}"), "\ud83d abb")) == ["rule"]


@pytest.mark.parametrize("text", ["ABC", "ÀÉ", "ﬁ", "Ǆ", "ẞ", "ΑΣ"])
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
