"""Our content → the message that the library sends. Files are uploaded before; see `files.py`."""

from typing import Any, Final

from app.connectors.whatsapp_web.vcard import write_card
from app.content import Ask, Card, Contacts, Content, Link, Location, Reaction, Text

# Fields of the messages that can answer another one.
_ANSWERS: Final = ("extendedTextMessage", "imageMessage", "videoMessage", "audioMessage", "documentMessage",
                   "stickerMessage", "locationMessage", "contactMessage", "contactsArrayMessage")  # fmt: skip


def message_of(e2e: Any, content: Content) -> Any:
    """The message for a content without a file. Raises `LookupError` for one that has no form here."""
    match content:
        case Text():
            return e2e.Message(conversation=content.text)
        case Link():
            words = (content.header, content.text, f"{content.label}: {content.url}", content.footer)
            return e2e.Message(conversation="\n\n".join(word for word in words if word))
        case Ask():
            return e2e.Message(conversation=content.text)
        case Location():
            place = e2e.LocationMessage(
                degreesLatitude=content.latitude, degreesLongitude=content.longitude, name=content.name,
                address=content.address,
            )  # fmt: skip
            return e2e.Message(locationMessage=place)
        case Contacts(cards=(card,)):
            return e2e.Message(contactMessage=_card(e2e, card))
        case Contacts():
            cards = [_card(e2e, card) for card in content.cards]
            names = ", ".join(card.name for card in content.cards)
            return e2e.Message(contactsArrayMessage=e2e.ContactsArrayMessage(displayName=names, contacts=cards))
    raise LookupError("content")


def reaction_to(e2e: Any, common: Any, reaction: Reaction, chat: str, *, own: bool, at: int) -> Any:
    """`own`: the message it is put on is one of ours; `at` in ms."""
    key = common.MessageKey(remoteJID=chat, fromMe=own, ID=reaction.target)
    return e2e.Message(reactionMessage=e2e.ReactionMessage(key=key, text=reaction.emoji, senderTimestampMS=at))


def answering(e2e: Any, message: Any, id: str, author: str, quoted: Any) -> Any:
    """The same message as an answer to another one. `author`: who wrote that one; `quoted`: what it said, if known."""
    if message.HasField("conversation"):
        message = e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(text=message.conversation))
    for field in _ANSWERS:
        if message.HasField(field):
            context = getattr(message, field).contextInfo
            context.stanzaID, context.participant = id, author
            context.quotedMessage.CopyFrom(quoted if quoted is not None else e2e.Message(conversation=""))
    return message


def _card(e2e: Any, card: Card) -> Any:
    return e2e.ContactMessage(displayName=card.name, vcard=write_card(card))
