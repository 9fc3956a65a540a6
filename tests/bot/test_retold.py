"""A conversation that took place becomes a test that passes, and says nothing of who it was."""

import msgspec
import pytest

from app.bot.amend import add_first
from app.bot.document import compile_version, parse
from app.bot.retold import retold, spelled
from app.bot.scene import Arrived, ContactView, Decision, GivenBack, Triggered, TurnInput
from app.bot.trials import run
from app.bot.unnamed import Unnamed
from app.content import Image, Location, Order, Reaction, Text
from tests.bot.lived import Lived
from tests.bot.turns import ANA, NOW, WHATSAPP, arrived, press

BOT = """bot: Luna
rules:
  - name: cake
    when: {says: cake}
    do:
      - say: "{{ contact.first_name }}, one moment."
        buttons: [Menu, Person]
      - schedule: It is baked.
        after: 2h
      - wait: 30s
      - ask: {text: "Your e-mail?", expect: email, save: mail}
      - ask: {text: "Your number?", expect: phone, save: phone}
      - wait: 3h
      - say: "Thank you, {{ contact.name }}. We call {{ phone }} or write to {{ mail }}."
  - name: menu
    when: {says: menu}
    do: [{say: Bread.}]
fallback: {do: [{say: "{{ message.text }}?"}]}
"""
SOMEBODY = ContactView("1", "Ana Souza", "Ana", "5581999990000", "anas", tags=("vip",), fields={"street": "Aurora 10"})


def told(lived: Lived) -> dict[str, object] | None:
    turns = [
        (msgspec.json.decode(past.given, type=TurnInput), msgspec.json.decode(past.output, type=Decision))
        for past in lived.past
    ]
    return retold(turns, "America/Sao_Paulo", {"hi"})


def passes(item: dict[str, object] | None) -> bool:
    assert item is not None
    text = add_first(BOT, "tests", item)
    (outcome,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    assert outcome.wrong == ()
    return True


def lived(contact: ContactView = SOMEBODY) -> Lived:
    """An order with two questions, a button, a picture, and messages that come later."""
    one = Lived(compile_version(BOT), contact)
    one.say("a cake, I am Ana")
    one.wait(40)
    one.say("it is Ana.Souza@luna.example", "call +55 (81) 99999-0000")
    one.wait(60)
    one.say(press("menu", "Menu"), Image(caption="for ana souza"))
    one.wait(12_000)
    one.say("thanks")
    return one


def test_a_conversation_with_waits_becomes_a_test_that_passes() -> None:
    item = told(lived())
    assert item is not None and passes(item)
    assert item["name"] == "a cake, I am Kim" and item["at"] == "2026-09-21 11:13"
    assert [next(iter(line)) for line in item["chat"]] == [
        "user", "bot", "wait", "bot", "wait", "user", "bot", "user", "wait", "user", "bot", "user", "bot", "wait",
        "bot", "wait", "bot", "wait", "user", "bot",
    ]  # fmt: skip


def test_nothing_in_it_says_who_it_was() -> None:
    text = str(told(lived()))
    for personal in ("Ana", "ana", "Souza", "souza", "99999", "5581", "luna.example", "Aurora", "anas"):
        assert personal not in text, personal
    assert "customer1@example.com" in text and "+55 (50) 10055-5010" in text and "'tags': ['vip']" in text


def test_a_conversation_without_waits_has_none() -> None:
    one = Lived(compile_version(BOT), ANA)
    one.say("menu")
    one.wait(3600)
    one.say("menu")
    item = told(one)
    assert item is not None and passes(item)
    assert item["chat"] == [{"user": "menu"}, {"bot": "Bread."}] * 2


def test_a_flow_that_began_before_is_left_out_if_something_else_is_there() -> None:
    one = lived()
    one.past = one.past[1:]
    one.say("menu")
    item = told(one)
    assert item is not None and item["name"] == "thanks" and passes(item)


def test_what_a_test_has_no_line_for_is_left_out() -> None:
    one = Lived(compile_version(BOT), ANA)
    one.happen(GivenBack())
    assert told(one) is None
    one.happen(arrived(Reaction("m", "👍")))
    one.say(Location(1.0, 2.0, "Recife"), "hi")
    item = told(one)
    assert item is not None and passes(item)
    assert item["chat"][0] == {"user": {"location": "Recife"}}


SENSES = """bot: Senses
rules:
  - {name: back, when: {first_after: 12h, network: simulator, channel: Shop}, continue: true, do: [{say: Good day.}]}
  - {name: thanks, when: {reaction: 👍}, do: [{say: Thanks.}]}
  - {name: ad, when: {referral: {source_type: ad}}, do: [{say: About our offer.}]}
  - {name: order, when: {order: true}, do: [{say: An order.}]}
  - {name: vip, when: {says: hi, tag: vip}, do: [{say: Welcome back.}]}
"""


def test_where_and_since_when_somebody_wrote_is_told_where_a_rule_asks() -> None:
    one = Lived(compile_version(SENSES), ANA)
    one.last_heard = NOW - 13 * 3_600_000
    one.say("hi")
    one.happen(Arrived(Text("more?"), referral={"source_type": "ad", "source_url": "https://x.example", "n": 7}))
    one.say(Reaction("m", "👍"), Order("c", (), "two"))
    one.wait(12 * 3_600)
    one.say("hi")
    turns = [
        (msgspec.json.decode(past.given, type=TurnInput), msgspec.json.decode(past.output, type=Decision))
        for past in one.past
    ]
    item = retold(turns, "America/Sao_Paulo", set(), [rule.when for rule in parse(SENSES).rules])
    assert item is not None
    assert (item["last_heard"], item["channel"], item["network"]) == ("2026-09-20 22:13", "Shop", "simulator")
    assert [line["user"] for line in item["chat"] if "user" in line] == [
        "hi", {"text": "more?", "referral": {"source_type": "ad", "source_url": "https://x.example"}},
        {"reaction": "👍"}, {"order": "two"}, "hi",
    ]  # fmt: skip
    text = add_first(SENSES, "tests", item)
    (outcome,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    assert outcome.wrong == () and len(outcome.chat) == len(item["chat"])


def test_a_long_conversation_is_cut_after_fifty_lines() -> None:
    one = Lived(compile_version(BOT), ANA)
    one.say(*["menu"] * 60)
    item = told(one)
    assert item is not None and len(item["chat"]) == 50 and passes(item)


@pytest.mark.parametrize(
    ("text", "expected", "star"),
    [
        ("I am ANA", "I am Kim", "I am *"),
        ("banana", "banana", "banana"),
        ("I am anas", "I am Kim", "I am *"),
        ("ana souza", "Kim Example", "*"),
        ("5581999990000", "5550100555010", "*"),
        ("+55 81 99999 0000!", "+55 50 10055 5010!", "*!"),
        ("12345678", "12345678", "12345678"),
        ("me@x.example.", "customer1@example.com.", "*."),
        ("shop@luna.example", "shop@luna.example", "shop@luna.example"),
    ],
)
def test_names_numbers_and_addresses_of_the_contact_give_way(text: str, expected: str, star: str) -> None:
    unnamed = Unnamed(SOMEBODY, ["write to me@x.example"])
    assert (unnamed.text(text), unnamed.pattern(text)) == (expected, star)


@pytest.mark.parametrize(("seconds", "text"), [(1, "1s"), (5400, "1h 30m"), (90_061, "1d 1h 1m 1s")])
def test_a_duration_is_spelled_as_it_is_written(seconds: int, text: str) -> None:
    assert spelled(seconds) == text


CALLS = """bot: Luna
rules:
  - name: stock
    when: {says: stock}
    do:
      - call: {get: "https://shop.example/stock?key={{ secret.shop }}&n={{ contact.phone }}", save: all}
        failed: [{say: Slow.}]
      - say: "{{ all.left | join('+') }}"
"""


def test_the_answers_of_calls_are_kept_with_it_and_say_nothing_of_who_it_was() -> None:
    one = Lived(compile_version(CALLS), SOMEBODY)
    one.say("stock")
    one.now += 2_000
    assert one.answer(200, {"left": ["rye", "1"], "for": "Ana Souza", "n": 5}) == ["rye+1"]
    one.say("stock")
    one.answer(error="timeout")
    item = told(one)
    assert item is not None
    url = "https://shop.example/stock?key=*&n=*"
    assert item["calls"] == [
        {"get": url, "status": 200, "body": {"left": ["rye", "1"], "for": "Kim Example", "n": 5}},
        {"get": url, "error": "timeout"},
    ]
    text = add_first(CALLS, "tests", item)
    (outcome,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    assert outcome.wrong == () and [spoken.who for spoken in outcome.chat] == ["user", "bot"] * 2


PROMPTED = """bot: Luna
rules:
  - {name: cake, when: {says: cake}, do: [{say: Baked.}, {later: after, after: 2h}]}
  - {name: paid, when: {trigger: {name: paid, data: [by]}}, do: [{say: "Thank you, {{ by }}."}]}
  - {name: quiet, when: {inactivity: 10m}, do: [{say: Still there?}]}
flows:
  after: [{say: Was it good?}]
"""


def test_silence_triggers_and_flows_begun_later_are_told() -> None:
    one = Lived(compile_version(PROMPTED), SOMEBODY)
    one.say("cake")
    one.wait(1_200)
    one.happen(Triggered("paid", {"by": "Ana Souza", "cents": 1999}))
    one.wait(7_200)
    item = told(one)
    assert item is not None
    assert item["chat"] == [
        {"user": "cake"}, {"bot": "Baked."}, {"wait": "10m"}, {"bot": "Still there?"}, {"wait": "10m"},
        {"trigger": "paid", "with": {"by": "Kim Example", "cents": 1999}}, {"bot": "Thank you, *."},
        {"wait": "1h 40m"}, {"bot": "Was it good?"},
    ]  # fmt: skip
    text = add_first(PROMPTED, "tests", item)
    (outcome,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    assert outcome.wrong == ()
