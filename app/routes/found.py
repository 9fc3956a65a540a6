"""Messages that were found, beside the list of the inbox: by whom, where, when, and the words that were searched for.

The filters stand in the address: `by` (customer, bot, team, program), `channel`, `since` and `until` (days).
"""

from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from app import i18n, search, words
from app.db import Database
from app.errors import Invalid
from app.store import search as store
from app.store.search import Hit, Named
from app.words import Mark

ROWS: Final = 20
BY: Final = {"customer": "contact", "bot": "bot", "team": "user", "program": "program"}
FILTERS: Final = ("by", "channel", "since", "until")


class Row(msgspec.Struct, frozen=True):
    hit: Hit
    marks: list[Mark]


class Hits(msgspec.Struct, frozen=True):
    """`more`: the id that the next page stays below, or 0; `given`: the filters as the address has them; `error`: why
    nothing could be searched for."""

    rows: list[Row]
    more: int = 0
    given: dict[str, str] = {}
    channels: list[Named] = []
    error: str = ""

    def query(self) -> str:
        """The filters that are set, as they go on in an address."""
        return urlencode({name: value for name, value in self.given.items() if value})


NOTHING: Final = Hits([])


async def read(db: Database, q: str, params: Any) -> Hits:
    """A page of messages for what somebody typed. A filter that cannot be read is none."""
    given = {name: params.get(name, "")[:40] for name in FILTERS}
    there = await db.reader.all(store.CHANNELS)
    before = params.get("hits", "")
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else search.FIRST
    try:
        wanted = search.phrases(q)
        found = await search.find(db, asked(q, given, there), before=start, limit=ROWS + 1)
    except Invalid as error:
        return Hits([], given=given, channels=there, error=i18n.tell(error.said))
    shown = [Row(hit, words.excerpt(hit.text, wanted)) for hit in found[:ROWS]]
    return Hits(shown, found[ROWS - 1].id if len(found) > ROWS else 0, given, there)


def asked(q: str, given: dict[str, str], there: list[Named]) -> search.Wanted:
    channel = next((row.id for row in there if str(row.id) == given["channel"]), None)
    since, until = (day(given[name]) for name in ("since", "until"))
    return search.Wanted(
        q, channel_id=channel, author=BY.get(given["by"]), since=None if since is None else midnight(since),
        until=None if until is None else midnight(until + timedelta(days=1)),
    )  # fmt: skip


def day(text: str) -> date | None:
    """Any day that a message may have been written on."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 9999 else None


def midnight(day: date) -> int:
    """When it begins where the reader is, ms UTC."""
    zone = ZoneInfo(i18n.current.get().zone)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
