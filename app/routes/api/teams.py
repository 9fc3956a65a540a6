"""Teams over the API: added, removed, and who is in them."""

from typing import Annotated

import msgspec

from app import teams
from app.routes.api.endpoint import Body, Call
from app.views import Id


class Member(msgspec.Struct, frozen=True):
    id: Id
    name: str
    email: str


class Team(msgspec.Struct, frozen=True):
    id: Id
    name: str
    members: list[Member]


class Teams(msgspec.Struct, frozen=True):
    """All of them, by name."""

    items: list[Team]


class NewTeam(Body, frozen=True):
    name: Annotated[str, msgspec.Meta(max_length=200)]


class Made(msgspec.Struct, frozen=True):
    id: Id


async def index(call: Call) -> Teams:
    return Teams(
        [
            Team(str(team.id), team.name, [Member(str(who.id), who.name, who.email) for who in team.members])
            for team in await teams.list_all(call.rt)
        ]
    )


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
