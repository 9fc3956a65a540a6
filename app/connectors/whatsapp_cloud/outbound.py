"""Our content → the body of `POST /{phone_id}/messages`. Contract §7.

Bodies are made without checks: `limits.py` has looked before.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from app.connectors.base import Address, Outbound
from app.content import (
    Ask,
    Audio,
    Buttons,
    Card,
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
    Section,
    Sticker,
    Template,
    Text,
    Video,
)

Body = dict[str, Any]
_encoder = msgspec.json.Encoder()


def body_of(message: Outbound) -> bytes:
    """The request. Raises `LookupError` where there is nobody to send to or no form for the content."""
    kind, payload = payload_of(message.content)
    body: Body = {"messaging_product": "whatsapp", "recipient_type": "individual", **recipient(message.to)}
    body["type"], body[kind] = kind, payload
    if message.reply_to and kind != "reaction":
        body["context"] = {"message_id": message.reply_to}
    if message.opaque:
        body["biz_opaque_callback_data"] = message.opaque
    return _encoder.encode(body)


def recipient(to: Address) -> Body:
    """The number if one is known, so that Meta goes on telling it. A user id in `to` is taken and silently lost."""
    number = to.wa_id or to.phone
    if number:
        return {"to": f"+{number}"}
    user_id = to.user_id or to.parent_user_id
    if user_id:
        return {"recipient": user_id}
    raise LookupError("recipient")


def read_mark(provider_id: str, *, typing: bool) -> bytes:
    """Marks a message as read; the typing sign can only come along with that. Contract §7.5."""
    body: Body = {"messaging_product": "whatsapp", "status": "read", "message_id": provider_id}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return _encoder.encode(body)


def payload_of(content: Content) -> tuple[str, Any]:
    """The network's type and what lies under the key of that name."""
    if type(content) is Text:
        return "text", {"body": content.text, "preview_url": True} if content.preview else {"body": content.text}
    form = FORMS.get(type(content))
    if form is None:
        raise LookupError("content")
    return form(content)


def file_of(file: Media) -> Body:
    """`id` of an uploaded file or a public `link`, with a caption where there is one."""
    source = {"id": file.provider_id} if file.provider_id else {"link": file.url}
    return source | ({"caption": file.caption} if file.caption else {})


def _image(image: Image) -> tuple[str, Body]:
    return "image", file_of(image)


def _video(video: Video) -> tuple[str, Body]:
    return "video", file_of(video)


def _audio(audio: Audio) -> tuple[str, Body]:
    return "audio", file_of(audio) | ({"voice": True} if audio.voice else {})


def _document(document: Document) -> tuple[str, Body]:
    return "document", file_of(document) | ({"filename": document.filename} if document.filename else {})


def _sticker(sticker: Sticker) -> tuple[str, Body]:
    return "sticker", file_of(sticker)


def _location(place: Location) -> tuple[str, Body]:
    words = {"name": place.name, "address": place.address}
    return "location", {"latitude": place.latitude, "longitude": place.longitude} | _given(words)


def _contacts(contacts: Contacts) -> tuple[str, list[Body]]:
    return "contacts", [_card(card) for card in contacts.cards]


def _card(card: Card) -> Body:
    """Keeps what came with a forwarded card, as far as Meta takes it back."""
    first, _, last = card.name.partition(" ")
    name = {"formatted_name": card.name, "first_name": first} | _given({"last_name": last})
    body: Body = {"name": card.more.get("name", name)}
    body |= {key: card.more[key] for key in ("org", "addresses", "urls", "birthday") if key in card.more}
    if card.phones:
        body["phones"] = [{"phone": phone} | _given({"type": kind}) for phone, kind in card.phones]
    if card.emails:
        body["emails"] = [{"email": email} | _given({"type": kind}) for email, kind in card.emails]
    return body


def _reaction(reaction: Reaction) -> tuple[str, Body]:
    return "reaction", {"message_id": reaction.target, "emoji": reaction.emoji}


def _interactive(kind: str, text: str, action: Body, header: Any = None, footer: str = "") -> tuple[str, Body]:
    body: Body = {"type": kind, "body": {"text": text}, "action": action}
    if header:
        body["header"] = {"type": "text", "text": header} if isinstance(header, str) else _file_header(header)
    if footer:
        body["footer"] = {"text": footer}
    return "interactive", body


def _file_header(header: Image | Video | Document) -> Body:
    kind, payload = payload_of(msgspec.structs.replace(header, caption=""))
    return {"type": kind, kind: payload}


def _buttons(buttons: Buttons) -> tuple[str, Body]:
    action = {
        "buttons": [{"type": "reply", "reply": {"id": choice.id, "title": choice.title}} for choice in buttons.choices]
    }
    return _interactive("button", buttons.text, action, buttons.header, buttons.footer)


def _list(menu: ChoiceList) -> tuple[str, Body]:
    action = {"button": menu.label, "sections": [_section(section) for section in menu.sections]}
    return _interactive("list", menu.text, action, menu.header, menu.footer)


def _section(section: Section) -> Body:
    rows = [{"id": row.id, "title": row.title} | _given({"description": row.description}) for row in section.choices]
    return {"rows": rows} | _given({"title": section.title})


def _link(link: Link) -> tuple[str, Body]:
    action = {"name": "cta_url", "parameters": {"display_text": link.label, "url": link.url}}
    return _interactive("cta_url", link.text, action, link.header, link.footer)


def _flow(flow: Flow) -> tuple[str, Body]:
    action = {"name": "flow", "parameters": {"flow_message_version": "3"} | flow.parameters}
    return _interactive("flow", flow.text, action, flow.header, flow.footer)


def _ask(ask: Ask) -> tuple[str, Body]:
    if ask.what == "location":
        return _interactive("location_request_message", ask.text, {"name": "send_location"})
    return _interactive("request_contact_info", ask.text, {"name": "request_contact_info"})


def _template(template: Template) -> tuple[str, Body]:
    body: Body = {"name": template.name, "language": {"code": template.language}}
    return "template", body | ({"components": list(template.components)} if template.components else {})


def _given(words: dict[str, str]) -> Body:
    """Only what is not empty."""
    return {key: value for key, value in words.items() if value}


FORMS: dict[type, Callable[[Any], tuple[str, Any]]] = {
    Image: _image,
    Video: _video,
    Audio: _audio,
    Document: _document,
    Sticker: _sticker,
    Location: _location,
    Contacts: _contacts,
    Reaction: _reaction,
    Buttons: _buttons,
    ChoiceList: _list,
    Link: _link,
    Flow: _flow,
    Ask: _ask,
    Template: _template,
}
