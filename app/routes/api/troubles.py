"""Errors of Parley itself over the API, in groups; the same as on the page."""

from typing import Annotated, Literal

import msgspec

from app import troubles
from app.errors import NotFound
from app.routes.api.endpoint import FIRST, Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.store import error_groups as store
from app.views import Id, Time

State = Literal["open", "resolved", "ignored"]


class ErrorGroup(msgspec.Struct, frozen=True):
    """The same kind of exception at the same place: how often, when first and last, and the last trace, without
    secrets. `version` is the release that raised it last; a resolved one that comes again is open."""

    id: Id
    kind: str
    place: str
    message: str
    trace: str
    count: int
    first_at: Time
    last_at: Time
    version: str
    state: State


class Filter(Paging, frozen=True):
    state: State = "open"


class Marked(Body, frozen=True):
    state: Annotated[State, msgspec.Meta(description="What a person says of it.")]


async def index(call: Call, query: Filter) -> Page[ErrorGroup]:
    """The one that came last is the first."""
    await call.rt.troubles.write(call.rt.db)
    last_at, last_id = key_of(query.cursor, 2) or (FIRST, FIRST)
    found = await call.rt.db.reader.all(
        store.PAGE, state=query.state, last_at=last_at, last_id=last_id, limit=query.limit + 1
    )
    shown, cursor = page(found, query.limit, lambda row: (row.last_at, row.id))
    return Page([_shown(row) for row in shown], cursor)


async def show(call: Call) -> ErrorGroup:
    row = await call.rt.db.reader.one(store.ONE, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such group of errors."))
    return _shown(row)


async def mark(call: Call, body: Marked) -> ErrorGroup:
    await troubles.mark(call.rt.db, call.id, body.state)
    return await show(call)


def _shown(row: store.Group) -> ErrorGroup:
    state = msgspec.convert(row.state, State)
    return ErrorGroup(
        str(row.id), row.kind, row.place, row.message, row.trace, row.count, row.first_at, row.last_at, row.version,
        state,
    )  # fmt: skip
