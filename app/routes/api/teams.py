"""Teams over the API: added, removed, and who is in them."""

from typing import Annotated

import msgspec

from app import teams, within
from app.routes.api.endpoint import Body, Call
from app.routes.api.users import Channels, shown_channels
from app.views import Id


class Member(msgspec.Struct, frozen=True):
    id: Id
    name: str
    email: str


class Team(msgspec.Struct, frozen=True):
    """`channels` are those that its members see, besides their own; null: the team limits nobody."""

    id: Id
    name: str
    members: list[Member]
    channels: list[Id] | None


class Change(Body, frozen=True):
    """`channels` that its members see, by name or id; null: the team limits nobody."""

    channels: Channels | None


class Teams(msgspec.Struct, frozen=True):
    """All of them, by name."""

    items: list[Team]


class NewTeam(Body, frozen=True):
    name: Annotated[str, msgspec.Meta(max_length=200)]


class Made(msgspec.Struct, frozen=True):
    id: Id


async def index(call: Call) -> Teams:
    limits = await within.everybodys(call.rt.db.reader)
    return Teams([_shown(team, limits.get(team.id)) for team in await teams.list_all(call.rt)])


def _shown(team: teams.Team, seen: within.Channels) -> Team:
    members = [Member(str(who.id), who.name, who.email) for who in team.members]
    return Team(str(team.id), team.name, members, shown_channels(seen))


async def change(call: Call, body: Change) -> None:
    """Whoever is in the team sees these channels from now on."""
    wanted = None if body.channels is None else await within.named(call.rt, body.channels)
    await within.limit_team(call.rt, call.id, wanted)


async def create(call: Call, body: NewTeam) -> Made:
    return Made(str(await teams.add(call.rt, body.name)))


async def delete(call: Call) -> None:
    await teams.remove(call.rt, call.id)


async def join(call: Call) -> None:
    """Being in already changes nothing."""
    await teams.join(call.rt, call.id, call.request.path_params["user"])


async def leave(call: Call) -> None:
    """Not being in it changes nothing."""
    await teams.leave(call.rt, call.id, call.request.path_params["user"])
