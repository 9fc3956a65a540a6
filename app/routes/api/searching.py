"""Searching in messages over the API."""

from typing import Annotated, Literal

import msgspec

from app import search, words
from app.db.fulltext import Phrase
from app.routes.api.endpoint import Call, Page, Paging, key_of, page
from app.store.search import Hit
from app.views import Id, Message, message

Author = Literal["contact", "bot", "user", "program", "phone"]
When = Annotated[int, msgspec.Meta(ge=0, le=search.END_OF_TIME, description="Milliseconds since 1970, UTC.")]


class Asked(Paging, frozen=True, kw_only=True):
    """`q`: words that all have to be there, case and accents ignored; the last may be a beginning, and quotes hold
    words together. `author`: who wrote; `since` and `until`: when, `until` not included."""

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=search.LONGEST)]
    channel: Id | None = None
    contact: Id | None = None
    conversation: Id | None = None
    author: Author | None = None
    since: When | None = None
    until: When | None = None


class Piece(msgspec.Struct, frozen=True):
    """`hit`: this is what was searched for."""

    text: str
    hit: bool


class Found(msgspec.Struct, frozen=True):
    """A message with whom it is, and the stretch of its text with what was searched for, in pieces."""

    message: Message
    contact_id: Id
    name: str
    phone: str
    excerpt: list[Piece]


async def find(call: Call, query: Asked) -> Page[Found]:
    """Newest first, as they were stored. A new message is found some seconds later."""
    wanted = search.Wanted(
        query.q, number(query.channel), number(query.contact), number(query.conversation), query.author, query.since,
        query.until,
    )  # fmt: skip
    (before,) = key_of(query.cursor, 1) or (search.FIRST,)
    found = await search.find(call.rt.db, wanted, before=before, limit=query.limit + 1)
    rows, cursor = page(found, query.limit, lambda hit: (hit.id,))
    phrases = search.phrases(query.q)
    return Page([shown(hit, phrases) for hit in rows], cursor)


def shown(hit: Hit, phrases: list[Phrase]) -> Found:
    excerpt = [Piece(mark.text, mark.hit) for mark in words.excerpt(hit.text, phrases)]
    return Found(message(hit), str(hit.contact_id), hit.name, hit.phone, excerpt)


def number(id: str | None) -> int | None:
    return None if id is None else int(id)
