"""What WhatsApp shows of a linked device's messages, and what a message may hold.

Buttons of linked devices are dropped by many phones without a word, so they always have numbers, which are understood,
and go as a text; a channel may add real buttons, or make them a poll (`writing.py`).
"""

from typing import Final

from app.capabilities import Capabilities
from app.connectors.base import Problem
from app.content import (
    Ask,
    Audio,
    Buttons,
    Contacts,
    Content,
    Delete,
    Document,
    Edit,
    Image,
    Link,
    Location,
    Media,
    Poll,
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
    buttons=12,
    button_title=100,
    button_text=2000,
    header=200,
    footer=200,
    numbered=True,
    edit=15 * 60,
    delete=2 * 86_400,
    media=FILES,
    location=True,
    contacts=True,
    reaction=True,
    quote=True,
    read_marks=True,
    typing=True,
)
_FORMS: Final = (
    Text,
    Buttons,
    Poll,
    Edit,
    Delete,
    Image,
    Video,
    Audio,
    Document,
    Sticker,
    Location,
    Contacts,
    Reaction,
    Link,
    Ask,
)


def check(content: Content) -> Problem | None:
    """The first limit that this content breaks."""
    if not isinstance(content, _FORMS):
        return Problem("send.content")
    if isinstance(content, Text | Link | Ask):
        return _short("text", content.text, CAPABILITIES.text)
    if isinstance(content, Edit):
        return check(content.content) if isinstance(content.content, Text) else Problem("send.content")
    if isinstance(content, Buttons | Poll):
        return _choices(content)
    if isinstance(content, Media):
        if not (content.media_id or content.url or content.provider_id):
            return Problem("send.content", N_("The file is missing."))
        return _short("caption", content.caption, CAPABILITIES.caption)
    if isinstance(content, Contacts) and not content.cards:
        return Problem("send.content", N_("There is no contact card in it."))
    return None


def _choices(content: Buttons | Poll) -> Problem | None:
    least = 1 if isinstance(content, Buttons) else 2
    titles = [choice.title for choice in content.choices]
    if not least <= len(titles) <= CAPABILITIES.buttons:
        most = CAPABILITIES.buttons
        return Problem(
            "send.limit",
            N_("There are {n} choices; {least} to {most} are possible.", n=len(titles), least=least, most=most),
        )
    if len(set(titles)) < len(titles):
        return Problem("send.content", N_("Two choices have the same title."))
    if isinstance(content, Buttons) and not isinstance(content.header, str):
        return Problem("send.content", N_("Send the file above the buttons as a message of its own."))
    long = next((title for title in titles if len(title) > CAPABILITIES.button_title), "")
    return _short("title", long, CAPABILITIES.button_title) or _short("text", content.text, CAPABILITIES.button_text)


def _short(field: str, text: str, most: int) -> Problem | None:
    if len(text) <= most:
        return None
    return Problem(
        "send.limit", N_("{field} has {n} characters; at most {most} are allowed.", field=field, n=len(text), most=most)
    )
