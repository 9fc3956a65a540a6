"""The second factor at log-in: codes of an authenticator app, and recovery codes for whoever lost it.

The seed is stored sealed, recovery codes as hashes, each good once. A code is judged and counted in one unit, so that
many tried at once are counted one after the other; five wrong ones in five minutes are all there are, from wherever
they come, because whoever is asked for a code knew the password.
"""

import logging
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import audit
from app.audit import Actor, Entry, entry, logged
from app.db import Tx
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.said import N_
from app.security import passwords, permissions, sessions, throttle, totp
from app.security.secrets import Keyring, Unreadable
from app.store import second_factors as store
from app.store import tokens, users
from app.store.users import User

if TYPE_CHECKING:
    from app.runtime import Runtime

log = logging.getLogger(__name__)

RECOVERY_CODES: Final = 10
LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is read for another
LETTERS_IN_CODE: Final = 16  # 80 bits
WRONG: Final = N_("This code is not right. Codes change every half minute; take the one that is shown now.")


class Verdict(msgspec.Struct, frozen=True):
    """Whether a code was right; `wait` in seconds where too many were wrong lately, and none is looked at."""

    right: bool
    wait: float = 0.0


async def standing(rt: "Runtime", user_id: int) -> store.Standing | None:
    """Since when this person is asked for a code; None where they are not."""
    return await rt.db.reader.one(store.STANDING, user_id=user_id)


def begin(rt: "Runtime", user: User) -> str:
    """A new seed, sealed. Nothing is stored: the page that shows it sends it back with a first code."""
    return rt.keys.seal(totp.new_seed(), place(user.id))


async def confirm(rt: "Runtime", user: User, sealed: str, code: str, keep: str) -> list[str]:
    """Switch it on with a first code of this seed; the recovery codes, told this once. Every session but `keep` (a
    hash) and every program's log-in ends: they began with the password alone. Raises Invalid, Conflict, TooMany."""
    codes = new_codes()
    line = entry("two_step.on", user.email)
    wanted = store.Totp(sealed, 0)
    demand(await rt.db.write(_noted, line, None, _confirm, rt.keys, user.id, wanted, code, codes, keep))
    return codes


def _confirm(
    tx: Tx, keys: Keyring, user_id: int, wanted: store.Totp, code: str, codes: list[str], keep: str
) -> Verdict:  # fmt: skip
    tx.lock("app_user", user_id)
    if wait := throttle.code_wait(tx, user_id):
        return Verdict(False, wait)
    step = _step(tx, keys, user_id, wanted, code)
    if step is None:
        throttle.code_failed(tx, user_id)
        return Verdict(False)
    if not tx.run(store.INSERT, user_id=user_id, seed=wanted.seed, step=step, now=tx.now):
        raise Conflict(N_("Two-step log-in is on already."))
    throttle.forget_codes(tx, user_id)
    _give_codes(tx, user_id, codes)
    sessions.end_all(tx, user_id, keep)
    tx.run(tokens.DELETE_OF_USER, user_id=user_id)
    tx.run(users.NEW_TOKENS, id=user_id)
    return Verdict(True)


def enter(tx: Tx, keys: Keyring, user_id: int, code: str) -> Verdict:
    """Judge a code of the app or a recovery code, and use it up."""
    tx.lock("app_user", user_id)
    if wait := throttle.code_wait(tx, user_id):
        return Verdict(False, wait)
    found = tx.one(store.BY_USER, user_id=user_id)
    if found is None or not _use(tx, keys, user_id, found, code):
        throttle.code_failed(tx, user_id)
        return Verdict(False)
    throttle.forget_codes(tx, user_id)
    return Verdict(True)


def _use(tx: Tx, keys: Keyring, user_id: int, found: store.Totp, code: str) -> bool:
    step = _step(tx, keys, user_id, found, code)
    if step is not None:
        tx.run(store.TAKEN, user_id=user_id, step=step)
        return True
    return bool(tx.run(store.USE_CODE, user_id=user_id, hash=digest(user_id, code), now=tx.now))


def _step(tx: Tx, keys: Keyring, user_id: int, found: store.Totp, code: str) -> int | None:
    seed = opened(keys, user_id, found.seed)
    return None if seed is None else totp.step_of(seed, "".join(code.split()), tx.now, found.last_step)


async def new_recovery_codes(rt: "Runtime", user: User, code: str) -> list[str]:
    """Fresh ones, told this once; those before are of no use any more. Raises Invalid, TooMany."""
    codes = new_codes()
    line = entry("two_step.codes", user.email)
    demand(await rt.db.write(_noted, line, None, _renew, rt.keys, user.id, code, codes))
    return codes


def _renew(tx: Tx, keys: Keyring, user_id: int, code: str, codes: list[str]) -> Verdict:
    verdict = enter(tx, keys, user_id, code)
    if verdict.right:
        _give_codes(tx, user_id, codes)
    return verdict


async def log_in(rt: "Runtime", user: User, code: str, *, agent: str, ip: str) -> str:
    """Begin a session with a code, the password given before; its token. Raises Invalid, TooMany."""
    verdict, token = await rt.db.write(_log_in, rt.keys, user, code, agent, ip)
    demand(verdict)
    return token


def _log_in(tx: Tx, keys: Keyring, user: User, code: str, agent: str, ip: str) -> tuple[Verdict, str]:
    verdict = check(tx, keys, user, code, ip)
    if not verdict.right:
        return verdict, ""
    throttle.forget(tx, user.email, ip)
    audit.write(tx, entry("login", user.email, actor=Actor(user.email, user.id, ip)))
    return verdict, sessions.begin(tx, user.id, agent=agent, ip=ip)


def check(tx: Tx, keys: Keyring, user: User, code: str, ip: str) -> Verdict:
    """`enter` at a log-in: a wrong code leaves a line in the audit log."""
    failed = entry("login.failed", user.email, "code", Actor("?", None, ip))
    return _noted(tx, None, failed, enter, keys, user.id, code)


async def switch_off(rt: "Runtime", user: User, *, password: str, code: str, ip: str) -> None:
    """Asks for both factors. Raises Invalid by field, TooMany."""
    await rt.db.read(throttle.check, user.email, ip, rt.clock.now())
    stored = await rt.db.reader.one(users.PASSWORD, id=user.id)
    if not await passwords.verify(stored, password):
        await rt.db.write(throttle.failed, user.email, ip)
        raise Invalid(
            N_("The password is not right."), fields={"off_password": N_("This is not your current password.")}
        )
    line = entry("two_step.off", user.email)
    demand(await rt.db.write(_noted, line, None, _switch_off, rt.keys, user.id, code), "off_code")


def _switch_off(tx: Tx, keys: Keyring, user_id: int, code: str) -> Verdict:
    verdict = enter(tx, keys, user_id, code)
    if verdict.right:
        _remove(tx, user_id)
    return verdict


async def reset(rt: "Runtime", user_id: int, by: User | None = None) -> None:
    """Switch it off for somebody who lost phone and recovery codes; their sessions end. `by` is None on the machine
    itself, else an owner. Raises Forbidden, NotFound."""
    if by is not None and (by.id == user_id or not permissions.may(by, permissions.Action.OWN)):
        raise Forbidden(N_("Only another owner can do this."))
    await rt.db.write(logged, entry("two_step.reset", user_id), _reset, user_id)


def _reset(tx: Tx, user_id: int) -> None:
    tx.lock("app_user", user_id)
    if not _remove(tx, user_id):
        raise NotFound(N_("This person has no two-step log-in."))
    throttle.forget_codes(tx, user_id)
    sessions.end_all(tx, user_id)


def _remove(tx: Tx, user_id: int) -> bool:
    tx.run(store.DELETE_CODES, user_id=user_id)
    return bool(tx.run(store.DELETE, user_id=user_id))


def _noted(tx: Tx, right: Entry | None, wrong: Entry | None, unit: Callable[..., Verdict], *args: Any) -> Verdict:
    """Run a unit that judges a code, and write the line that its verdict calls for."""
    verdict = unit(tx, *args)
    line = right if verdict.right else wrong
    if line is not None:
        audit.write(tx, line)
    return verdict


def demand(verdict: Verdict, field: str = "code") -> None:
    """Raises TooMany or Invalid unless the code was right."""
    if verdict.wait:
        raise throttle.too_many(verdict.wait)
    if not verdict.right:
        raise Invalid(WRONG, code="totp_wrong", fields={field: WRONG})


# ---- recovery codes -------------------------------------------------------------------------------------------------


def new_codes() -> list[str]:
    """Random, in groups of four that can be copied from paper."""
    return ["-".join(_letters(4) for _ in range(LETTERS_IN_CODE // 4)) for _ in range(RECOVERY_CODES)]


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count))


def _give_codes(tx: Tx, user_id: int, codes: list[str]) -> None:
    tx.run(store.DELETE_CODES, user_id=user_id)
    tx.many(store.ADD_CODE, [{"user_id": user_id, "hash": digest(user_id, code)} for code in codes])


def digest(user_id: int, code: str) -> str:
    """How a recovery code is kept; case, spaces and dashes do not count. 80 random bits need no slow hash."""
    return sha256(f"{user_id}:{''.join(filter(str.isalnum, code.casefold()))}".encode()).hexdigest()


# ---- the seed -------------------------------------------------------------------------------------------------------


def place(user_id: int) -> str:
    """Where a sealed seed belongs; it opens nowhere else."""
    return f"totp|seed|{user_id}"


def opened(keys: Keyring, user_id: int, sealed: str) -> str | None:
    """The seed in the clear; None where it is not one that was made here for this person."""
    try:
        return keys.open(sealed, place(user_id))
    except Unreadable:
        log.warning("the seed of one-time codes does not open", extra={"user": user_id})
        return None
