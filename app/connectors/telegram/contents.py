"""What a message says: Telegram's fields → our content. Contract §2.4, §2.5.

The fields are looked at in the order of `READERS`, because some kinds fill a second field for older programs: an
animation also fills `document`, a venue also `location`, a live photo also `photo`. A field that cannot be read, and
every field without a reader, makes the message `Unsupported` with all of it kept.
"""

from collections.abc import Callable
from typing import Any, Final

from app.connectors.wire import member, number, objects, string
from app.content import (
    Audio,
    Card,
    Contacts,
    Content,
    Document,
    Image,
    Location,
    Sticker,
    Text,
    Unsupported,
    Video,
)

Payload = dict[str, Any]

# Fields that every message may have. What is beside them says what kind of message it is.
COMMON: Final = frozenset(
    "message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot "
    "sender_tag date business_connection_id chat forward_origin forward_from forward_from_chat forward_date "
    "forward_sender_name forward_from_message_id forward_signature is_topic_message is_automatic_forward "
    "reply_to_message external_reply quote reply_to_story reply_to_checklist_task_id via_bot edit_date "
    "has_protected_content is_from_offline is_paid_post media_group_id author_signature paid_star_count text entities "
    "link_preview_options suggested_post_info effect_id caption caption_entities show_caption_above_media "
    "has_media_spoiler reply_markup guest_query_id".split()
)
# What happened to a chat: nothing that a person said.
SERVICE: Final = frozenset(
    "new_chat_members new_chat_member new_chat_participant left_chat_member left_chat_participant new_chat_title "
    "new_chat_photo delete_chat_photo group_chat_created supergroup_chat_created channel_chat_created "
    "message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id pinned_message connected_website "
    "write_access_allowed proximity_alert_triggered boost_added chat_background_set forum_topic_created "
    "forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden "
    "general_forum_topic_unhidden giveaway_created giveaway_completed video_chat_scheduled video_chat_started "
    "video_chat_ended video_chat_participants_invited paid_message_price_changed direct_message_price_changed "
    "chat_owner_left chat_owner_changed".split()
)


def is_service(message: Payload) -> bool:
    return not SERVICE.isdisjoint(message)


def content_of(message: Payload) -> Content:
    """The content of one message object; never raises on any JSON."""
    for field, reader in READERS.items():
        if field in message:
            return reader(message) or unsupported(message, field)
    return unsupported(message, next((key for key in message if key not in COMMON), "message"))


def unsupported(message: Payload, what: str) -> Unsupported:
    return Unsupported(what=what[:60], raw=message)


def _text(message: Payload) -> Content | None:
    text = message["text"]
    return Text(text) if isinstance(text, str) else None


def _file(message: Payload, field: str) -> dict[str, Any] | None:
    """What all files share; None where nothing says where the file is."""
    return _found(member(message, field), message)


def _found(file: Payload, message: Payload) -> dict[str, Any] | None:
    file_id, size = string(file, "file_id"), number(file, "file_size")
    if not file_id:
        return None
    return {
        "provider_id": file_id,
        "mime": string(file, "mime_type"),
        "caption": string(message, "caption"),
        "size": int(size) if size and 0 < size < 2**53 else 0,
    }


def _photo(message: Payload) -> Content | None:
    """The largest of the sizes. Telegram keeps photos as JPEG."""
    sizes = sorted(objects(message, "photo"), key=lambda size: number(size, "width") or 0)
    found = _found(sizes[-1], message) if sizes else None
    return Image(**found | {"mime": "image/jpeg"}) if found else None


def _video(field: str, mime: str = "") -> Callable[[Payload], Content | None]:
    def read(message: Payload) -> Content | None:
        found = _file(message, field)
        return Video(**found | {"mime": found["mime"] or mime}) if found else None

    return read


def _audio(message: Payload) -> Content | None:
    found = _file(message, "audio")
    return Audio(**found) if found else None


def _voice(message: Payload) -> Content | None:
    found = _file(message, "voice")
    return Audio(**found | {"mime": found["mime"] or "audio/ogg"}, voice=True) if found else None


def _document(message: Payload) -> Content | None:
    found = _file(message, "document")
    return Document(**found, filename=string(member(message, "document"), "file_name")) if found else None


def _sticker(message: Payload) -> Content | None:
    """A picture, a film, or lines that move, which only Telegram's own programs draw."""
    found, sticker = _file(message, "sticker"), member(message, "sticker")
    film, lines = sticker.get("is_video") is True, sticker.get("is_animated") is True
    mime = "video/webm" if film else "application/x-tgsticker" if lines else "image/webp"
    return Sticker(**found | {"mime": mime}, animated=film or lines) if found else None


def _place(message: Payload, place: Payload, name: str = "", address: str = "") -> Content | None:
    latitude, longitude = number(place, "latitude"), number(place, "longitude")
    return None if latitude is None or longitude is None else Location(latitude, longitude, name, address)


def _location(message: Payload) -> Content | None:
    return _place(message, member(message, "location"))


def _venue(message: Payload) -> Content | None:
    venue = member(message, "venue")
    return _place(message, member(venue, "location"), string(venue, "title"), string(venue, "address"))


def _contact(message: Payload) -> Content | None:
    """A card. Telegram itself says whose number it is only where it is the sender's own."""
    contact = member(message, "contact")
    phone = string(contact, "phone_number")
    if not phone:
        return None
    name = " ".join(filter(None, (string(contact, "first_name"), string(contact, "last_name"))))
    more: dict[str, Any] = {key: contact[key] for key in ("vcard", "user_id") if key in contact}
    own = string(contact, "user_id")
    return Contacts((Card(name or phone, ((phone, ""),), more=more),),
                    requested=bool(own) and own == string(member(message, "from"), "id"))  # fmt: skip


READERS: Final[dict[str, Callable[[Payload], Content | None]]] = {
    "animation": _video("animation", "video/mp4"),
    "venue": _venue,
    "photo": _photo,
    "video": _video("video", "video/mp4"),
    "video_note": _video("video_note", "video/mp4"),
    "voice": _voice,
    "audio": _audio,
    "document": _document,
    "sticker": _sticker,
    "contact": _contact,
    "location": _location,
    "text": _text,
}
