"""Webhooks over the API: where events are sent, and what became of every delivery."""

from typing import Annotated, Any

import msgspec

from app import webhooks
from app.audit import entry, logged
from app.errors import NotFound
from app.i18n import tell
from app.routes.api.endpoint import FIRST, Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.store import webhooks as store
from app.views import Id, Time

Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2000)]
Type = Annotated[str, msgspec.Meta(max_length=50)]


class Webhook(msgspec.Struct, frozen=True):
    """`types` empty: all of them; `disabled_why` says what switched it off, empty if a person did."""

    id: Id
    url: str
    types: list[str]
    channel_id: Id | None
    disabled_at: Time | None
    disabled_why: str
    created_at: Time


class NewWebhook(Body, frozen=True):
    """A public https address; `host:port` pairs in PARLEY_OUTBOUND_ALLOW may be private and plain."""

    url: Url
    types: tuple[Type, ...] = ()
    channel_id: Id | None = None


class Change(Body, frozen=True):
    """What is left out stays. `enabled`: switched on again, it begins with what happens from then on."""

    url: Url | None = None
    types: tuple[Type, ...] | None = None
    enabled: bool | None = None


class Made(msgspec.Struct, frozen=True):
    """`secret` signs every delivery (Standard Webhooks); it cannot be shown again."""

    id: Id
    secret: str


class Secret(msgspec.Struct, frozen=True):
    secret: str


class Tested(msgspec.Struct, frozen=True):
    """`status` is null where no answer came."""

    ok: bool
    status: int | None
    problem: str


class Delivery(msgspec.Struct, frozen=True):
    """`state` is waiting, delivered or failed; `due_at` is the next try of one that waits."""

    id: Id
    type: str
    state: str
    attempts: int
    status: int | None
    problem: str
    took_ms: int
    due_at: Time
    created_at: Time
    tried_at: Time | None
    body: dict[str, Any]


class Which(Body, frozen=True):
    delivery_id: Id


async def index(call: Call, query: Paging) -> Page[Webhook]:
    key = key_of(query.cursor, 1) or (0,)
    rows = [row for row in await call.rt.db.reader.all(store.ALL) if row.id > key[0]]
    shown, cursor = page(rows[: query.limit + 1], query.limit, lambda row: (row.id,))
    return Page([_shown(row) for row in shown], cursor)


async def create(call: Call, body: NewWebhook) -> Made:
    """What happens from now on is sent there, at least once each, in the order of commits."""
    channel_id = None if body.channel_id is None else call.rt.channels.get(int(body.channel_id)).row.id
    made = await call.rt.webhooks.create(body.url, list(body.types), channel_id, call.caller.user_id)
    return Made(str(made[0]), made[1])


async def show(call: Call) -> Webhook:
    return _shown(await _read(call))


async def change(call: Call, body: Change) -> Webhook:
    row = await _read(call)
    types = row.types.split() if body.types is None else list(body.types)
    await call.rt.webhooks.change(call.id, body.url or row.url, types, row.channel_id)
    if body.enabled is not None:
        line = entry("webhook.changed", call.id, "on" if body.enabled else "off")
        await call.rt.db.write(logged, line, webhooks.switch, call.id, body.enabled)
        call.rt.webhooks.wake()
    return await show(call)


async def delete(call: Call) -> None:
    await call.rt.db.write(logged, entry("webhook.deleted", call.id), webhooks.delete, call.id)


async def rotate(call: Call) -> Secret:
    """A new secret. For a day every delivery carries both signatures."""
    return Secret(await call.rt.webhooks.rotate(call.id))


async def test(call: Call) -> Tested:
    """Send an event `test` now, once, and say what came back."""
    status, said = await call.rt.webhooks.test(call.id)
    return Tested(not said, status or None, tell(said))


async def deliveries(call: Call, query: Paging) -> Page[Delivery]:
    """Newest first; kept for thirty days."""
    await _read(call)
    key = key_of(query.cursor, 1) or (FIRST,)
    found = await call.rt.db.reader.all(store.LIST, webhook_id=call.id, before=key[0], limit=query.limit + 1)
    shown, cursor = page(found, query.limit, lambda row: (row.id,))
    return Page([_delivery(row) for row in shown], cursor)


async def replay(call: Call, body: Which) -> None:
    """Send a delivery again, with the same id."""
    await call.rt.db.write(webhooks.replay, call.id, int(body.delivery_id))
    call.rt.webhooks.wake()


async def _read(call: Call) -> store.Webhook:
    row = await call.rt.db.reader.one(store.BY_ID, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such webhook."))
    return row


def _shown(row: store.Webhook) -> Webhook:
    channel_id = None if row.channel_id is None else str(row.channel_id)
    return Webhook(
        str(row.id), row.url, row.types.split(), channel_id, row.disabled_at, row.disabled_why, row.created_at
    )


def _delivery(row: store.Delivery) -> Delivery:
    return Delivery(
        str(row.id), row.type, row.state, row.attempts, row.status or None, row.problem, row.took_ms, row.due_at,
        row.created_at, row.tried_at, msgspec.json.decode(row.body),
    )  # fmt: skip
