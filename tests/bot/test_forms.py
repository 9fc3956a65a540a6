"""Forms of rules, texts and hours: whatever the layout, what was typed is what the document says afterwards; every
comment and every other character stays."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bot import hours_form, rule_form, text_form
from app.bot.document import parse
from app.bot.nodes import Node
from app.bot.source import ByHand, Edit, Source, applied, child
from app.bot.spoken import plain
from tests.bot import layouts
from tests.bot.test_source import nodes, written
from tests.effort import examples

SEEDS = st.integers(0, 2**32)
SPANS = ("08:00-12:00", "13:00-17:30", "19:00-24:00")


def step(chance: random.Random) -> dict[str, Any]:
    text = chance.choice(layouts.TEXTS)
    several = [chance.choice(layouts.TEXTS) for _ in range(3)]
    languages = {"en": text, "pt": chance.choice(layouts.TEXTS)}
    buttons = [chance.choice(layouts.WORDS) for _ in range(chance.randint(1, 3))]
    found: list[dict[str, Any]] = [
        {"say": text}, {"say": several}, {"say": languages}, {"say": text, "buttons": buttons},
        {"say": languages, "footer": "- foot", "buttons": [{"id": "a", "title": {"en": "A", "pt": "B"}}, "plain"]},
        {"handoff": chance.choice(layouts.WORDS)}, {"start": "order"}, {"tag": ["a", "b"], "unknown": {"x": text}},
    ]  # fmt: skip
    return chance.choice(found)


def rule(chance: random.Random, number: int) -> dict[str, Any]:
    words = [f"{chance.choice(layouts.WORDS)} {n}" for n in range(chance.randint(1, 4))]
    says = chance.choice([words, words[0], {"any": words}])
    more = chance.choice([{}, {"channel": "Shop"}])
    steps = [step(chance) for _ in range(chance.randint(1, 4))]
    return {"name": f"rule {number}", "when": {"says": says, **more}, "do": steps}


def hours(chance: random.Random) -> dict[str, Any]:
    several = list(SPANS[: chance.randint(2, 3)])
    week = chance.choice([{"mon-fri": SPANS[0], "sat": several}, {"sun-tue": several, "fri": "closed"}, {}])
    dates = [["12-25", {"date": "2026-05-01", "name": "Labour", "hours": SPANS[0]}], ["01-01"], []]
    holidays = chance.choice([{}, {"holidays": chance.choice(dates)}])
    return {"zone": "America/Sao_Paulo", **week, **holidays}


def laid_out(seed: int) -> tuple[Source, random.Random]:
    chance = random.Random(seed)
    whole = {
        "bot": "Luna", "hours": hours(chance), "rules": [rule(chance, n) for n in range(chance.randint(1, 4))],
        "fallback": {"do": [step(chance)]}, "flows": {"order": [{"ask": {"text": "What?", "save": "x"}}, step(chance)]},
    }  # fmt: skip
    return Source(layouts.Layout(seed).document(whole)), chance


def after(source: Source, change: Callable[[], list[Edit]]) -> Source | None:
    """The document with it; None where the form leaves it to the hand. Every comment is still there."""
    try:
        text = applied(source.text, change())
    except ByHand:
        return None
    assert sorted(layouts.comments(text)) == sorted(layouts.comments(source.text))
    return Source(text)


def besides(source: Source, node: Node | None) -> list[str]:
    """How everything is written that is not within this node."""
    return written(source, {id(one) for one in nodes(node)} if node is not None else set())


@given(SEEDS, st.sampled_from(layouts.TEXTS))
@settings(max_examples=examples(50, 2000), deadline=None)
def test_a_rule_says_what_was_typed(seed: int, text: str) -> None:
    source, chance = laid_out(seed)
    place = chance.randrange(len(rule_form.rules_of(source.root)))
    form = rule_form.rule_form(rule_form.rules_of(source.root)[place], place)
    given = {field.name: text for one in form.steps for field in one.fields if chance.random() < 0.5}
    given |= {f"buttons.{one.place}": "A\nb: c" for one in form.steps if one.buttons is not None}
    given |= {"name": "changed: name", "words": "hi\n\n  hello   you \nhi\n"} | chance.choice(
        [{}, {"handoff.new": "#1"}]
    )
    new = after(source, lambda: rule_form.changed(source, place, given))
    if new is None:
        return
    node = rule_form.rules_of(new.root)[place]
    shown = rule_form.rule_form(node, place)
    assert shown.name == "changed: name" and shown.words in (None, ("hi", "hello you"))
    assert len(shown.steps) == len(form.steps) + ("handoff.new" in given)
    for one in shown.steps[: len(form.steps)]:
        assert one.buttons in (None, ("A", "b: c"))
        for field in one.fields:
            if field.name in given:
                assert field.value.rstrip("\n") == text.rstrip("\n")
    assert besides(new, node) == besides(source, rule_form.rules_of(source.root)[place])


@given(SEEDS)
@settings(max_examples=examples(50, 2000), deadline=None)
def test_a_form_that_comes_back_as_it_was_changes_nothing(seed: int) -> None:
    source, _ = laid_out(seed)
    for place, node in enumerate(rule_form.rules_of(source.root)):
        form = rule_form.rule_form(node, place)
        given = {field.name: field.value for one in form.steps for field in one.fields}
        given |= {f"buttons.{one.place}": "\n".join(one.buttons) for one in form.steps if one.buttons is not None}
        given |= {"name": form.name, "words": "\n".join(form.words or ()), "say.new": "", "handoff.new": ""}
        assert rule_form.changed(source, place, given) == []
    assert text_form.changed(source, {f"t.{one.number}": one.value for one in text_form.texts(source.root).lines}) == []
    assert hours_form.changed(source, hours_given(hours_form.hours_form(source.root))) == []


def hours_given(form: hours_form.HoursForm) -> dict[str, str]:
    given = {f"day.{day}": text for day, text in enumerate(form.days)} | {"zone": form.zone}
    for number, one in enumerate(form.holidays):
        given |= {f"{part}.{number}": getattr(one, part) for part in hours_form.PARTS}
    return given | {f"{part}.new": "" for part in hours_form.PARTS}


@given(SEEDS)
@settings(max_examples=examples(50, 2000), deadline=None)
def test_a_rule_goes_up_down_and_away(seed: int) -> None:
    source, chance = laid_out(seed)
    rules = rule_form.rules_of(source.root)
    place, how = chance.randrange(len(rules)), chance.choice(["up", "down", "remove"])
    new = after(source, lambda: rule_form.arranged(source, place, how))
    if new is None:
        return
    order = [plain(node) for node in rules]
    if how == "remove":
        del order[place]
    elif 0 <= (other := place + (-1 if how == "up" else 1)) < len(order):
        order[place], order[other] = order[other], order[place]
    assert [plain(node) for node in rule_form.rules_of(new.root)] == order
    assert besides(new, child(new.root, "rules")) == besides(source, child(source.root, "rules"))


@given(SEEDS, st.sampled_from(layouts.TEXTS))
@settings(max_examples=examples(50, 2000), deadline=None)
def test_texts_are_reworded_and_translated(seed: int, text: str) -> None:
    source, chance = laid_out(seed)
    lines = text_form.texts(source.root).lines
    chosen = chance.sample(lines, min(3, len(lines)))
    given = {f"t.{one.number}": text for one in chosen}
    given |= {f"t.{one.number}.{code}": "nova" for one in lines for code in one.missing}
    new = after(source, lambda: text_form.changed(source, given))
    assert new is not None
    found = text_form.texts(new.root)
    assert [one.value for one in found.lines if one.value.rstrip("\n") == text.rstrip("\n")][: len(chosen)]
    assert all(not one.missing for one in found.lines)
    values = [one.value for one in found.lines if one.value.rstrip("\n") != text.rstrip("\n") and one.value != "nova"]
    numbers = {one.number for one in chosen}
    assert values == [
        one.value for one in lines if one.number not in numbers and one.value.rstrip("\n") != text.rstrip("\n")
    ]


@given(SEEDS, st.lists(st.sampled_from(("", SPANS[0], f"{SPANS[0]}, {SPANS[1]}")), min_size=7, max_size=7))
@settings(max_examples=examples(50, 2000), deadline=None)
def test_hours_are_what_was_typed(seed: int, days: list[str]) -> None:
    source, chance = laid_out(seed)
    form = hours_form.hours_form(source.root)
    given = {f"day.{day}": text for day, text in enumerate(days)} | {"zone": "Asia/Kolkata"}
    new_day = chance.choice([{}, {"date.new": "12-31", "name.new": "Party: yes", "hours.new": SPANS[0]}])
    gone = {f"date.{n}": "" for n in range(len(form.holidays)) if chance.random() < 0.5}
    new = after(source, lambda: hours_form.changed(source, given | new_day | gone))
    if new is None:
        return
    shown = hours_form.hours_form(new.root)
    assert (shown.zone, list(shown.days)) == ("Asia/Kolkata", days)
    kept = [one.date for n, one in enumerate(form.holidays) if f"date.{n}" not in gone]
    assert [one.date for one in shown.holidays] == [*kept, *(["12-31"] if new_day else [])]
    assert besides(new, child(new.root, "hours")) == besides(source, child(source.root, "hours"))


def test_a_holiday_is_renamed_where_it_stands() -> None:
    source = Source('bot: L\nhours:\n  zone: UTC\n  holidays: ["12-25", {date: "12-31"}] # free\n')
    given = {"name.0": "Christmas", "to.1": "01-01", "hours.1": "10:00-12:00"}
    text = applied(source.text, hours_form.changed(source, given))
    assert text.endswith(
        'holidays: [{date: "12-25", name: Christmas}, {date: "12-31", to: "01-01", hours: "10:00-12:00"}] # free\n'
    )


def test_the_first_hours_of_a_document() -> None:
    source = Source("# mine\nbot: L\nlanguage: en # for now\nrules: []\n")
    given = {"zone": "UTC", "day.0": "08:00 \u2013 12:00", "day.1": "08:00-12:00", "date.new": "12-25"}
    text = applied(source.text, hours_form.changed(source, given))
    hours = 'hours: {zone: UTC, mon-tue: "08:00-12:00", holidays: ["12-25"]}'
    assert text == f"# mine\nbot: L\nlanguage: en # for now\n{hours}\nrules: []\n"


def test_an_answer_is_put_before_what_a_rule_does() -> None:
    source = Source("bot: L\nrules:\n  - name: a\n    when: {says: a}\n    do: [{start: x}]\nflows: {x: [{say: X}]}\n")
    text = applied(
        source.text, rule_form.changed(source, 0, {"say.new": "Of course!", "handoff.new": "Orders, urgent"})
    )
    assert 'do: [{say: Of course!}, {start: x}, {handoff: "Orders, urgent"}]' in text
    assert len(parse(text).rules[0].do) == 3


@pytest.mark.parametrize("place", [1, 99])
def test_a_rule_that_is_gone_is_not_another_one(place: int) -> None:
    source = Source("bot: L\nrules: [{name: a, when: {says: a}, do: [{say: A}]}]\n")
    with pytest.raises(LookupError):
        rule_form.changed(source, place, {"name": "b"})


def test_every_kind_of_text_is_found() -> None:
    document = """
bot: L
rules:
  - name: a
    priority: 5
    when: {says: a}
    do:
      - {say: [S1, S2], buttons: [{id: x, title: B1}, {en: B2, pt: B3}], footer: F1}
      - {say: S3, list: {label: L1, sections: [{title: T1, choices: [C1, {title: C2, description: D1}]}]}}
      - {image: "https://a.example/x.png", caption: P1}
      - {random: [[{say: R1}], {weight: 2, do: [{say: R2}]}]}
      - {template: hello, parameters: [M1, "{{ contact.name }}"], text: X1}
      - {schedule: Z1, after: 1h}
      - {schedule: [{say: Z2}], after: 1h}
      - {note: not said}
      - {handoff: {reason: not said, team: Sales}}
      - {set: {text: not said}}
fallback: {do: [{say: K1}], after: 2, then: [{say: K2}]}
flows:
  f:
    - ask: {text: Q1, again: Q2, cancelled: Q3, cancel: [stop], choices: [Q4], save: x}
      otherwise: [{say: Q5}]
    - {if: "x == 'a'", then: [{say: I1}], else: [{say: I2}]}
    - {switch: x, cases: {say: [{say: W1}]}}
    - {label: here}
    - {call: {get: "https://a.example/", save: y}, failed: {any: [{say: Y1}]}}
"""
    texts = [one.value for one in text_form.texts(Source(document).root).lines]
    assert texts == [
        "S1", "S2", "B1", "B2", "B3", "F1", "S3", "L1", "T1", "C1", "C2", "D1", "P1", "R1", "R2", "M1",
        "{{ contact.name }}", "X1", "Z1", "Z2", "K1", "K2", "Q1", "Q2", "Q3", "Q4", "Q5", "I1", "I2", "W1", "Y1",
    ]  # fmt: skip
    form = rule_form.rule_form(rule_form.rules_of(Source(document).root)[0], 0)
    assert form.more == ("priority",) and [one.kind for one in form.steps] == ["say", "say", *["other"] * 8]


def test_what_is_too_long_for_a_form_is_left_to_the_document() -> None:
    steps = "".join(f"      - say: [{', '.join(f't{n}' for n in range(20))}]\n" for _ in range(6))
    source = Source(f"bot: L\nrules:\n  - name: a\n    when: {{says: a}}\n    do:\n{steps}")
    form = rule_form.rule_form(rule_form.rules_of(source.root)[0], 0)
    assert [one.kind for one in form.steps] == [*["say"] * 3, *["other"] * 3]
