"""What the bot does about an event: steps, fallback, numbered choices, variants, and the bounds of a turn."""

import msgspec
import pytest

from app.bot.decide import decide
from app.bot.document import compile_version
from app.bot.scene import Arrived, Decision, GivenBack, Send, State, TurnInput
from app.bot.turn import MOST_EFFECTS
from app.bot.values import OUTPUT
from app.content import Buttons, Choice, Content, Delete, Image, Location, Note, Reaction, System, Text
from tests.bot.turns import NOW, PLAIN, WHATSAPP, arrived, listening, press, rules, said, scene, turn

BAKERY = compile_version(
    """\
bot: Luna Bakery
rules:
  - name: greeting
    when: {says: [hi, hello]}
    do:
      - say: "Hi {{ contact.first_name or 'there' }}. What can I do for you?"
        buttons: [Menu, Order, Talk to a person]
  - name: menu
    when: {says: menu}
    do: [{say: "Bread and cake."}]
  - name: order
    when: {says: order}
    do: [{say: "We note {{ order.item }}."}, {say: "{{ nothing }}"}]
  - name: person
    when: {says: "talk to a person"}
    do: [{say: One moment.}, {handoff: "{{ contact.name }} asks"}]
fallback: {do: [{say: "Sorry?"}], after: 3, then: [{say: I get a person.}, {handoff: lost}]}
"""
)


def test_a_rule_answers_with_its_steps() -> None:
    decision = turn(BAKERY, "Hello", capabilities=WHATSAPP)
    assert decision.effects == (
        Send(
            Buttons(
                "Hi Ana. What can I do for you?",
                choices=(
                    Choice("menu", "Menu"),
                    Choice("order", "Order"),
                    Choice("talk-to-a-person", "Talk to a person"),
                ),
            ),
            "greeting",
        ),
    )
    assert decision.state.turns == 1 and decision.state.choices == ()
    assert said(turn(BAKERY, "talk to a person")) == ["One moment.", "→ Ana Souza asks"]


def test_a_number_typed_for_a_numbered_list_is_the_choice() -> None:
    first = turn(BAKERY, "hi")
    assert said(first) == ["Hi Ana. What can I do for you?\n\n1. Menu\n2. Order\n3. Talk to a person"]
    for typed in ("3", " 3. ", "3️⃣", "٣"):
        decision = turn(BAKERY, typed, first.state)
        assert said(decision) == ["One moment.", "→ Ana Souza asks"]
        assert decision.trace.verdict == "Answered 3 for “talk to a person”, a phrase of rule person."
    assert said(turn(BAKERY, "1", turn(BAKERY, "3", first.state).state)) == ["Bread and cake."]
    for beyond in ("0", "4", "33", "9999999999", "1 2"):
        assert said(turn(BAKERY, beyond, first.state)) == ["Sorry?"]


def test_without_a_numbered_list_a_number_is_a_word() -> None:
    assert said(turn(BAKERY, "1")) == ["Sorry?"]
    assert said(turn(listening(one="1"), "1")) == ["one"]


def test_the_fallback_goes_on_after_so_many_in_a_row() -> None:
    state = State()
    seen = []
    for message in ("x", "x", "x", "x", "menu", "x"):
        decision = turn(BAKERY, message, state)
        state = decision.state
        seen.append((said(decision), state.missed))
    assert seen == [
        (["Sorry?"], 1),
        (["Sorry?"], 2),
        (["I get a person.", "→ lost"], 0),
        (["Sorry?"], 1),
        (["Bread and cake."], 0),
        (["Sorry?"], 1),
    ]


def test_without_a_fallback_nothing_is_said_and_the_trace_tells() -> None:
    decision = turn(compile_version("bot: T"), "hi")
    assert decision.effects == () and decision.state.missed == 1
    assert decision.trace.verdict == "No rule has these words and there is no fallback."


def test_given_back_says_nothing_and_starts_afresh() -> None:
    state = State(2, (("a", "A"),), {"x": 1}, 99, 7)
    decision = decide(BAKERY, scene(state), GivenBack(), NOW)
    assert decision.effects == () and decision.state == State(0, (), {"x": 1}, 99, 7)


@pytest.mark.parametrize("content", [Reaction("m1", "👍"), System("user_changed_number"), Delete("m1"), Note("hi")])
def test_what_is_no_message_is_not_answered(content: Content) -> None:
    decision = turn(BAKERY, content, State(1))
    assert decision.effects == () and decision.state == State(1)
    assert decision.trace.code == "silent"


def test_a_file_is_answered_by_its_caption_or_the_fallback() -> None:
    assert said(turn(BAKERY, Image(caption="the menu?"))) == ["Bread and cake."]
    assert said(turn(BAKERY, Image())) == ["Sorry?"]
    assert said(turn(BAKERY, Location(1.0, 2.0))) == ["Sorry?"]


def test_unknown_names_are_empty_and_told_and_an_empty_text_is_not_sent() -> None:
    decision = turn(BAKERY, "order")
    assert said(decision) == ["We note ."]
    assert decision.trace.problems == (
        "Nothing is known as order.item; it was left empty",
        "Nothing is known as nothing; it was left empty",
        "A text came out empty and was not sent",
    )
    assert said(turn(BAKERY, "order", State(variables={"order": {"item": "rye"}}))) == ["We note rye."]


def test_texts_read_the_message_the_channel_and_the_time() -> None:
    bot = rules(
        '  - {name: r, when: {says: x}, do: [{say: "{{ message.text }}|{{ channel }}|{{ network }}|{{ now | date }}|'
        '{{ contact.fields.city }}|{{ contact.tags }}"}]}'
    )
    assert said(turn(bot, "X y")) == ["X y|Shop|simulator|2026-09-21|Recife|vip"]


def test_variants_are_drawn_by_the_seed_alone() -> None:
    bot = rules("  - {name: r, when: {says: x}, do: [{say: [a, b, c]}]}")
    state, drawn = State(seed=5), []
    for _ in range(60):
        decision = turn(bot, "x", state)
        assert decision == turn(bot, "x", state)
        drawn += said(decision)
        state = decision.state
    assert {variant: drawn.count(variant) > 10 for variant in "abc"} == {"a": True, "b": True, "c": True}
    assert 0 <= state.seed < 2**63


def test_a_turn_makes_no_more_than_its_effects_and_keeps_the_hand_off() -> None:
    steps = ", ".join(["{say: '" + "word " * 2_000 + "'}"] * 6)
    bot = rules(f"  - {{name: r, when: {{says: x}}, do: [{steps}, {{handoff: help}}]}}")
    decision = turn(bot, "x", capabilities=msgspec.structs.replace(PLAIN, text=1_000))
    assert len(decision.effects) == MOST_EFFECTS
    assert said(decision)[-1] == "→ help"
    assert decision.trace.problems == ("This turn said more than is possible; the rest was left out",)


def test_a_turn_says_no_more_than_its_room() -> None:
    steps = ", ".join(["{say: '" + "x" * 16_000 + "'}"] * 6)
    bot = rules(f"  - {{name: r, when: {{says: x}}, do: [{steps}]}}")
    decision = turn(bot, "x", capabilities=msgspec.structs.replace(PLAIN, text=100_000))
    assert sum(map(len, said(decision))) <= OUTPUT
    assert decision.trace.problems == ("This turn said more than is possible; the rest was left out",)


def test_a_stored_turn_decides_the_same_again() -> None:
    state = State(1, (("menu", "Menu"),), {"n": 3, "items": ["a", {"b": None}], "f": 2.5}, 123456789012345678, 4)
    for event in (
        arrived("hi"),
        arrived("1"),
        arrived(press("order", "Order")),
        arrived(Image(caption="x")),
        GivenBack(),
    ):
        given = TurnInput(scene(state, WHATSAPP), event, NOW)
        stored = msgspec.json.encode(given)
        again = msgspec.json.decode(stored, type=TurnInput)
        decision = decide(BAKERY, given.scene, given.event, given.now)
        assert decide(BAKERY, again.scene, again.event, again.now) == decision
        assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision


def test_words_of_a_text_are_not_read_from_its_own_reply() -> None:
    """The event's text is what rules read, whatever the content holds."""
    decision = decide(BAKERY, scene(), Arrived(Text("> menu\nhi"), "hi"), NOW)
    assert decision.trace.rule == "greeting"
