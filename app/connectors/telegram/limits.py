"""Every limit of the contract that can be known before a send: §3 texts, captions, buttons and files, §5 sizes.

Lengths are counted in Unicode characters after the marks are read, which is what Telegram counts. A file that Telegram
fetches from an address may be smaller than one it was sent before.
"""

from functools import partial
from typing import Final

from app.capabilities import Capabilities
from app.connectors.base import Problem
from app.connectors.limits import DOCUMENTS, MB, Complaints, Rules, broken, location, request, words
from app.connectors.telegram.keyboards import fits
from app.content import (
    Ask,
    Audio,
    Buttons,
    Choice,
    ChoiceList,
    Contacts,
    Content,
    Document,
    Image,
    Link,
    Location,
    Media,
    Reaction,
    Section,
    Sticker,
    Text,
    Video,
)
from app.said import N_

TEXT, CAPTION, TITLE, BUTTONS = 4096, 1024, 64, 100
# By address; what Telegram has already is sent whatever its size.
FILES: Final[dict[str, dict[str, int]]] = {
    "image": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), 5 * MB),
    "video": {"video/mp4": 20 * MB},
    "audio": dict.fromkeys(("audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/ogg"), 20 * MB),
    "document": dict.fromkeys(("application/zip", "text/csv", *DOCUMENTS), 20 * MB),
    "sticker": dict.fromkeys(("image/webp", "video/webm", "application/x-tgsticker"), 20 * MB),
}
CAPABILITIES: Final = Capabilities(
    text=TEXT,
    caption=CAPTION,
    buttons=BUTTONS,
    button_title=TITLE,
    button_text=TEXT,
    list_rows=BUTTONS,
    list_title=TITLE,
    list_description=120,
    list_label=TITLE,
    list_text=TEXT,
    header=120,
    footer=120,
    media=FILES,
    location=True,
    contacts=True,
    reaction=True,
    quote=True,
    typing=True,
)

_words = partial(words, "Telegram")


def check(content: Content) -> Problem | None:
    """The first limit that this content breaks, None if it can be sent."""
    return broken("Telegram", RULES, content)


def _text(content: Text) -> Complaints:
    yield from _words(N_("The text"), content.text, TEXT)


def _file(content: Media) -> Complaints:
    if not content.provider_id and not content.url and not content.media_id:
        yield N_("The file is not ready to be sent: it has no id at Telegram and no public address.")
    if not content.provider_id and content.url and not content.url.lower().startswith(("http://", "https://")):
        yield N_("The address of the file does not start with http:// or https://.")
    if content.caption and isinstance(content, Sticker):
        yield N_("The caption: Telegram shows none with a sticker.")
    yield from _words(N_("The caption"), content.caption, CAPTION, required=False)
    along = bool(content.media_id) and not content.url
    most = (10 if isinstance(content, Image) else 50) * MB if along else _fetched(content)
    if not content.provider_id and content.size > most:
        yield N_("The file has {size} bytes; Telegram takes at most {most} so.", size=content.size, most=most)


def _fetched(content: Media) -> int:
    """The most bytes of this kind that Telegram fetches from an address."""
    return max(FILES[str(content.__struct_config__.tag)].values())


def _audio(content: Audio) -> Complaints:
    yield from _file(content)
    if content.voice and content.mime and content.mime.split(";")[0] not in FILES["audio"]:
        yield N_("The voice message is of type {mime}; Telegram plays OGG, MP3 and M4A.", mime=content.mime)


def _contacts(content: Contacts) -> Complaints:
    if not content.cards:
        yield N_("There is no contact card.")
    for card in content.cards:
        yield from _words(N_("The name on a contact card"), card.name, 256)


def _reaction(content: Reaction) -> Complaints:
    yield from _words(N_("The message to react to"), content.target, 200)


def _choices(choices: tuple[Choice, ...]) -> Complaints:
    if not choices:
        yield N_("There are no buttons.")
    if len(choices) > BUTTONS:
        yield N_("There are {count} buttons; Telegram takes {most}.", count=len(choices), most=BUTTONS)
    for choice in choices:
        yield from _words(N_("The title of a button"), choice.title, TITLE)
        yield from _words(N_("The id of a button"), choice.id, 256)
        if not fits(choice):
            yield N_("The id of a button, “{id}”, is longer than Telegram's 62 bytes.", id=choice.id)


def _buttons(content: Buttons) -> Complaints:
    header = content.header
    yield from _words(N_("The text"), content.text, TEXT)
    if isinstance(header, Media):
        yield from (N_("The header: {complaint}", complaint=complaint) for complaint in _file(header))
    most = CAPTION if isinstance(header, Media) else TEXT
    above = header if isinstance(header, str) else ""
    yield from _words(N_("Header, text and footer together"), whole(above, content.text, content.footer), most)
    yield from _choices(content.choices)


def _list(content: ChoiceList) -> Complaints:
    yield from _words(N_("The text"), content.text, TEXT)
    text = "\n\n".join(filter(None, (content.text, described(content.sections))))
    yield from _words(N_("The text with its descriptions"), whole(content.header, text, content.footer), TEXT)
    yield from _choices(tuple(choice for section in content.sections for choice in section.choices))


def _link(content: Link) -> Complaints:
    yield from _words(N_("The text"), content.text, TEXT)
    together = whole(content.header, content.text, content.footer)
    yield from _words(N_("Header, text and footer together"), together, TEXT)
    yield from _words(N_("The label of the link"), content.label, TITLE)
    if not content.url.lower().startswith(("http://", "https://", "tg://")):
        yield N_("The address of the link does not start with http:// or https://.")


def _ask(content: Ask) -> Complaints:
    yield from _words(N_("The text"), content.text, TEXT)
    yield from request("Telegram", content.what)


def whole(header: str, text: str, footer: str) -> str:
    """Header, text and footer as they stand above each other."""
    return "\n\n".join(part for part in (header, text, footer) if part)


def described(sections: tuple[Section, ...]) -> str:
    """Titles of sections and descriptions of rows, for which buttons have no room; empty where there are none."""
    lines: list[str] = []
    for section in sections:
        rows = [f"{row.title}: {row.description}" for row in section.choices if row.description]
        lines += [section.title] if section.title and rows else []
        lines += rows
    return "\n".join(lines)


RULES: Final[Rules] = {
    Text: _text,
    Image: _file,
    Video: _file,
    Audio: _audio,
    Document: _file,
    Sticker: _file,
    Location: location,
    Contacts: _contacts,
    Reaction: _reaction,
    Buttons: _buttons,
    ChoiceList: _list,
    Link: _link,
    Ask: _ask,
}
