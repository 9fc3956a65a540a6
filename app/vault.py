"""Secrets that bots name in calls: kept sealed, opened only where a request is sent, never shown again.

A document holds the name alone, so that it can be exported, compared and read by anybody who may see bots.
"""

import logging
import re
from typing import TYPE_CHECKING, Final

from app.audit import entry, logged
from app.db import Reader, Tx
from app.errors import Conflict, Invalid, NotFound
from app.said import N_, Sentence
from app.security.secrets import Keyring, Unreadable
from app.store import secrets as store
from app.store.secrets import Listed

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# A shorter value could not be told from other words of an answer, in which it is covered.
SHORTEST: Final = 8
LONGEST: Final = 4_000  # characters
MOST: Final = 200
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


async def list_all(rt: "Runtime") -> list[Listed]:
    return await rt.db.reader.all(store.ALL)


async def get(rt: "Runtime", secret_id: int) -> Listed:
    """Raises `NotFound`."""
    found = await rt.db.reader.one(store.BY_ID, id=secret_id)
    if found is None:
        raise NotFound(N_("There is no such secret. It may have been deleted."))
    return found


async def add(rt: "Runtime", name: str, value: str, user_id: int | None) -> int:
    """A new one; its id. Raises `Invalid` with a sentence a field, `Conflict` where the name is taken."""
    check(name, value)
    return await rt.db.write(logged, entry("secret.set", name), _add, rt.keys, name, value, user_id)


async def replace(rt: "Runtime", secret_id: int, value: str, user_id: int | None) -> None:
    """Another value, from the next call on. Raises `Invalid`, `NotFound`."""
    if wrong := fault_of_value(value):
        raise Invalid(wrong, fields={"value": wrong})
    await rt.db.write(logged, entry("secret.set", secret_id), _replace, rt.keys, secret_id, value, user_id)


async def put(rt: "Runtime", name: str, value: str) -> bool:
    """Add or replace, by name. Whether it is new. Raises `Invalid`."""
    check(name, value)
    return await rt.db.write(logged, entry("secret.set", name), _put, rt.keys, name, value)


async def remove(rt: "Runtime", secret_id: int) -> None:
    """Calls that name it fail from now on. Raises `NotFound`."""
    if not await rt.db.write(logged, entry("secret.removed", secret_id), _remove, secret_id):
        raise NotFound(N_("There is no such secret. It may have been deleted."))


async def find(rt: "Runtime", name: str) -> int:
    """Its id. Raises `NotFound`."""
    found = await rt.db.reader.one(store.BY_NAME, name=name)
    if found is None:
        raise NotFound(N_("There is no secret “{name}”.", name=name))
    return found.id


async def opened(db: Reader, keys: Keyring, name: str) -> str | None:
    """The value in the clear; None if there is none of this name, or if it does not open: its row was changed by
    somebody else."""
    found = await db.one(store.BY_NAME, name=name)
    try:
        return None if found is None else keys.open(found.sealed, place(found.id))
    except Unreadable:
        log.warning("a named secret does not open", extra={"named": name})
        return None


async def names(rt: "Runtime") -> frozenset[str]:
    return frozenset(secret.name for secret in await list_all(rt))


async def unreadable(rt: "Runtime") -> list[str]:
    """Those that do not open."""
    return [s.name for s in await list_all(rt) if await opened(rt.db.reader, rt.keys, s.name) is None]


# ---- units of work --------------------------------------------------------------------------------------------------


def _add(tx: Tx, keys: Keyring, name: str, value: str, user_id: int | None) -> int:
    if (tx.one(store.COUNT) or 0) >= MOST:
        raise Conflict(N_("There are {most} secrets already. Delete one that no bot names.", most=MOST))
    secret_id = tx.new_id()
    sealed = keys.seal(value, place(secret_id))
    if not tx.run(store.INSERT, id=secret_id, name=name, sealed=sealed, now=tx.now, user_id=user_id):
        raise Conflict(N_("There is a secret “{name}” already.", name=name), fields={"name": N_("This name is taken.")})
    return secret_id


def _replace(tx: Tx, keys: Keyring, secret_id: int, value: str, user_id: int | None) -> None:
    sealed = keys.seal(value, place(secret_id))
    if not tx.run(store.REPLACE, id=secret_id, sealed=sealed, now=tx.now, user_id=user_id):
        raise NotFound(N_("There is no such secret. It may have been deleted."))


def _put(tx: Tx, keys: Keyring, name: str, value: str) -> bool:
    found = tx.one(store.BY_NAME, name=name)
    if found is None:
        _add(tx, keys, name, value, None)
    else:
        _replace(tx, keys, found.id, value, None)
    return found is None


def _remove(tx: Tx, secret_id: int) -> bool:
    return bool(tx.run(store.DELETE, id=secret_id))


# ---- checks, pure ---------------------------------------------------------------------------------------------------


def place(secret_id: int) -> str:
    """Where it belongs; a sealed text opens nowhere else."""
    return f"secret|sealed|{secret_id}"


def check(name: str, value: str) -> None:
    """Raises `Invalid` with a sentence a field."""
    wrong: dict[str, Sentence] = {}
    if not NAME.fullmatch(name):
        wrong["name"] = N_("A name is made of small letters, digits and _, begins with a letter and has at most 40.")
    if fault := fault_of_value(value):
        wrong["value"] = fault
    if wrong:
        raise Invalid(next(iter(wrong.values())), fields=wrong)


def fault_of_value(value: str) -> Sentence | None:
    if CONTROL.search(value):
        return N_("A secret is one line without control characters.")
    if not SHORTEST <= len(value) <= LONGEST:
        return N_("A secret has {least} to {most} characters.", least=SHORTEST, most=LONGEST)
    return None
