"""What a network cannot show is said in another way; the rules are in docs/bot-language.md.

Buttons become a list, a list becomes buttons, and what fits neither becomes a numbered text whose numbers are
understood. Long texts are cut at a sentence or a space, files a network has no form for become a link, a place becomes
a link to a map, a contact card and a template become texts, reactions and quotes are left out. Lengths are in
characters.
"""

from typing import NamedTuple

from app.capabilities import Capabilities
from app.content import (
    AnyMedia,
    Audio,
    Buttons,
    Card,
    Choice,
    ChoiceList,
    Contacts,
    Content,
    Document,
    Image,
    Location,
    Reaction,
    Section,
    Sticker,
    Template,
    Text,
    Video,
    kind,
)
from app.said import N_, Sentence

# What opens a list that the author did not ask for, by language.
LABELS = {
    "ar": "القائمة", "bn": "মেনু", "de": "Menü", "el": "Μενού", "es": "Menú", "fa": "منو", "he": "תפריט",
    "hi": "मेन्यू", "ja": "メニュー", "ko": "메뉴", "ru": "Меню", "th": "เมนู", "tr": "Menü", "uk": "Меню", "ur": "مینو",
    "zh": "菜单", "zh_Hant": "選單",
}  # fmt: skip
LABEL = "Menu"
MAP = "https://www.google.com/maps/search/?api=1&query={latitude},{longitude}"

Choices = tuple[tuple[str, str], ...]


class Fitted(NamedTuple):
    """`contents` in the form the network can show, none where it has nothing like it; `notes` say what was changed;
    `choices` (id, title) are what a number typed by the customer stands for."""

    contents: tuple[Content, ...]
    notes: tuple[Sentence, ...] = ()
    choices: Choices = ()


def fit(content: Content, capabilities: Capabilities, language: str = "") -> Fitted:
    """The content as this network can show it. Pure; kinds that a bot does not send pass as they are. `language` is
    what the customer reads, as `pt` or `zh_Hant`."""
    match content:
        case Text():
            if len(content.text) <= capabilities.text:
                return Fitted((content,))
            return Fitted(texts(content.text, capabilities), (N_("A long text was sent in parts"),))
        case Buttons():
            return fit_buttons(content, capabilities, LABELS.get(language, LABEL))
        case ChoiceList():
            return fit_list(content, capabilities)
        case Image() | Video() | Audio() | Document() | Sticker():
            return fit_media(content, capabilities)
        case Location() if not capabilities.location:
            return Fitted(
                texts(place(content), capabilities), (N_("This network shows no places; sent as a map link"),)
            )
        case Contacts() if not capabilities.contacts:
            return Fitted(
                texts(cards(content), capabilities), (N_("This network has no contact cards; sent as a text"),)
            )
        case Reaction() if not capabilities.reaction:
            return Fitted((), (N_("This network has no reactions; the reaction was left out"),))
        case Template() if not capabilities.template:
            return fit_template(content, capabilities)
        case _:
            return Fitted((content,))


def fit_quote(content: Content, can: Capabilities) -> tuple[bool, tuple[Sentence, ...]]:
    """Whether the message can be sent as an answer to the one that came, and what is told if not. A reaction always is
    about it."""
    if can.quote or isinstance(content, Reaction):
        return True, ()
    return False, (N_("This network quotes no messages; sent without the quote"),)


def fit_template(content: Template, can: Capabilities) -> Fitted:
    if not content.text:
        said = N_("This network has no templates, and “{name}” has no text; it was left out", name=content.name)
        return Fitted((), (said,))
    return Fitted(texts(content.text, can), (N_("This network has no templates; sent as a text"),))


def place(content: Location) -> str:
    """Name, address and a link that opens a map."""
    link = MAP.format(latitude=degrees(content.latitude), longitude=degrees(content.longitude))
    return "\n".join(part for part in (content.name, content.address, link) if part)


def degrees(value: float) -> str:
    """To a tenth of a metre, without zeros at the end: -8.0578."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def cards(content: Contacts) -> str:
    return "\n\n".join(card_text(card) for card in content.cards)


def card_text(card: Card) -> str:
    firm = card.more.get("org", {}).get("company", "")
    return "\n".join(part for part in (card.name, firm, *(v for v, _ in (*card.phones, *card.emails))) if part)


def fit_buttons(content: Buttons, can: Capabilities, label: str) -> Fitted:
    lost = _buttons_lost(content.choices, can)
    if not lost:
        shown = _with_edges(content, can)
        return shown._replace(choices=_titles(content.choices)) if can.numbered else shown
    if not _list_lost(content.choices, can):
        sections = (Section(content.choices),)
        before, header, notes = _header_before(content, can)
        above = header if isinstance(header, str) else ""  # a file above was sent before
        listed = fit_list(ChoiceList(content.text, label, sections, above, content.footer), can)
        return Fitted(
            (*before, *listed.contents),
            (N_("{lost}; sent as a list", lost=lost), *notes, *listed.notes),
            listed.choices,
        )
    before, header, notes = _header_before(content, can)
    numbered = _numbered(content.text, (Section(content.choices),), header, content.footer, can)
    return Fitted(
        (*before, *numbered.contents), (N_("{lost}; sent as a numbered text", lost=lost), *notes), numbered.choices
    )


def fit_list(content: ChoiceList, can: Capabilities) -> Fitted:
    rows = tuple(choice for section in content.sections for choice in section.choices)
    lost = _list_lost(rows, can)
    if lost and not _buttons_lost(rows, can) and not any(row.description for row in rows):
        shown = _with_edges(Buttons(content.text, rows, content.header, content.footer), can)
        numbers = _titles(rows) if can.numbered else ()
        return Fitted(shown.contents, (N_("{lost}; sent as buttons", lost=lost), *shown.notes), numbers)
    if lost:
        numbered = _numbered(content.text, content.sections, content.header, content.footer, can)
        return Fitted(numbered.contents, (N_("{lost}; sent as a numbered text", lost=lost),), numbered.choices)
    sections, notes = _shorten(content.sections, can)
    label = _cut(content.label, can.list_label)
    notes += (N_("The label of the list was shortened"),) if label != content.label else ()
    *head, text = _split_inside(content.text, can.list_text, can)
    header, footer, text, more = _edges(content.header, content.footer, text, can, can.list_text)
    shown_list = ChoiceList(text, label, sections, header, footer)
    notes += (N_("A long text was sent in parts"),) if head else ()
    return Fitted((*map(Text, head), shown_list), notes + more)


def fit_media(content: AnyMedia, can: Capabilities) -> Fitted:
    what = kind(content)
    if what not in can.media:
        where = content.url or content.provider_id
        name = content.filename if isinstance(content, Document) else ""
        words = "\n".join(part for part in (content.caption, name, where) if part)
        return Fitted(texts(words, can), (N_("This network shows no {what}; sent as a link", what=what),))
    apart = isinstance(content, Audio) or len(content.caption) > can.caption
    if content.caption and apart:
        bare = _without_caption(content)
        return Fitted((bare, *texts(content.caption, can)), (N_("The caption was sent as a text of its own"),))
    return Fitted((content,))


def _without_caption(content: AnyMedia) -> Content:
    match content:
        case Image():
            return Image(url=content.url, provider_id=content.provider_id, media_id=content.media_id, mime=content.mime)
        case Video():
            return Video(url=content.url, provider_id=content.provider_id, media_id=content.media_id, mime=content.mime)
        case Document():
            return Document(
                url=content.url,
                provider_id=content.provider_id,
                media_id=content.media_id,
                mime=content.mime,
                filename=content.filename,
            )
        case _:
            return Audio(url=content.url, provider_id=content.provider_id, media_id=content.media_id, mime=content.mime)


def _buttons_lost(choices: tuple[Choice, ...], can: Capabilities) -> Sentence:
    """Why these choices cannot be buttons here; empty if they can."""
    if not can.buttons:
        return N_("This network has no buttons")
    if len(choices) > can.buttons:
        return N_("This network shows at most {most} buttons", most=can.buttons)
    for choice in choices:
        if len(choice.title) > can.button_title:
            return N_(
                "“{title}” is longer than a button here may be ({most})", title=choice.title, most=can.button_title
            )
    return ""


def _list_lost(choices: tuple[Choice, ...], can: Capabilities) -> Sentence:
    """Why these choices cannot be a list here; empty if they can."""
    if not can.list_rows:
        return N_("This network has no lists")
    if len(choices) > can.list_rows:
        return N_("This network shows at most {most} rows", most=can.list_rows)
    for choice in choices:
        if len(choice.title) > can.list_title:
            return N_("“{title}” is longer than a row here may be ({most})", title=choice.title, most=can.list_title)
    return ""


def _titles(choices: tuple[Choice, ...]) -> Choices:
    return tuple((choice.id, choice.title) for choice in choices)


def _with_edges(content: Buttons, can: Capabilities) -> Fitted:
    """Buttons whose count and titles fit: the text, the header and the footer may still be too long."""
    before, header, notes = _header_before(content, can, keep=not can.numbered)
    if len(content.text) <= can.button_text and len(content.footer) <= can.footer and header is content.header:
        if not isinstance(header, str) or len(header) <= can.header:
            return Fitted((content,))
    *head, text = _split_inside(content.text, can.button_text, can)
    notes += (N_("A long text was sent in parts"),) if head else ()
    if isinstance(header, str):
        header, footer, text, more = _edges(header, content.footer, text, can, can.button_text)
    else:
        _, footer, text, more = _edges("", content.footer, text, can, can.button_text)
    return Fitted((*before, *map(Text, head), Buttons(text, content.choices, header, footer)), notes + more)


def _header_before(
    content: Buttons, can: Capabilities, keep: bool = False
) -> tuple[tuple[Content, ...], str | Image | Video | Document, tuple[Sentence, ...]]:  # fmt: skip
    """A header that is a file goes ahead as a message of its own, unless it may stay and the network shows it."""
    header = content.header
    if isinstance(header, str) or (keep and kind(header) in can.media):
        return (), header, ()
    ahead = fit_media(header, can)
    return ahead.contents, "", (N_("The picture or file above the text was sent before it"), *ahead.notes)


def _edges(
    header: str, footer: str, text: str, can: Capabilities, most: int
) -> tuple[str, str, str, tuple[Sentence, ...]]:
    """Header and footer that are too long move into the text, or are shortened where it has no room."""
    notes: tuple[Sentence, ...] = ()
    if len(header) > can.header:
        notes += (N_("The header was too long for this network"),)
        if len(header) + 2 + len(text) <= most:
            header, text = "", f"{header}\n\n{text}"
        header = _cut(header, can.header)
    if len(footer) > can.footer:
        notes += (N_("The footer was too long for this network"),)
        if len(footer) + 2 + len(text) <= most:
            footer, text = "", f"{text}\n\n{footer}"
        footer = _cut(footer, can.footer)
    return header, footer, text, notes


def _shorten(sections: tuple[Section, ...], can: Capabilities) -> tuple[tuple[Section, ...], tuple[Sentence, ...]]:
    """Descriptions and section titles cut to what a list may hold."""
    short = tuple(
        Section(
            tuple(Choice(c.id, c.title, _cut(c.description, can.list_description)) for c in section.choices),
            _cut(section.title, can.list_title),
        )
        for section in sections
    )
    return (sections, ()) if short == sections else (short, (N_("Descriptions in the list were shortened"),))


def _numbered(
    text: str, sections: tuple[Section, ...], header: str | Image | Video | Document, footer: str, can: Capabilities
) -> Fitted:
    """The choices as numbered lines under the text."""
    lines: list[str] = []
    choices: list[tuple[str, str]] = []
    for section in sections:
        lines += ["", section.title] if section.title and lines else [section.title] if section.title else []
        for choice in section.choices:
            choices.append((choice.id, choice.title))
            lines.append(f"{len(choices)}. {choice.title}" + (f": {choice.description}" if choice.description else ""))
    blocks = [header if isinstance(header, str) else "", text, "\n".join(lines), footer]
    return Fitted(texts("\n\n".join(block for block in blocks if block), can), (), tuple(choices))


def texts(text: str, can: Capabilities) -> tuple[Content, ...]:
    """A text in as many messages as the network needs."""
    return tuple(Text(part) for part in split(text, can.text))


def _split_inside(text: str, most: int, can: Capabilities) -> list[str]:
    """Texts to send before, and last the one that goes with the choices."""
    if len(text) <= most:
        return [text]
    *head, last = split(text, most)
    return [*head, last] if most <= can.text else [part for long in head for part in split(long, can.text)] + [last]


def split(text: str, most: int) -> list[str]:
    """The text in parts of at most `most` characters, cut after a paragraph, a sentence or a word where possible."""
    parts: list[str] = []
    while len(text) > most:
        at = _cut_at(text, most)
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [part for part in (*parts, text) if part]


def _cut_at(text: str, most: int) -> int:
    """Where to cut: the last good place in the second half of what fits, else at the limit."""
    for mark in ("\n\n", "\n", ". ", "! ", "? ", "。", "؟ ", "। ", "; ", ", ", " "):
        at = text.rfind(mark, most // 2, most)
        if at > 0:
            return at + len(mark)
    return most


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + "…" if most else ""
