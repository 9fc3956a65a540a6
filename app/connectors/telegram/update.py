"""One update → arrivals. Contract §2.3.

What a person says or does to the bot becomes a message; everything else, and every kind that is not known yet, is kept
as it came and shown on the channel's page.
"""

from collections.abc import Callable
from typing import Any, Final

from app.connectors.base import Arrival, Malformed, Notice
from app.connectors.telegram import events
from app.connectors.telegram.contents import SERVICE, is_service
from app.connectors.telegram.message import edit_arrivals, message_arrivals
from app.connectors.telegram.place import Me
from app.connectors.wire import LATEST, an_object, member, mended, milliseconds

NOBODY: Final = Me()

Reader = Callable[[dict[str, Any], str, bytes, Me], list[Arrival]]
READERS: Final[dict[str, Reader]] = {
    "message": message_arrivals,
    "business_message": message_arrivals,
    "edited_message": edit_arrivals,
    "edited_business_message": edit_arrivals,
    "callback_query": events.pressed,
    "message_reaction": events.reacted,
    "my_chat_member": events.membership,
    "deleted_business_messages": events.deleted,
}
# What is asked for beside that. Not asked for: what people type before they send (`inline_query`), and who comes and
# goes in groups (`chat_member`), which nobody here would read.
KEPT: Final = (
    "channel_post", "edited_channel_post", "business_connection", "guest_message", "shipping_query",
    "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "chat_join_request", "chat_boost",
    "removed_chat_boost", "managed_bot", "subscription",
)  # fmt: skip
WANTED: Final = (*READERS, *KEPT)


def parse_update(raw: bytes, me: Me) -> list[Arrival]:
    """Everything that one update tells. Raises `ValueError` if it is not a JSON object."""
    update = an_object(mended(raw))
    number = update.get("update_id")
    kind = next((key for key, value in update.items() if key != "update_id" and isinstance(value, dict)), "")
    if not isinstance(number, int) or isinstance(number, bool):
        return [Malformed("", "update without an id", raw)]
    if not kind:
        return [Notice("", "update", 0, raw)]
    reader = READERS.get(kind)
    told = reader(member(update, kind), str(number), raw, me) if reader else []
    return told or [Notice("", field_of(kind, member(update, kind)), time_of(member(update, kind)), raw)]


def field_of(kind: str, payload: dict[str, Any]) -> str:
    """What a notice is called: what happened to a chat by its own name, and what a group says to others apart."""
    if kind == "message" and is_service(payload):
        return next(key for key in payload if key in SERVICE)
    if kind in ("message", "edited_message") and member(payload, "chat").get("type") in ("group", "supergroup"):
        return "group_message"
    return kind[:60]


def time_of(payload: dict[str, Any]) -> int:
    return min(milliseconds(payload, "edit_date") or milliseconds(payload, "date"), LATEST)
