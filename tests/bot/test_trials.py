"""Tests in a document: what they compare, how they are refused, and that they always come out the same."""

import pytest

from app import documents
from app.bot.document import DocumentError, compile_version, parse
from app.bot.stars import fits
from app.bot.trials import Outcome, run
from tests.bot.turns import WHATSAPP

BOT = """bot: Luna
hours: {zone: America/Sao_Paulo, mon-fri: "08:00-18:00"}
rules:
  - name: greeting
    when: {says: hi}
    do: [{say: "Hi {{ contact.first_name or 'there' }}!", buttons: [Menu, Person]}]
  - name: menu
    when: {says: menu}
    do: [{say: Choose., list: {label: Menu, choices: [Bread, {title: Cake, description: Sweet}]}}]
  - name: cake
    when: {says: cake}
    do: [{say: Sweet.}, {say: "{{ contact.fields.city }} {{ now | date }}"}]
  - name: person
    when: {says: person}
    do: [{say: One moment.}, {handoff: Asked for a person}]
tests:
"""


def outcome(test: str) -> Outcome:
    text = BOT + test
    (found,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    return found


def wrong(test: str) -> list[tuple[str, str, str]]:
    return [(spoken.fits, spoken.who, spoken.text) for spoken in outcome(test).wrong]


def test_a_chat_with_buttons_lists_and_a_handoff_passes() -> None:
    chat = (
        "[{user: hi}, {bot: Hi Ana!}, {user: {button: Menu}}, {bot: Choose*}, {user: {button: Cake}}, {bot: Sweet.}, "
    )
    chat += "{bot: Recife 2026-09-21}, {user: person}, {bot: '*'}, {handoff: '*person'}, {user: hi}]"
    # 23:30 in São Paulo is the next day in UTC; `date` shows the day of the zone.
    test = (
        "  - {name: all, at: 2026-09-21 23:30, contact: {name: Ana Souza, fields: {city: Recife}}, chat: " + chat + "}"
    )
    assert outcome(test).chat[-1].text == "hi"
    assert wrong(test) == []


def test_the_first_answer_that_differs_is_shown_beside_what_was_expected() -> None:
    found = outcome("  - {name: one, chat: [{user: hi}, {bot: Hello*}, {user: menu}, {bot: never reached}]}")
    assert [(s.fits, s.text, s.line) for s in found.chat] == [
        ("yes", "hi", 17), ("missing", "Hello*", 17), ("extra", "Hi there!", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ("[{user: hi}]", [("extra", "bot", "Hi there!")]),
        ("[{user: hi}, {bot: Hi*}, {bot: More}]", [("missing", "bot", "More")]),
        ("[{user: person}, {bot: One*}]", [("extra", "handoff", "Asked for a person")]),
        ("[{user: {button: Menu}}]", [("unknown", "button", "Menu")]),
        ("[{user: hi}, {bot: Hi*}, {user: {button: Nope}}]", [("unknown", "button", "Nope")]),
    ],
)
def test_what_can_go_wrong(chat: str, expected: list[tuple[str, str, str]]) -> None:
    assert wrong(f"  - {{name: one, chat: {chat}}}") == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("Hi*", "Hi Ana", True), ("Hi", "Hi Ana", False), ("*", "", True), ("a*a", "a", False),
        ("a*b*c", "a-b-c", True),
        ("a*b*b", "a-b", False), ("*Ana*", "Hi Ana!", True), ("*مرحبا*", "قل مرحبا 🎂", True), ("a.c", "abc", False),
        ("*a" * 2000 + "b", "a" * 16_000, False),
    ],
)  # fmt: skip
def test_a_star_stands_for_anything(pattern: str, text: str, expected: bool) -> None:
    assert fits(pattern, text) is expected


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        ("  - {name: one, chat: [{bot: hi}]}", "begins with what the customer writes"),
        ("  - {name: one, at: 2026-02-30 10:00, chat: [{user: hi}]}", "a day and time, like"),
        ("  - {name: one, at: tomorrow, chat: [{user: hi}]}", "a day and time, like"),
        ("  - {name: one, chat: [{usr: hi}]}", "Did you mean “user”"),
        ("  - {name: one}", "Expected the key “chat”"),
    ],
)
def test_a_wrong_test_is_an_error_with_its_line(test: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence) as caught:
        parse(BOT + test)
    assert caught.value.problems[0].line == 17


# ---- time, quick messages, files ------------------------------------------------------------------------------------

LATER = """bot: Luna
hours: {zone: America/Sao_Paulo, mon-fri: "08:00-18:00"}
rules:
  - name: cake
    when: {says: cake}
    do:
      - tag: baker
      - say: One moment.
      - schedule: It is baked.
        after: 2h
      - wait: 3h
      - say: "Was it good at {{ now | date }}? {{ 'baker' in contact.tags }}"
  - name: who
    when: {says: who}
    do: [{say: "{{ 'baker' in contact.tags }} {{ contact.fields.city }}"}]
  - name: picture
    when: {says: picture}
    do:
      - ask: {text: "Your picture?", expect: media, save: picture}
      - ask: {text: "Where are you?", expect: location, save: place}
      - say: "{{ picture.kind }} {{ picture.caption }}, {{ place.name }}"
  - name: person
    when: {says: person}
    do: [{schedule: Still there?, after: 1h}, {handoff: Asked}]
fallback: {do: [{say: "{{ message.text | replace('\n', '+') }}?"}]}
"""


def later(chat: str, extra: str = "") -> list[tuple[str, str, str]]:
    text = f"{LATER}{extra}tests:\n  - {{name: one, at: 2026-09-21 23:30, chat: [{chat}]}}"
    (found,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    return [(spoken.fits, spoken.who, spoken.text) for spoken in found.wrong]


def test_time_passes_where_the_test_says_so_and_what_waits_for_it_happens() -> None:
    chat = "{user: cake}, {bot: One moment.}, {wait: 119m}, {wait: 1m}, {bot: It is baked.}, {user: who}, "
    assert later(chat + "{bot: true}, {wait: 1h}, {bot: 'Was it good at 2026-09-22? true'}, {wait: 1d}") == []
    assert later("{user: cake}, {bot: One*}, {wait: 3h}, {bot: It is baked.}") == [
        ("extra", "bot", "Was it good at 2026-09-22? true"),
    ]  # fmt: skip
    assert later("{user: cake}, {bot: One*}, {wait: 1h}, {bot: It is baked.}") == [("missing", "bot", "It is baked.")]


def test_nothing_comes_of_the_bot_once_a_person_has_the_conversation() -> None:
    assert later("{user: person}, {handoff: Asked}, {wait: 2h}, {user: cake}, {trigger: paid}") == []


def test_quick_messages_are_one_where_the_document_gathers_them() -> None:
    assert later("{user: [cheese, bread]}, {bot: 'cheese*bread?'}", "gather: 3s\n") == []
    assert later("{user: [cheese, bread]}, {bot: 'cheese?'}, {bot: 'bread?'}") == []


def test_the_customer_sends_files_and_places() -> None:
    chat = "{user: picture}, {bot: '*'}, {user: {media: image, caption: My cake}}, {bot: 'Where*'}, "
    assert later(chat + "{user: {location: Recife}}, {bot: 'image My cake, Recife'}") == []


def test_what_nobody_listens_to_says_nothing() -> None:
    assert later("{trigger: paid}, {user: cheese}, {bot: cheese?}") == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{wait: soon}", "Expected how long, like 10m"),
        ("{wait: 400d}", "Expected how long, like 10m"),
        ("{user: {media: painting}}", "“painting” is not known here"),
        ("{user: [one]}", "Expected 2 to 10 in this list"),
        ("{user: {buton: x}}", "button"),
    ],
)
def test_a_wrong_line_is_told(line: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        parse(f"{LATER}tests:\n  - {{name: one, chat: [{{user: hi}}, {line}]}}")


# ---- calls ----------------------------------------------------------------------------------------------------------

CALLS = """bot: Luna
rules:
  - name: stock
    when: {says: stock}
    do:
      - call: {get: "https://shop.example/stock?key={{ secret.shop }}&n={{ contact.name }}", map: {left: reply}}
        failed: {404: [{say: Nothing.}], timeout: [{say: Slow.}], else: [{handoff: "{{ call.status }}"}]}
      - if: left is defined
        then: [{say: "{{ left | join('+') }}"}]
  - name: order
    when: {says: order}
    do:
      - say: One moment.
      - call: {post: "https://shop.example/orders", json: {item: cake}, map: {number: reply.number, code: reply.code}}
        failed: [{handoff: Shop}]
      - say: "{{ number + 1 }} {{ code }}"
"""


def called(answers: str, chat: str) -> list[tuple[str, str, str]]:
    text = f"{CALLS}tests:\n  - {{name: one, calls: [{answers}], chat: [{chat}]}}"
    (found,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    return [(spoken.fits, spoken.who, spoken.text) for spoken in found.wrong]


STOCK = "get: 'https://shop.example/stock*'"
ORDER = "post: https://shop.example/orders"


def test_services_answer_what_the_test_says_and_the_flow_goes_on() -> None:
    assert called(f"{{{STOCK}, body: [bread, cake]}}", "{user: stock}, {bot: bread+cake}") == []
    answer = f"{{{ORDER}, status: 201, body: {{number: 16, code: '007'}}}}"
    assert called(answer, "{user: order}, {bot: One moment.}, {bot: 17 007}") == []


def test_a_failure_is_a_status_or_a_reason() -> None:
    assert called(f"{{{STOCK}, status: 404}}", "{user: stock}, {bot: Nothing.}") == []
    assert called(f"{{{STOCK}, error: timeout}}", "{user: stock}, {bot: Slow.}") == []
    assert called(f"{{{STOCK}, status: 500, body: oops}}", "{user: stock}, {handoff: '500'}") == []


def test_several_answers_are_given_in_their_order_the_last_again_and_again() -> None:
    answers = f"{{{STOCK}, body: [rye]}}, {{{STOCK}, error: timeout}}"
    assert called(answers, "{user: stock}, {bot: rye}, {user: stock}, {bot: Slow.}, {user: stock}, {bot: Slow.}") == []


def test_a_call_without_an_answer_fails_the_test_and_is_named_without_its_secrets() -> None:
    call = "GET https://shop.example/stock?key=*&n="
    assert called(f"{{{ORDER}}}", "{user: stock}") == [("extra", "call", call)]
    text = f"{CALLS}tests:\n  - {{name: one, chat: [{{user: stock}}, {{bot: bread}}]}}"
    (outcome,) = documents.test(text)
    assert str(documents.why(outcome)) == f"the bot calls {call}, and the test has no answer for it."


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("{status: 200}", "An answer is for one of get, post"),
        (f"{{{STOCK}, {ORDER}}}", "An answer is for one of get, post"),
        (f"{{{STOCK}, error: lost}}", "“lost” is not known here"),
        (f"{{{STOCK}, status: 200, error: timeout}}", "has no status and no body"),
    ],
)
def test_a_wrong_answer_is_told(answer: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        called(answer, "{user: stock}")


# ---- what no message begins -----------------------------------------------------------------------------------------

ASKED = """bot: Luna
rules:
  - name: shipped
    when: {trigger: {name: shipped, data: [number]}}
    do: [{say: "Order {{ number + 1 }} is on its way."}]
  - name: after
    when: {says: cake}
    do: [{say: Baked.}, {later: after, after: 2h, with: {what: cake}}]
  - name: quiet
    when: {inactivity: 10m}
    do: [{say: Still there?}]
  - name: gone
    when: {inactivity: 1h}
    do: [{say: Bye.}, {close: }]
fallback: {do: [{say: "Sorry?"}]}
flows:
  after: [{say: "Was the {{ what }} good?"}]
"""


def prompted(chat: str) -> list[tuple[str, str, str]]:
    text = f"{ASKED}tests:\n  - {{name: one, chat: [{chat}]}}"
    (found,) = run(compile_version(text), parse(text).tests, WHATSAPP)
    return [(spoken.fits, spoken.who, spoken.text) for spoken in found.wrong]


def test_a_program_asks_by_name_with_values() -> None:
    assert prompted("{trigger: shipped, with: {number: 16}}, {bot: Order 17 is on its way.}") == []
    assert prompted("{trigger: lost}, {trigger: 'flow:after', with: {what: [1]}}, {bot: 'Was the 1 good?'}") == []


def test_silence_is_heard_and_a_message_begins_it_anew() -> None:
    chat = "{user: hm}, {bot: Sorry?}, {wait: 9m}, {user: hm}, {bot: Sorry?}, {wait: 9m}, {wait: 1m}, {bot: Still*}, "
    assert prompted(chat + "{wait: 50m}, {bot: Bye.}, {wait: 1d}") == []


def test_a_flow_that_was_asked_for_later_begins_then_also_after_a_close() -> None:
    chat = "{user: cake}, {bot: Baked.}, {wait: 1h}, {bot: Still there?}, {bot: Bye.}, {wait: 1h}, "
    assert prompted(chat + "{bot: Was the cake good?}") == []
