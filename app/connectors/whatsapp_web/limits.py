"""What WhatsApp shows of a linked device's messages, and what a message may hold.

Buttons and lists of linked devices are dropped by many phones without a word, so there are none here: the degrading
rules make them a numbered text, whose numbers are understood.
"""

from typing import Final

from app.capabilities import Capabilities
from app.connectors.base import Problem
from app.content import (
    Ask,
    Audio,
    Contacts,
    Content,
    Document,
    Image,
    Link,
    Location,
    Media,
    Reaction,
    Sticker,
    Text,
    Video,
)
from app.said import N_

MB: Final = 1024 * 1024
FILES: Final[dict[str, dict[str, int]]] = {
    "image": dict.fromkeys(("image/jpeg", "image/png"), 16 * MB),
    "video": dict.fromkeys(("video/mp4", "video/3gpp"), 64 * MB),
    "audio": dict.fromkeys(("audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr"), 16 * MB),
    "document": {"application/octet-stream": 100 * MB},
    "sticker": {"image/webp": 500 * 1024},
}
CAPABILITIES: Final = Capabilities(
    text=4096,
    caption=1024,
    media=FILES,
    location=True,
    contacts=True,
    reaction=True,
    quote=True,
    read_marks=True,
    typing=True,
)
_FORMS: Final = (Text, Image, Video, Audio, Document, Sticker, Location, Contacts, Reaction, Link, Ask)


def check(content: Content) -> Problem | None:
    """The first limit that this content breaks."""
    if not isinstance(content, _FORMS):
        return Problem("send.content")
    if isinstance(content, Text | Link | Ask):
        return _short("text", content.text, CAPABILITIES.text)
    if isinstance(content, Media):
        if not (content.media_id or content.url or content.provider_id):
            return Problem("send.content", N_("The file is missing."))
        return _short("caption", content.caption, CAPABILITIES.caption)
    if isinstance(content, Contacts) and not content.cards:
        return Problem("send.content", N_("There is no contact card in it."))
    return None


def _short(field: str, text: str, most: int) -> Problem | None:
    if len(text) <= most:
        return None
    return Problem(
        "send.limit", N_("{field} has {n} characters; at most {most} are allowed.", field=field, n=len(text), most=most)
    )
