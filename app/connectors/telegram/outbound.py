"""Our content → a method of the Bot API and its parameters. Contract §3.

Made without checks: `limits.py` has looked before.
"""

from collections.abc import Callable
from typing import Any

from app.connectors.base import Outbound
from app.connectors.telegram import keyboards
from app.connectors.telegram.limits import described, whole
from app.connectors.telegram.place import parts_of, recipient
from app.connectors.telegram.words import has_marks, html, safe
from app.content import (
    Ask,
    Audio,
    Buttons,
    Card,
    ChoiceList,
    Contacts,
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

Call = tuple[str, dict[str, Any]]
METHODS = {
    Image: ("sendPhoto", "photo"),
    Video: ("sendVideo", "video"),
    Document: ("sendDocument", "document"),
    Sticker: ("sendSticker", "sticker"),
}


def call_of(message: Outbound) -> Call:
    """Method and parameters. Raises `LookupError` where there is nobody to send to or no form for the content."""
    form = FORMS.get(type(message.content))
    if form is None:
        raise LookupError("content")
    method, values = form(message.content)
    if isinstance(message.content, Reaction):
        return method, values
    if message.reply_to:
        _, number = parts_of(message.reply_to)
        values["reply_parameters"] = {"message_id": number, "allow_sending_without_reply": True}
    return method, recipient(message.to) | values


def _said(text: str, field: str = "text") -> dict[str, Any]:
    """A text as it is, or as HTML where there are marks in it."""
    return {field: html(text), "parse_mode": "HTML"} if has_marks(text) else {field: text}


def _framed(header: str, text: str, footer: str, field: str = "text") -> dict[str, Any]:
    """With a bold header above and a footer below."""
    if not header and not footer:
        return _said(text, field)
    above = f"<b>{safe(header)}</b>" if header else ""
    below = f"<i>{safe(footer)}</i>" if footer else ""
    return {field: whole(above, html(text), below), "parse_mode": "HTML"}


def _text(content: Text) -> Call:
    quiet = {} if content.preview else {"link_preview_options": {"is_disabled": True}}
    return "sendMessage", _said(content.text) | quiet


def _file(content: Media) -> Call:
    method, field = METHODS[type(content)]
    caption = _said(content.caption, "caption") if content.caption else {}
    return method, {field: content.provider_id or content.url} | caption


def _audio(content: Audio) -> Call:
    method, field = ("sendVoice", "voice") if content.voice else ("sendAudio", "audio")
    caption = _said(content.caption, "caption") if content.caption else {}
    return method, {field: content.provider_id or content.url} | caption


def _buttons(content: Buttons) -> Call:
    keyboard = {"reply_markup": keyboards.inline(content.choices, keyboards.BUTTON)}
    header = content.header
    if isinstance(header, Media):
        method, field = METHODS[type(header)]
        words = _framed("", content.text, content.footer, "caption")
        return method, {field: header.provider_id or header.url} | words | keyboard
    return "sendMessage", _framed(header, content.text, content.footer) | keyboard


def _list(content: ChoiceList) -> Call:
    rows = [row for section in content.sections for row in section.choices]
    text = "\n\n".join(filter(None, (content.text, described(content.sections))))
    keyboard = {"reply_markup": keyboards.inline(rows, keyboards.ROW)}
    return "sendMessage", _framed(content.header, text, content.footer) | keyboard


def _link(content: Link) -> Call:
    words = _framed(content.header, content.text, content.footer)
    return "sendMessage", words | {"reply_markup": keyboards.link(content.label, content.url)}


def _ask(content: Ask) -> Call:
    return "sendMessage", _said(content.text) | {"reply_markup": keyboards.asking(content.what)}


def _location(content: Location) -> Call:
    point = {"latitude": content.latitude, "longitude": content.longitude}
    if not content.name and not content.address:
        return "sendLocation", point
    title = content.name or content.address
    return "sendVenue", point | {"title": title, "address": content.address or title}


def _contacts(content: Contacts) -> Call:
    """One card with a number is a card; several, or one without, are told in words."""
    card = content.cards[0]
    if len(content.cards) > 1 or not card.phones:
        return "sendMessage", {"text": "\n\n".join(map(_told, content.cards))}
    first, _, last = card.name.partition(" ")
    values = {"phone_number": card.phones[0][0], "first_name": first}
    return "sendContact", values | ({"last_name": last} if last else {})


def _told(card: Card) -> str:
    return "\n".join(filter(None, (card.name, *(value for value, _ in (*card.phones, *card.emails)))))


def _reaction(content: Reaction) -> Call:
    chat, number = parts_of(content.target)
    reaction = [{"type": "emoji", "emoji": content.emoji}] if content.emoji else []
    return "setMessageReaction", {"chat_id": chat, "message_id": number, "reaction": reaction}


FORMS: dict[type, Callable[[Any], Call]] = {
    Text: _text,
    Image: _file,
    Video: _file,
    Audio: _audio,
    Document: _file,
    Sticker: _file,
    Location: _location,
    Contacts: _contacts,
    Reaction: _reaction,
    Buttons: _buttons,
    ChoiceList: _list,
    Link: _link,
    Ask: _ask,
}
