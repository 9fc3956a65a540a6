"""Templates without a network: what is read, filled in, sent and refused."""

import json
from typing import Any

import pytest

from app.connectors.account import Draft
from app.connectors.whatsapp_cloud.template_rules import check
from app.routes import template_form
from app.template import Parts, filled, read, reading, sending, slots, values, wrong
from app.template_fit import mismatch, unusable

SALE: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}},
    {"type": "BODY", "text": "Hi {{name}}, {{share}} off this week.", "example": {"body_text_named_params": [
        {"param_name": "name", "example": "Ana"}, {"param_name": "share", "example": "20 %"}]}},
    {"type": "FOOTER", "text": "Reply STOP to end"},
    {"type": "BUTTONS", "buttons": [
        {"type": "URL", "text": "Shop", "url": "https://x.example/s/{{1}}", "example": ["https://x.example/s/sale"]},
        {"type": "COPY_CODE", "example": "SPRING20"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+5511999990000"},
        {"type": "FLOW", "text": "Rate us", "flow_id": "1"}, {"type": "QUICK_REPLY", "text": "Stop"}]},
]  # fmt: skip
VALUES = {
    "header": "https://x.example/a.jpg", "body.name": "Ana 🌵", "body.share": "٢٠٪", "button.0": "sale?x=1",
    "button.1": "SPRING20",
}  # fmt: skip


def test_what_has_to_be_filled_in_is_found_with_its_examples() -> None:
    parts = read(SALE, named=True)
    assert [(slot.key, slot.kind, slot.example) for slot in slots(parts)] == [
        ("header", "file", ""), ("body.name", "text", "Ana"), ("body.share", "text", "20 %"),
        ("button.0", "text", "sale"), ("button.1", "text", "SPRING20"),
    ]  # fmt: skip
    assert wrong(parts, {}).keys() == {slot.key for slot in slots(parts)} and not wrong(parts, VALUES)
    shown = filled(parts, VALUES)
    assert shown.body == "Hi Ana 🌵, ٢٠٪ off this week." and shown.buttons[0].target == "https://x.example/s/sale?x=1"


def test_the_message_has_the_form_of_the_contract_and_fits_its_own_template() -> None:
    parts = read(SALE, named=True)
    made = sending(parts, VALUES)
    assert mismatch(parts, made) is None
    assert made[0] == {
        "type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.example/a.jpg"}}]
    }  # fmt: skip
    assert made[1]["parameters"][0] == {"type": "text", "parameter_name": "name", "text": "Ana 🌵"}
    assert [(one["sub_type"], one["index"]) for one in made[2:]] == [("url", "0"), ("copy_code", "1"), ("flow", "3")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("body.name", "a\nb"),
        ("body.name", "a     b"),
        ("body.name", "x" * 1100),
        ("button.1", "x" * 21),
        ("header", " "),
    ],
)
def test_values_that_whatsapp_would_refuse_are_named(key: str, value: str) -> None:
    assert list(wrong(read(SALE, named=True), VALUES | {key: value})) == [key]


def test_a_place_needs_degrees() -> None:
    parts = read([{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "Here."}])
    values = {"header.latitude": "91", "header.longitude": "-46.6", "header.name": "Shop", "header.address": "Street 1"}
    assert list(wrong(parts, values)) == ["header.latitude"]
    place = sending(parts, values | {"header.latitude": "-23.5"})[0]["parameters"][0]["location"]
    assert place == {"latitude": "-23.5", "longitude": "-46.6", "name": "Shop", "address": "Street 1"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: made[1]["parameters"].pop(), "2 values, and 1 are given"),
        (lambda made: made[1]["parameters"][0].update(parameter_name="x"), "are named name, share"),
        (lambda made: made.pop(0), "header needs a value of type image"),
        (lambda made: made.pop(2), "button “Shop” needs a value"),
        (lambda made: made[2].update(index="9"), "needs a value"),
    ],
)
def test_a_message_that_does_not_fit_is_told_why(change: Any, says: str) -> None:
    parts = read(SALE, named=True)
    made = json.loads(json.dumps(sending(parts, VALUES)))
    change(made)
    assert says in str(mismatch(parts, made))


CARDS = [
    {"type": "BODY", "text": "New for {{1}}.", "example": {"body_text": [["Ana"]]}},
    {"type": "CAROUSEL", "cards": [
        {"components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}},
            {"type": "BODY", "text": f"{name} from {{{{1}}}}", "example": {"body_text": [["3 €"]]}},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Order"}, {"type": "URL", "text": "Look", "url": "https://x.example/{{1}}",
                                                           "example": ["https://x.example/a"]}]},
            {"type": "CAROUSEL", "cards": []}]}
        for name in ("Bread", "Cake")]},
]  # fmt: skip
ON_CARDS = {"body.1": "Ana"} | {
    f"card.{at}.{key}": value
    for at in (0, 1)
    for key, value in (("header", "https://x.example/a.jpg"), ("body.1", f"{at} €"), ("button.1", "b"))
}


def test_each_card_of_a_carousel_is_filled_in() -> None:
    parts = read(CARDS)
    assert [(slot.key, slot.example) for slot in slots(parts)][:4] == [
        ("body.1", "Ana"), ("card.0.header", ""), ("card.0.body.1", "3 €"), ("card.0.button.1", "a"),
    ]  # fmt: skip
    made = sending(parts, ON_CARDS)
    assert mismatch(parts, made) is None and wrong(parts, ON_CARDS) == {}
    cards = made[1]["cards"]
    assert [card["card_index"] for card in cards] == [0, 1]
    assert cards[1]["components"][1] == {"type": "body", "parameters": [{"type": "text", "text": "1 €"}]}
    assert reading(filled(parts, values(parts, made))) == "New for Ana.\n\nBread from 0 €\n\nCake from 1 €"


def test_what_is_wrong_on_a_card_is_told_with_its_number() -> None:
    parts = read(CARDS)
    assert list(wrong(parts, ON_CARDS | {"card.1.header": ""})) == ["card.1.header"]
    assert "card.1.body.1" in wrong(parts, ON_CARDS | {"card.1.body.1": "x" * 160})
    made = json.loads(json.dumps(sending(parts, ON_CARDS)))
    assert "0 are given" in str(mismatch(parts, made[:1]))
    del made[1]["cards"][1]["components"][0]
    assert str(mismatch(parts, made)).startswith("Card 2: Its header needs")


def test_only_an_approved_template_can_be_sent() -> None:
    assert unusable("APPROVED") is None and "paused" in str(unusable("PAUSED")) and unusable("NEW_WORD") is not None


def body(text: str, *examples: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text} | ({"example": {"body_text": [list(examples)]}} if examples else {})


def press(**button: Any) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": [button]}


GOOD = body("Your order {{1}} is ready now.", "7")
REFUSED: list[tuple[str, list[dict[str, Any]], str]] = [
    ("no text", [], "body"),
    ("a long text", [body("x" * 1025)], "body"),
    ("a variable at the end", [body("We have your order {{1}}", "7")], "body"),
    ("a gap", [body("Order {{2}} is ready for you.", "7")], "body"),
    ("no example", [body("Order {{1}} is ready for you.")], "body"),
    ("few words", [body("Hi {{1}} {{2}}.", "a", "b")], "body"),
    ("a brace too many", [body("Order {{1}} is {{ready}.", "7")], "body"),
    ("a long header", [GOOD, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}], "header"),
    ("a picture without an example", [GOOD, {"type": "HEADER", "format": "IMAGE"}], "header"),
    ("a variable in the footer", [GOOD, {"type": "FOOTER", "text": "{{1}}"}], "footer"),
    ("a long label", [GOOD, press(type="QUICK_REPLY", text="x" * 26)], "button.0"),
    ("an address that is none", [GOOD, press(type="URL", text="Go", url="shop")], "button.0"),
    ("a variable within an address", [GOOD, press(type="URL", text="Go", url="https://x.y/{{1}}/a")], "button.0"),
    ("a number that is none", [GOOD, press(type="PHONE_NUMBER", text="Call", phone_number="call me")], "button.0"),
    ("a code that is too long", [GOOD, press(type="COPY_CODE", example="x" * 21)], "button.0"),
    ("eleven buttons", [GOOD, {"type": "BUTTONS", "buttons": [
        {"type": "QUICK_REPLY", "text": f"b{n}"} for n in range(11)]}], "buttons"),
    ("quick replies apart", [GOOD, {"type": "BUTTONS", "buttons": [
        {"type": "QUICK_REPLY", "text": "a"}, {"type": "FLOW", "text": "b", "flow_id": "1"},
        {"type": "QUICK_REPLY", "text": "c"}]}], "buttons"),
]  # fmt: skip


@pytest.mark.parametrize(("components", "part"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_a_definition_that_meta_would_refuse_is_named_by_its_part(components: list[dict[str, Any]], part: str) -> None:
    assert list(check(Draft("a_b", "pt_BR", "UTILITY", tuple(components)))) == [part]


def test_a_form_gives_the_definition_back_that_it_was_made_of() -> None:
    given = Draft("sale", "en", "MARKETING", tuple(SALE), named=True)
    fields = template_form.shown(given, read(SALE, named=True))
    assert not check(given)
    assert read(template_form.draft(fields).components, named=True) == read(SALE, named=True)


def test_no_json_breaks_the_reader() -> None:
    for odd in ([None], [{"type": 3}], [{"type": "BODY", "example": []}], [{"type": "BUTTONS", "buttons": {}}]):
        assert isinstance(read(odd), Parts)
