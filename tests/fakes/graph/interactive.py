"""Interactive messages (contract 7.3), one table row a type."""

from typing import Any

from .shape import (
    MISSING,
    WRONG,
    Bad,
    Check,
    anything,
    at_least_one,
    by_type,
    exactly_one,
    items,
    one_of,
    record,
    text,
    unique,
    web_link,
    whole,
    without,
)

FILE = record({}, {"id": text(), "link": web_link}, exactly_one("id", "link"))
HEADERS: dict[str, Check] = {
    "text": record({"text": text(60)}),
    "image": record({"image": FILE}),
    "video": record({"video": FILE}),
    "document": record({"document": FILE}),
}
ANY_HEADER = by_type(HEADERS)
TEXT_HEADER = by_type({"text": HEADERS["text"]})
FOOTER = record({"text": text(60)})


def _kind(
    action: Check, *rules: Check, header: Check = ANY_HEADER, header_required: bool = False, body: int | None = 1024
) -> Check:
    """An interactive object. `body` is the most characters; None = the body may be left out."""
    required: dict[str, Check] = {"action": action}
    optional: dict[str, Check] = {"footer": FOOTER}
    (required if body else optional)["body"] = record({"text": text(body or 1024)})
    (required if header_required else optional)["header"] = header
    return record(required, optional, *rules)


def _named(name: str, required: dict[str, Check] | None = None, optional: dict[str, Check] | None = None) -> Check:
    """An action with its name and, where one of them is required, parameters."""
    parameters = record(required or {}, optional)
    more = {"parameters": parameters}
    return record({"name": one_of(name)} | (more if required else {}), {} if required else more)


def _no_outer_spaces(value: Any) -> None:
    text(256)(value)
    if value != value.strip():
        raise Bad(WRONG, "must not begin or end with a space")


def _rows(sections: Any) -> None:
    rows = [row for section in sections for row in section["rows"]]
    if len(rows) > 10:
        raise Bad(WRONG, "at most 10 rows in all sections together")
    unique("id")(rows)


def _titles(sections: Any) -> None:
    for index, section in enumerate(sections):
        if len(sections) > 1 and not section.get("title"):
            raise Bad(MISSING, "is required with more than one section", str(index), "title")


def _products(sections: Any) -> None:
    if sum(len(section["product_items"]) for section in sections) > 30:
        raise Bad(WRONG, "at most 30 products in all sections together")


def _two_breaks(value: Any) -> None:
    text(160)(value)
    if value.count("\n") > 2:
        raise Bad(WRONG, "at most 2 line breaks")


def _alike(cards: Any) -> None:
    """Cards share the kind of their headers and of their buttons."""
    if len({(card.get("header") or {}).get("type") for card in cards}) > 1:
        raise Bad(WRONG, "all headers must be of one kind")
    if len({(card["type"].lower(), "buttons" in card["action"]) for card in cards}) > 1:
        raise Bad(WRONG, "all buttons must be of one kind")


REPLY = record({"id": _no_outer_spaces, "title": text(20)})
BUTTON = record({"type": one_of("reply"), "reply": REPLY})
ROW = record({"id": text(200), "title": text(24)}, {"description": text(72, low=0)})
SECTION = record({"rows": items(ROW, 1, None)}, {"title": text(24)})
PRODUCTS = record({"title": text(24), "product_items": items(record({"product_retailer_id": text()}), 1, None)})
CTA = _named("cta_url", {"display_text": text(20), "url": web_link})
QUICK_REPLY = record({"type": one_of("quick_reply"), "quick_reply": record({"id": text(256), "title": text(20)})})


def _card_action(value: Any) -> None:
    if isinstance(value, dict) and "buttons" in value:
        record({"buttons": items(QUICK_REPLY, 1, 3, unique("quick_reply", "id"))})(value)
    else:
        CTA(value)


CARD = by_type(
    {
        "cta_url": record(
            {
                "card_index": whole(0, 9),
                "header": by_type({"image": HEADERS["image"], "video": HEADERS["video"]}),
                "action": _card_action,
            },
            {"body": record({"text": _two_breaks})},
        ),
        "product": record(
            {"card_index": whole(0, 9), "action": record({"product_retailer_id": text(), "catalog_id": text()})}
        ),
    }
)
CALL = {"display_text": text(20), "ttl_minutes": whole(1, 43_200), "payload": text(512)}
FLOW = record(
    {
        "name": one_of("flow"),
        "parameters": record(
            {"flow_message_version": one_of("3"), "flow_cta": text()},
            {
                "flow_id": text(),
                "flow_name": text(),
                "flow_token": text(),
                "mode": one_of("draft", "published"),
                "flow_action": one_of("navigate", "data_exchange"),
                "flow_action_payload": record({"screen": text()}, {"data": anything}),
            },
            at_least_one("flow_id", "flow_name"),
        ),
    }
)
PAYMENT = record({"name": text(), "parameters": record({"reference_id": text()})})

interactive = by_type(
    {
        "button": _kind(record({"buttons": items(BUTTON, 1, 3, unique("reply", "id"), unique("reply", "title"))})),
        "list": _kind(
            record({"button": text(20), "sections": items(SECTION, 1, 10, _titles, _rows)}),
            header=TEXT_HEADER,
            body=4096,
        ),
        "cta_url": _kind(CTA),
        "location_request_message": _kind(_named("send_location"), without("header", "footer")),
        "flow": _kind(FLOW),
        "product": _kind(record({"catalog_id": text(), "product_retailer_id": text()}), without("header"), body=None),
        "product_list": _kind(
            record({"catalog_id": text(), "sections": items(PRODUCTS, 1, 10, _products)}),
            header=TEXT_HEADER,
            header_required=True,
        ),
        "catalog_message": _kind(_named("catalog_message", optional={"thumbnail_product_retailer_id": text()})),
        "carousel": _kind(record({"cards": items(CARD, 2, 10, unique("card_index"), _alike)})),
        "voice_call": _kind(_named("voice_call", optional=CALL)),
        "call_permission_request": _kind(_named("call_permission_request")),
        "request_contact_info": _kind(_named("request_contact_info")),
        "address_message": _kind(_named("address_message", {"country": one_of("in")})),
        "order_details": _kind(PAYMENT),
        "order_status": _kind(PAYMENT),
    }
)
