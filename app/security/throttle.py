"""Slowing down guesses at passwords (S5), kept in the database so that a restart forgives nothing.

An account asked from one network: five free, then 1, 2, 4 … seconds up to 15 minutes. The same account from everywhere:
fifty free, then the same. One network: 20 failures in five minutes. All together: 60 a minute, loopback aside. Names
that nobody has are counted alike, so that the answer does not tell who exists; the owner at home is not locked out by a
stranger's guesses.
"""

from hashlib import sha256
from typing import Final

from app.db import Reader, Tx
from app.errors import TooMany
from app.said import N_
from app.security.hosts import is_loopback, network
from app.security.limits import AUTHENTICATION, Limits, Rate
from app.store import users
from app.store.users import Attempts

FREE: Final = 5
FREE_EVERYWHERE: Final = 50
LONGEST: Final = 15 * 60_000
NETWORK_FAILURES: Final = 20
NETWORK_WINDOW: Final = 5 * 60_000
FORGET: Final = 24 * 3_600_000
CODE_FAILURES: Final = 5
CODE_WINDOW: Final = 5 * 60_000
EVERYBODY: Final = Rate(60, 1.0)
NONE: Final = Attempts(0, 0, 0)


class Throttle:
    """The part that lives in memory: attempts a minute, by network and altogether."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def begin(self, ip: str) -> None:
        """Before a password is looked at; raises TooMany."""
        self.limits.take(f"authentication:{network(ip)}", AUTHENTICATION)
        if not is_loopback(ip):
            self.limits.take("authentication", EVERYBODY)

    def succeeded(self, ip: str) -> None:
        self.limits.give_back(f"authentication:{network(ip)}", AUTHENTICATION)


def names(email: str, ip: str) -> tuple[str, str, str]:
    """Keys of the three counters: account from this network, account, network. Addresses are hashed."""
    account = sha256(users.fold(email).encode()).hexdigest()[:32]
    return f"account:{account}|{network(ip)}", f"account:{account}", f"network:{network(ip)}"


async def check(db: Reader, email: str, ip: str, now: int) -> None:
    """Raises TooMany while any of the counters is blocked."""
    until = 0
    for name in names(email, ip):
        found = await db.one(users.ATTEMPTS, name=name)
        until = max(until, found.blocked_until if found else 0)
    if until > now:
        raise too_many((until - now) / 1000)


def too_many(wait: float) -> TooMany:
    """The refusal of a try that comes `wait` seconds too early."""
    said = N_("Too many tries. Wait {seconds} seconds, then try again.", seconds=max(1, round(wait + 0.5)))
    return TooMany(said, retry_after=wait)


def failed(tx: Tx, email: str, ip: str) -> int:
    """Count a failure; how many more are free from here."""
    here, everywhere, net = names(email, ip)
    tx.run(users.DELETE_OLD_ATTEMPTS, before=tx.now - FORGET)
    used = _add(tx, here, FREE)
    _add(tx, everywhere, FREE_EVERYWHERE)
    _add_within(tx, net, NETWORK_FAILURES, NETWORK_WINDOW)
    return max(0, FREE - used)


def _add_within(tx: Tx, name: str, most: int, window: int) -> None:
    """Count a failure of those that are free in a window (ms); after the last one, none until the window is over."""
    found = tx.one(users.ATTEMPTS, name=name) or NONE
    if tx.now - found.last_at > window:
        found = Attempts(0, 0, tx.now)  # here `last_at` is when the window began
    failures = found.failures + 1
    blocked = found.last_at + window if failures >= most else 0
    tx.run(users.SAVE_ATTEMPTS, name=name, failures=failures, blocked_until=blocked, last_at=found.last_at)


def _add(tx: Tx, name: str, free: int) -> int:
    failures = (tx.one(users.ATTEMPTS, name=name) or NONE).failures + 1
    # The exponent stops early: 2 ** 10 seconds is past the longest pause.
    pause = min(LONGEST, 1000 * 2 ** min(failures - free, 10)) if failures >= free else 0
    tx.run(users.SAVE_ATTEMPTS, name=name, failures=failures, blocked_until=tx.now + pause, last_at=tx.now)
    return failures


def forget(tx: Tx, email: str, ip: str) -> None:
    """The right password was given: this network starts anew."""
    here, everywhere, _net = names(email, ip)
    tx.run(users.CLEAR_ATTEMPTS, name=here)
    tx.run(users.CLEAR_ATTEMPTS, name=everywhere)


def clear(tx: Tx, email: str) -> None:
    """An operator set a new password on the machine: the account is open from everywhere again."""
    account = sha256(users.fold(email).encode()).hexdigest()[:32]
    tx.run(users.CLEAR_ACCOUNT, name=f"account:{account}", pattern=f"account:{account}|%")


# ---- codes of the second factor -------------------------------------------------------------------------------------


def code_wait(tx: Tx, user_id: int) -> float:
    """Seconds until another code of this person is looked at; 0 where one may be tried."""
    found = tx.one(users.ATTEMPTS, name=_codes(user_id)) or NONE
    return max(0, found.blocked_until - tx.now) / 1000


def code_failed(tx: Tx, user_id: int) -> None:
    """Five in five minutes, from all networks together: only who gave the password gets this far."""
    _add_within(tx, _codes(user_id), CODE_FAILURES, CODE_WINDOW)


def forget_codes(tx: Tx, user_id: int) -> None:
    tx.run(users.CLEAR_ATTEMPTS, name=_codes(user_id))


def _codes(user_id: int) -> str:
    return f"codes:{user_id}"
