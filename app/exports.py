"""Lists as files, written page by page by key: a page is in memory, never the list, and no read lasts.

CSV for spreadsheets (a cell that would be a formula is guarded), NDJSON for programs: one object a line, as the API
shows it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from app import content, sheets, views
from app.db import Query, Reader
from app.store import listing, people


class Row(Protocol):
    """By whose id the next page is found."""

    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=Row)

PAGE: Final = 500
FIRST: Final = 2**62
CHATS: Final = (
    "id", "channel_id", "contact_id", "name", "phone", "mode", "unread", "last_at", "closed_at", "created_at",
    "snippet",
)  # fmt: skip
MESSAGES: Final = (
    "id", "conversation_id", "channel_id", "direction", "author", "kind", "text", "status", "rule", "at", "edited_at",
    "deleted_at", "provider_id",
)  # fmt: skip


async def written(
    db: Reader, query: Query[T], format: str, columns: Sequence[str], shown: Callable[[T], Any],
    cells: Callable[[T], Sequence[Any]], wanted: Callable[[T], bool] = lambda row: True, **params: Any,
) -> AsyncIterator[str]:  # fmt: skip
    """The list of a query by `before` and `limit`, newest first. `shown` makes a line of NDJSON, `cells` one of CSV."""
    if format == "csv":
        yield sheets.line(tuple(columns))
    before = FIRST
    while rows := await db.all(query, before=before, limit=PAGE, **params):
        kept = [row for row in rows if wanted(row)]
        if format == "csv":
            yield "".join(sheets.line(tuple(map(text, cells(row)))) for row in kept)
        else:
            yield "".join(f"{msgspec.json.encode(shown(row)).decode()}\n" for row in kept)
        before = rows[-1].id


def text(value: Any) -> str:
    return "" if value is None else str(value)


def chat_cells(row: listing.Chat) -> list[Any]:
    return [getattr(row, name) for name in CHATS]


def message_cells(row: listing.Entry) -> list[Any]:
    said = None if row.deleted_at else content.decode(row.content)
    what = {
        "kind": "deleted" if said is None else content.kind(said),
        "text": "" if said is None else content.text(said),
    }
    return [what[name] if name in what else getattr(row, name) for name in MESSAGES]


async def contacts(db: Reader, shown: Callable[[people.Person], Any], tag: str) -> AsyncIterator[str]:
    """As NDJSON; as CSV `sheets` writes them, so that they can come back."""
    asked = people.TAGGED if tag else people.PEOPLE
    params: dict[str, Any] = {"tag": tag} if tag else {}
    async for piece in written(db, asked, "ndjson", (), shown, sheets.cells, **params):
        yield piece


def chats(db: Reader, format: str) -> AsyncIterator[str]:
    return written(db, listing.CHATS_BY_ID, format, CHATS, views.conversation, chat_cells)


def messages(db: Reader, format: str, since: int, until: int, channel_id: int | None) -> AsyncIterator[str]:
    """Messages from `since` to before `until`, ms UTC."""

    def wanted(row: listing.Entry) -> bool:
        return since <= row.at < until and channel_id in (None, row.channel_id)

    return written(db, listing.MESSAGES_BY_ID, format, MESSAGES, views.message, message_cells, wanted)
