"""Every sample body: taken if the contract allows it, refused with its code if a required member is gone or a limit is
exceeded by one. What is required and what the limits are stands here, apart from the tables of the fake."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.samples import bodies, needs_samples

from .graph.config import Config, Settings
from .graph.server import Graph
from .graph.wire import Connection, Request

SAMPLES = bodies("send")
pytestmark = needs_samples
PHONE, BSUID = "+16505551234", "US.13491208655302741918"

# Documentation writes some values as placeholders. Where any text will do they stay, elsewhere they become this.
PLACEHOLDERS = {
    "<PHONE_NUMBER>": PHONE,
    "<WHATSAPP_USER_PHONE_NUMBER>": PHONE,
    "<WHATSAPP_USER_NUMBER>": PHONE,
    "<CUSTOMER_PHONE_NUMBER>": PHONE,
    "<PHONE_NUMBER_ID> or <WHATSAPP_ID>": PHONE,
    "<TO>": PHONE,
    "PHONE_NUMBER": PHONE,
    "YOUR_NUMBER": PHONE,
    "whatsapp-id": PHONE,
    "{{wa-user-phone-number}}": PHONE,
    "{\u200b{wa-user-phone-number}\u200b}": PHONE,
    "{\u200b{Recipient-Phone-Number}\u200b}": PHONE,
    "+91xxxxxxxxxx": "+919876543210",
    "91xxxxxxxxxx": "919876543210",
    "<BSUID>": BSUID,
    "<TEMPLATE_NAME>": "some_template",
    "<NAME>": "some_template",
    "{templateName}": "some_template",
    "<COUNTRY_ISO_CODE>": "IN",
    "<LOCATION_LATITUDE>": "37.44",
    "<LOCATION_LONGITUDE>": "-122.16",
    "<EMOJI>": "😀",
    "<TYPE>": "text",
    "<MESSAGE_HEADER_FORMAT>": "image",
    "<PIN_OPERATION>": "pin",
    "<EXPIRATION>": "7",
    "<BOOLEAN>": True,
    "http(s)://the-url": "https://example.com/picture",
    "<MEDIA_URL>": "https://example.com/video",
}

# Samples that `/messages` must refuse: (code, reason).
EXCEPTIONS = {
    "metadocs25__address_messages__02": (131009, "parameters is the words JSON Payload, not an object"),
    "metadocs26__audio_messages__02": (131009, "parameters is the words JSON Payload, not an object"),
    "metadocs25__video_messages__01": (131009, "id and link are alternatives, the sample shows both"),
    "metadocs26__calling__02": (131009, "id and link are alternatives, the sample shows both"),
    "metadocs26__enhanced_payment_links__01": (131008, "interactive is an empty object: no type"),
    "metadocs26__interactive_product_carousel_messages__02": (131009, "a carousel has 2 to 10 cards, not 1"),
    "metadocs26__measure_conversion__01": (131051, "the type itself is a placeholder"),
    "pywatest__test_api__02": (131008, "a template without its language"),
}


def filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {PLACEHOLDERS.get(key, key): filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    return PLACEHOLDERS.get(value, value) if isinstance(value, str) else value


BODIES: dict[str, dict[str, Any]] = {
    path.stem: filled(json.loads(path.read_text(encoding="utf-8"))) for path in SAMPLES
}
ACCEPTED = [name for name in BODIES if name not in EXCEPTIONS]


GRAPH = Graph(Config(settings=Settings(statuses=False, throughput=0, pair_every=0, keep=10)))


def outcome(body: Any, *, known: str = "") -> tuple[int, int, dict[str, Any]]:
    """HTTP status, Graph code (0 if accepted) and body of the answer. `known` is the one message id that exists."""
    graph = GRAPH
    graph.world.known.clear()
    if known:
        graph.world.note(known, "text")
    number = graph.world.numbers["106540352242922"]
    headers = {b"authorization": f"Bearer {number.token}".encode(), b"content-type": b"application/json"}
    target = f"/v25.0/{number.phone_number_id}/messages".encode()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    nobody = cast(Connection, None)  # only faults look at the connection
    reply = graph.serve(Request(nobody, b"POST", target, headers, raw, True))
    assert isinstance(reply, bytes)
    head, _, rest = reply.partition(b"\r\n\r\n")
    found = json.loads(rest)
    return int(head.split()[1]), found.get("error", {}).get("code", 0), found


def is_read(body: dict[str, Any]) -> bool:
    return body.get("status") == "read"


def code_of(body: dict[str, Any]) -> int:
    return outcome(body, known=body.get("message_id", "") if is_read(body) else "")[1]


def test_there_are_samples_and_every_exception_names_one() -> None:
    assert len(SAMPLES) > 100
    assert set(EXCEPTIONS) <= set(BODIES)


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_body_that_the_contract_allows_is_accepted(name: str) -> None:
    body = BODIES[name]
    status, code, answer = outcome(body, known=body["message_id"] if is_read(body) else "")
    assert (status, code) == (200, 0), answer
    if is_read(body):
        assert answer == {"success": True}
        return
    (contact,), (message,) = answer["contacts"], answer["messages"]
    assert contact["input"] == body.get("to", body.get("recipient"))
    assert ("wa_id" in contact, "user_id" in contact) == ("to" in body, "to" not in body)
    assert message["id"].startswith("wamid.")
    assert ("message_status" in message) == (body["type"] == "template")
    assert ("group_id" in message) == (body.get("recipient_type") == "group")


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_a_sample_that_the_contract_does_not_allow_is_refused(name: str) -> None:
    assert outcome(BODIES[name])[1] == EXCEPTIONS[name][0]


@pytest.mark.parametrize("name", [name for name, body in BODIES.items() if is_read(body)])
def test_marking_an_unknown_message_read_is_refused(name: str) -> None:
    assert outcome(BODIES[name])[:2] == (400, 131009)


def test_a_placeholder_is_no_phone_number() -> None:
    body = {"messaging_product": "whatsapp", "to": "<PHONE_NUMBER>", "type": "text", "text": {"body": "Hi"}}
    assert outcome(body)[1] == 131009


# --- required members: path, code; `*` is every element of a list. Only what a body has is taken from it.

ACTION = "interactive.action"
PARTS = ("template.components.*", "template.components.*.cards.*.components.*")
REQUIRED: list[tuple[str, int]] = [
    ("messaging_product", 100),
    ("message_id", 131008),
    ("typing_indicator.type", 131008),
    ("context.message_id", 131008),
    ("text.body", 131008),
    ("location.latitude", 131008),
    ("location.longitude", 131008),
    ("contacts.*.name", 131008),
    ("contacts.*.name.formatted_name", 131008),
    ("reaction.message_id", 131008),
    ("reaction.emoji", 131008),
    ("pin.type", 131008),
    ("pin.message_id", 131008),
    ("pin.expiration_days", 131008),
    ("interactive.type", 131008),
    ("interactive.action", 131008),
    ("interactive.body.text", 131008),
    ("interactive.footer.text", 131008),
    ("interactive.header.type", 131008),
    ("interactive.header.text", 131008),
    ("interactive.header.image", 131008),
    ("interactive.header.video", 131008),
    ("interactive.header.document", 131008),
    (f"{ACTION}.name", 131008),
    (f"{ACTION}.button", 131008),
    (f"{ACTION}.buttons", 131008),
    (f"{ACTION}.buttons.*.type", 131008),
    (f"{ACTION}.buttons.*.reply", 131008),
    (f"{ACTION}.buttons.*.reply.id", 131008),
    (f"{ACTION}.buttons.*.reply.title", 131008),
    (f"{ACTION}.sections", 131008),
    (f"{ACTION}.sections.*.rows", 131008),
    (f"{ACTION}.sections.*.rows.*.id", 131008),
    (f"{ACTION}.sections.*.rows.*.title", 131008),
    (f"{ACTION}.parameters.url", 131008),
    (f"{ACTION}.parameters.country", 131008),
    (f"{ACTION}.parameters.flow_message_version", 131008),
    (f"{ACTION}.parameters.flow_cta", 131008),
    (f"{ACTION}.parameters.flow_action_payload.screen", 131008),
    (f"{ACTION}.catalog_id", 131008),
    (f"{ACTION}.product_retailer_id", 131008),
    (f"{ACTION}.cards", 131008),
    (f"{ACTION}.cards.*.type", 131008),
    (f"{ACTION}.cards.*.card_index", 131008),
    (f"{ACTION}.cards.*.action", 131008),
    (f"{ACTION}.cards.*.header", 131008),
    (f"{ACTION}.cards.*.action.name", 131008),
    (f"{ACTION}.cards.*.action.parameters", 131008),
    (f"{ACTION}.cards.*.action.parameters.url", 131008),
    (f"{ACTION}.cards.*.action.parameters.display_text", 131008),
    (f"{ACTION}.cards.*.action.product_retailer_id", 131008),
    (f"{ACTION}.cards.*.action.catalog_id", 131008),
    (f"{ACTION}.cards.*.action.buttons.*.quick_reply.id", 131008),
    (f"{ACTION}.cards.*.action.buttons.*.quick_reply.title", 131008),
    ("template.name", 131008),
    ("template.language", 131008),
    ("template.language.code", 131008),
    ("template.components.*.cards", 131008),
    ("template.components.*.cards.*.card_index", 131008),
    ("template.components.*.cards.*.components", 131008),
    *((f"{part}.{name}", 131008) for part in PARTS for name in ("type", "sub_type", "parameters.*.type")),
    *(
        (f"{part}.parameters.*.{name}", 131008)
        for part in PARTS
        for name in (
            "text",
            "currency",
            "currency.code",
            "currency.fallback_value",
            "currency.amount_1000",
            "date_time",
            "date_time.fallback_value",
            "image",
            "video",
            "document",
            "location",
            "location.latitude",
            "location.longitude",
            "product",
            "product.product_retailer_id",
            "payload",
            "coupon_code",
            "action",
            "ttl_minutes",
            "limited_time_offer",
            "limited_time_offer.expiration_time_ms",
            "order_status",
        )
    ),
]


def places(value: Any, steps: list[str], before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the path leads in this body."""
    if not steps:
        yield before
        return
    first, *rest = steps
    if first == "*" and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, rest, (*before, index))
    elif isinstance(value, dict) and value.get(first) is not None:
        yield from places(value[first], rest, (*before, first))


def changed(body: dict[str, Any], place: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    """A copy on which `change(parent, key)` was done."""
    fresh = copy.deepcopy(body)
    parent: Any = fresh
    for step in place[:-1]:
        parent = parent[step]
    change(parent, place[-1])
    return fresh


def remove(parent: Any, key: Any) -> None:
    del parent[key]


def required_in(body: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], int]]:
    for path, code in REQUIRED:
        for place in places(body, path.split(".")):
            yield place, code
    if not is_read(body):
        if ("to" in body) != ("recipient" in body):
            yield ("to" if "to" in body else "recipient",), 100
        yield (body["type"],), 131008
        if body["type"] != "text":
            yield ("type",), 131008  # without one it is text, and there is no text
        content = body[body["type"]]
        if isinstance(content, dict) and ("id" in content or "link" in content):
            yield (body["type"], "id" if "id" in content else "link"), 131008
    inner = body.get("interactive", {})
    if inner and inner["type"].lower() != "product":
        yield ("interactive", "body"), 131008
    if inner.get("type") == "cta_url":
        yield ("interactive", "action", "parameters", "display_text"), 131008
    for part in PARTS:
        for place in places(body, [*part.split("."), "sub_type"]):
            yield from button_members(body, place[:-1])


def button_members(body: dict[str, Any], place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    button: Any = body
    for step in place:
        button = button[step]
    sub_type = button["sub_type"].lower()
    if sub_type != "voice_call":
        yield (*place, "index"), 131008
    if sub_type not in ("catalog", "flow"):
        yield (*place, "parameters"), 131008


@pytest.mark.parametrize("name", ACCEPTED)
def test_without_a_required_member_it_is_refused(name: str) -> None:
    body = BODIES[name]
    cases = [(place, code, code_of(changed(body, place, remove))) for place, code in required_in(body)]
    assert cases
    assert [case for case in cases if case[1] != case[2]] == []


@pytest.mark.parametrize("name", ACCEPTED)
def test_null_counts_as_missing(name: str) -> None:
    body = BODIES[name]

    def nullify(parent: Any, key: Any) -> None:
        parent[key] = None

    wrong = [(place, code) for place, code in required_in(body) if code_of(changed(body, place, nullify)) != code]
    assert [case for case in wrong if case[0] != ("type",)] == []


# --- limits: path, how to reach it, the limit. At the limit the body is taken, one beyond it is refused.

Make = Callable[[Any, int], Any]


def characters(value: Any, size: int) -> str:
    return "x" * size


def smileys(value: Any, size: int) -> str:
    """Characters, not bytes and not UTF-16 units."""
    return "😀" * size


def address(value: Any, size: int) -> str:
    return "https://example.com/".ljust(size, "x")


def replies(value: Any, size: int) -> list[Any]:
    return [{"type": "reply", "reply": {"id": f"id-{n}", "title": f"Title {n}"}} for n in range(size)]


def rows(value: Any, size: int) -> list[Any]:
    return [{"rows": [{"id": f"id-{n}", "title": "Same title"} for n in range(size)]}]


def sections(value: Any, size: int) -> list[Any]:
    return [{"title": "Section", "rows": [{"id": f"id-{n}", "title": "Row"}]} for n in range(size)]


def clones(value: Any, size: int) -> list[Any]:
    return [copy.deepcopy(value[0]) for _ in range(size)]


def cards(value: Any, size: int) -> list[Any]:
    return [value[0] | {"card_index": n} for n in range(size)]


def number(value: Any, size: int) -> int:
    return size


def in_text(value: Any, size: int) -> str:
    return str(size)


CARD = f"{ACTION}.cards.*"
LIMITS: list[tuple[str, Make, int]] = [
    ("text.body", characters, 4096),
    ("text.body", smileys, 4096),
    *((f"{kind}.caption", characters, 1024) for kind in ("image", "video", "document")),
    ("biz_opaque_callback_data", characters, 512),
    ("contacts", clones, 257),
    ("location.latitude", in_text, 90),
    ("location.longitude", in_text, 180),
    ("pin.expiration_days", number, 30),
    ("interactive.header.text", characters, 60),
    ("interactive.footer.text", characters, 60),
    (f"{ACTION}.buttons", replies, 3),
    (f"{ACTION}.buttons.*.reply.title", characters, 20),
    (f"{ACTION}.buttons.*.reply.id", characters, 256),
    (f"{ACTION}.button", characters, 20),
    (f"{ACTION}.sections.*.rows.*.id", characters, 200),
    (f"{ACTION}.sections.*.rows.*.title", characters, 24),
    (f"{ACTION}.sections.*.rows.*.description", characters, 72),
    (f"{ACTION}.cards", cards, 10),
    (f"{CARD}.card_index", number, 9),
    (f"{CARD}.body.text", characters, 160),
    (f"{CARD}.action.parameters.display_text", characters, 20),
    (f"{CARD}.action.buttons.*.quick_reply.title", characters, 20),
    (f"{ACTION}.parameters.ttl_minutes", number, 43_200),
    ("template.name", characters, 512),
    ("template.components.*.index", number, 9),
    ("template.components.*.index", in_text, 9),
    ("template.components.*.parameters.*.ttl_minutes", number, 43_200),
]


def limits_in(body: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], Make, int]]:
    for path, make, most in LIMITS:
        for place in places(body, path.split(".")):
            yield place, make, most
    inner = body.get("interactive", {})
    kind = inner.get("type", "").lower()
    if inner.get("body"):
        yield ("interactive", "body", "text"), characters, 4096 if kind == "list" else 1024
    if kind == "list":
        yield ("interactive", "action", "sections"), rows, 10
        yield ("interactive", "action", "sections"), sections, 10
        for place in places(body, f"{ACTION}.sections.*.title".split(".")):
            yield place, characters, 24
    if kind in ("cta_url", "voice_call"):
        yield ("interactive", "action", "parameters", "display_text"), characters, 20


def put(make: Make, size: int) -> Callable[[Any, Any], None]:
    def change(parent: Any, key: Any) -> None:
        parent[key] = make(parent.get(key), size)

    return change


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_limit_may_be_reached_but_not_exceeded(name: str) -> None:
    body = BODIES[name]
    if not is_read(body):
        body = body | {"biz_opaque_callback_data": "x"}
    found = [
        (
            place,
            most,
            code_of(changed(body, place, put(make, most))),
            code_of(changed(body, place, put(make, most + 1))),
        )
        for place, make, most in limits_in(body)
    ]
    # A card's index must stay unique: reaching the limit on two cards is tried on one at a time.
    assert [case for case in found if case[2:] != (0, 131009)] == []


LIST = {
    "messaging_product": "whatsapp",
    "to": PHONE,
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "Choose"},
        "action": {"button": "Show", "sections": [{"rows": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]}]},
    },
}


def with_action(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return LIST | {"interactive": {"type": kind, "body": {"text": "Choose"}, "action": action, **more}}


def product_list(counts: list[int]) -> dict[str, Any]:
    made = [
        {"title": "T", "product_items": [{"product_retailer_id": f"{s}-{n}"} for n in range(count)]}
        for s, count in enumerate(counts)
    ]
    header = {"type": "text", "text": "Products"}
    return with_action("product_list", {"catalog_id": "1", "sections": made}, header=header)


def without(body: dict[str, Any], *place: Any) -> dict[str, Any]:
    return changed(body, place, remove)


TEXT = {"messaging_product": "whatsapp", "to": PHONE, "type": "text", "text": {"body": "Hi"}}
TWO = replies(None, 2)
RULES: list[tuple[str, dict[str, Any], int]] = [
    ("30 products", product_list([15, 15]), 0),
    ("31 products", product_list([15, 16]), 131009),
    ("10 product sections", product_list([1] * 10), 0),
    ("11 product sections", product_list([1] * 11), 131009),
    ("product list without header", without(product_list([1]), "interactive", "header"), 131008),
    ("rows with one id", with_action("list", {"button": "b", "sections": sections(0, 1) + sections(0, 1)}), 131009),
    ("two sections, no title", with_action("list", {"button": "b", "sections": rows(0, 1) + sections(0, 2)}), 131008),
    (
        "list with picture header",
        with_action(
            "list",
            {"button": "b", "sections": sections(0, 1)},
            header={"type": "image", "image": {"id": "1"}},
        ),
        131009,
    ),
    ("no buttons", with_action("button", {"buttons": []}), 131009),
    (
        "same title",
        with_action("button", {"buttons": [TWO[0], {**TWO[1], "reply": {"id": "z", "title": "Title 0"}}]}),
        131009,
    ),
    (
        "same id",
        with_action("button", {"buttons": [TWO[0], {**TWO[1], "reply": {"id": "id-0", "title": "Z"}}]}),
        131009,
    ),
    (
        "id with spaces",
        with_action("button", {"buttons": [{"type": "reply", "reply": {"id": " a", "title": "Z"}}]}),
        131009,
    ),
    (
        "location request with footer",
        with_action("location_request_message", {"name": "send_location"}, footer={"text": "f"}),
        131009,
    ),
    ("unknown interactive", with_action("poll", {"name": "poll"}), 131009),
    ("empty text", TEXT | {"text": {"body": ""}}, 131009),
    ("unknown type", TEXT | {"type": "poll", "poll": {}}, 131051),
    ("type left out means text", without(TEXT, "type"), 0),
    ("body not for the type", TEXT | {"type": "image"}, 131008),
    ("wrong product", TEXT | {"messaging_product": "telegram"}, 100),
    ("wrong recipient type", TEXT | {"recipient_type": "business_scoped_user_id"}, 100),
    ("to with punctuation", TEXT | {"to": "+1 (650) 555-1234"}, 0),
    ("to with 15 digits", TEXT | {"to": "1" * 15}, 0),
    ("to with 16 digits", TEXT | {"to": "1" * 16}, 131009),
    ("to is a number", TEXT | {"to": 16505551234}, 131009),
    ("recipient is a phone", without(TEXT, "to") | {"recipient": PHONE}, 131009),
    ("both: to wins", TEXT | {"recipient": "nonsense"}, 0),
    ("sender is recipient", TEXT | {"to": "+1 555 078 3881"}, 131021),
    ("audio with caption", TEXT | {"type": "audio", "audio": {"id": "1", "caption": "c"}}, 100),
    ("id and link", TEXT | {"type": "image", "image": {"id": "1", "link": "https://example.com"}}, 131009),
    ("link of another kind", TEXT | {"type": "image", "image": {"link": "ftp://example.com"}}, 131009),
    ("reaction removed", TEXT | {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": ""}}, 0),
    ("reaction in letters", TEXT | {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "ok"}}, 131009),
    (
        "reaction that quotes",
        TEXT
        | {
            "type": "reaction",
            "reaction": {"message_id": "wamid.x", "emoji": "😀"},
            "context": {"message_id": "wamid.x"},
        },
        131009,
    ),
    ("pin outside a group", TEXT | {"type": "pin", "pin": {"type": "unpin", "message_id": "wamid.x"}}, 131051),
    ("list in a group", LIST | {"recipient_type": "group"}, 131051),
    (
        "template name in capitals",
        TEXT | {"type": "template", "template": {"name": "Big", "language": {"code": "en"}}},
        131009,
    ),
]


@pytest.mark.parametrize(
    ("body", "code"), [case[1:] for case in RULES], ids=[re.sub(r"\W+", "_", case[0]) for case in RULES]
)
def test_a_rule_of_the_contract(body: dict[str, Any], code: int) -> None:
    assert outcome(body)[1] == code


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"text"', b"\xff", b"[" * 5000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    assert outcome(raw)[:2] == (400, 100)


def test_an_error_has_the_shape_of_graph() -> None:
    status, _, answer = outcome(TEXT | {"text": {"body": "x" * 4097}})
    error = answer["error"]
    assert status == 400
    assert error["message"].startswith("(#131009)") and error["type"] == "OAuthException"
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["error_data"]["details"].startswith("text.body:")
    assert error["fbtrace_id"]
