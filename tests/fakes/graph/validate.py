"""What `/messages` takes, as tables (contract 7.1, 7.2): the common body, then one check per type.

The order of refusals is that of the contract: product, recipient, type, content.
"""

import re
from typing import Any

from .errors import GraphError
from .interactive import interactive
from .people import BSUID
from .shape import (
    MISSING,
    WRONG,
    Bad,
    Check,
    anything,
    by_type,
    degrees,
    exactly_one,
    flag,
    items,
    one_of,
    record,
    text,
    web_link,
    whole,
)
from .template import template

PLAIN_PHONE = re.compile(r"\+?\d{1,15}", re.ASCII)
PHONE = re.compile(r"\+?[\d\s\-()]+", re.ASCII)
GROUP_TYPES = {"text", "image", "video", "audio", "document", "sticker", "template", "pin"}

FILE: dict[str, Check] = {"id": text(), "link": web_link}
CAPTION: dict[str, Check] = {"caption": text(1024, low=0)}
ONE_FILE = exactly_one("id", "link")


def _emoji(value: Any) -> None:
    """An empty one removes the reaction."""
    if type(value) is not str or (value and (value.isascii() or len(value) > 32)):
        raise Bad(WRONG, "must be one emoji")


NAME = record({"formatted_name": text()})
CARD = record(
    {"name": NAME},
    {
        "phones": items(record({}, {"phone": text(), "wa_id": text(), "type": text()}), 0, None),
        "emails": items(record({}, {"email": text(), "type": text()}), 0, None),
        "urls": items(record({}, {"url": text(), "type": text()}), 0, None),
        "addresses": items(record({}), 0, None),
        "org": record({}),
        "birthday": text(),
    },
)

TYPES: dict[str, Check] = {
    "text": record({"body": text(4096)}, {"preview_url": flag}, closed=True),
    "image": record({}, FILE | CAPTION, ONE_FILE, closed=True),
    "video": record({}, FILE | CAPTION, ONE_FILE, closed=True),
    "audio": record({}, FILE | {"voice": flag}, ONE_FILE, closed=True),
    "document": record({}, FILE | CAPTION | {"filename": text()}, ONE_FILE, closed=True),
    "sticker": record({}, FILE, ONE_FILE, closed=True),
    "location": record(
        {"latitude": degrees(90), "longitude": degrees(180)}, {"name": text(), "address": text()}, closed=True
    ),
    "contacts": items(CARD, 1, 257),
    "reaction": record({"message_id": text(), "emoji": _emoji}, closed=True),
    "interactive": interactive,
    "template": template,
    "pin": by_type(
        {
            "pin": record({"message_id": text(), "expiration_days": whole(1, 30)}),
            "unpin": record({"message_id": text()}),
        }
    ),
}

CONTEXT = record({"message_id": text()})
OPAQUE = text(512, low=0)
READ = record({"status": one_of("read"), "message_id": text()}, {"typing_indicator": record({"type": one_of("text")})})
COMMON: dict[str, Check] = {
    "context": CONTEXT,
    "biz_opaque_callback_data": OPAQUE,
    "recipient_identity_key_hash": text(),
    "messaging_account_id": text(),
    "message_activity_sharing": flag,
    "bid_spec": anything,
}


def kind_of(body: Any) -> str:
    """The type of a good body, or `read`. Raises `GraphError` for any other."""
    if type(body) is not dict:
        raise GraphError(100, "the body must be a JSON object")
    _product(body)
    try:
        if "status" in body and "type" not in body:
            READ(body)
            return "read"
        _recipient(body)
        return _content(body)
    except Bad as bad:
        raise GraphError(bad.code, bad.details) from None


def _product(body: dict[str, Any]) -> None:
    product = body.get("messaging_product")
    if product is None:
        raise GraphError(100, message="(#100) The parameter messaging_product is required.")
    if product != "whatsapp" and (type(product) is not str or product.lower() != "whatsapp"):
        raise GraphError(100, "messaging_product must be whatsapp")


def _recipient(body: dict[str, Any]) -> None:
    to, recipient, kind = body.get("to"), body.get("recipient"), body.get("recipient_type", "individual")
    if kind not in ("individual", "group"):
        raise Bad(100, "must be individual or group", "recipient_type")
    if to is None and recipient is None:
        raise GraphError(100, message="(#100) The parameter to is required.")
    if to is not None:
        if type(to) is not str or not to:
            raise Bad(WRONG, "must be a non-empty string", "to")
        if kind == "individual" and not (_is_phone(to) or BSUID.fullmatch(to)):
            raise Bad(WRONG, "must be a phone number", "to")
    elif type(recipient) is not str or not BSUID.fullmatch(recipient):
        raise Bad(WRONG, "must be a business-scoped user id", "recipient")


def _is_phone(to: str) -> bool:
    if PLAIN_PHONE.fullmatch(to):
        return True
    return PHONE.fullmatch(to) is not None and 1 <= sum(sign.isdigit() for sign in to) <= 15


def _content(body: dict[str, Any]) -> str:
    name = body.get("type", "text")
    kind = name.lower() if type(name) is str else ""
    check = TYPES.get(kind)
    group = body.get("recipient_type") == "group"
    if check is None or (group and kind not in GROUP_TYPES) or (kind == "pin" and not group):
        raise Bad(131051, f"one of {', '.join(TYPES)}", "type")
    content = body.get(kind)
    if content is None:
        raise Bad(MISSING, f"is required for type {kind}", kind)
    try:
        check(content)
    except Bad as bad:
        bad.path.insert(0, kind)
        raise
    for member, value in body.items():
        if member in COMMON and value is not None:
            try:
                COMMON[member](value)
            except Bad as bad:
                bad.path.insert(0, member)
                raise
    if kind == "reaction" and body.get("context"):
        raise Bad(WRONG, "a reaction cannot quote", "context")
    return kind
