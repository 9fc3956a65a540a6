"""What users do: messages of every type, taps, edits, the business on its own phone (contract 3, 6.1, 6.2)."""

from base64 import b64decode, b64encode
from typing import Any

from . import wamid
from .config import Number
from .errors import in_webhook
from .media import INBOUND_MOST
from .people import Person, bsuid_for
from .statuses import contact
from .truth import Inbound
from .webhooks import Update
from .world import World

PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
FILES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}
REPLIES = ("button_reply", "list_reply", "nfm_reply", "call_permission_reply")
TYPES = (
    "text",
    *FILES,
    "location",
    "contacts",
    "reaction",
    "interactive",
    "button",
    "order",
    "system",
    "unsupported",
    "edit",
    "revoke",
    "request_welcome",
)
COMMON = ("context", "referral", "group_id", "errors", "identity")


def receive(world: World, number: Number, given: dict[str, Any]) -> str:
    """A user writes. Returns the message id.

    `given`: `from` (phone, BSUID or @username), the content under the name of its type (a plain string does for text,
    `button_reply` and its like stand for interactive ones), and optionally `name`, `id`, `timestamp` (seconds),
    `context`, `referral`, `group_id`, `errors`, `standby` (a bot of Meta's has the conversation), `extra` (more keys).
    Files take `data` (base64) or `size`. Raises `ValueError`.
    """
    person = world.people.meet(str(given["from"]))
    if name := given.get("name"):
        person.name = name
    kind, content = _content(world, number, person, given)
    message_id = given.get("id") or wamid.inbound(person.phone or person.bsuid)
    message = _message(world, person, kind, content, message_id, given)
    if kind == "system":
        _move(world, person, content, message)
    else:
        world.open_window(number, person, world.now())
    world.note(message_id, kind)
    world.throughput.take(number.phone_number_id, world.now())
    sender = person.phone or person.bsuid
    world.truth.write(
        Inbound(at=world.now(), phone_number_id=number.phone_number_id, wamid=message_id, sender=sender, type=kind)
    )
    who = None if kind == "system" else contact(person, person.shown is not None)
    world.push(_update(number, message, who, bool(given.get("standby"))))
    return str(message_id)


def _update(number: Number, message: dict[str, Any], who: dict[str, Any] | None, standby: bool) -> Update:
    if not standby:
        return Update(number, "messages", "messages", message, who, message["id"])
    value = value_for(number) | {"standby": {"contacts": [who], "messages": [message]}}
    return Update(number, "standby", "", value, None, message["id"])


def value_for(number: Number) -> dict[str, Any]:
    shown = {"display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": shown}


def _message(
    world: World, person: Person, kind: str, content: Any, message_id: str, given: dict[str, Any]
) -> dict[str, Any]:
    message: dict[str, Any] = {"from": person.shown} if person.shown else {}
    message["from_user_id"] = person.bsuid
    if person.parent_bsuid:
        message["from_parent_user_id"] = person.parent_bsuid
    stamp = str(given.get("timestamp") or world.now() // 1000)
    message |= {"id": message_id, "timestamp": stamp, "type": kind}
    if content is not None:
        message[kind] = content
    if kind == "unsupported" and "errors" not in given:
        message["errors"] = [in_webhook(131051, "Message type is not currently supported.")]
    message |= {key: given[key] for key in COMMON if key in given}
    message |= given.get("extra", {})
    return message


def _content(world: World, number: Number, person: Person, given: dict[str, Any]) -> tuple[str, Any]:
    for reply in REPLIES:
        if reply in given:
            return "interactive", {"type": reply, reply: given[reply]}
    kind = given.get("type") or next((kind for kind in TYPES if kind in given), None)
    if kind is None:
        raise ValueError("no content; name one of " + ", ".join((*TYPES, *REPLIES)))
    content = given.get(kind)
    if kind == "text" and isinstance(content, str):
        return kind, {"body": content}
    if kind in FILES:
        return kind, _file(world, number, kind, content if isinstance(content, dict) else {})
    if kind == "unsupported" and not content:
        return kind, {"type": "poll_creation"}
    return kind, content


def _file(world: World, number: Number, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Stored for 7 days, with an id and a short-lived address."""
    if "id" in content:
        return content
    content = dict(content)
    size = content.pop("size", None)
    data = b64decode(content.pop("data", "")) or (bytes(size) if size else PIXEL)
    if len(data) > INBOUND_MOST:
        raise ValueError("users send at most 100 MB")
    mime = content.pop("mime_type", FILES[kind] if size else "image/png" if kind == "image" else FILES[kind])
    media = world.media.put(number, mime, data, world.now(), 7)
    seconds, base = world.settings.media_url_seconds, world.settings.media_base or world.base
    made: dict[str, Any] = {
        "mime_type": mime,
        "sha256": b64encode(bytes.fromhex(media.sha256)).decode(),
        "id": media.id,
        "url": world.media.address(media, base, world.now(), seconds),
    }
    if kind == "document":
        made["filename"] = "document.pdf"
    if kind == "audio":
        made["voice"] = "opus" in mime
    if kind == "sticker":
        made["animated"] = False
    return made | content


def _move(world: World, person: Person, content: dict[str, Any], message: dict[str, Any]) -> None:
    """A system message about a new number or a new user id: the person changes, the message names both."""
    kind = content.get("type")
    if kind not in ("user_changed_number", "user_changed_user_id"):
        return
    old = person.bsuid
    phone = content.get("wa_id")
    new = content.get("user_id") or bsuid_for(phone or old)
    message["system"] = {
        "body": f"User {person.name} changed from {person.phone or old} to {phone or new}",
        "user_id": new,
        "previous_user_id": old,
        **content,
    }
    key = person.phone or person.bsuid
    world.people.change(key, {"bsuid": new} | ({"phone": phone} if phone else {}))


def echo(world: World, number: Number, given: dict[str, Any]) -> str:
    """The business writes on its own phone: `to` and a content as in `receive`. Returns the message id."""
    person = world.people.meet(str(given["to"]))
    kind, content = _content(world, number, person, given)
    message_id = given.get("id") or wamid.outbound(person.phone or person.bsuid)
    item: dict[str, Any] = {"from": number.display_phone_number}
    if person.shown:
        item["to"] = person.shown
    stamp = str(given.get("timestamp") or world.now() // 1000)
    item |= {"to_user_id": person.bsuid, "id": message_id, "timestamp": stamp, "type": kind, kind: content}
    world.note(message_id, kind)
    who = contact(person, person.shown is not None)
    world.push(Update(number, "smb_message_echoes", "message_echoes", item, who, message_id))
    return str(message_id)
