"""How programs get in: log-in for an access and a refresh token, API keys, and an answer that is given twice.

A refresh token is changed at each use (S11). One that is shown a second time was stolen or copied: then everything that
came from the same log-in ends.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.audit import Entry, changes, entry, logged
from app.audit import write as write_line
from app.db import Tx
from app.errors import Invalid, NotFound, ParleyError
from app.said import N_
from app.security import access
from app.store import limits, users
from app.store import tokens as store

if TYPE_CHECKING:
    from app.runtime import Runtime

NAME: Final = 100
LONGEST_NAME: Final = 255  # of an idempotency key
KEPT: Final = 86_400_000
DAY: Final = 86_400_000
MOST_DAYS: Final = 3650


class Created(msgspec.Struct, frozen=True):
    """A new API key; `secret` is told this once."""

    id: int
    secret: str
    expires_at: int | None


# ---- API keys -------------------------------------------------------------------------------------------------------


async def create(
    rt: "Runtime",
    *,
    name: str,
    scopes: list[str],
    days: int | None = None,
    rate: float | None = None,
    within: frozenset[str] = frozenset(access.SCOPES),
    user_id: int | None = None,
    channels: frozenset[int] | None = None,
) -> Created:
    """A key with these scopes, good for `days` (a year unless told, 0: for ever), at most `within` what its maker may.
    `channels`: all that it sees, None: every one. Raises `Invalid`."""
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME:
        raise Invalid(N_("Give the key a name of up to {most} characters.", most=NAME), fields={"name": N_("Name it.")})
    wanted = frozenset(scopes)
    if not wanted or wanted - access.SCOPES.keys():
        known = ", ".join(access.SCOPES)
        raise Invalid(N_("Scopes are some of {known}.", known=known), fields={"scopes": N_("Choose some of these.")})
    if wanted - within:
        more = N_("A key cannot do more than who makes it.")
        raise Invalid(more, fields={"scopes": more})
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise Invalid(N_("A key is good for up to {most} days; 0 is for ever.", most=MOST_DAYS))
    if rate is not None and not 0 <= rate <= 100_000:
        raise Invalid(N_("The rate is a number of requests a second; 0 is unlimited."))
    if channels is not None and wanted - {"read", "send"}:
        more = N_("Only a key that reads and sends can be limited to channels.")
        raise Invalid(more, fields={"channels": more})
    line = entry("token.created", clean, access.text_of(wanted))
    return await rt.db.write(logged, line, insert_key, clean, wanted, days, rate, user_id, channels)


def insert_key(
    tx: Tx,
    name: str,
    scopes: frozenset[str],
    days: int | None,
    rate: float | None,
    user_id: int | None,
    channels: frozenset[int] | None = None,
) -> Created:
    key, key_id = access.new_key(), tx.new_id()
    lifetime = access.KEY_LIFETIME if days is None else days * DAY
    expires_at = tx.now + lifetime if lifetime else None
    tx.run(
        store.INSERT_KEY, id=key_id, name=name, hash=access.digest(key), hint=key[-4:], scopes=access.text_of(scopes),
        user_id=user_id, rate=rate, now=tx.now, expires_at=expires_at,
    )  # fmt: skip
    if channels is not None:
        limits.put(tx, "api_key", key_id, channels)
    return Created(key_id, key, expires_at)


def delete_key(tx: Tx, key_id: int) -> None:
    """It is of no use any more, from the next request on. Raises `NotFound`."""
    if not tx.run(store.DELETE_KEY, id=key_id):
        raise NotFound(N_("There is no such key."))


def key_used(tx: Tx, key_id: int) -> None:
    tx.run(store.KEY_USED, id=key_id, now=tx.now)


# ---- log-in for programs --------------------------------------------------------------------------------------------


def begin(tx: Tx, user_id: int, scopes: frozenset[str]) -> str:
    """The first refresh token of a log-in."""
    tx.run(store.DELETE_REFRESH, now=tx.now)
    tx.run(store.DELETE_DENIED, now=tx.now)
    return _give(tx, tx.new_id(), user_id, scopes)


def _give(tx: Tx, family: int, user_id: int, scopes: frozenset[str]) -> str:
    token = secrets.token_urlsafe(32)
    tx.run(
        store.INSERT_REFRESH, hash=access.digest(token), family=family, user_id=user_id, scopes=access.text_of(scopes),
        now=tx.now, expires_at=tx.now + access.REFRESH_LIFETIME,
    )  # fmt: skip
    return token


class Renewed(msgspec.Struct, frozen=True):
    """A fresh pair is due to this user; None where the token was refused."""

    user: users.User
    scopes: frozenset[str]
    refresh: str


def refresh(tx: Tx, token: str, reused: Entry) -> Renewed | None:
    """Change a refresh token for the next. None: unknown, over, or used before, which ends its whole family; `reused`
    tells of that, and gets the person's address."""
    hashed = access.digest(token)
    found = tx.one(store.REFRESH, hash=hashed)
    if found is None or found.expires_at <= tx.now:
        return None
    user = tx.one(users.BY_ID, id=found.user_id)
    if not tx.run(store.USE_REFRESH, hash=hashed, now=tx.now):
        tx.run(store.DELETE_FAMILY, family=found.family)
        write_line(tx, msgspec.structs.replace(reused, subject=user.email if user else str(found.user_id)))
        return None
    if user is None or user.disabled_at is not None:
        return None
    scopes = access.scopes_of(found.scopes)
    return Renewed(user, scopes, _give(tx, found.family, user.id, scopes))


def revoke(tx: Tx, token: str) -> None:
    """The log-in of this refresh token is over. An unknown one is over already."""
    found = tx.one(store.REFRESH, hash=access.digest(token))
    if found is not None:
        tx.run(store.DELETE_FAMILY, family=found.family)


def deny(tx: Tx, jti: str, expires_at: int) -> None:
    """This access token is refused from now on."""
    tx.after_commit(changes.another)
    tx.run(store.DENY, jti=jti, expires_at=expires_at)


# ---- asked twice, done once -----------------------------------------------------------------------------------------


class Asked(msgspec.Struct, frozen=True):
    """A request that may come twice (P24): who asks, the key they gave it, and a digest of what they ask."""

    caller: str
    name: str
    digest: str


def once(tx: Tx, asked: Asked | None, unit: Callable[..., Any], *args: Any) -> tuple[str, bool]:
    """Run the unit and keep its answer (JSON) in the same commit, or give the answer of the first time, and whether it
    was. Raises `Invalid` if the key was used for something else."""
    if asked is None:
        return _json(unit(tx, *args)), False
    kept = tx.one(store.ANSWER, caller=asked.caller, name=asked.name)
    if kept is not None:
        if kept[0] != asked.digest:
            raise Invalid(
                N_("This Idempotency-Key was used for another request. Take a new one for each."), code="key_reused"
            )
        return str(kept[1]), True
    answer = _json(unit(tx, *args))
    tx.run(store.KEEP_ANSWER, caller=asked.caller, name=asked.name, digest=asked.digest, answer=answer, now=tx.now)
    return answer, False


def once_all(
    tx: Tx,
    asked: Sequence[Asked | None],
    several: Callable[[Sequence[int]], Sequence[Any]],
    alone: Callable[[int], Any],
) -> list[tuple[str, bool] | ParleyError]:
    """`once` for several: `several` does those of these places that nobody asked for before, `alone` one of them. A
    refusal, raised before anything is written, is an answer here."""
    keys = [(one.caller, one.name) if one else None for one in asked]
    seen = set(tx.each(store.ANSWERED, [{"caller": key[0], "name": key[1]} for key in keys if key]))
    new = []
    for place, key in enumerate(keys):
        if key is None or key not in seen:
            new.append(place)
            seen.add(key or ("", ""))
    answers: dict[int, tuple[str, bool] | ParleyError] = {}
    for place, done in zip(new, several(new), strict=True):
        one = asked[place]
        answers[place] = done if isinstance(done, ParleyError) else (answer := _json(done), False)
        if one is not None and not isinstance(done, ParleyError):
            tx.later(
                store.KEEP_ANSWER, caller=one.caller, name=one.name, digest=one.digest, answer=answer, now=tx.now
            )  # fmt: skip
    for place in range(len(asked)):
        if place not in answers:
            try:
                answers[place] = once(tx, asked[place], lambda _tx, place: alone(place), place)
            except ParleyError as error:
                answers[place] = error
    return [answers[place] for place in range(len(asked))]


def digest(request: bytes) -> str:
    """What tells two requests apart."""
    return hashlib.sha256(request).hexdigest()


def _json(answer: Any) -> str:
    return msgspec.json.encode(answer).decode()


def sweep(tx: Tx) -> int:
    """Answers are kept for a day; how many went."""
    old = tx.all(store.OLD_ANSWERS, before=tx.now - KEPT)
    for caller, name in old:
        tx.run(store.DROP_ANSWER, caller=caller, name=name)
    return len(old)


def check_name(name: str) -> str:
    """An Idempotency-Key as it came. Raises `Invalid`."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isascii() or not name.isprintable():
        raise Invalid(N_("An Idempotency-Key has up to {most} plain characters.", most=LONGEST_NAME))
    return name
