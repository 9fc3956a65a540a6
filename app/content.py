"""What a message holds: one frozen struct per content kind, the same for every network.

The tag (`kind`) is stored in the database and shown in the API. A connector turns the network's payload into these and
back; everything between connectors knows only these. A kind that no struct describes becomes `Unsupported` and keeps
its raw form, so nothing a customer sent is ever lost.
"""

from typing import Any

import msgspec


class Base(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Common shape: JSON object with `kind`; defaults are left out."""


class Text(Base, frozen=True, tag="text"):
    text: str
    preview: bool = False


class Media(Base, frozen=True):
    """A file. `media_id` names our stored file; `provider_id` and `url` say where the network has it; `sha256` is
    hex."""

    provider_id: str = ""
    url: str = ""
    mime: str = ""
    sha256: str = ""
    caption: str = ""
    media_id: str = ""
    size: int = 0


class Image(Media, frozen=True, tag="image"):
    pass


class Video(Media, frozen=True, tag="video"):
    pass


class Audio(Media, frozen=True, tag="audio"):
    """`voice`: recorded in the chat, to be shown with a play button."""

    voice: bool = False


class Document(Media, frozen=True, tag="document"):
    filename: str = ""


class Sticker(Media, frozen=True, tag="sticker"):
    animated: bool = False


class Location(Base, frozen=True, tag="location"):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """One contact card. `phones` and `emails` are (value, type) pairs; `more` keeps what has no field here."""

    name: str
    phones: tuple[tuple[str, str], ...] = ()
    emails: tuple[tuple[str, str], ...] = ()
    more: dict[str, Any] = {}


class Contacts(Base, frozen=True, tag="contacts"):
    """`requested`: the customer answered our request for the phone number with this."""

    cards: tuple[Card, ...]
    requested: bool = False


class Reaction(Base, frozen=True, tag="reaction"):
    """`target` is the provider's id of the message; an empty emoji takes the reaction back."""

    target: str
    emoji: str = ""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    title: str
    description: str = ""


class Section(msgspec.Struct, frozen=True, omit_defaults=True):
    choices: tuple[Choice, ...]
    title: str = ""


class Buttons(Base, frozen=True, tag="buttons"):
    """Text with reply buttons. `header` is a text or an Image, Video or Document."""

    text: str
    choices: tuple[Choice, ...]
    header: str | Image | Video | Document = ""
    footer: str = ""


class ChoiceList(Base, frozen=True, tag="list"):
    """Text with a menu that opens: `label` is on the button."""

    text: str
    label: str
    sections: tuple[Section, ...]
    header: str = ""
    footer: str = ""


class Poll(Base, frozen=True, tag="poll"):
    """A question with answers to vote for. `many`: several may be chosen."""

    text: str
    choices: tuple[Choice, ...]
    many: bool = False


class Link(Base, frozen=True, tag="cta_url"):
    """Text with one button that opens an address."""

    text: str
    label: str
    url: str
    header: str = ""
    footer: str = ""


class Flow(Base, frozen=True, tag="flow"):
    """A form of the network (WhatsApp Flow). `parameters` as in the provider's contract."""

    text: str
    parameters: dict[str, Any]
    header: str = ""
    footer: str = ""


class Ask(Base, frozen=True, tag="request"):
    """Text that asks the customer's phone for something: `what` is `location` or `contact_info`."""

    text: str
    what: str


class Template(Base, frozen=True, tag="template"):
    """A template approved by the network; `components` as in the provider's contract; `text` is what it reads like.
    `file`: a stored file for its header. `buttons` are the labels of its buttons."""

    name: str
    language: str
    components: tuple[dict[str, Any], ...] = ()
    text: str = ""
    file: Image | Video | Document | None = None
    header: str = ""
    footer: str = ""
    buttons: tuple[str, ...] = ()


class Pressed(Base, frozen=True, tag="button_reply"):
    """The customer pressed a reply button (or a template's quick reply: then `id` is its payload)."""

    id: str
    title: str


class Picked(Base, frozen=True, tag="list_reply"):
    """The customer picked a row of a list."""

    id: str
    title: str
    description: str = ""


class Voted(Base, frozen=True, tag="vote"):
    """The customer voted for several answers of a poll, or took the vote back. `target` is the poll; a vote for one
    answer is `Pressed`."""

    target: str
    titles: tuple[str, ...] = ()


class FlowReply(Base, frozen=True, tag="flow_reply"):
    """The customer sent a form. `answers` is the decoded response, empty if it was not JSON (then see `text`)."""

    name: str
    text: str = ""
    answers: dict[str, Any] = {}


class Order(Base, frozen=True, tag="order"):
    """Items from the catalogue: provider's item objects as they came."""

    catalog: str
    items: tuple[dict[str, Any], ...]
    text: str = ""


class System(Base, frozen=True, tag="system"):
    """The network tells something about the person, e.g. `user_changed_number`. `data` as it came."""

    what: str
    text: str = ""
    data: dict[str, Any] = {}


class Edit(Base, frozen=True, tag="edit"):
    """The sender changed an earlier message. `content` is the new one."""

    target: str
    content: "Text | Image | Video | Audio | Document | Location | Unsupported"


class Delete(Base, frozen=True, tag="delete"):
    """The sender deleted an earlier message."""

    target: str


class Note(Base, frozen=True, tag="note"):
    """Only the team sees this."""

    text: str


class Unsupported(Base, frozen=True, tag="unsupported"):
    """Something this version does not know: `what` is the network's type, `raw` its payload, `reason` what it said."""

    what: str
    reason: str = ""
    raw: dict[str, Any] = {}


AnyMedia = Image | Video | Audio | Document | Sticker  # each of them; `Media` is what they have in common
Content = (
    Text | AnyMedia | Location | Contacts | Reaction | Buttons | ChoiceList | Poll
    | Link | Flow | Ask | Template | Pressed | Picked | Voted | FlowReply | Order | System | Edit | Delete | Note
    | Unsupported
)  # fmt: skip

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


def encode(content: Content) -> str:
    """JSON text for the database and the API."""
    return _encoder.encode(content).decode()


def decode(text: str | bytes) -> Content:
    """The struct behind stored JSON. Raises `msgspec.ValidationError` on foreign text."""
    return _decoder.decode(text)


def kind(content: Content) -> str:
    """The stored name of the content's kind."""
    return str(content.__struct_config__.tag)


def text(content: Content) -> str:
    """The words in it, for lists, search and rules; empty where there are none."""
    match content:
        case (
            Text()
            | Buttons()
            | ChoiceList()
            | Poll()
            | Link()
            | Flow()
            | Ask()
            | Template()
            | FlowReply()
            | Order()
            | System()
            | Note()
        ):
            return content.text
        case Image() | Video() | Audio() | Document() | Sticker():
            return content.caption
        case Pressed() | Picked():
            return content.title
        case Voted():
            return ", ".join(content.titles)
        case Location():
            return content.name or content.address
        case Contacts():
            return ", ".join(card.name for card in content.cards)
        case Reaction():
            return content.emoji
        case Edit():
            return text(content.content)
        case Unsupported() | Delete():
            return ""


def is_media(content: Content) -> bool:
    """A file that has to be fetched from the network."""
    return isinstance(content, Media)
