"""Places, cards, reactions, templates, quotes and steps that only note something: what they do, what is refused."""

from collections import Counter

import pytest

from app.bot.document import DocumentError, compile_version
from app.bot.scene import Assign, Consent, Decision, HandOff, Note, Send, State
from app.capabilities import Capabilities
from app.connectors.whatsapp_cloud import limits
from app.content import Buttons, Card, Contacts, Content, Image, Location, Reaction, Template, Text
from tests.bot.turns import PLAIN, WHATSAPP, rules, said, turn

EVERYTHING = limits.CAPABILITIES


def done(*steps: str, what: str = "go", state: State | None = None, can: Capabilities = EVERYTHING) -> Decision:
    """What a rule with these steps does."""
    lines = "\n".join(f"      - {step}" for step in steps)
    return turn(rules(f"  - name: r\n    when: {{says: go}}\n    do:\n{lines}"), what, state, can)


def sent(decision: Decision) -> list[tuple[Content, bool]]:
    return [(effect.content, effect.quote) for effect in decision.effects if isinstance(effect, Send)]


def refused(*steps: str) -> list[tuple[int, str]]:
    lines = "\n".join(f"      - {step}" for step in steps)
    with pytest.raises(DocumentError) as caught:
        compile_version(f"bot: T\n\nrules:\n  - name: r\n    when: {{says: go}}\n    do:\n{lines}\n")
    return [(problem.line, str(problem.message)) for problem in caught.value.problems]


def test_a_place_is_sent_with_its_name() -> None:
    assert sent(done("location: {latitude: -8.0578, longitude: -34.88, name: Luna, address: Rua da Aurora}")) == [
        (Location(-8.0578, -34.88, "Luna", "Rua da Aurora"), False)
    ]


def test_a_place_may_be_what_somebody_said() -> None:
    where = State(variables={"here": {"latitude": 1.5, "longitude": -2}})
    step = 'location: {latitude: "{{ here.latitude }}", longitude: "{{ here.longitude }}"}'
    assert sent(done(step, state=where)) == [(Location(1.5, -2), False)]


@pytest.mark.parametrize("latitude", ["91", "north", "nan", "1e400", ""])
def test_degrees_that_are_none_are_told_and_not_sent(latitude: str) -> None:
    decision = done(
        'location: {latitude: "{{ l }}", longitude: 2}', "say: after", state=State(variables={"l": latitude})
    )
    assert said(decision) == ["after"]
    assert "A location has no degrees that can be sent; it was left out" in decision.trace.problems


def test_a_card_has_all_its_numbers() -> None:
    step = 'contact: {name: Ana Souza, phone: ["+55 1", "{{ none }}"], email: a@b.example, company: Luna}'
    card = Card("Ana Souza", (("+55 1", "WORK"),), (("a@b.example", "WORK"),), {"org": {"company": "Luna"}})
    assert sent(done(step)) == [(Contacts((card,)), False)]


def test_a_reaction_is_on_the_message_that_came() -> None:
    assert sent(done("reaction: 👍")) == [(Reaction("", "👍"), True)]


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "🇧🇷", "👩‍👩‍👧", "1️⃣", "📍"])
def test_emoji_are_emoji(emoji: str) -> None:
    assert sent(done(f"reaction: {emoji}")) == [(Reaction("", emoji), True)]


def test_a_reaction_that_comes_out_as_words_is_left_out() -> None:
    decision = done('reaction: "{{ message.text }}"')
    assert sent(decision) == [] and decision.trace.problems == ("A reaction is no emoji; it was left out",)


def test_a_template_is_filled_in_order_or_by_name() -> None:
    step = (
        'template: t, language: en_US, parameters: ["{{ contact.first_name }}", 7], text: "Ready, {{ contact.name }}"'
    )
    body = [{"type": "text", "text": "Ana"}, {"type": "text", "text": "7"}]
    assert sent(done(f"{{{step}}}")) == [
        (Template("t", "en_US", ({"type": "body", "parameters": body},), "Ready, Ana Souza"), False)
    ]
    [(named, _)] = sent(done("{template: t, language: de, parameters: {who: Ana, what: cake}}"))
    assert isinstance(named, Template) and named.components[0]["parameters"][1] == {
        "type": "text", "text": "cake", "parameter_name": "what",
    }  # fmt: skip


def test_a_template_has_a_header() -> None:
    [(picture, _)] = sent(done("{template: t, language: de, header: {image: https://x.example/a.jpg}}"))
    assert isinstance(picture, Template) and picture.components == (
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.example/a.jpg"}}]},
    )


@pytest.mark.parametrize(("urls", "index"), [('["o/{{ contact.id }}"]', "0"), ('{2: "o/{{ contact.id }}"}', "1")])
def test_a_template_has_addresses_on_its_buttons(urls: str, index: str) -> None:
    [(linked, _)] = sent(done(f"{{template: t, language: de, parameters: [a], urls: {urls}}}"))
    assert isinstance(linked, Template) and linked.components[1] == {
        "type": "button", "sub_type": "url", "index": index, "parameters": [{"type": "text", "text": "o/7"}],
    }  # fmt: skip
    empty = done('{template: t, language: de, urls: ["{{ nobody }}"]}')
    assert sent(empty) == [] and "A value of the template “t” is empty; it was not sent" in empty.trace.problems


def test_a_template_speaks_the_language_of_the_document() -> None:
    bot = compile_version("bot: T\nlanguage: pt-BR\nrules: [{name: r, when: {says: go}, do: [{template: t}]}]")
    assert sent(turn(bot, "go", None, EVERYTHING)) == [(Template("t", "pt_BR"), False)]
    assert refused("template: t") == [(7, "A template has a language; say which, here or for the whole bot")]


def test_a_template_with_an_empty_value_is_not_sent_since_the_network_would_refuse_it() -> None:
    decision = done('{template: t, language: de, parameters: ["{{ nobody }}"]}', "say: after")
    assert said(decision) == ["after"]
    assert "A value of the template “t” is empty; it was not sent" in decision.trace.problems


def test_line_breaks_do_not_get_into_a_template() -> None:
    [(template, _)] = sent(done('{template: t, language: de, parameters: ["a\\n\\tb     c"]}'))
    assert isinstance(template, Template) and template.components[0]["parameters"][0]["text"] == "a b c"
    assert limits.check(template) is None


@pytest.mark.parametrize(
    ("step", "content"),
    [
        ("{say: x, quote: true}", Text("x")),
        ("{image: https://x.example/a.jpg, quote: true}", Image(url="https://x.example/a.jpg")),
        ("{location: {latitude: 1, longitude: 2}, quote: true}", Location(1, 2)),
    ],
)
def test_a_quote_is_about_the_message_that_came(step: str, content: Content) -> None:
    assert sent(done(step)) == [(content, True)]
    assert sent(done(step, "reaction: 👍")) == [(content, True), (Reaction("", "👍"), True)]


def test_of_a_message_in_parts_the_first_quotes() -> None:
    parts = sent(done(f"{{say: {'long ' * 2_000}, quote: true}}"))
    assert [quote for _, quote in parts] == [True, False, False]


def test_what_a_network_without_quotes_or_reactions_does() -> None:
    decision = done("{say: x, quote: true}", "reaction: 👍", can=PLAIN)
    assert sent(decision) == [(Text("x"), False)]
    assert decision.trace.degraded == (
        "This network quotes no messages; sent without the quote",
        "This network has no reactions; the reaction was left out",
    )


def test_a_note_an_assignment_and_consent_are_effects_in_their_order() -> None:
    decision = done('note: "{{ contact.name }} called"', "assign: Kitchen", "opt_out:", "opt_in: true", "say: ok")
    assert decision.effects == (
        Note("Ana Souza called", "r"), Assign("Kitchen", "r"), Consent(False, "r"), Consent(True, "r"),
        Send(Text("ok"), "r"),
    )  # fmt: skip


def test_a_note_or_an_assignment_without_words_is_told() -> None:
    decision = done('note: "{{ nothing }}"', 'assign: "{{ nobody }}"', "say: ok")
    assert said(decision) == ["ok"] and len(decision.effects) == 1
    assert {"A note came out empty and was not written", "Nobody was named to assign the conversation to; "
            "it was left as it is"} <= set(map(str, decision.trace.problems))  # fmt: skip


@pytest.mark.parametrize("more", ["", "tag: x"])
@pytest.mark.parametrize("reason", ["x", '"{{ message.text }}"'])
def test_after_a_hand_off_nothing_more_is_said(more: str, reason: str) -> None:
    steps = ["say: before", *([more] if more else []), f"handoff: {{reason: {reason}, team: Kitchen}}", "say: after"]
    decision = done(*steps)
    assert said(decision) == ["before", f"→ {'x' if reason == 'x' else 'go'}"]
    assert decision.effects[-1] == HandOff("x" if reason == "x" else "go", "r", "Kitchen")


def test_chance_follows_the_weights_and_hangs_on_the_state_alone() -> None:
    steps = "random: [{weight: 3, do: [{say: a}]}, [{say: b}], [{random: [[{say: c}], [{say: d}]]}]]"
    drawn = [said(done(steps, state=State(seed=seed))) for seed in range(2_000)]
    assert drawn[:50] == [said(done(steps, state=State(seed=seed))) for seed in range(50)]
    counts = Counter(word for [word] in drawn)
    assert 1_100 < counts["a"] < 1_300 and 320 < counts["b"] < 480
    assert 140 < counts["c"] < 260 and 140 < counts["d"] < 260


def test_two_draws_of_a_turn_do_not_follow_each_other() -> None:
    one = "random: [[{say: a}], [{say: b}]]"
    pairs = Counter("".join(said(done(one, one, state=State(seed=seed)))) for seed in range(1_000))
    assert all(190 < pairs[pair] < 310 for pair in ("aa", "ab", "ba", "bb"))


def test_draws_of_the_turns_of_a_conversation_do_not_follow_each_other() -> None:
    state, drawn = State(seed=7), ""
    for _ in range(400):
        decision = done("random: [[{say: a}], [{say: b}]]", state=state)
        state, drawn = decision.state, drawn + said(decision)[0]
    pairs = Counter(drawn[at : at + 2] for at in range(399))
    assert all(60 < pairs[pair] < 140 for pair in ("aa", "ab", "ba", "bb"))


def test_a_branch_drawn_goes_on_after_all_of_them() -> None:
    steps = [
        "random: [[{ask: {text: q, save: x}}, {say: after}], [{ask: {text: q, save: x}}, {say: after}]]",
        "say: end",
    ]
    first = done(*steps)
    assert said(first) == ["q"]
    assert said(done(*steps, what="answer", state=first.state)) == ["after", "end"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("location: {latitude: 91, longitude: 0}", "Expected degrees from -90 to 90, like 8.0578, found “91”"),
        ("location: {latitude: 1}", "Expected the key “longitude”"),
        ("location: here", "Expected a group with latitude and longitude, found “here”"),
        ("contact: {name: Ana}", "A contact card has a phone number or an e-mail address"),
        ("reaction: ok", "Expected an emoji, like 👍, found “ok”"),
        ("{template: Not Good, language: en}", "Expected the name of a template, in small letters, digits and _, "
         "found “Not Good”"),
        ("{template: t, language: English}", "Expected the language of the template, like en or pt_BR, "
         "found “English”"),
        ("{template: t, language: en, parameters: {Who: x}}", "Expected the name of a parameter, in small letters, "
         "found “Who”"),
        ("{template: t, language: en, urls: {0: x}}", "Expected the number of a button, from 1, found “0”"),
        ("random: [[{say: x}]]", "Expected 2 to 20 in this list, found 1"),
        ("random: [{weight: 0, do: [{say: x}]}, [{say: y}]]", "Expected a whole number from 1 to 1,000, found “0”"),
        ("{say: x, quote: false}", "Expected true, found “false”"),
        ("opt_out: yes", "Expected nothing, or true, found “yes”"),
        ("handoff: {team: Kitchen}", "Expected the key “reason”"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(step: str, message: str) -> None:
    assert refused(step) == [(7, message)]


def test_what_stands_in_texts_of_these_steps_is_checked() -> None:
    assert [line for line, _ in refused('note: "{{ a( }}"', 'contact: {name: "{{ x() }}", phone: 1}')] == [7, 8]


def test_buttons_quote_too() -> None:
    [(content, quote)] = sent(done("{say: x, buttons: [a], quote: true}", can=WHATSAPP))
    assert isinstance(content, Buttons) and not quote  # this network shows buttons and no quotes
