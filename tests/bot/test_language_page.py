"""docs/bot-language.md: every example runs and answers as the page says, and the page names everything there is."""

import json
import re
from pathlib import Path

import pytest

from app.bot.cases import CASE, CONTACT
from app.bot.document import Version, compile_version, parse
from app.bot.filters import FILTERS, TESTS
from app.bot.flow import PLAIN_ANSWERS
from app.bot.grammar import DOCUMENT, RULE, STEPS
from app.bot.lint import KNOWN
from app.bot.moment import length
from app.bot.request import ERRORS
from app.bot.scene import Triggered
from app.bot.shape import Keys
from app.bot.trials import run
from app.bot.triggers import KINDS, NETWORKS, SAYS, WHEN, When
from tests.bot.turns import WHATSAPP
from tests.bot.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "bot-language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml bot\n(.*?)```\s+```chat\n(.*?)```", PAGE, re.DOTALL)


def exchanges(chat: str) -> list[tuple[str, str, str]]:
    """(what kind of line, what happens, all the bot answers) one after the other."""
    parts = re.split(r"^([>⏱⇄⚑]) (.*)$", chat, flags=re.MULTILINE)[1:]
    return [(parts[at], parts[at + 1], parts[at + 2].strip()) for at in range(0, len(parts), 3)]


def happens(world: World, kind: str, what: str) -> list[str]:
    if kind == "⏱":
        return world.wait(length(what))
    if kind == "⚑":
        name, _, data = what.partition(" ")
        return world.happen(Triggered(name, json.loads(data or "{}")))
    if kind == "⇄":
        status, _, body = what.partition(" ")
        return world.answer(int(status), json.loads(body)) if status.isdecimal() else world.answer(0, None, status)
    return world.say(what)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_answers_as_the_page_says(number: int) -> None:
    document, chat = EXAMPLES[number]
    bot: Version = compile_version(document)
    world = World(bot)
    for kind, what, answer in exchanges(chat):
        assert "\n".join(happens(world, kind, what)) == answer, (kind, what)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_tests_of_an_example_pass(number: int) -> None:
    document = EXAMPLES[number][0]
    outcomes = run(compile_version(document), parse(document).tests, WHATSAPP)
    assert [outcome.wrong for outcome in outcomes if not outcome.passed] == []
    assert bool(outcomes) is ("tests:" in document)


def test_no_example_is_left_unread() -> None:
    assert len(EXAMPLES) == PAGE.count("```yaml") == PAGE.count("```chat") > 7
    assert all(exchanges(chat) for _, chat in EXAMPLES)


def test_everything_there_is_stands_on_the_page() -> None:
    assert isinstance(DOCUMENT, Keys)
    names = [
        *DOCUMENT.shapes,
        *CASE.shapes,
        *CONTACT.shapes,
        *RULE.shapes,
        *WHEN.shapes,
        *SAYS.keys.shapes,
        *KINDS,
        *NETWORKS,
        *STEPS.verbs["ask"].shapes["ask"].shapes,
        *STEPS.verbs["call"].shapes["call"].shapes,
        *ERRORS,
        *PLAIN_ANSWERS,
        *FILTERS,
        *TESTS,
        *KNOWN - {"contact", "contact.fields", "message", "call"},
    ]
    for verb in ("location", "contact"):
        names += STEPS.verbs[verb].shapes[verb].shapes
    for step in STEPS.verbs.values():
        names += step.shapes
    assert [name for name in names if not re.search(rf"`[^`]*\b{re.escape(name)}\b[^`]*`", PAGE)] == []


def test_everything_a_rule_can_ask_for_is_tried_in_an_example() -> None:
    rules = [rule.when for document, _ in EXAMPLES for rule in parse(document).rules]
    unset = When()
    used = {name for when in rules for name in when.__struct_fields__ if getattr(when, name) != getattr(unset, name)}
    assert set(When.__struct_fields__) - used == set()
    said = {name for when in rules for name in when.says.__struct_fields__ if getattr(when.says, name)}
    assert set(SAYS.keys.shapes) - said == set()


def test_the_documents_of_the_page_are_read_in_json_too() -> None:
    import yaml

    for document, _ in EXAMPLES:
        plain = yaml.load(document, Loader=yaml.CSafeLoader)
        assert len(parse(json.dumps(plain)).rules) == len(parse(document).rules)
