"""A program that answers instead of the rules, and steps that ask one: decided, in tests of documents, and replayed."""

from typing import Any

import pytest

from app.bot.document import DocumentError, compile_version
from app.bot.request import ERRORS
from app.bot.scene import Arrived, Call, CallResult, GivenBack, Triggered
from app.content import Text
from tests.bot.world import World

BOT = """
bot: Programs
handler: {name: shop, timeout: 5}
rules:
  - {name: hi, when: {says: hi}, do: [{say: The rules say hi.}]}
  - {name: go, when: {trigger: go}, do: [{ask: {text: How many?, save: n}}, {say: "{{ n }} it is."}]}
fallback: {do: [{say: Sorry.}]}
flows:
  order: [{ask: {text: What?, save: item}}, {say: "{{ item }} it is."}]
"""


@pytest.fixture
def world() -> World:
    return World(compile_version(BOT))


def test_the_program_is_told_what_was_said_by_whom(world: World) -> None:
    assert world.say("hello") == []
    [call] = [effect for effect in world.last.effects if isinstance(effect, Call)]
    assert (call.method, call.url, call.timeout) == ("HANDLER", "shop", 5)
    assert call.json["message"] == {"text": "hello", "content": {"kind": "text", "text": "hello"}}
    assert call.json["contact"]["id"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("One.", ["One."]),
        (["One.", {"text": "Two?", "buttons": ["Yes", {"title": "No", "id": "n"}]}], ["One.", "Two?\n\n1. Yes\n2. No"]),
        ({"say": {"image": "https://x.example/a.png", "text": "Look"}}, ["Look\nhttps://x.example/a.png"]),
        (None, []),
        ({"start": "order"}, ["What?"]),
        ({"say": "Bye.", "close": True, "tag": ["done"], "fields": {"size": 3}, "note": "Fine"}, ["Bye."]),
        ({"pass": True}, ["The rules say hi."]),
        ({"say": 5}, ["The rules say hi."]),
        ({"shout": "x"}, ["The rules say hi."]),
        ({"say": {"image": "file:///etc/passwd"}}, ["The rules say hi."]),
        ({"say": {"text": ""}}, ["The rules say hi."]),
        ("{{ contact.name }}", ["{{ contact.name }}"]),
    ],
)
def test_what_it_answers_is_done_and_what_is_no_answer_leaves_it_to_the_rules(
    world: World, body: Any, said: list[str]
) -> None:
    world.say("hi")
    assert world.answer(200, body) == said
    assert world.state.asked is None


@pytest.mark.parametrize("error", ["timeout", "refused", "unknown"])
def test_the_rules_answer_when_it_does_not(world: World, error: Any) -> None:
    world.say("hi")
    assert world.answer(0, None, error) == ["The rules say hi."]
    [why] = world.last.trace.before
    assert ERRORS[error] in why


def test_what_arrives_meanwhile_is_given_to_it_next(world: World) -> None:
    world.say("one")
    assert world.say("two") == [] and world.say("three") == []
    assert world.answer(200, "First.") == ["First."]
    [call] = [effect for effect in world.last.effects if isinstance(effect, Call)]
    assert call.json["message"]["text"] == "two\nthree"
    assert world.answer(200, "Rest.") == ["Rest."]


def test_a_running_flow_has_its_answers_itself_also_one_that_began_meanwhile(world: World) -> None:
    world.say("one")
    assert world.happen(Triggered("go")) == ["How many?"]
    assert world.answer(200, "First.") == ["First."]
    assert world.say("4") == ["4 it is."]
    assert world.say("more") == [] and world.state.asked is not None


def test_a_person_ends_what_was_asked(world: World) -> None:
    world.say("one")
    token = world.state.asked.token if world.state.asked else ""
    world.happen(GivenBack())
    assert world.state.asked is None and world.happen(CallResult(token, 200, "late")) == []


def test_a_reaction_to_nothing_asks_nobody(world: World) -> None:
    assert world.happen(Arrived(Text("x"))) == [] and world.state.asked is not None


@pytest.mark.parametrize(
    "step", ["{handler: a b}", "{handler: prices, form: {a: b}}", "{handler: a, get: 'https://x.example'}"]
)
def test_a_step_names_one_handler_and_gives_it_json(step: str) -> None:
    with pytest.raises(DocumentError):
        compile_version(f"bot: X\nrules: [{{name: a, when: {{says: a}}, do: [{{call: {step}}}]}}]")
