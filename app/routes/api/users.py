"""People of the dashboard over the API."""

from typing import Annotated, Literal

import msgspec

from app import users, within
from app.errors import Conflict, NotFound
from app.routes.api.endpoint import Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.store import users as store
from app.views import Id, Time

Channels = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=100)]], msgspec.Meta(max_length=500)]
Role = Literal["viewer", "agent", "admin", "owner"]


class User(msgspec.Struct, frozen=True):
    """`channels` are all that this person sees, without those of teams; null: every one."""

    id: Id
    email: str
    name: str
    role: str
    disabled_at: Time | None
    created_at: Time
    channels: list[Id] | None


class NewUser(Body, frozen=True):
    """Without a password one is made and answered, once."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    role: Role
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    password: Annotated[str, msgspec.Meta(min_length=15, max_length=1024)] | None = None


class Made(msgspec.Struct, frozen=True):
    id: Id
    password: str | None


class Change(Body, frozen=True):
    """`channels` by name or id, of a viewer or agent; null: every channel."""

    role: Role | None = None
    disabled: bool | None = None
    channels: Channels | msgspec.UnsetType | None = msgspec.UNSET


async def index(call: Call, query: Paging) -> Page[User]:
    key = key_of(query.cursor, 1) or (0,)
    rows = sorted(await call.rt.db.read(store.list_all), key=lambda row: row.id)
    shown, cursor = page([row for row in rows if row.id > key[0]][: query.limit + 1], query.limit, lambda r: (r.id,))
    limits = await within.everybodys(call.rt.db.reader)
    return Page([_shown(row, limits.get(row.id)) for row in shown], cursor)


async def create(call: Call, body: NewUser) -> Made:
    user_id, password = await users.add(
        call.rt, email=body.email, name=body.name, role=body.role, password=body.password, by=await acting(call)
    )
    return Made(str(user_id), None if body.password else password)


async def show(call: Call) -> User:
    row = await call.rt.db.reader.one(store.BY_ID, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such person."))
    return _shown(row, (await within.everybodys(call.rt.db.reader)).get(row.id))


async def change(call: Call, body: Change) -> User:
    """Somebody who is disabled is out at the next request. Nobody changes themselves here."""
    by = await acting(call)
    await show(call)
    if body.role is not None:
        await users.change_role(call.rt, call.id, body.role, by)
    if body.disabled is not None:
        await (users.disable if body.disabled else users.enable)(call.rt, call.id, by)
    if body.channels is not msgspec.UNSET:
        wanted = None if body.channels is None else await within.named(call.rt, body.channels)
        await within.limit_user(call.rt, call.id, wanted, by)
    return await show(call)


async def acting(call: Call) -> store.User:
    """People are changed by people, whose role bounds what they may give."""
    person = await call.person()
    if person is None:
        raise Conflict(N_("This key belongs to nobody. People are changed by somebody: log in."), code="nobody")
    return person


def _shown(row: store.User, seen: within.Channels) -> User:
    return User(str(row.id), row.email, row.name, row.role, row.disabled_at, row.created_at, shown_channels(seen))


def shown_channels(seen: within.Channels) -> list[Id] | None:
    return None if seen is None else [str(id) for id in sorted(seen)]
