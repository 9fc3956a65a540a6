"""Whole lists over the API, as CSV or NDJSON, sent while they are read."""

from typing import Annotated, Literal

import msgspec

from app import audit, exports, people, sheets
from app.routes.api.contacts import shown as contact
from app.routes.api.endpoint import Call, Query, Rows
from app.search import END_OF_TIME
from app.security import limits
from app.views import Id

Format = Literal["csv", "ndjson"]
When = Annotated[int, msgspec.Meta(ge=0, le=END_OF_TIME, description="Milliseconds since 1970, UTC.")]


class Asked(Query, frozen=True):
    format: Format = "csv"


class AskedContacts(Asked, frozen=True):
    tag: Annotated[str, msgspec.Meta(max_length=people.LONGEST_TAG)] = ""


class AskedMessages(Asked, frozen=True):
    """`since` and `until`: when they were written, `until` not included."""

    channel: Id | None = None
    since: When = 0
    until: When = END_OF_TIME


async def contacts(call: Call, query: AskedContacts) -> Rows:
    """All contacts, or those with a tag, newest first. In CSV what a spreadsheet would take for a formula
    has a ' before it."""
    await noted(call, "contacts.exported", query.tag)
    reader = call.rt.db.reader
    if query.format == "csv":
        return Rows("contacts", "csv", sheets.written(reader, query.tag))
    return Rows("contacts", "ndjson", exports.contacts(reader, contact, query.tag))


async def conversations(call: Call, query: Asked) -> Rows:
    """All conversations, those that began last first."""
    await noted(call, "conversations.exported")
    return Rows("conversations", query.format, exports.chats(call.rt.db.reader, query.format))


async def messages(call: Call, query: AskedMessages) -> Rows:
    """All messages, those that were stored last first; in NDJSON with everything they hold, in CSV with their text."""
    await noted(call, "messages.exported")
    channel = None if query.channel is None else int(query.channel)
    pieces = exports.messages(call.rt.db.reader, query.format, query.since, query.until, channel)
    return Rows("messages", query.format, pieces)


async def noted(call: Call, action: str, detail: str = "") -> None:
    """Whole lists are for now and then, but for a key without any pace (S14). Raises `TooMany`."""
    if call.caller.rate != 0:
        call.request.app.state.limits.take(f"export:{call.caller.name}", limits.EXPORT)
    await call.rt.db.write(audit.write, audit.entry(action, detail))
