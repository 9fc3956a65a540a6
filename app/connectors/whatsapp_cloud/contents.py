"""What a message says: Meta's payload by type → our content. Contract §3.

Every reader gets the payload under the type's own key and the whole message; what it cannot read it returns as `None`,
and the message becomes `Unsupported` with its payload kept.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from app.connectors.wire import anything, member, mended, number, objects, string
from app.content import (
    Audio,
    Card,
    Contacts,
    Content,
    Delete,
    Document,
    Edit,
    FlowReply,
    Image,
    Location,
    Order,
    Picked,
    Pressed,
    Reaction,
    Sticker,
    System,
    Text,
    Unsupported,
    Video,
)

Payload = dict[str, Any]


def content_of(message: Payload) -> Content:
    """The content of one message object; never raises on any JSON."""
    kind = string(message, "type")
    reader = READERS.get(kind)
    content = reader(message) if reader else None
    return content or unsupported(message)


def unsupported(message: Payload) -> Unsupported:
    """What this version cannot show: Meta's own name of it, its reason, and all of it."""
    kind = string(message, "type")
    what = string(member(message, "unsupported"), "type") or kind or "unknown"
    return Unsupported(what=what, reason=_reason(message), raw=message)


def _reason(message: Payload) -> str:
    for error in objects(message, "errors"):
        details = string(member(error, "error_data"), "details") or string(error, "details")
        return details or string(error, "message") or string(error, "title")
    return ""


def _text(message: Payload) -> Content | None:
    body = member(message, "text").get("body")
    return Text(text=body) if isinstance(body, str) else None


def _file(message: Payload, key: str) -> dict[str, Any] | None:
    """The fields that all files share; None where neither an id nor an address says where the file is."""
    payload = member(message, key)
    found = {
        "provider_id": string(payload, "id"),
        "url": string(payload, "url") or string(payload, "link"),
        "mime": string(payload, "mime_type"),
        "sha256": digest(string(payload, "sha256")),
        "caption": string(payload, "caption"),
    }
    return found if found["provider_id"] or found["url"] else None


def digest(text: str) -> str:
    """A SHA-256 as lower-case hex, given in base64 (live webhooks) or hex (documentation); empty if it is neither."""
    try:
        raw = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return ""
    return raw.hex() if len(raw) == 32 else ""


def _image(message: Payload) -> Content | None:
    found = _file(message, "image")
    return Image(**found) if found else None


def _video(message: Payload) -> Content | None:
    found = _file(message, "video")
    return Video(**found) if found else None


def _audio(message: Payload) -> Content | None:
    found = _file(message, "audio")
    return Audio(**found, voice=member(message, "audio").get("voice") is True) if found else None


def _voice(message: Payload) -> Content | None:
    found = _file(message, "voice")
    return Audio(**found, voice=True) if found else None


def _document(message: Payload) -> Content | None:
    found = _file(message, "document")
    return Document(**found, filename=string(member(message, "document"), "filename")) if found else None


def _sticker(message: Payload) -> Content | None:
    found = _file(message, "sticker")
    return Sticker(**found, animated=member(message, "sticker").get("animated") is True) if found else None


def _location(message: Payload) -> Content | None:
    place = member(message, "location")
    latitude, longitude = number(place, "latitude"), number(place, "longitude")
    if latitude is None or longitude is None:
        return None
    return Location(latitude, longitude, name=string(place, "name"), address=string(place, "address"))


def _contacts(message: Payload) -> Content | None:
    cards = objects(message, "contacts")
    requested = any(string(card, "origin") == "contact_request" for card in cards)
    return Contacts(cards=tuple(map(_card, cards)), requested=requested) if cards else None


def _card(card: Payload) -> Card:
    phones = tuple(
        (string(one, "phone") or string(one, "wa_id"), string(one, "type")) for one in objects(card, "phones")
    )
    emails = tuple((string(one, "email"), string(one, "type")) for one in objects(card, "emails"))
    name = member(card, "name")
    spelled = " ".join(filter(None, (string(name, "first_name"), string(name, "last_name"))))
    return Card(
        name=string(name, "formatted_name") or spelled or (phones[0][0] if phones else ""),
        phones=phones,
        emails=emails,
        more={key: value for key, value in card.items() if key not in {"phones", "emails"}},
    )


def _reaction(message: Payload) -> Content | None:
    reaction = member(message, "reaction")
    target = string(reaction, "message_id")
    return Reaction(target=target, emoji=string(reaction, "emoji")) if target else None


def _interactive(message: Payload) -> Content | None:
    interactive = member(message, "interactive")
    kind = string(interactive, "type")
    reply = member(interactive, kind)
    match kind:
        case "button_reply" if reply:
            return Pressed(id=string(reply, "id"), title=string(reply, "title"))
        case "list_reply" if reply:
            return Picked(string(reply, "id"), string(reply, "title"), string(reply, "description"))
        case "nfm_reply" if reply:
            return FlowReply(name=string(reply, "name"), text=_form_text(reply), answers=_answers(reply) or {})
    return Unsupported(what=f"interactive.{kind}" if kind else "interactive", reason=_reason(message), raw=message)


def _answers(reply: Payload) -> dict[str, Any] | None:
    """The form's fields; None if the response is not a JSON object."""
    response = reply.get("response_json")
    if isinstance(response, dict):
        return response
    try:
        answers = anything(mended(response.encode())) if isinstance(response, str) else None
    except ValueError:
        return None
    return answers if isinstance(answers, dict) else None


def _form_text(reply: Payload) -> str:
    readable = _answers(reply) is not None
    return (not readable and string(reply, "response_json")) or string(reply, "body")


def _button(message: Payload) -> Content | None:
    button = member(message, "button")
    title = string(button, "text")
    return Pressed(id=string(button, "payload") or title, title=title) if button else None


def _order(message: Payload) -> Content | None:
    order = member(message, "order")
    items = tuple(objects(order, "product_items"))
    return Order(catalog=string(order, "catalog_id"), items=items, text=string(order, "text")) if order else None


def _system(message: Payload) -> Content | None:
    system = member(message, "system")
    return System(what=string(system, "type") or "system", text=string(system, "body"), data=system) if system else None


def _welcome(message: Payload) -> Content | None:
    return System(what="request_welcome")


def _edit(message: Payload) -> Content | None:
    edit = member(message, "edit")
    target = string(edit, "original_message_id")
    if not target:
        return None
    new = content_of(member(edit, "message"))
    if not isinstance(new, Text | Image | Video | Document | Unsupported):
        new = unsupported(member(edit, "message"))
    return Edit(target=target, content=new)


def _revoke(message: Payload) -> Content | None:
    target = string(member(message, "revoke"), "original_message_id")
    return Delete(target=target) if target else None


READERS: dict[str, Callable[[Payload], Content | None]] = {
    "text": _text,
    "image": _image,
    "video": _video,
    "audio": _audio,
    "voice": _voice,
    "document": _document,
    "sticker": _sticker,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "system": _system,
    "request_welcome": _welcome,
    "edit": _edit,
    "revoke": _revoke,
}
