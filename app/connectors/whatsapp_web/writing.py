"""Our content → the message that the library sends. Files are uploaded before; see `files.py`."""

import json
import os
from typing import Any, Final

from app.connectors.whatsapp_web.vcard import write_card
from app.content import (
    Ask,
    Buttons,
    Card,
    Choice,
    Contacts,
    Content,
    Delete,
    Edit,
    Link,
    Location,
    Poll,
    Reaction,
    Text,
)

QUESTION: Final = 255  # characters of a poll's question
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
        case Buttons():
            return e2e.Message(conversation=numbered(content))
        case Poll():
            return poll(e2e, content.text, content.choices, many=content.many)
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


def correction(e2e: Any, common: Any, change: Edit | Delete, chat: str, at: int) -> Any:
    """An earlier message of ours gets other words, or goes from the phones. `at` in ms."""
    key = common.MessageKey(remoteJID=chat, fromMe=True, ID=change.target)
    if isinstance(change, Delete):
        gone = e2e.ProtocolMessage(key=key, type=e2e.ProtocolMessage.REVOKE)
        return e2e.Message(protocolMessage=gone)
    new = message_of(e2e, change.content)
    edit = e2e.ProtocolMessage(key=key, type=e2e.ProtocolMessage.MESSAGE_EDIT, editedMessage=new, timestampMS=at)
    wrapped = e2e.FutureProofMessage(message=e2e.Message(protocolMessage=edit))
    return e2e.Message(editedMessage=wrapped)


def numbered(content: Buttons) -> str:
    """The choices as numbered lines under the text."""
    lines = "\n".join(f"{number}. {choice.title}" for number, choice in enumerate(content.choices, 1))
    header = content.header if isinstance(content.header, str) else ""
    return "\n\n".join(block for block in (header, content.text, lines, content.footer) if block)


def poll(e2e: Any, text: str, choices: tuple[Choice, ...], *, many: bool) -> Any:
    """With a secret of its own, which the library keeps: with it votes are read."""
    options = [e2e.PollCreationMessage.Option(optionName=choice.title) for choice in choices]
    made = e2e.PollCreationMessage(name=text, options=options, selectableOptionsCount=0 if many else 1)
    secret = e2e.MessageContextInfo(messageSecret=os.urandom(32))
    return e2e.Message(pollCreationMessage=made, messageContextInfo=secret)


def can_be_poll(content: Buttons) -> bool:
    """A poll is a question of one line, and has two answers at least."""
    return not content.header and not content.footer and len(content.text) <= QUESTION and len(content.choices) > 1


def pressable(e2e: Any, content: Buttons) -> Any:
    """Real buttons, which some phones show; the text with the numbers was sent before."""
    flow = e2e.InteractiveMessage.NativeFlowMessage
    buttons = [
        flow.NativeFlowButton(
            name="quick_reply", buttonParamsJSON=json.dumps({"display_text": choice.title, "id": choice.id})
        )
        for choice in content.choices
    ]
    body = e2e.InteractiveMessage.Body(text=content.text)
    return e2e.Message(interactiveMessage=e2e.InteractiveMessage(body=body, nativeFlowMessage=flow(buttons=buttons)))


def reaction_to(
    e2e: Any, common: Any, reaction: Reaction, chat: str, *, own: bool, author: str = "", at: int
) -> Any:  # fmt: skip
    """`own`: the message it is put on is one of ours; `author`: in a group, who wrote it; `at` in ms."""
    key = common.MessageKey(remoteJID=chat, fromMe=own, ID=reaction.target, participant=author or None)
    return e2e.Message(reactionMessage=e2e.ReactionMessage(key=key, text=reaction.emoji, senderTimestampMS=at))


def answering(e2e: Any, message: Any, id: str, author: str, quoted: Any) -> Any:
    """The same message as an answer to another one. `author`: who wrote that one; `quoted`: what it said, if known."""
    message = _extended(e2e, message)
    for field in _ANSWERS:
        if message.HasField(field):
            context = getattr(message, field).contextInfo
            context.stanzaID, context.participant = id, author
            context.quotedMessage.CopyFrom(quoted if quoted is not None else e2e.Message(conversation=""))
    return message


def lasting(e2e: Any, message: Any, seconds: str) -> Any:
    """The same message, to disappear after so many seconds, as all of its chat do; '' and 0 for never."""
    if int(seconds or 0):
        message = _extended(e2e, message)
        for field in _ANSWERS:
            if message.HasField(field):
                getattr(message, field).contextInfo.expiration = int(seconds)
    return message


def _extended(e2e: Any, message: Any) -> Any:
    """A text in the form that can say more about itself."""
    if message.HasField("conversation"):
        return e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(text=message.conversation))
    return message


def _card(e2e: Any, card: Card) -> Any:
    return e2e.ContactMessage(displayName=card.name, vcard=write_card(card))
