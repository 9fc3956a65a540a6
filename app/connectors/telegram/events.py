"""What a person does besides writing: presses a button, reacts, blocks the bot; and what a business deletes.

Contract §2.4. None of these has a message of its own, so the name of each is made of what it is about and its update.
"""

import time
from typing import Any, Final

from app.connectors.base import Arrival, Inbound, Malformed
from app.connectors.telegram.keyboards import chosen, label_of
from app.connectors.telegram.place import Me, chat_name, language_of, message_name, name_of, person
from app.connectors.wire import member, milliseconds, objects, string
from app.content import Delete, Picked, Pressed, Reaction, System, Unsupported

MEMBERS: Final = {"kicked": "person_blocked", "member": "person_unblocked"}


def pressed(query: dict[str, Any], update: str, raw: bytes, me: Me) -> list[Arrival]:
    """A button under a message. It carries no time of its own: now is when it was heard of."""
    sender, message, data = member(query, "from"), member(query, "message"), query.get("data")
    if not string(query, "id") or not string(sender, "id"):
        return [Malformed("", "callback without an id or a person", raw)]
    target = message_name(message)
    content: Pressed | Picked | Unsupported = Unsupported(what="callback_query", raw=query)
    if isinstance(data, str) and data:
        kind, identity = chosen(data)
        content = kind(identity, label_of(message, data) or identity)
    group = chat_name(message) if message else ""
    return [
        Inbound(
            account="", provider_id=f"{target or 'inline'}.callback.{string(query, 'id')}",
            sender=person(sender, group), at=time.time_ns() // 1_000_000, content=content, raw=raw,
            name=name_of(sender), reply_to=target, group=group, addressed=bool(group), language=language_of(sender),
        )
    ]  # fmt: skip


def reacted(reaction: dict[str, Any], update: str, raw: bytes, me: Me) -> list[Arrival]:
    """A person's emoji on a message, or that it was taken back; in groups nobody means the bot by that."""
    user, target = member(reaction, "user"), message_name(reaction)
    if not target or not string(user, "id") or string(member(reaction, "chat"), "type") != "private":
        return []
    before = [string(item, "emoji") for item in objects(reaction, "old_reaction")]
    new = objects(reaction, "new_reaction")
    added = [emoji for item in new if (emoji := string(item, "emoji")) and emoji not in before]
    content: Reaction | Unsupported = Reaction(target, added[0] if added else "")
    if new and not added:
        content = Unsupported(what="message_reaction", raw=reaction)
    return [
        Inbound(
            account="", provider_id=f"{target}.reaction.{update}", sender=person(user),
            at=milliseconds(reaction, "date"), content=content, raw=raw, name=name_of(user),
        )
    ]  # fmt: skip


def membership(change: dict[str, Any], update: str, raw: bytes, me: Me) -> list[Arrival]:
    """In a private chat: the person blocked the bot, or lets it write again."""
    chat, status = member(change, "chat"), string(member(change, "new_chat_member"), "status")
    if string(chat, "type") != "private" or not string(chat, "id") or status not in MEMBERS:
        return []
    return [
        Inbound(
            account="", provider_id=f"{string(chat, 'id')}.member.{update}", sender=person(chat),
            at=milliseconds(change, "date"), content=System(MEMBERS[status]), raw=raw, name=name_of(chat),
        )
    ]  # fmt: skip


def deleted(told: dict[str, Any], update: str, raw: bytes, me: Me) -> list[Arrival]:
    """Messages that were deleted in the chats of a business, the only deletions that bots hear of."""
    chat = member(told, "chat")
    numbers = told.get("message_ids")
    messages = [{**told, "message_id": number} for number in numbers] if isinstance(numbers, list) else []
    targets = [name for message in messages if (name := message_name(message))]
    if not string(chat, "id"):
        return []
    return [
        Inbound(
            account="", provider_id=f"{target}.deleted.{update}", sender=person(chat, chat_name(told)),
            at=time.time_ns() // 1_000_000, content=Delete(target), raw=raw, name=name_of(chat), group=chat_name(told),
        )
        for target in targets
    ]  # fmt: skip
