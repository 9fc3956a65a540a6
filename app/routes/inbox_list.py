"""The list of the inbox: conversations in views, or what a search found.

It is fetched again when the event stream rings, and answers 304 while nothing changed. Addresses keep the view (`view`,
`q`), so that a link into a conversation keeps its list.
"""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.routes import faces, found, kinds
from app.routes.respond import fragment, is_number, page
from app.store import inbox as inbox_rows
from app.store import threads
from app.store.inbox import Row
from app.store.threads import Key

if TYPE_CHECKING:
    from app.runtime import Runtime

VIEWS: Final = ("waiting", "mine", "bot", "all")
ROWS: Final = 50
MOST_ROWS: Final = 400
MINUTE: Final = 60_000


class List(msgspec.Struct, frozen=True):
    """The list as it is drawn. `down_to` is the last row's key; `more`: there are older ones."""

    view: str
    q: str
    rows: list[Row]
    counts: inbox_rows.Counts
    more: bool
    here: int
    hits: found.Hits = found.NOTHING

    @property
    def down_to(self) -> str:
        return key_text(self.rows[-1].key) if self.rows else ""

    @property
    def query(self) -> str:
        """What keeps the list, filters of a search too."""
        filters = self.hits.query()
        return query_of(self.view, self.q) + (f"&{filters}" if filters else "")


def key_text(key: Key) -> str:
    return f"{key[0]}.{key[1]}"


def read_key(text: str, default: Key) -> Key:
    """A key of a list from an address; anything else is the default."""
    at, _dot, id = text.partition(".")
    return (int(at), int(id)) if is_number(at) and is_number(id) else default


def query_of(view: str, q: str) -> str:
    """What keeps the list: `?view=…&q=…`."""
    return "?" + urlencode({"view": view} | ({"q": q} if q else {}))


async def index(request: Request) -> Response:
    """The list without a conversation."""
    return await page(request, "inbox/index.html", list=await read_list(request), head=None, faces=faces, kinds=kinds)


async def rows(request: Request) -> Response:
    """The list as a fragment, from the newest down to the row `to` (all that was loaded so far)."""
    drawn = await read_list(request)
    version = repr(drawn), request.state.rt.clock.now() // MINUTE
    return await fragment(request, "inbox/_list.html", version=version, list=drawn, faces=faces, kinds=kinds)


async def more(request: Request) -> Response:
    """The next rows, after the key `before`."""
    drawn = await read_list(request)
    return await fragment(request, "inbox/_rows.html", list=drawn, faces=faces, kinds=kinds)


async def hits(request: Request) -> Response:
    """The next messages that were found, after the id `hits`."""
    drawn = await read_list(request)
    return await fragment(request, "inbox/_hits.html", list=drawn, faces=faces, kinds=kinds)


async def read_list(request: Request) -> List:
    """The rows that the address asks for. Without `view`: who waits, or everybody if nobody does."""
    rt: Runtime = request.state.rt
    params, user = request.query_params, request.state.user
    counts = await rt.db.read(inbox_rows.count_views, user.id)
    view = params.get("view", "")
    view = view if view in VIEWS else "waiting" if counts.waiting else "all"
    q = " ".join(params.get("q", "").replace("\0", "").split())[:80]
    here = int(params.get("here", "0")) if is_number(params.get("here", "")) else request.path_params.get("id", 0)
    if q:
        hits = await found.read(rt.db, q, params)
        return List(view, q, await rt.db.read(inbox_rows.search_rows, q), counts, False, here, hits)
    before = read_key(params.get("before", ""), threads.FIRST)
    down_to = read_key(params.get("to", ""), threads.LAST)
    limit = MOST_ROWS if down_to != threads.LAST else ROWS
    read = await rt.db.read(_rows, view, user.id, before, down_to, limit)
    shown = read[:limit]
    more = len(read) > limit or bool(shown and await rt.db.read(_rows, view, user.id, shown[-1].key, threads.LAST, 0))
    return List(view, q, shown, counts, more, here)


async def _rows(db: Any, view: str, user_id: int, before: Key, down_to: Key, limit: int) -> list[Row]:
    return await inbox_rows.list_rows(db, view, user_id, before=before, down_to=down_to, limit=limit + 1)
