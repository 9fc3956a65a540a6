"""Lines put into a document's text: everything that stood there still does, and the document reads."""

import pytest

from app.bot.amend import add_first
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
