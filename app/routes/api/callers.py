"""Who asks: by an access token or an API key, looked up once and believed for two seconds, and not too often (S14).

Whatever could change what somebody may do leaves a line in the audit log, and after the commit of any such line nothing
is believed any more; the two seconds are for other processes on the same database.
"""

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from app import audit, tokens, within
from app.db import DatabaseError
from app.errors import Forbidden, Unauthenticated
from app.routes.api.endpoint import Caller
from app.said import N_
from app.security import access, limits
from app.security.hosts import network
from app.store import tokens as store

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)
TOUCH_EVERY: Final = 60_000
BELIEVED: Final = 2_000  # ms
MOST: Final = 10_000
POLICIES: Final = {"anonymous": "60;w=60", "user": "300;w=60", "key": "50;w=1"}


class Callers:
    """Those who were recognised lately, by the digest of what they showed; the longest known leaves first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Caller, int]] = OrderedDict()
        self._changes = audit.changes.count

    def find(self, digest: str, now: int) -> Caller | None:
        """Whom this credential belongs to, if that was looked up within two seconds and nothing has changed since."""
        if self._changes != audit.changes.count:
            self._known.clear()
            self._changes = audit.changes.count
        caller, until = self._known.get(digest) or (None, 0)
        return caller if now < until <= now + BELIEVED else None

    def keep(self, digest: str, caller: Caller, now: int, changes: int) -> None:
        """Believe it, unless something has changed since it was looked up: `changes` as it was before."""
        if changes != audit.changes.count:
            return
        until = min(now + BELIEVED, caller.expires_at or now + BELIEVED)
        self._known[digest] = caller, until
        self._known.move_to_end(digest)
        if len(self._known) > MOST:
            self._known.popitem(last=False)


async def identify(request: Request) -> Caller:
    """Whoever shows a credential; it must be right even where none is needed."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    credential = credential.strip()
    nobody = Caller(f"anonymous:{network(request.state.origin.ip)}", frozenset(), frozenset())
    if not credential and not scheme:
        return nobody
    if scheme.lower() != "bearer":
        raise Unauthenticated(N_("Use Authorization: Bearer with an API key or an access token."))
    rt: Runtime = request.state.rt
    callers: Callers = request.app.state.callers
    now, digest, changes = rt.clock.now(), access.digest(credential), audit.changes.count
    caller = callers.find(digest, now)
    if caller is None:
        try:
            if credential.startswith(access.KEY_PREFIX):
                caller = await holder(rt, credential)
            else:
                caller = await bearer(rt, request.app.state.signer, credential)
        except Unauthenticated:
            count(request, nobody)  # who tries credentials is a stranger
            raise
        callers.keep(digest, caller, now, changes)
    return caller


async def holder(rt: "Runtime", key: str) -> Caller:
    """Who has this API key. That it is in use is noted once a minute."""
    now = rt.clock.now()
    found = await rt.db.reader.one(store.HOLDER, hash=access.digest(key), now=now) if access.is_key(key) else None
    if found is None:
        raise Unauthenticated(N_("This API key is not valid or no longer valid."))
    if now - (found.used_at or 0) > TOUCH_EVERY:
        try:
            await rt.db.write(tokens.key_used, found.id)
        except DatabaseError:
            log.warning("a key's last use could not be noted")  # reading must work on a full disk
    scopes = access.scopes_of(found.scopes)
    actions = access.actions(found.role or "owner", scopes)
    seen = await within.of_key(rt.db.reader, found.id, found.user_id, found.role)
    return Caller(
        f"key:{found.id}", actions, scopes, key_id=found.id, user_id=found.user_id, rate=found.rate,
        expires_at=found.expires_at or 0, channels=seen,
    )  # fmt: skip


async def bearer(rt: "Runtime", signer: access.Signer, token: str) -> Caller:
    """Whose access token this is: not taken back, and nothing about the user has changed since."""
    claims = signer.read(token, rt.clock.now())
    found = await rt.db.reader.one(store.BEARER, id=claims.user_id, jti=claims.jti)
    if found is None or found[1] or found[0].token_version != claims.version:
        raise Unauthenticated(access.REFUSED)
    user = found[0]
    return Caller(
        f"user:{user.id}", access.actions(user.role, claims.scopes), claims.scopes, user, None, user.id, None,
        claims.jti, claims.expires_at, await within.of_user(rt.db.reader, user),
    )  # fmt: skip


def refusal(caller: Caller) -> Exception:
    if not caller.scopes:
        return Unauthenticated(N_("Show an API key or an access token: Authorization: Bearer …"))
    return Forbidden(N_("This credential does not have the scope or the role that this needs."))


def pace(caller: Caller) -> tuple[limits.Rate, str]:
    """How often somebody may ask, and how that is told."""
    if caller.key_id is not None:
        each = limits.API_KEY.each if caller.rate is None else caller.rate
        return limits.Rate(max(limits.API_KEY.burst, int(each)), each), f"{each:g};w=1"
    if caller.user is not None:
        return limits.SESSION, POLICIES["user"]
    return limits.ANONYMOUS, POLICIES["anonymous"]


def bucket(caller: Caller) -> str:
    return f"api:{caller.name}"


def count(request: Request, caller: Caller) -> dict[str, str]:
    """One request less (S14); the headers that tell how many are left. Raises `TooMany`."""
    rate, policy = pace(caller)
    left = request.app.state.limits.take(bucket(caller), rate)
    if not rate.each:
        return {}
    return {"RateLimit-Policy": f'"api";q={policy}', "RateLimit": f'"api";r={left};t=1'}
