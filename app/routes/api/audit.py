"""The audit log over the API: who changed what."""

import msgspec

from app.audit import ACTIONS
from app.db import Reader
from app.i18n import _
from app.routes.api.endpoint import FIRST, Call, Page, Paging, key_of, page
from app.store import audits as store
from app.views import Id, Time


class Line(msgspec.Struct, frozen=True):
    """One change. `actor` is an e-mail address, `key:…` or the command line; `hash` closes the chain up to here."""

    seq: int
    at: Time
    actor: str
    user_id: Id | None
    ip: str
    action: str
    text: str
    subject: str
    detail: str
    hash: str


class Filter(Paging, frozen=True):
    """`action` or `user`; of both, `user` counts."""

    action: str | None = None
    user: Id | None = None


async def index(call: Call, query: Filter) -> Page[Line]:
    """Newest first; kept for a year."""
    rows = await read(call.rt.db.reader, query.action, query.user, key_of(query.cursor, 1), query.limit + 1)
    shown, cursor = page(rows, query.limit, lambda row: (row.seq,))
    return Page([_shown(row) for row in shown], cursor)


async def read(
    db: Reader, action: str | None, user: str | None, key: tuple[int, ...] | None, limit: int
) -> list[store.Line]:
    before = (key or (FIRST,))[0]
    if user is not None:
        return await db.all(store.BY_USER, user_id=int(user), before=before, limit=limit)
    if action is not None:
        return await db.all(store.BY_ACTION, action=action, before=before, limit=limit)
    return await db.all(store.NEWEST, before=before, limit=limit)


def _shown(row: store.Line) -> Line:
    return Line(
        row.seq, row.at, row.actor, None if row.user_id is None else str(row.user_id), row.ip, row.action,
        _(ACTIONS.get(row.action, row.action)), row.subject, row.detail, row.hash,
    )  # fmt: skip
