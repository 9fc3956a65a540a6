"""Every limit of the contract that can be known before a send: §3 texts, captions, buttons and files, §5 sizes.

Lengths are counted in Unicode characters after the marks are read, which is what Telegram counts. A file that Telegram
fetches from an address may be smaller than one it was sent before.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from app.capabilities import Capabilities
from app.connectors.base import Problem
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
from app.said import N_, Sentence

MB: Final = 1024 * 1024
TEXT, CAPTION, TITLE, BUTTONS = 4096, 1024, 64, 100
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
# By address; what Telegram has already is sent whatever its size.
FILES: Final[dict[str, dict[str, int]]] = {
    "image": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), 5 * MB),
    "video": {"video/mp4": 20 * MB},
    "audio": dict.fromkeys(("audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/ogg"), 20 * MB),
    "document": dict.fromkeys(
        (
            "application/pdf",
            "application/zip",
            "text/plain",
            "text/csv",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            f"{_OFFICE}wordprocessingml.document",
            f"{_OFFICE}spreadsheetml.sheet",
            f"{_OFFICE}presentationml.presentation",
        ),
        20 * MB,
    ),
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

Complaints = Iterator[Sentence]


def check(content: Content) -> Problem | None:
    """The first limit that this content breaks, None if it can be sent."""
    rule = RULES.get(type(content))
    if rule is None:
        return Problem("send.content", title=N_("Telegram has no message of this kind."))
    sentence = next(rule(content), None)
    return Problem("send.limit", title=sentence) if sentence else None


def _words(field: Sentence, text: str, most: int, *, required: bool = True) -> Complaints:
    if required and not text.strip():
        yield N_("{field} is empty.", field=field)
    if len(text) > most:
        yield N_("{field} has {count} characters; Telegram takes {most}.", field=field, count=len(text), most=most)


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


def _location(content: Location) -> Complaints:
    if not -90 <= content.latitude <= 90:
        yield N_("The latitude is not between -90 and 90.")
    if not -180 <= content.longitude <= 180:
        yield N_("The longitude is not between -180 and 180.")


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
    if content.what not in ("location", "contact_info"):
        yield N_("The request is for “{what}”; Telegram knows location and contact_info.", what=content.what)


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


RULES: Final[dict[type, Callable[[Any], Complaints]]] = {
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
