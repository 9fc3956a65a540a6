"""What happened with a contact, newest first: names they got, chats that began, who took them over, and last words."""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.db import Reader
from app.i18n import _
from app.routes import faces, kinds
from app.store import inbox as inbox_rows
from app.store import listing, people, threads

EACH: Final = 8  # newest messages of each conversation
MARKS: Final = ("reaction", "edit", "delete")  # said of another message
CHATS: Final = 5  # conversations of which words are shown


class Event(msgspec.Struct, frozen=True):
    """One line. `text` is a sentence of ours, `words` somebody's own; `chat` is the conversation it leads to, 0 for
    none."""

    at: int
    icon: str
    text: str
    words: str = ""
    chat: int = 0


async def newest_said(db: Reader, conversation_ids: list[int]) -> list[listing.Entry]:
    """The last messages of the newest conversations."""
    found: list[listing.Entry] = []
    for conversation_id in conversation_ids[:CHATS]:
        at, id = threads.FIRST
        found += await db.all(listing.MESSAGES, conversation_id=conversation_id, at=at, id=id, limit=EACH)
    return found


def timeline(
    person: people.Person, aliases: Sequence[people.Alias], chats: Sequence[inbox_rows.Row], said: list[listing.Entry]
) -> list[Event]:
    found = [Event(person.created_at, "user", _("First seen"))]
    if person.opted_out_at:
        found.append(Event(person.opted_out_at, "x", _("Opted out")))
    for alias in aliases:
        kind = faces.alias_kind(alias.kind)
        found.append(Event(alias.created_at, "tag", _("Known by {kind}").format(kind=kind), alias.value))
        if alias.retired_at:
            found.append(Event(alias.retired_at, "tag", _("No longer {kind}").format(kind=kind), alias.value))
    for chat in chats:
        if chat.closed_at:
            found.append(
                Event(chat.closed_at, "check", _("Closed on {channel}").format(channel=chat.channel), "", chat.id)
            )
        if chat.waiting_since:
            found.append(Event(chat.waiting_since, "clock", _("Waits for a person"), chat.waiting_for, chat.id))
    kinds = {one.id: str(msgspec.json.decode(one.content).get("kind", "")) for one in said}
    found += [Event(one.at, "inbox", *spoken(one), one.conversation_id) for one in said if kinds[one.id] not in MARKS]
    return sorted(found, key=lambda event: -event.at)


def spoken(one: listing.Entry) -> tuple[str, str]:
    """(who, what): the words of a message, or what kind it is."""
    who = {
        "contact": _("Customer"), "bot": _("Bot"), "user": _("Team"), "phone": _("Phone"), "program": _("Program"),
    }.get(one.author, one.author)  # fmt: skip
    content = msgspec.json.decode(one.content)
    if one.deleted_at:
        return who, _("Deleted")
    words = str(content.get("text") or content.get("caption") or "")
    return who, words or kinds.kind_name(str(content.get("kind", "")))
