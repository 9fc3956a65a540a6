"""One message object → `Inbound`. Contract §2.4.

In a group the bot is meant by a mention, a command or an answer to what it said; nothing else of a group is taken in.
A message that the business itself wrote over a business connection is an echo.
"""

from typing import Any, Final

from app.connectors.base import Address, Arrival, Inbound, Malformed
from app.connectors.telegram.contents import content_of, is_service
from app.connectors.telegram.place import Me, chat_name, language_of, message_name, name_of, person
from app.connectors.telegram.words import addressed_text, is_addressed
from app.connectors.wire import digits, member, milliseconds, string
from app.content import Audio, Contacts, Content, Document, Edit, Image, Location, Text, Unsupported, Video

START: Final = "/start "


def message_arrivals(message: dict[str, Any], update: str, raw: bytes, me: Me) -> list[Arrival]:
    """The message; nothing where it is kept as a notice: what a channel or an anonymous admin says, what a group does,
    and what is said in a group to others."""
    chat, sender = member(message, "chat"), member(message, "from")
    private = string(chat, "type") == "private"
    if not string(chat, "id") or ("message_id" not in message):
        return [Malformed("", "message without a chat or an id", raw)]
    if is_service(message) or string(chat, "type") == "channel" or not string(sender, "id"):
        return []
    if not private and ("sender_chat" in message or not is_addressed(message, me)):
        return []
    group = chat_name(message)
    # In a private chat the chat has the person's id: another sender is the business, or the bot, itself.
    echo = private and string(sender, "id") != string(chat, "id")
    known = chat if echo else sender
    content = _without_mention(content_of(message), message, me)
    return [
        Inbound(
            account="",
            provider_id=message_name(message) or f"update.{update}",
            sender=_sender(known, group, content),
            at=milliseconds(message, "date"),
            content=content,
            raw=raw,
            name=name_of(known),
            reply_to=quoted(message),
            forwarded="forward_origin" in message or "forward_date" in message,
            referral=_referral(message) if private else None,
            group=group,
            addressed=bool(group),
            echo=echo,
            language=language_of(known),
        )
    ]


def edit_arrivals(message: dict[str, Any], update: str, raw: bytes, me: Me) -> list[Arrival]:
    """The same message with what it says now. Each edit is told once, so the update gives it its name."""
    told = message_arrivals(message, update, raw, me)
    if not told or not isinstance(told[0], Inbound):
        return told
    arrival, target = told[0], message_name(message)
    content = arrival.content
    if not isinstance(content, Text | Image | Video | Audio | Document | Location | Unsupported):
        content = Unsupported(what="edit", raw=message)
    return [
        Inbound(
            account="", provider_id=f"{target or 'update'}.edit.{update}", sender=arrival.sender,
            at=milliseconds(message, "edit_date") or arrival.at, content=Edit(target, content), raw=raw,
            name=arrival.name, group=arrival.group, addressed=arrival.addressed, echo=arrival.echo,
        )
    ]  # fmt: skip


def _sender(known: dict[str, Any], group: str, content: Content) -> Address:
    """The person; with the number that they shared of themselves, which Telegram vouches for."""
    address = person(known, group)
    if isinstance(content, Contacts) and content.requested:
        return Address(phone=digits(content.cards[0].phones[0][0]), telegram=address.telegram,
                       username=address.username, chat=group)  # fmt: skip
    return address


def _without_mention(content: Content, message: dict[str, Any], me: Me) -> Content:
    """What is said to the bot, without the name it was called by."""
    return Text(addressed_text(content.text, me)) if isinstance(content, Text) and chat_name(message) else content


def quoted(message: dict[str, Any]) -> str:
    """The message it answers. The first message of a topic, which every message in it points at, is none."""
    answered = member(message, "reply_to_message")
    if message.get("is_topic_message") is True and "forum_topic_created" in answered:
        return ""
    if answered and "chat" not in answered:
        answered = answered | {"chat": member(message, "chat")}
    if connection := string(message, "business_connection_id"):
        answered = answered | {"business_connection_id": connection}
    return message_name(answered)


def _referral(message: dict[str, Any]) -> dict[str, Any] | None:
    """`t.me/<bot>?start=<payload>` brought the person, if they pressed Start there."""
    text = string(message, "text")
    payload = text[len(START) :].strip() if text.startswith(START) else ""
    return {"source_type": "link", "ref": payload} if payload else None
