"""What a message says: the library's message → our content. Contract §2.3.

A reader gets the part under its own field; what it cannot read becomes `Unsupported`, with the field's name.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from app.connectors.whatsapp_web.vcard import read_card
from app.content import (
    Audio,
    Choice,
    Contacts,
    Content,
    Delete,
    Document,
    Edit,
    Image,
    Location,
    Picked,
    Poll,
    Pressed,
    Reaction,
    Sticker,
    System,
    Text,
    Unsupported,
    Video,
    Voted,
)

REVOKE: Final = 0
EPHEMERAL: Final = 3
EDIT: Final = 14
# Fields that come beside a message or without one, and say nothing to a person.
SILENT: Final = frozenset(
    {"messageContextInfo", "senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage"}
)


def fields_of(message: Any) -> list[str]:
    """The names of the fields that are set, without those that say nothing."""
    return [field.name for field, _ in message.ListFields() if field.name not in SILENT]


def content_of(message: Any) -> Content | None:
    """The content; None for what is not a message to a person: keys, settings, synchronisation."""
    found = fields_of(message)
    if not found:
        return None
    if "protocolMessage" in found:
        return _protocol(message.protocolMessage)
    name = next((name for name in found if name in READERS), found[0])
    reader = READERS.get(name)
    content = reader(getattr(message, name), message) if reader else None
    return content or Unsupported(what=name)


def quoted_by(message: Any) -> str:
    """The id of the message that this one answers."""
    for field, part in message.ListFields():
        if field.message_type and "contextInfo" in field.message_type.fields_by_name:
            return str(part.contextInfo.stanzaID)
    return ""


def is_forwarded(message: Any) -> bool:
    return any(
        part.contextInfo.isForwarded
        for field, part in message.ListFields()
        if field.message_type and "contextInfo" in field.message_type.fields_by_name
    )


def _protocol(protocol: Any) -> Content | None:
    """Edits, deletions, and whether the chat's messages disappear; every other one is for devices."""
    if protocol.type == REVOKE and protocol.HasField("key"):
        return Delete(target=protocol.key.ID)
    if protocol.type == EDIT:
        new = content_of(protocol.editedMessage)
        if not isinstance(new, Text | Image | Video | Document):
            new = Unsupported(what="edit")
        return Edit(target=protocol.key.ID, content=new)
    if protocol.type == EPHEMERAL:
        return System("disappearing", data={"seconds": protocol.ephemeralExpiration})
    return None


# ---- files ----------------------------------------------------------------------------------------------------------


def _file(part: Any, message: Any, field: str) -> dict[str, Any]:
    """What all files have. The id that we give it is the message without all but the file: with it the file is fetched
    later, whatever happened meanwhile."""
    bare = type(message)()
    kept = getattr(bare, field)
    kept.CopyFrom(part)
    for name in ("contextInfo", "JPEGThumbnail", "caption", "streamingSidecar", "waveform", "pngThumbnail"):
        if name in kept.DESCRIPTOR.fields_by_name:
            kept.ClearField(name)
    return {
        "provider_id": base64.urlsafe_b64encode(bare.SerializeToString()).decode(),
        "mime": part.mimetype.partition(";")[0].strip(),
        "sha256": part.fileSHA256.hex(),
        "size": part.fileLength,
    }


def file_message(provider_id: str) -> bytes:
    """The message behind the id of a file. Raises `ValueError`."""
    try:
        return base64.urlsafe_b64decode(provider_id)
    except (binascii.Error, ValueError) as error:
        raise ValueError("this is not the id of a file") from error


def _image(part: Any, message: Any) -> Content:
    return Image(**_file(part, message, "imageMessage"), caption=part.caption)


def _video(part: Any, message: Any) -> Content:
    return Video(**_file(part, message, "videoMessage"), caption=part.caption)


def _audio(part: Any, message: Any) -> Content:
    return Audio(**_file(part, message, "audioMessage"), voice=bool(part.PTT))


def _document(part: Any, message: Any) -> Content:
    found = _file(part, message, "documentMessage")
    return Document(**found, caption=part.caption, filename=part.fileName or part.title)


def _sticker(part: Any, message: Any) -> Content:
    return Sticker(**_file(part, message, "stickerMessage"), animated=bool(part.isAnimated))


# ---- the rest -------------------------------------------------------------------------------------------------------


def _conversation(text: str, message: Any) -> Content:
    return Text(text)


def _extended(part: Any, message: Any) -> Content:
    return Text(part.text)


def _location(part: Any, message: Any) -> Content:
    return Location(part.degreesLatitude, part.degreesLongitude, name=part.name, address=part.address)


def _live_location(part: Any, message: Any) -> Content:
    return Location(part.degreesLatitude, part.degreesLongitude, name=part.caption)


def _contact(part: Any, message: Any) -> Content:
    return Contacts((read_card(part.displayName, part.vcard),))


def _contacts(part: Any, message: Any) -> Content | None:
    cards = tuple(read_card(card.displayName, card.vcard) for card in part.contacts)
    return Contacts(cards) if cards else None


def _reaction(part: Any, message: Any) -> Content:
    return Reaction(target=part.key.ID, emoji=part.text)


def _button(part: Any, message: Any) -> Content:
    return Pressed(part.selectedButtonID, part.selectedDisplayText)


def _template_button(part: Any, message: Any) -> Content:
    return Pressed(part.selectedID, part.selectedDisplayText)


def _row(part: Any, message: Any) -> Content:
    return Picked(part.singleSelectReply.selectedRowID, part.title, part.description)


def _interactive(part: Any, message: Any) -> Content | None:
    try:
        given = json.loads(part.nativeFlowResponseMessage.paramsJSON)
    except ValueError:
        return None
    chosen = given.get("id") if isinstance(given, dict) else None
    return Pressed(str(chosen), part.body.text) if chosen else None


def _poll(part: Any, message: Any) -> Content:
    """Somebody else's, so its answers have no ids but their words."""
    choices = tuple(Choice(option.optionName, option.optionName) for option in part.options)
    return Poll(part.name, choices, many=part.selectableOptionsCount != 1)


def vote(poll_id: str, chosen: Iterable[bytes], choices: tuple[Choice, ...]) -> Content:
    """What somebody voted for: one answer is as if its button were pressed. `chosen`: hashes of the answers' words."""
    by_hash = {hashlib.sha256(choice.title.encode()).digest(): choice for choice in choices}
    found = [by_hash[one] for one in chosen if one in by_hash]
    if len(found) == 1:
        return Pressed(found[0].id, found[0].title)
    return Voted(poll_id, tuple(choice.title for choice in found))


READERS: dict[str, Callable[[Any, Any], Content | None]] = {
    "conversation": _conversation,
    "extendedTextMessage": _extended,
    "imageMessage": _image,
    "videoMessage": _video,
    "audioMessage": _audio,
    "documentMessage": _document,
    "stickerMessage": _sticker,
    "locationMessage": _location,
    "liveLocationMessage": _live_location,
    "contactMessage": _contact,
    "contactsArrayMessage": _contacts,
    "reactionMessage": _reaction,
    "pollCreationMessage": _poll,
    "pollCreationMessageV2": _poll,
    "pollCreationMessageV3": _poll,
    "buttonsResponseMessage": _button,
    "templateButtonReplyMessage": _template_button,
    "listResponseMessage": _row,
    "interactiveResponseMessage": _interactive,
}
