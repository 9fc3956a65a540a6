"""Invitations over the API: a link for a new person, told once; listed, and taken back."""

from typing import Annotated

import msgspec

from app import invitations, within
from app.routes.api.endpoint import Body, Call
from app.routes.api.users import Channels, Role, acting
from app.routes.invitation import link
from app.store.invitations import Invitation as Row
from app.views import Id, Time


class Invitation(msgspec.Struct, frozen=True):
    id: Id
    email: str
    name: str
    role: str
    invited_by: Id
    created_at: Time
    expires_at: Time


class Invitations(msgspec.Struct, frozen=True):
    """All that still work, newest first."""

    items: list[Invitation]


class NewInvitation(Body, frozen=True):
    """`channels` by name or id, for a viewer or agent: all that they will see; null: every one."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    role: Role
    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    channels: Channels | None = None


class Made(msgspec.Struct, frozen=True):
    """`link` cannot be shown again. Whoever follows it chooses a password."""

    link: str


async def index(call: Call) -> Invitations:
    return Invitations([_shown(row) for row in await invitations.list_open(call.rt)])


async def create(call: Call, body: NewInvitation) -> Made:
    seen = None if body.channels is None else await within.named(call.rt, body.channels)
    token = await invitations.create(
        call.rt, email=body.email, name=body.name, role=body.role, channels=seen, by=await acting(call)
    )  # fmt: skip
    return Made(link(call.request, token))


async def revoke(call: Call) -> None:
    await invitations.revoke(call.rt, call.id, by=await acting(call))


def _shown(row: Row) -> Invitation:
    return Invitation(
        str(row.id), row.email, row.name, row.role, str(row.invited_by), row.created_at, row.expires_at
    )  # fmt: skip
