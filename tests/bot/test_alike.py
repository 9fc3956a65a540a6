"""Messages that ask the same stand together, and the words found for them meet every one of them."""

import random
import time

import pytest

from app.bot.alike import alike, shared
from app.bot.document import compile_version
from app.unanswered import order_of, with_rule

ASKED = [
    "Do you have parking?",
    "Where is my order",
    "is there parking near the shop",
    "هل عندكم توصيل إلى جدة؟",
    "free parkng?",
    "Vocês têm estacionamento aí?",
    "my order, where is it??",
    "parking",
    "🎂🎂",
    "توصيل جدة",
    "tem ESTACIONAMENTO?",
    "???",
    "🎂",
    "你们有停车场吗",
    "有停车场",
    "???",
]


def test_what_asks_the_same_is_one_group_the_largest_first() -> None:
    assert alike(ASKED) == [[0, 2, 4, 7], [1, 6], [3, 9], [5, 10], [8, 12], [11, 15], [13, 14]]


def test_questions_that_share_only_filling_words_are_not_alike() -> None:
    assert alike(["do you have parking", "do you have vouchers", "what do you have for the dog"]) == [[0], [1], [2]]


def test_nothing_is_lost_and_nothing_depends_on_chance() -> None:
    texts = [
        " ".join(random.Random(n).choices("ab bc cake cakes order where 🎂 توصيل".split(), k=4)) for n in range(300)
    ]
    groups = alike(texts)
    assert sorted(place for group in groups for place in group) == list(range(300))
    assert groups == alike(texts) and alike([]) == []


def test_two_thousand_messages_take_less_than_a_second() -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 10))) for _ in range(3_000)]
    texts = [
        " ".join(words[min(int(chance.paretovariate(0.6)), 2_999)] for _ in range(chance.randint(1, 25)))
        for _ in range(2_000)
    ]
    began = time.process_time()
    alike(texts)
    assert time.process_time() - began < 1  # 0.2 s where nothing else runs


@pytest.mark.parametrize(
    ("texts", "any_", "all_"),
    [
        (["Do you have parking?", "parking", "free parkng?"], ("parking", "parkng"), ()),
        (["gluten free cakes", "gluten-free cake", "Do you have gluten free cake"], ("gluten free",), ()),
        (["parking for a bus", "bus parking", "is parking possible with a bus"], (), ("parking", "bus")),
        (["tem Pão?", "pão", "PAO fresco"], ("pão",), ()),
        (["你们有停车场吗", "有停车场"], ("有停车场",), ()),
        (["what is it"], ("what is it",), ()),
        (["???"], (), ()),
    ],
)
def test_the_words_of_a_group(texts: list[str], any_: tuple[str, ...], all_: tuple[str, ...]) -> None:
    found = shared(texts)
    assert (found.any, found.all) == (any_, all_)


def test_the_rule_of_a_group_meets_all_of_it() -> None:
    draft = "bot: Luna\nrules:\n  - {name: hi, when: {says: hi}, do: [{say: Hi}]}\n"
    for group in alike(ASKED):
        texts = [ASKED[place] for place in group]
        text, line = with_rule(texts, "x", draft)
        assert text.splitlines()[line - 1].startswith("  - name:")
        version = compile_version(text)
        assert {order_of(version, one) for one in texts} == {1}, texts


def test_a_rule_stands_before_the_one_that_would_take_its_words() -> None:
    draft = (
        "bot: Luna\nrules:\n  - {name: hi, when: {says: hi}, do: [{say: Hi}]}\n"
        "  # only the word alone\n  - {name: bare, when: {says: {exact: parking}}, do: [{say: P}]}\n"
    )
    text, line = with_rule(["parking for a bus", "parking for my bike", "parking for cars"], "x", draft)
    assert (line, text.splitlines()[line + 3]) == (4, "  # only the word alone")


def test_a_rule_overtakes_one_of_higher_priority_that_would_take_its_words() -> None:
    draft = (
        "bot: Luna\nrules:\n  - {name: hi, when: {says: hi}, do: [{say: Hi}]}\n"
        "  - {name: car, when: {says: parking, tag: vip}, do: [{say: V}], priority: 9}\n"
        "  - {name: all, when: {says: parking}, do: [{say: P}], priority: 5}\n"
    )
    texts = ["parking for a bus", "parking for my bike", "parking for cars"]
    text, line = with_rule(texts, "x", draft)
    assert line == 5 and "    priority: 5" in text.splitlines()
    version = compile_version(text)
    assert {order_of(version, one) for one in texts} == {2}
