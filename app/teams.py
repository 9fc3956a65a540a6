"""Teams: named groups of users; and whose a conversation is. That somebody has a conversation assigned does not silence
the bot there; a hand-off does."""

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from app import audit
from app.audit import Entry, entry, logged
from app.db import Tx
from app.errors import Conflict, Invalid, NotFound
from app.said import N_
from app.store import teams as store
from app.store import users

if TYPE_CHECKING:
    from app.runtime import Runtime

LONGEST: Final = 60  # characters of a name
GONE: Final = N_("There is no such team. It may have been removed.")


async def add(rt: "Runtime", name: str) -> int:
    """A new team without members. Raises Invalid, Conflict."""
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST or "@" in clean:
        wrong = N_("A team's name has 1 to {most} characters and no “@”.", most=LONGEST)
        raise Invalid(wrong, fields={"team": wrong})
    return await rt.db.write(logged, entry("team.added", clean), _insert, clean)


def _insert(tx: Tx, name: str) -> int:
    team_id = tx.new_id()
    if not tx.run(store.INSERT, id=team_id, name=name, name_folded=store.fold(name), now=tx.now):
        taken = N_("There is a team “{name}” already.", name=name)
        raise Conflict(taken, fields={"team": taken})
    return team_id


async def remove(rt: "Runtime", team_id: int) -> None:
    """The team is gone; its conversations belong to no team any more. Raises NotFound."""
    await rt.db.write(_remove, team_id, entry("team.removed"))


def _remove(tx: Tx, team_id: int, line: Entry) -> None:
    name = tx.one(store.BY_ID, id=team_id)
    if name is None or not tx.run(store.REMOVE, id=team_id):
        raise NotFound(GONE)
    audit.write(tx, replace(line, subject=name))


async def join(rt: "Runtime", team_id: int, user_id: int) -> None:
    """Being in already changes nothing. Raises NotFound."""
    await rt.db.write(_join, team_id, user_id, entry("team.joined"))


def _join(tx: Tx, team_id: int, user_id: int, line: Entry) -> None:
    name, user = named(tx, team_id, user_id)
    if tx.run(store.JOIN, team_id=team_id, user_id=user_id):
        audit.write(tx, replace(line, subject=name, detail=user.email))


async def leave(rt: "Runtime", team_id: int, user_id: int) -> None:
    """Not being in it changes nothing. Raises NotFound."""
    await rt.db.write(_leave, team_id, user_id, entry("team.left"))


def _leave(tx: Tx, team_id: int, user_id: int, line: Entry) -> None:
    name, user = named(tx, team_id, user_id)
    if tx.run(store.LEAVE, team_id=team_id, user_id=user_id):
        audit.write(tx, replace(line, subject=name, detail=user.email))


def named(tx: Tx, team_id: int, user_id: int) -> tuple[str, users.User]:
    """The team's name and the person. Raises NotFound."""
    name, user = tx.one(store.BY_ID, id=team_id), tx.one(users.BY_ID, id=user_id)
    if name is None:
        raise NotFound(GONE)
    if user is None:
        raise NotFound(N_("There is no such person."))
    return name, user


async def find(rt: "Runtime", name: str) -> int:
    """Its id, by name, case ignored. Raises NotFound."""
    team_id = await rt.db.reader.one(store.TEAM, name=store.fold(name))
    if team_id is None:
        raise NotFound(N_("There is no team “{name}”.", name=name))
    return team_id


class Team(msgspec.Struct, frozen=True):
    id: int
    name: str
    members: list[store.Member]


async def list_all(rt: "Runtime") -> list[Team]:
    """By name, as are their members."""
    members = await rt.db.reader.all(store.MEMBERS)
    return [
        Team(id, name, [member for member in members if member.team_id == id])
        for id, name in await rt.db.reader.all(store.ALL)
    ]


# ---- in the unit of a turn ------------------------------------------------------------------------------------------


def assign(tx: Tx, conversation_id: int, to: str) -> bool:
    """To the user with this e-mail address, else to the team of this name. False if there is neither."""
    user_id = tx.one(store.USER, email=users.fold(to))
    if user_id is None:
        return assign_team(tx, conversation_id, to)
    tx.run(store.ASSIGN_USER, id=conversation_id, user_id=user_id)
    return True


def assign_team(tx: Tx, conversation_id: int, name: str) -> bool:
    """To the team of this name, case ignored. False if there is none."""
    team_id = tx.one(store.TEAM, name=store.fold(name))
    if team_id is None:
        return False
    tx.run(store.ASSIGN_TEAM, id=conversation_id, team_id=team_id)
    return True
