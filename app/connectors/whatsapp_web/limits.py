"""What WhatsApp shows of a linked device's messages, and what a message may hold.

Buttons of linked devices are dropped by many phones without a word, so they always have numbers, which are understood,
and go as a text; a channel may add real buttons, or make them a poll (`writing.py`).
"""

from functools import partial
from typing import Final

from app.capabilities import Capabilities
from app.connectors.base import Problem
from app.connectors.limits import MB, Complaints, Rules, broken, location, words
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
_words = partial(words, "WhatsApp")


def check(content: Content) -> Problem | None:
    """The first limit that this content breaks, None if it can be sent."""
    return broken("WhatsApp", RULES, content)


def _text(content: Text | Link | Ask) -> Complaints:
    yield from _words(N_("The text"), content.text, CAPABILITIES.text)


def _edit(content: Edit) -> Complaints:
    if isinstance(content.content, Text):
        yield from _text(content.content)
    else:
        yield N_("Only a text can be changed.")


def _delete(content: Delete) -> Complaints:
    yield from _words(N_("The message to delete"), content.target, 512)


def _reaction(content: Reaction) -> Complaints:
    yield from _words(N_("The message to react to"), content.target, 512)


def _file(content: Media) -> Complaints:
    if not (content.media_id or content.url or content.provider_id):
        yield N_("The file is missing.")
    yield from _words(N_("The caption"), content.caption, CAPABILITIES.caption, required=False)


def _contacts(content: Contacts) -> Complaints:
    if not content.cards:
        yield N_("There is no contact card.")


def _buttons(content: Buttons) -> Complaints:
    yield from _choices(content, 1)
    if not isinstance(content.header, str):
        yield N_("Send the file above the buttons as a message of its own.")


def _poll(content: Poll) -> Complaints:
    yield from _choices(content, 2)


def _choices(content: Buttons | Poll, least: int) -> Complaints:
    yield from _words(N_("The text"), content.text, CAPABILITIES.button_text)
    titles, most = [choice.title for choice in content.choices], CAPABILITIES.buttons
    if not least <= len(titles) <= most:
        yield N_("There are {n} choices; {least} to {most} are possible.", n=len(titles), least=least, most=most)
    if len(set(titles)) < len(titles):
        yield N_("Two choices have the same title.")
    for title in titles:
        yield from _words(N_("The title of a choice"), title, CAPABILITIES.button_title)


RULES: Final[Rules] = {
    Text: _text,
    Link: _text,
    Ask: _text,
    Edit: _edit,
    Delete: _delete,
    Reaction: _reaction,
    Image: _file,
    Video: _file,
    Audio: _file,
    Document: _file,
    Sticker: _file,
    Location: location,
    Contacts: _contacts,
    Buttons: _buttons,
    Poll: _poll,
}
