"""Who may do what: one table, asked by every page and every call.

A role holds actions; an action is named after what a person does, not after a page.
"""

from enum import StrEnum
from typing import Final

from app.errors import Forbidden
from app.said import N_
from app.store.users import User


class Action(StrEnum):
    """What a request needs. READ: look at anything; ANSWER: reply, take, give back, resend, write notes; BUILD: edit,
    try and publish bots; CONNECT: channels and their secrets; ADMINISTER: people and settings; OWN: other owners,
    restore, keys; SELF: one's own account."""

    SELF = "self"
    READ = "read"
    ANSWER = "answer"
    BUILD = "build"
    CONNECT = "connect"
    ADMINISTER = "administer"
    OWN = "own"


VIEWER: Final = frozenset({Action.SELF, Action.READ})
AGENT: Final = VIEWER | {Action.ANSWER}
ADMIN: Final = AGENT | {Action.BUILD, Action.CONNECT, Action.ADMINISTER}
OWNER: Final = ADMIN | {Action.OWN}
POLICY: Final = {"viewer": VIEWER, "agent": AGENT, "admin": ADMIN, "owner": OWNER}
ROLES: Final = tuple(POLICY)


def may(user: User, action: Action) -> bool:
    return user.disabled_at is None and action in POLICY.get(user.role, frozenset())


def require(user: User, action: Action) -> None:
    if not may(user, action):
        raise Forbidden(N_("Your role does not allow this. An admin or the owner can do it, or change your role."))


def may_change(user: User, other: User) -> bool:
    """May `user` change the account of `other`: oneself never here, owners only by owners."""
    needed = Action.OWN if other.role == "owner" else Action.ADMINISTER
    return user.id != other.id and may(user, needed)


def may_give(user: User, role: str) -> bool:
    """May `user` hand out this role: nobody lifts anyone above what they hold."""
    return role in POLICY and may(user, Action.OWN if role == "owner" else Action.ADMINISTER)
