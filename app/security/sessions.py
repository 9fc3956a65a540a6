"""Sessions of the dashboard (S6, S7): a random id in a signed cookie, its SHA-256 in the database.

Idle for 8 hours or 7 days old ends one. Two cookie names, because a browser drops `__Host-` cookies on plain HTTP
outside the machine itself: which of the two a request may use follows from how it came, never both.
"""

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer

from app.db import Reader, Tx
from app.errors import Forbidden, NotFound
from app.said import N_
from app.security.permissions import may_change
from app.store import users
from app.store.users import Session, User

IDLE: Final = 8 * 3_600_000
ABSOLUTE: Final = 7 * 24 * 3_600_000
CONFIRMED: Final = 10 * 60_000
TOUCH_EVERY: Final = 60_000
MOST_SHOWN: Final = 500
SECURE_NAME: Final = "__Host-parley"
PLAIN_NAME: Final = "parley_lan"


class Cookies:
    """Signs and reads the session cookie. `secure`: the request came by HTTPS or from the machine itself."""

    def __init__(self, keys: Callable[[], list[bytes]]) -> None:
        self._keys = keys

    @property
    def signer(self) -> Signer:
        return Signer(self._keys(), salt="session", digest_method=sha256)

    def read(self, cookies: dict[str, str], secure: bool) -> str | None:
        """The session id of a request, if its cookie is one of ours."""
        try:
            return self.signer.unsign(cookies.get(name(secure), "")).decode("ascii")
        except (BadSignature, UnicodeError):
            return None

    def header(self, token: str, secure: bool) -> str:
        """The `Set-Cookie` value that begins a session in the browser."""
        value = self.signer.sign(token).decode("ascii")
        return f"{name(secure)}={value}; Max-Age={ABSOLUTE // 1000}; {attributes(secure)}"

    def end_header(self, secure: bool) -> str:
        return f"{name(secure)}=; Max-Age=0; {attributes(secure)}"


def name(secure: bool) -> str:
    return SECURE_NAME if secure else PLAIN_NAME


def attributes(secure: bool) -> str:
    return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def begin(tx: Tx, user_id: int, *, agent: str, ip: str) -> str:
    """A new session; the id returned is known to the browser alone."""
    token = secrets.token_urlsafe(32)
    tx.run(users.DELETE_EXPIRED, now=tx.now)
    tx.run(
        users.INSERT_LOGIN,
        id_hash=digest(token),
        user_id=user_id,
        csrf=secrets.token_urlsafe(32),
        agent=agent[:200],
        ip=ip,
        now=tx.now,
        expires_at=tx.now + ABSOLUTE,
    )
    return token


async def find(db: Reader, token: str, now: int) -> Session | None:
    """The live session of this id with its user, or None: unknown, over, or the user is disabled."""
    return await db.one(users.SESSION, id_hash=digest(token), now=now, idle_since=now - IDLE)


def touch(tx: Tx, id_hash: str) -> None:
    tx.run(users.TOUCH, id_hash=id_hash, now=tx.now)


def renew(tx: Tx, session: Session) -> str:
    """Another id for the same person, the password just given: the old id ends (no fixation, S6)."""
    end(tx, session.user.id, session.login.id_hash)
    return begin(tx, session.user.id, agent=session.login.agent, ip=session.login.ip)


def end(tx: Tx, user_id: int, id_hash: str) -> bool:
    """End one session of this user; False where it is not theirs or already over."""
    return tx.run(users.DELETE_LOGIN, id_hash=id_hash, user_id=user_id) > 0


def end_all(tx: Tx, user_id: int, keep: str = "") -> int:
    """End every session of the user but `keep` (a hash)."""
    return tx.run(users.DELETE_LOGINS, user_id=user_id, keep=keep)


async def everybodys(db: Reader, now: int) -> list[Session]:
    """Who is logged in where, the one used last first."""
    return await db.all(users.EVERYBODYS_LOGINS, now=now, idle_since=now - IDLE, limit=MOST_SHOWN)


def end_of(tx: Tx, id_hash: str, by: User) -> User:
    """End a session of anybody whose account `by` may change; whose it was. Raises NotFound, Forbidden."""
    user = tx.one(users.OWNER_OF_LOGIN, id_hash=id_hash)
    if user is None:
        raise NotFound(N_("That session is over already."))
    if user.id != by.id and not may_change(by, user):
        raise Forbidden(N_("You cannot end the session of an owner."))
    end(tx, user.id, id_hash)
    return user


def is_confirmed(session: Session, now: int) -> bool:
    """Was the password given within the last ten minutes: asked before secrets, people and restore."""
    return now - session.login.confirmed_at <= CONFIRMED
