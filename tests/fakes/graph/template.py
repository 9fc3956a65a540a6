"""The shape of a template message (contract 7.4), before anything is known about the template it names."""

import re
from typing import Any

from .shape import Bad, Check, anything, by_type, degrees, exactly_one, items, one_of, record, text, web_link, whole

FORMAT, COMPONENT = 132012, 132018
NAME = re.compile(r"[a-z0-9_]{1,512}")
UGLY = re.compile(r"[\n\t\r]| {5}")


def _name(value: Any) -> None:
    if type(value) is not str or not NAME.fullmatch(value):
        raise Bad(131009, "must be 1 to 512 of a-z, 0-9 and _")


def _value(value: Any) -> None:
    text()(value)
    if UGLY.search(value):
        raise Bad(COMPONENT, "must not hold line breaks, tabs or more than 4 spaces in a row")


FILE = record({}, {"id": text(), "link": web_link, "filename": text()}, exactly_one("id", "link"))
PLACE = record({"latitude": degrees(90), "longitude": degrees(180)}, {"name": text(), "address": text()})
PARAMETERS: dict[str, Check] = {
    "text": record({"text": _value}, {"parameter_name": text()}),
    "currency": record(
        {"currency": record({"fallback_value": text(), "code": text(), "amount_1000": whole(-(10**15), 10**15)})}
    ),
    "date_time": record({"date_time": record({"fallback_value": text()})}),
    "image": record({"image": FILE}),
    "video": record({"video": FILE}),
    "gif": record({"gif": FILE}),
    "document": record({"document": FILE}),
    "location": record({"location": PLACE}),
    "product": record({"product": record({"product_retailer_id": text()}, {"catalog_id": text()})}),
    "payload": record({"payload": text()}),
    "coupon_code": record({"coupon_code": text(20)}),
    "action": record({"action": record({})}),
    "ttl_minutes": record({"ttl_minutes": whole(1, 43_200)}),
    "limited_time_offer": record({"limited_time_offer": record({"expiration_time_ms": whole(0, None)})}),
    "order_status": record({"order_status": record({"reference_id": text(), "order": record({"status": text()})})}),
    "tap_target_configuration": record({"tap_target_configuration": items(record({"url": web_link}), 1, None)}),
}


def _parameters(*kinds: str, high: int | None = None) -> Check:
    return items(by_type({kind: PARAMETERS[kind] for kind in kinds}, unknown=FORMAT), 1, high)


# sub_type: the kinds of its parameters
BUTTONS: dict[str, tuple[str, ...]] = {
    "quick_reply": ("payload",),
    "url": ("text",),
    "copy_code": ("coupon_code",),
    "flow": ("action",),
    "catalog": ("action",),
    "mpm": ("action",),
    "order_details": ("action",),
    "voice_call": ("ttl_minutes", "payload"),
}


def _button(sub_type: str) -> Check:
    index: dict[str, Check] = {"index": whole(0, 9)}
    parameters = {"parameters": _parameters(*BUTTONS[sub_type])}
    # Flow and catalog buttons work without parameters, a call button without an index.
    if sub_type in ("flow", "catalog"):
        return record(index, parameters)
    return record(parameters, index) if sub_type == "voice_call" else record(index | parameters)


HEADER = record({"parameters": _parameters("text", "image", "video", "document", "gif", "location", "product", high=1)})
BODY = record({"parameters": _parameters("text", "currency", "date_time")})
BUTTON = by_type({sub_type: _button(sub_type) for sub_type in BUTTONS}, key="sub_type")
CARD = record(
    {
        "card_index": whole(0, 9),
        "components": items(by_type({"header": HEADER, "body": BODY, "button": BUTTON}), 1, None),
    }
)
COMPONENTS: dict[str, Check] = {
    "header": HEADER,
    "body": BODY,
    "button": BUTTON,
    "carousel": record({"cards": items(CARD, 1, 10)}),
    "limited_time_offer": record({"parameters": _parameters("limited_time_offer")}),
    "order_status": record({"parameters": _parameters("order_status")}),
    "tap_target_configuration": record({"parameters": _parameters("tap_target_configuration")}),
}

template = record(
    {"name": _name, "language": record({"code": text()}, {"policy": one_of("deterministic")})},
    {"components": items(by_type(COMPONENTS), 0, None), "category": anything},
)
