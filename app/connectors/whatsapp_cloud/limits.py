"""Every limit of the contract that can be known before a send: §7.2 texts, §7.3 interactive, §7.4 templates, §10 files.

A broken limit is one sentence that names the field, so that a person can mend it and nothing is sent to be refused.
Lengths are counted in Unicode characters.
"""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from app.capabilities import Capabilities
from app.connectors.base import Problem
from app.connectors.limits import DOCUMENTS, MB, Complaints, Rules, broken, location, request, words
from app.content import (
    Ask,
    Audio,
    Buttons,
    ChoiceList,
    Contacts,
    Content,
    Document,
    Flow,
    Image,
    Link,
    Location,
    Media,
    Reaction,
    Sticker,
    Template,
    Text,
    Video,
)
from app.said import N_, Sentence

FILES: Final[dict[str, dict[str, int]]] = {
    "image": dict.fromkeys(("image/jpeg", "image/png"), 5 * MB),
    "video": dict.fromkeys(("video/mp4", "video/3gpp"), 16 * MB),
    "audio": dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * MB),
    "document": dict.fromkeys(DOCUMENTS, 100 * MB),
    "sticker": {"image/webp": 500 * 1024},
}
STILL_STICKER: Final = 100 * 1024
CAPABILITIES: Final = Capabilities(
    text=4096,
    caption=1024,
    buttons=3,
    button_title=20,
    button_text=1024,
    list_rows=10,
    list_title=24,
    list_description=72,
    list_label=20,
    list_text=4096,
    header=60,
    footer=60,
    media=FILES,
    location=True,
    contacts=True,
    reaction=True,
    template=True,
    quote=True,
    read_marks=True,
    typing=True,
    window=24 * 3600,
)
BUTTON_ID, ROW_ID, SECTION_TITLE, SECTIONS, CARDS, LINK = 256, 200, 24, 10, 257, 2000
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_WEB = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)

_words = partial(words, "WhatsApp")


def check(content: Content) -> Problem | None:
    """The first limit that this content breaks, None if it can be sent."""
    if type(content) is Text and 0 < len(content.text) <= 4096 and not content.text.isspace():
        return None
    return broken("WhatsApp", RULES, content)


# ---- pieces that several kinds share ---------------------------------------------------------------------------------


def _count(field: Sentence, count: int, most: int, *, least: int = 1) -> Complaints:
    if count < least:
        yield N_("{field}: at least {least} needed.", field=field, least=least)
    if count > most:
        yield N_("{field}: there are {count}; WhatsApp takes {most}.", field=field, count=count, most=most)


def _unique(field: Sentence, values: Iterable[str]) -> Complaints:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield N_("{field} “{value}” is there twice.", field=field, value=value)
        seen.add(value)


def _address(field: Sentence, url: str) -> Complaints:
    if not _WEB.fullmatch(url):
        yield N_("{field} is not a web address that starts with http:// or https://.", field=field)
    yield from _words(field, url, LINK)


# ---- kinds -----------------------------------------------------------------------------------------------------------


def _text(content: Text) -> Complaints:
    yield from _words(N_("The text"), content.text, 4096)


def _file(content: Media) -> Complaints:
    kind = str(content.__struct_config__.tag)
    if not content.provider_id and not content.url and not content.media_id:
        yield N_("The file is not ready to be sent: it has no id at WhatsApp and no public address.")
    if not content.provider_id and content.url:
        yield from _address(N_("The address of the file"), content.url)
    if content.caption and kind in ("audio", "sticker"):
        yield N_("The caption: WhatsApp shows none with a file of this kind.")
    yield from _words(N_("The caption"), content.caption, 1024, required=False)
    yield from _kind_of_file(kind, content)


def _kind_of_file(kind: str, content: Media) -> Complaints:
    mime = content.mime.split(";")[0].strip().lower()
    if mime and mime not in FILES[kind]:
        yield N_(
            "The file is of type {mime}; WhatsApp takes {names} as {kind}.",
            mime=mime,
            names=", ".join(FILES[kind]),
            kind=kind,
        )
    most = FILES[kind].get(mime, max(FILES[kind].values()))
    if kind == "sticker" and not getattr(content, "animated", False):
        most = STILL_STICKER
    if content.size > most:
        yield N_("The file has {size} bytes; WhatsApp takes {most} for this type.", size=content.size, most=most)


def _audio(content: Audio) -> Complaints:
    yield from _file(content)
    if content.voice and content.mime and not content.mime.lower().startswith("audio/ogg"):
        yield N_("The voice message is not audio/ogg; WhatsApp plays no other type as voice.")


def _document(content: Document) -> Complaints:
    yield from _file(content)
    yield from _words(N_("The file name"), content.filename, 240, required=False)


def _contacts(content: Contacts) -> Complaints:
    yield from _count(N_("The contact cards"), len(content.cards), CARDS)
    for card in content.cards:
        yield from _words(N_("The name on a contact card"), card.name, 1024)


def _reaction(content: Reaction) -> Complaints:
    yield from _words(N_("The message to react to"), content.target, 512)


def _frame(text: str, most: int, header: object, footer: str) -> Complaints:
    """Body, header and footer of an interactive message."""
    yield from _words(N_("The text"), text, most)
    if isinstance(header, str):
        yield from _words(N_("The header"), header, 60, required=False)
    elif isinstance(header, Media):
        yield from (N_("The header: {complaint}", complaint=complaint) for complaint in _file(header))
    yield from _words(N_("The footer"), footer, 60, required=False)


def _buttons(content: Buttons) -> Complaints:
    yield from _frame(content.text, 1024, content.header, content.footer)
    yield from _count(N_("The buttons"), len(content.choices), 3)
    for choice in content.choices:
        yield from _words(N_("The title of a button"), choice.title, 20)
        yield from _words(N_("The id of a button"), choice.id, BUTTON_ID)
        if choice.id != choice.id.strip():
            yield N_("The id of a button “{id}” begins or ends with a space.", id=choice.id)
    yield from _unique(N_("The title of a button"), (choice.title for choice in content.choices))
    yield from _unique(N_("The id of a button"), (choice.id for choice in content.choices))


def _list(content: ChoiceList) -> Complaints:
    yield from _frame(content.text, 4096, content.header, content.footer)
    yield from _words(N_("The label of the list"), content.label, 20)
    yield from _count(N_("The sections of the list"), len(content.sections), SECTIONS)
    rows = [row for section in content.sections for row in section.choices]
    yield from _count(N_("The rows of the list"), len(rows), 10)
    for section in content.sections:
        yield from _count(N_("The rows of a section"), len(section.choices), 10)
        yield from _words(
            N_("The title of a section"), section.title, SECTION_TITLE, required=len(content.sections) > 1
        )
    for row in rows:
        yield from _words(N_("The title of a row"), row.title, 24)
        yield from _words(N_("The id of a row"), row.id, ROW_ID)
        yield from _words(N_("The description of a row"), row.description, 72, required=False)
    yield from _unique(N_("The id of a row"), (row.id for row in rows))


def _link(content: Link) -> Complaints:
    yield from _frame(content.text, 1024, content.header, content.footer)
    yield from _words(N_("The label of the link"), content.label, 20)
    yield from _address(N_("The address of the link"), content.url)


def _flow(content: Flow) -> Complaints:
    yield from _frame(content.text, 1024, content.header, content.footer)
    if not content.parameters.get("flow_id") and not content.parameters.get("flow_name"):
        yield N_("The form: its flow_id or flow_name is needed.")
    yield from _words(N_("The label of the form (flow_cta)"), str(content.parameters.get("flow_cta", "")), 30)


def _ask(content: Ask) -> Complaints:
    yield from _words(N_("The text"), content.text, 1024)
    yield from request("WhatsApp", content.what)


def _template(content: Template) -> Complaints:
    if not _TEMPLATE_NAME.fullmatch(content.name):
        yield N_("The name of the template has 1 to 512 small letters, digits and underscores.")
    if not _LANGUAGE.fullmatch(content.language):
        yield N_("The language of the template is a code such as en or pt_BR.")
    for component in content.components:
        parameters = component.get("parameters")
        for parameter in parameters if isinstance(parameters, list) else ():
            yield from _parameter(parameter)


def _parameter(parameter: Any) -> Complaints:
    """Texts that fill a template may not break its layout."""
    text = parameter.get("text") if isinstance(parameter, dict) else None
    if not isinstance(text, str):
        return
    if not text.strip():
        yield N_("A value of the template is empty.")
    if "\n" in text or "\t" in text or "     " in text:
        yield N_("A value of the template holds a line break, a tab or more than four spaces in a row.")


RULES: Final[Rules] = {
    Text: _text,
    Image: _file,
    Video: _file,
    Audio: _audio,
    Document: _document,
    Sticker: _file,
    Location: location,
    Contacts: _contacts,
    Reaction: _reaction,
    Buttons: _buttons,
    ChoiceList: _list,
    Link: _link,
    Flow: _flow,
    Ask: _ask,
    Template: _template,
}
