"""Inviting people: a link that makes one account, chosen by whoever follows it to the end, within three days.

The link's token has 256 random bits; its hash is stored, and goes with its first use. What it may make is looked at
again when it is used: whoever invited must still be allowed to give that role.
"""

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from app import audit, users, within
from app.audit import Actor, Entry, entry, logged
from app.db import Tx
from app.errors import Forbidden, Invalid, NotFound
from app.said import N_
from app.security import passwords, permissions, sessions
from app.store import invitations as store
from app.store import limits
from app.store import users as people
from app.store.invitations import Invitation
from app.store.users import User

if TYPE_CHECKING:
    from app.runtime import Runtime

LASTS: Final = 72 * 3_600_000
GONE: Final = N_(
    "This invitation does not work: it was used or taken back, or is older than three days. Ask for another."
)


async def create(rt: "Runtime", *, email: str, name: str, role: str, by: User, channels: within.Channels = None) -> str:
    """The token of a new invitation, told this once. One before for the same address is of no use any more. `channels`:
    all that the person will see, None: every one. Raises Invalid by field, Conflict, Forbidden."""
    email, name = users.check_email(email), users.check_name(name, email)
    users.check_role(role, by)
    if channels is not None and role not in within.LIMITABLE:
        raise Invalid(within.SEE_ALL, fields={"channels": within.SEE_ALL})
    token = secrets.token_urlsafe(32)
    line = entry("invitation.created", email, role)
    await rt.db.write(logged, line, _create, digest(token), email, name, role, by.id, channels)
    return token


def _create(tx: Tx, hashed: str, email: str, name: str, role: str, by: int, channels: within.Channels) -> None:
    if tx.one(people.BY_EMAIL, email=people.fold(email)) is not None:
        raise users.taken()
    tx.run(store.DELETE_EXPIRED, now=tx.now)
    tx.run(
        store.INSERT, id=tx.new_id(), hash=hashed, email=email, email_folded=people.fold(email), name=name, role=role,
        invited_by=by, now=tx.now, expires_at=tx.now + LASTS,
        channels=None if channels is None else ",".join(map(str, sorted(channels))),
    )  # fmt: skip


async def list_open(rt: "Runtime") -> list[Invitation]:
    """Those that still work, newest first."""
    return await rt.db.reader.all(store.OPEN, now=rt.clock.now())


async def revoke(rt: "Runtime", invitation_id: int, by: User) -> None:
    """Raises NotFound, Forbidden."""
    await rt.db.write(_revoke, invitation_id, by, entry("invitation.revoked"))


def _revoke(tx: Tx, invitation_id: int, by: User, line: Entry) -> None:
    found = tx.one(store.BY_ID, id=invitation_id)
    if found is None:
        raise NotFound(N_("This invitation was used or taken back already."))
    if not permissions.may_give(by, found.role):
        raise Forbidden(N_("Only an owner can take back the invitation of an owner."))
    tx.run(store.DELETE, id=invitation_id)
    audit.write(tx, replace(line, subject=found.email))


async def find(rt: "Runtime", token: str) -> Invitation:
    """The open invitation of this token. Raises NotFound."""
    found = await rt.db.reader.one(store.BY_HASH, hash=digest(token), now=rt.clock.now())
    if found is None:
        raise NotFound(GONE)
    return found


async def accept(rt: "Runtime", token: str, *, name: str, password: str, agent: str, ip: str) -> str:
    """Make the account and log it in; the session's token. Raises Invalid by field, Conflict, NotFound."""
    found = await find(rt, token)
    name = users.check_name(name, found.email)
    passwords.check(password, found.email, name)
    password_hash = await passwords.hash_password(password)
    line = entry("user.added", found.email, found.role, Actor(found.email, None, ip))
    return await rt.db.write(logged, line, _accept, digest(token), name, password_hash, agent, ip)


def _accept(tx: Tx, hashed: str, name: str, password_hash: str, agent: str, ip: str) -> str:
    found = tx.one(store.BY_HASH, hash=hashed, now=tx.now)
    by = found and tx.one(people.BY_ID, id=found.invited_by)
    if not found or not by or not permissions.may_give(by, found.role) or not tx.run(store.DELETE, id=found.id):
        raise NotFound(GONE)
    user_id = people.insert(tx, email=found.email, name=name, role=found.role, password_hash=password_hash)
    if user_id is None:
        raise users.taken()
    if found.channels is not None:
        limits.put(tx, "app_user", user_id, map(int, filter(None, found.channels.split(","))))
    return sessions.begin(tx, user_id, agent=agent, ip=ip)


def digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
