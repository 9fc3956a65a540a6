"""What changed between two documents, by rule: nothing is missed, nothing is told that did not change."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import documents
from app.bot.spoken import plain
from app.bot.tree import compose
from app.changes import Change, changes
from tests.bot import layouts
from tests.effort import examples

OLD = """# the bakery
bot: Luna
hours: {zone: UTC, mon-fri: "08:00-18:00"}
rules:
  # greets
  - name: greeting
    when: {says: [hi]}
    do:
      - say: "Hello." # first
        buttons: [Menu]
  - name: menu
    when: {says: menu}
    do: [{say: Bread.}]

  - name: person
    when: {says: person}
    do: [{handoff: Asked}]
fallback: {do: [{say: Sorry.}]}
flows:
  order:
    - ask: {text: "What?", save: item}
    - say: {en: Done., pt: Feito.}
"""


def told(new: str, old: str = OLD) -> list[tuple[str, str, str]]:
    found = changes(old, new)
    assert found is not None
    return [(one.what, one.name, one.kind) for one in found]


def only(new: str) -> Change:
    found = changes(OLD, new)
    assert found is not None
    [one] = found
    return one


def test_nothing_changed_is_nothing() -> None:
    assert changes(OLD, OLD) == []


def test_a_changed_rule_has_its_own_comparison_and_its_texts() -> None:
    one = only(OLD.replace("Hello.", "Good day.").replace("[Menu]", "[Menu, Order]"))
    assert (one.what, one.name, one.kind, one.line, one.moved) == ("rule", "greeting", "changed", 6, False)
    assert [(line.kind, line.old, line.new) for line in one.lines if line.kind in ("gone", "added")] == [
        ("gone", 9, 0), ("gone", 10, 0), ("added", 0, 9), ("added", 0, 10),
    ]  # fmt: skip
    assert [(text.role, text.old, text.new) for text in one.texts] == [
        ("say", "Hello.", "Good day."),
        ("buttons", "", "Order"),
    ]


def test_added_removed_and_moved_rules() -> None:
    menu = "  - name: menu\n    when: {says: menu}\n    do: [{say: Bread.}]\n"
    assert told(OLD.replace(menu, "")) == [("rule", "menu", "removed")]
    assert told(OLD, OLD.replace(menu, "")) == [("rule", "menu", "added")]
    moved = OLD.replace(menu, "").replace("fallback:", f"{menu}fallback:")
    assert told(moved) == [("rule", "menu", "moved")]
    both = changes(OLD, moved.replace("Bread.", "Cake."))
    assert both is not None and [(one.kind, one.moved) for one in both] == [("changed", True)]


def test_a_comment_is_no_change_of_what_the_bot_does() -> None:
    assert told(OLD.replace("# greets", "# says hello")) == [("rule", "greeting", "layout")]
    assert told(OLD.replace('"Hello."', "Hello.")) == [("rule", "greeting", "layout")]


def test_flows_the_fallback_and_other_parts() -> None:
    new = OLD.replace("Feito.", "Pronto.").replace("Sorry.", "Pardon.").replace("18:00", "19:00")
    assert told(new) == [("fallback", "", "changed"), ("flow", "order", "changed"), ("part", "hours", "changed")]
    found = changes(OLD, new)
    assert found is not None
    assert [(text.language, text.old, text.new) for text in found[1].texts] == [("pt", "Feito.", "Pronto.")]
    assert told(OLD + "tests: [{name: a, chat: [{user: hi}]}]\n") == [("test", "a", "added")]


def test_rules_in_brackets_are_told_apart() -> None:
    old = '{"bot": "L", "rules": [{"name": "a", "do": [{"say": "A"}]}, {"name": "b", "do": [{"say": "B"}]}]}'
    assert told(old.replace('"B"', '"C"'), old) == [("rule", "b", "changed")]


def test_what_cannot_be_read_is_not_compared_by_rule() -> None:
    assert changes(OLD, "bot: [") is None


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=examples(50, 2000), deadline=None)
def test_every_line_that_differs_is_in_some_part(seed: int, other: int) -> None:
    """Two layouts of two documents: what the plain comparison says gone and added, the parts say too."""
    texts = []
    for one in (seed, other):
        chance = random.Random(one)
        rules = [
            {"name": f"r{n}", "do": [layouts.group(chance)]} for n in chance.sample(range(6), chance.randint(1, 5))
        ]
        flows = {f"f{n}": [layouts.group(chance)] for n in chance.sample(range(4), chance.randint(1, 3))}
        texts.append(layouts.Layout(one).document({"bot": "Luna", "rules": rules, "flows": flows}))
    found = changes(*texts)
    assert found is not None
    new = {line.text for change in found for line in change.lines if line.kind == "added"}
    plainly = {line.text for line in documents.diff(*texts) if line.kind == "added"}
    really = {line for line in plainly if line.strip()} - set(texts[0].splitlines())
    assert really <= new | headings(texts[1])
    same = plain(compose(texts[0])) == plain(compose(texts[1]))
    assert same or any(change.kind != "layout" for change in found)


def headings(text: str) -> set[str]:
    """Lines that may belong to no part: where lists and groups begin and end, and the comments there."""
    return {line for line in text.splitlines() if line.startswith(("rules:", "flows:")) or line.strip()[:1] in "#]}"}


@pytest.mark.parametrize("starter", documents.starters(), ids=lambda one: one.key)
def test_a_starter_is_told_whole(starter: documents.Starter) -> None:
    found = changes("bot: x\n", starter.text)
    assert found is not None
    assert {one.name for one in found if one.what == "rule"} == {
        rule.name for rule in documents.read(starter.text).rules if rule.name
    }
