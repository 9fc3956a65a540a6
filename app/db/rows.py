"""Rows of some channels only: while `channels` holds ids, whoever reads sees nothing that belongs to any other channel,
whatever they ask for. It is done to the statement itself, so that no list, search or count can forget it.

Each place where a table of this list is read from becomes a select of the rows that may be seen. Writes are not
narrowed: whoever writes for somebody limited looks first whether they see what it is about (`app/within.py`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Final

channels: ContextVar[frozenset[int] | None] = ContextVar("channels", default=None)

BY_CHANNEL: Final = "channel_id in ({ids})"
BY_CONVERSATION: Final = "conversation_id in (select id from conversation where channel_id in ({ids}))"
# Of people: whoever has a chat there, or none anywhere.
PERSON: Final = (
    "(exists (select 1 from conversation w where w.contact_id = {id} and w.channel_id in ({ids}))"
    " or not exists (select 1 from conversation w where w.contact_id = {id}))"
)
SEEN: Final = {
    "channel": "id in ({ids})",
    **dict.fromkeys(("channel_name", "conversation", "message", "outbox", "media", "statistic"), BY_CHANNEL),
    **dict.fromkeys(("quarantine", "raw_update", "receipt", "tombstone", "publication", "away"), BY_CHANNEL),
    **dict.fromkeys(("turn", "gathered"), BY_CONVERSATION),
    **dict.fromkeys(("account_event", "account_fact", "template"), BY_CHANNEL),
    "job": f"(conversation_id is null or {BY_CONVERSATION})",
    "contact": PERSON.replace("{id}", "contact.id"),
    "identity": PERSON.replace("{id}", "identity.contact_id"),
    "contact_tag": PERSON.replace("{id}", "contact_tag.contact_id"),
}
WORDS: Final = "where|join|on|order|group|left|inner|cross|limit|union|except|and|or|having|as|set|returning|using"
READ: Final = re.compile(
    rf"\b(from|join)\s+({'|'.join(SEEN)})\b(?!\s*\.)(?:\s+(?:as\s+)?(?!(?:{WORDS})\b)([a-z_]\w*))?", re.IGNORECASE
)


def sees(channel_id: int) -> bool:
    """May whoever asks see this channel."""
    ids = channels.get()
    return ids is None or channel_id in ids


def narrowed(sql: str) -> str:
    """The statement as whoever asks may see it."""
    ids = channels.get()
    return sql if ids is None else narrow(sql, ids)


@lru_cache(maxsize=1024)
def narrow(sql: str, ids: frozenset[int]) -> str:
    listed = ", ".join(map(str, sorted(ids))) or "-1"

    def seen(found: re.Match[str]) -> str:
        table = found[2].lower()
        rows = f"(select * from {table} where {SEEN[table].replace('{ids}', listed)})"
        return f"{found[1]} {rows} as {found[3] or table}"

    return READ.sub(seen, sql)


@contextmanager
def everything() -> Iterator[None]:
    """For work that is done once for everybody, whoever began it."""
    token = channels.set(None)
    try:
        yield
    finally:
        channels.reset(token)
