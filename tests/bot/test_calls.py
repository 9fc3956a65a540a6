"""Calls: what is asked, what comes back, where the flow goes on, and that a secret is nowhere but in the call."""

from typing import Any

import msgspec
import pytest

from app.bot.document import DocumentError, Version, compile_version, parse
from app.bot.lint import lint
from app.bot.named import Known, named
from app.bot.run import MOST_VARIABLES
from app.bot.scene import Call, CallResult, HandOff, TimerFired, Waiting
from app.bot.turn import MOST_EFFECTS
from tests.bot.turns import NOW
from tests.bot.world import World

RULES = """\
bot: T
rules:
  - {name: go, when: {says: go}, do: [{start: main}]}
  - {name: plain, when: {says: plain}, do: [{say: plain}]}
  - {name: aside, when: {says: aside}, interrupt: true, do: [{ask: {text: aside?, save: aside}}, {say: so}]}
fallback: {do: [{say: "? {{ message.text }}"}]}
flows:
  main:
"""


def main(*steps: str) -> Version:
    return compile_version(RULES + "\n".join(f"    - {step}" for step in steps))


def asked(call: str, *before: str) -> Call:
    """The call that a step makes."""
    world = World(main(*before, f"call: {call}"))
    world.say("go")
    [made] = world.calls
    return made


GET = "call: {get: 'https://shop.example/a', save: reply}"
ORDER = main(GET, "say: 'got {{ reply.number }}'")


def test_a_flow_waits_for_what_comes_back() -> None:
    world = World(ORDER)
    assert world.say("go") == []
    assert world.last.effects == (Call("t0.0", "GET", "https://shop.example/a", timeout=10, rule="flow main"),)
    assert world.state.waiting == Waiting("call", "t0.0", NOW)
    assert world.happen(CallResult("t0.0", 200, {"number": 7}, request="GET shop.example/a", took_ms=3)) == ["got 7"]
    assert (world.code, world.last.trace.line) == ("called", 9)
    assert world.last.trace.verdict == "flow main asked GET shop.example/a and got 200."
    assert world.state.frames == () and world.state.variables == {"reply": {"number": 7}}


def test_an_answer_that_nobody_waits_for_does_nothing_and_is_traced() -> None:
    world = World(ORDER)
    world.say("go")
    world.answer(200, {"number": 1})
    before = world.state
    for token in ("t0.0", "t7.0"):
        assert world.happen(CallResult(token, 200, {"number": 2})) == []
        assert world.code == "stale" and world.state == before


def test_a_timer_is_no_answer_and_an_answer_no_timer() -> None:
    world = World(ORDER)
    world.say("go")
    assert world.happen(TimerFired("t0.0")) == [] and world.code == "stale"
    assert world.happen(CallResult("t7.0", 200, {"number": 2})) == [] and world.code == "stale"
    assert world.answer(200, {"number": 1}) == ["got 1"]


BRANCHES = main(
    f"""{GET}
      failed:
        404: [{{say: gone}}]
        4xx: [{{say: wrong}}]
        timeout: [{{say: slow}}]
        else: [{{say: "other {{{{ call.status }}}} {{{{ call.error }}}}"}}]""",
    "say: end",
)


@pytest.mark.parametrize(
    ("status", "error", "heard"),
    [
        (200, "", ["end"]),
        (204, "", ["end"]),
        (404, "", ["gone", "end"]),
        (400, "", ["wrong", "end"]),
        (500, "", ["other 500", "end"]),
        (302, "", ["other 302", "end"]),
        (0, "timeout", ["slow", "end"]),
        (0, "unreachable", ["other 0 unreachable", "end"]),
        (200, "bad_json", ["other 200 bad_json", "end"]),
        (404, "bad_json", ["gone", "end"]),
    ],
)
def test_a_failure_goes_where_the_document_says(status: int, error: Any, heard: list[str]) -> None:
    world = World(BRANCHES)
    world.say("go")
    assert world.answer(status, None, error) == heard
    assert world.code == ("called" if heard == ["end"] else "call_failed")


def test_a_failure_without_a_step_for_it_gets_a_person() -> None:
    for bot in (ORDER, main(f"{GET}\n      failed: {{404: [{{say: gone}}]}}", "say: never")):
        world = World(bot)
        world.say("go")
        assert world.answer(500) == ["→ A call to a web service failed, and the bot has no step for that."]
        assert [type(effect) for effect in world.last.effects] == [HandOff] and world.state.frames == ()
        assert world.last.trace.verdict == "flow main asked GET, which failed. The answer was 500."


def test_what_is_kept_of_an_answer() -> None:
    step = "call: {get: 'https://a.example', map: {first: 'reply.items[0].name', no: reply.x, ids: reply.ids}}"
    world = World(main(step, "say: '{{ first }} {{ no }} {{ ids | join }}'"))
    world.say("go")
    body = {"items": [{"name": "a"}], "ids": [10**18, 5], "rest": "x" * 100_000}
    assert world.answer(200, body) == [f"a  {10**18}, 5"]
    assert world.state.variables == {"first": "a", "no": None, "ids": [str(10**18), 5]}
    assert world.last.trace.problems == ("Nothing is known as reply.x; it was left empty",)
    world.say("go")
    assert world.answer(500)[0].startswith("→") and world.state.variables["first"] == "a", "the flow was left"


def test_after_a_failure_nothing_old_is_taken_for_the_answer() -> None:
    call = "call: {get: 'https://a.example', map: {n: reply}, save: all}\n      failed: [{set: {m: 1}}]"
    world = World(main(call, "say: '{{ n }}!'"))
    world.say("go")
    assert world.answer(200, 5) == ["5!"]
    world.say("go")
    assert world.answer(0, None, "timeout") == ["!"] and world.state.variables == {"n": None, "all": None, "m": 1}


def test_a_large_answer_is_kept_in_part_and_told() -> None:
    many, deep = {str(n): n for n in range(5_000)}, [[[[[[[[[[[[1]]]]]]]]]]]]
    for body in ("x" * 50_000, [["y" * 9_000] * 9], many, deep, ["x"] * 5_000):
        world = World(ORDER)
        world.say("go")
        world.answer(200, body)
        assert "A value was larger than is possible; the rest was left out" in world.last.trace.problems
        assert len(msgspec.json.encode(world.state)) < 20_000
    assert None not in world.state.variables["reply"]


def test_an_answer_below_a_question_is_kept_until_that_is_answered() -> None:
    world = World(ORDER)
    assert world.say("go", "aside") == ["aside?"]
    assert world.answer(200, {"number": 7}) == [] and world.code == "called_below"
    assert world.say("x") == ["so", "got 7"]
    world = World(ORDER)
    world.say("go", "aside")
    assert world.answer(0, None, "refused")[0].startswith("→") and world.state.frames == ()


def test_a_message_during_a_call_is_held_but_not_for_ever() -> None:
    world = World(ORDER)
    assert world.say("go", "plain") == [] and world.code == "held"
    assert world.answer(200, {"number": 7}) == ["got 7", "plain"]
    world = World(ORDER)
    world.say("go")
    world.wait(61)
    assert world.say("plain") == ["plain"] and world.answer(200, {"number": 7}) == ["got 7"]


def test_what_is_held_outlives_a_question_that_comes_in_between() -> None:
    world = World(ORDER)
    assert world.say("go", "plain", "aside") == ["aside?"] and len(world.state.held) == 1
    assert world.say("x") == ["so"] and world.answer(200, {"number": 7}) == ["got 7", "plain"]


# ---- what is asked ---------------------------------------------------------------------------------------------------


def test_every_part_of_a_call_is_filled_in() -> None:
    call = asked(
        "{post: 'https://shop.example/{{ contact.fields.city }}/x?q={{ q }}', headers: {X-Q: ' {{ q }} \n a'},"
        " timeout: 2.5, json: {a: 5, b: '5', c: [true, null, no, 1.5], d: '{{ n * 2 }}', e: 'n {{ n }}',"
        " f: '{{ contact.tags }}'}}",
        "set: {q: 'a/b?c&d=é', n: 4}",
    )
    assert call.method == "POST" and call.timeout == 2.5 and call.secrets == ()
    assert call.url == "https://shop.example/Recife/x?q=a%2Fb%3Fc%26d%3D%C3%A9"
    assert call.headers == {"X-Q": "a/b?c&d=é a"}
    assert call.json == {"a": 5, "b": "5", "c": [True, None, "no", 1.5], "d": 8, "e": "n 4", "f": ["vip"]}
    assert call.form is None
    form = asked("{delete: 'https://a.example', form: {a: '{{ contact.name }}', b: 5}}").form
    assert form == {"a": "Ana Souza", "b": "5"}


def test_a_secret_is_a_marker_and_named() -> None:
    call = asked(
        "{put: 'https://shop.example/{{ secret.path }}', headers: {Authorization: 'Bearer {{ secret.key }}'},"
        " json: {a: '{{ secret.key }}', b: ['x{% if channel %}{{ secret.other }}{% endif %}']}}"
    )
    assert call.url == "https://shop.example/\0secret:path\0"
    assert call.headers == {"Authorization": "Bearer \0secret:key\0"}
    assert call.json == {"a": "\0secret:key\0", "b": ["x\0secret:other\0"]}
    assert call.secrets == ("path", "key", "other")


def test_nobody_can_write_a_secret_s_marker() -> None:
    mark = "\0secret:key\0"
    bot = main(
        "ask: {text: name?, save: name}",
        "set: {copy: '{{ name }}'}",
        "call: {post: 'https://a.example/{{ name }}', headers: {A: '{{ name }} {{ secret.key }}'},"
        " json: {\"\\0secret:key\\0\": '{{ name }}', b: 'x {{ copy }}', c: \"\\0secret:key\\0\", d: '{{ rest }}'}}",
    )
    world = World(bot)
    world.state = msgspec.structs.replace(world.state, variables={"rest": {mark: [mark]}})
    world.say("go", mark)
    [call] = world.calls
    assert call.headers == {"A": f"secret:key {mark}"} and call.url == "https://a.example/secret%3Akey"
    assert "\0" not in repr(call.json).replace("\\x00", "\0")


@pytest.mark.parametrize(
    "step",
    [
        "say: '{{ secret.key }}'",
        "set: {a: '{{ secret.key }}'}",
        "if: secret.key == 'a'\n      then: [{say: x}]",
        "ask: {text: '{{ secret.key }}', save: a}",
        "call: {get: 'https://a.example', map: {a: secret.key}}",
        "call: {get: 'https://a.example/{{ secret.key | upper }}'}",
        "call: {get: 'https://a.example/{{ secret }}'}",
        "call: {get: 'https://a.example/{{ secret.key ~ 1 }}'}",
        "call: {post: 'https://a.example', json: '{{ secret.key | length }}'}",
        "call: {get: 'https://a.example/{% if secret.key %}a{% endif %}'}",
    ],
)
def test_a_secret_stands_nowhere_else(step: str) -> None:
    with pytest.raises(DocumentError, match=r"A secret stands as \{\{ secret.name \}\} and nothing more"):
        main(step)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("{get: 'https://a.example/{{ secret.Key }}'}", "A secret's name is small letters, digits and _: Key"),
        ("{get: 'https://{{ host }}/'}", "Expected an address that begins with https:// or http://"),
        ("{get: 'ftp://a.example'}", "Expected an address"),
        ("{save: a}", "A call has one of get, post, put, patch, delete and handler"),
        ("{get: 'https://a.example', post: 'https://a.example'}", "A call has one of get"),
        ("{post: 'https://a.example', json: 1, form: {a: b}}", "A call has either json or form"),
        ("{get: 'https://a.example', json: 1}", "A call with get sends no json; put it in the address"),
        ("{get: 'https://a.example', headers: {'a b': x}}", "Expected the name of a header, found “a b”"),
        ("{get: 'https://a.example', timeout: 31}", "Expected a number of seconds from 1 to 30"),
        ("{get: 'https://a.example', save: secret}", "“secret” already means something in texts"),
        ("{post: 'https://a.example', json: " + "[" * 9 + "1" + "]" * 9 + "}", "Expected at most 200 values, 8 deep"),
        ("{post: 'https://a.example', json: [" + "1, " * 200 + "]}", "Expected at most 200 values, 8 deep"),
        ("{post: 'https://a.example', json: {a: 1, a: 2}}", "Expected each name once, as a text"),
        ("{get: 'https://a.example'}\n      failed: {slow: []}", "Expected what went wrong: one of timeout, refused"),
        ("{get: 'https://a.example', map: {a: '{{ reply }}'}}", "Expected one expression without braces"),
    ],
)
def test_a_mistake_is_told(call: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        main(f"call: {call}")
    assert str(error.value.problems[0].message).startswith(message)


def test_calls_that_go_round_are_told() -> None:
    with pytest.raises(DocumentError, match="go round for ever"):
        main("label: a", GET, "goto: a")
    steps = f"    - label: a\n    - {GET}\n      failed: [{{goto: a}}]\n    - say: '{{{{ reply }}}} {{{{ aside }}}}'\n"
    [found] = lint(parse(RULES + steps))
    assert found.message == "These steps can go round again and again, waiting in between; only a condition ends it"


def test_the_lint_knows_what_calls_give_and_asks_for_a_branch() -> None:
    steps = """\
    - call: {get: 'https://a.example/{{ secret.key }}', save: a, map: {b: reply.c}}
    - say: '{{ a.b }} {{ b }} {{ aside }}'
"""
    hint = "If this call fails, a person gets the conversation; “failed” can say what to do instead."
    assert [problem.message for problem in lint(parse(RULES + steps))] == [hint]
    assert named(parse(RULES + steps), Known(frozenset({"key"}))) == []
    missing = "There is no secret “key”, so this call will fail."
    assert [problem.message for problem in named(parse(RULES + steps), Known())] == [missing]


def test_a_call_is_never_lost_in_a_full_turn() -> None:
    world = World(main(*["say: x"] * 25, GET, "say: end"))
    world.say("go")
    assert len(world.last.effects) == MOST_EFFECTS and isinstance(world.last.effects[-1], Call)
    assert world.answer(200) == ["end"]


def test_no_more_is_remembered_than_is_possible() -> None:
    names = ", ".join(f"v{n}: reply" for n in range(50))
    more = ", ".join(f"w{n}: reply" for n in range(50))
    world = World(main(*(f"call: {{get: 'https://a.example', save: s, map: {{{each}}}}}" for each in (names, more))))
    world.say("go")
    world.answer(200, 1)
    world.answer(200, 1)
    assert len(world.state.variables) == MOST_VARIABLES
    assert "More than 100 values cannot be remembered" in world.last.trace.problems
