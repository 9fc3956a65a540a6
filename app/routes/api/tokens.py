"""API keys: made, listed and deleted. The secret is answered once, when it is made."""

from typing import Annotated, Literal

import msgspec

from app import tokens, within
from app.audit import entry, logged
from app.errors import NotFound
from app.routes.api.endpoint import FIRST, Body, Call, Page, Paging, key_of, page
from app.routes.api.users import Channels, shown_channels
from app.said import N_
from app.store import tokens as store
from app.views import Id, Time

Scope = Literal["read", "send", "manage", "admin"]


class Token(msgspec.Struct, frozen=True):
    """An API key. `hint` is its last four characters; `rate` requests a second, null as everybody, 0 unlimited; `user`
    is null for one that was made on the machine; `channels` are all that it sees, null: every one."""

    id: Id
    name: str
    hint: str
    scopes: list[str]
    user_id: Id | None
    rate: float | None
    created_at: Time
    expires_at: Time | None
    used_at: Time | None
    channels: list[Id] | None


class NewToken(Body, frozen=True):
    """`channels` by name or id, for a key that only reads and sends; null: every channel."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1)]
    expires_in_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] | None = None
    rate: Annotated[float, msgspec.Meta(ge=0, le=100_000)] | None = None
    channels: Channels | None = None


class Made(msgspec.Struct, frozen=True):
    """`secret` is the key itself: it cannot be shown again."""

    id: Id
    secret: str
    expires_at: Time | None


async def index(call: Call, query: Paging) -> Page[Token]:
    key = key_of(query.cursor, 1) or (FIRST,)
    found = await call.rt.db.reader.all(store.KEYS, before=key[0], limit=query.limit + 1)
    shown, cursor = page(found, query.limit, lambda row: (row.id,))
    limits = await within.everybodys(call.rt.db.reader)
    return Page([_shown(row, limits.get(row.id)) for row in shown], cursor)


async def create(call: Call, body: NewToken) -> Made:
    made = await tokens.create(
        call.rt, name=body.name, scopes=list(body.scopes), days=body.expires_in_days, rate=body.rate,
        within=call.caller.scopes, user_id=call.caller.user_id,
        channels=None if body.channels is None else await within.named(call.rt, body.channels),
    )  # fmt: skip
    return Made(str(made.id), made.secret, made.expires_at)


async def show(call: Call) -> Token:
    row = await call.rt.db.reader.one(store.KEY, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such key."))
    return _shown(row, (await within.everybodys(call.rt.db.reader)).get(row.id))


async def delete(call: Call) -> None:
    await call.rt.db.write(logged, entry("token.deleted", call.id), tokens.delete_key, call.id)


def _shown(row: store.ApiKey, seen: within.Channels) -> Token:
    return Token(
        str(row.id), row.name, row.hint, row.scopes.split(), None if row.user_id is None else str(row.user_id),
        row.rate, row.created_at, row.expires_at, row.used_at,
        shown_channels(seen),
    )  # fmt: skip
