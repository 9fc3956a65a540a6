"""Lines put into a document's text: everything that stood there still does, and the document reads."""

import pytest

from app.bot.amend import add_at, add_first
from app.bot.document import DocumentError, parse

ITEM = {
    "name": 'a: "b" #c \x85\u2028\ufeff',
    "at": "2026-09-21 14:30",
    "contact": {"name": "Ana\n🎂"},
    "chat": [{"user": "- مرحبا: {x} & *y"}, {"bot": "* 'a' \\ \x7f\n\n b"}, {"user": {"button": "no"}}],
}
BLOCK = "bot: Luna # the bakery\n# rules\nrules:\n  - {name: a, when: {says: a}, do: [{say: A}]} # keep\n"


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        BLOCK.removesuffix("\n"),
        BLOCK + "tests: []  # none yet\n",
        BLOCK + "tests: [{name: old, chat: [{user: a}]}]\n",
        BLOCK + "tests:\n# first\n- name: old # why\n  chat:\n  - user: |\n      a\n# end\n",
        "tests:\n    - {name: old, chat: [{user: a}]}\n\n" + BLOCK,
        '{"bot": "Luna"}',
        '{\n  "bot": "Luna",\n  "tests": [{"name": "old", "chat": [{"user": "a"}]}]\n}\n',
    ],
)
def test_the_new_one_is_first_and_every_line_stays(text: str) -> None:
    changed = add_first(text, "tests", ITEM)
    before, after = parse(text), parse(changed)
    first, *others = after.tests
    assert (first.name.text, first.at, first.contact.name) == (ITEM["name"], ITEM["at"], "Ana\n🎂")
    assert [(line.who, line.text.text) for line in first.chat] == [
        ("user", "- مرحبا: {x} & *y"), ("bot", "* 'a' \\ \x7f\n\n b"), ("button", "no"),
    ]  # fmt: skip
    assert [case.name.text for case in others] == [case.name.text for case in before.tests]
    left = iter(changed)
    assert all(letter in left for letter in text), "something of the text is gone"
    assert after.bot.text == before.bot.text and len(after.rules) == len(before.rules)


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(DocumentError):
        add_first("- a\n- b\n", "tests", ITEM)


RULE = {"name": "new", "when": {"says": ["a: b", "#c"]}, "do": [{"say": "N"}]}
A, B = "{name: a, when: {says: a}, do: [{say: A}]}", "{name: b, when: {says: b}, do: [{say: 'B ] # no'}]}"
LINES = f"bot: Luna\nrules: # all\n  # the first\n  - {A} # keep\n\n  # the second\n  - {B}\n"


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "text",
    [
        LINES,
        LINES.removesuffix("\n"),
        LINES + "  # - {name: old}\n",
        LINES + "\n# the rest\nfallback: {do: [{say: F}]}\n",
        LINES + "\n# nothing more\n\n",
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n  ", "\n") + "tests: []\n",
        f"bot: Luna\nrules:\n  - {A}\n  -\n    # why\n    {B}\n",
        "bot: L\nrules:\n- name: a\n  when: {says: a}\n  do:\n  - say: |\n      A\n      # no comment\n\n"
        "- name: b\n  when: {says: b}\n  do:\n  - say: |\n      B\n      # none\n\n\nfallback: {do: [{say: F}]}\n",
        f"bot: Luna\nrules: [{A}, {B}] # end ]\n",
        f"bot: Luna\nrules: [\n  {A}, # ]\n  {B},\n  ]\n",
        '{"bot": "\\ud83c\\udf82", "rules": [{"name": "a", "when": {"says": "a"}, "do": [{"say": "A"}]},\n'
        ' {"name": "b", "when": {"says": "b"}, "do": [{"say": "]"}]}]}',
    ],
)
def test_a_new_one_stands_at_its_place_and_comments_stay_above_theirs(text: str, place: int) -> None:
    changed, line = add_at(text, "rules", place, RULE)
    before, after = parse(text).rules, parse(changed).rules
    names = [rule.name.text for rule in after]
    assert names == [*"ab"[:place], "new", *"ab"[place:]]
    assert after[place].line == line and [said.text for said in after[place].says.any] == ["a: b", "#c"]
    others = [rule for rule in after if rule.name.text != "new"]
    assert [rule.do[0].texts[0].text for rule in others] == [rule.do[0].texts[0].text for rule in before]
    if "# the second" in text:
        lines = changed.splitlines()
        assert lines[next(at for at, one in enumerate(lines) if "# the second" in one) + 1].lstrip() == f"- {B}"


def test_a_place_is_found_where_there_is_no_list_yet() -> None:
    changed, line = add_at("bot: Luna\n", "rules", 3, RULE)
    assert [rule.line for rule in parse(changed).rules] == [line] == [3]
