"""How chats and messages are named. A message's id is unique in its chat only, so both make its name: `456.123`.

A chat that is not just a person with the bot is written `-100200` (a group), `-100200/33` (a topic in it) or
`456@CONNECTION` (a person who wrote to a business that the bot works for).
"""

import re
from typing import Any

import msgspec

from app.connectors.base import Address
from app.connectors.wire import member, string


class Me(msgspec.Struct, frozen=True):
    """The bot itself, as `getMe` tells it."""

    id: str = ""
    username: str = ""


def chat_name(message: dict[str, Any]) -> str:
    """The chat of several in which a message stands; empty for a person with the bot."""
    chat = member(message, "chat")
    if connection := string(message, "business_connection_id"):
        return f"{string(chat, 'id')}@{connection}"
    if string(chat, "type") == "private":
        return ""
    topic = string(message, "message_thread_id") if message.get("is_topic_message") is True else ""
    return f"{string(chat, 'id')}/{topic}" if topic else string(chat, "id")


def message_name(message: dict[str, Any]) -> str:
    """What a message is known by; empty if chat or id are missing, or the id is the 0 of a message that has none."""
    chat, number = string(member(message, "chat"), "id"), string(message, "message_id")
    connection = string(message, "business_connection_id")
    if not chat or number in ("", "0"):
        return ""
    return f"{chat}.{number}@{connection}" if connection else f"{chat}.{number}"


def parts_of(name: str) -> tuple[int, int]:
    """Chat and number in a message's name. Raises `LookupError` where it names no message."""
    chat, _, rest = name.partition(".")
    number = rest.partition("@")[0].partition(".")[0]
    try:
        return int(chat), int(number)
    except ValueError:
        raise LookupError("target") from None


def recipient(to: Address) -> dict[str, Any]:
    """Where a message goes, as every send names it. Raises `LookupError` where nobody is known."""
    chat, _, connection = (to.chat or to.telegram).partition("@")
    chat, _, topic = chat.partition("/")
    try:
        found: dict[str, Any] = {"chat_id": int(chat)}
        if topic:
            found["message_thread_id"] = int(topic)
    except ValueError:
        raise LookupError("recipient") from None
    return found | ({"business_connection_id": connection} if connection else {})


def person(user: dict[str, Any], chat: str = "") -> Address:
    return Address(telegram=string(user, "id"), username=string(user, "username"), chat=chat)


def language_of(user: dict[str, Any]) -> str:
    """What the person's program speaks; empty for what is no language."""
    code = string(user, "language_code")
    return code if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", code) else ""


def name_of(user: dict[str, Any]) -> str:
    return " ".join(filter(None, (string(user, "first_name").strip(), string(user, "last_name").strip())))
