"""People of the dashboard: the first owner, adding, listing, disabling, a new password. Rules on who may are in
`security/permissions.py`; the pages and the command line both come here.
"""

import secrets
from typing import TYPE_CHECKING, Final

from app.audit import entry, logged
from app.db import Database, Tx
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.i18n import LANGUAGES, PSEUDO, zone_names
from app.said import N_
from app.security import passwords, permissions, sessions, throttle
from app.store import settings, tokens, users
from app.store.users import User

if TYPE_CHECKING:
    from app.runtime import Runtime

THEMES: Final = ("", "light", "dark")
NAME: Final = 80
EMAIL: Final = 254


async def create_owner(rt: "Runtime", *, email: str, name: str, password: str) -> int:
    """The first user of an installation. Raises Conflict where there already is one.

    Before the first password is hashed it is measured how much of that this machine can do (S3)."""
    email, name = check_email(email), check_name(name, email)
    passwords.check(password, email, name)
    passes = await passwords.measure()
    passwords.use(passes)
    password_hash = await passwords.hash_password(password)
    line = entry("user.added", email, "owner")
    return await rt.db.write(logged, line, _insert_owner, email, name, password_hash, passes)


async def load_passes(db: Database) -> None:
    """Hash passwords from now on as was measured at set-up."""
    passwords.use((await settings.read_all(db.reader)).get(passwords.SETTING, ""))


def _insert_owner(tx: Tx, email: str, name: str, password_hash: str, passes: str) -> int:
    if tx.one(users.COUNT_OWNERS):
        raise Conflict(N_("This installation has an owner already. Log in instead."), code="already_set_up")
    user_id = users.insert(tx, email=email, name=name, role="owner", password_hash=password_hash)
    assert user_id is not None
    settings.save(tx, **{passwords.SETTING: passes})
    return user_id


async def add(
    rt: "Runtime", *, email: str, name: str, role: str, password: str | None = None, by: User | None = None
) -> tuple[int, str]:
    """(id, password). Without a password one is made, to be handed over once. `by` is None on the machine itself."""
    email, name = check_email(email), check_name(name, email)
    check_role(role, by)
    if password is None:
        password = make_password()
    else:
        passwords.check(password, email, name)
    password_hash = await passwords.hash_password(password)
    line = entry("user.added", email, role)
    return await rt.db.write(logged, line, _insert, email, name, role, password_hash), password


def _insert(tx: Tx, email: str, name: str, role: str, password_hash: str) -> int:
    user_id = users.insert(tx, email=email, name=name, role=role, password_hash=password_hash)
    if user_id is None:
        raise taken()
    return user_id


def taken() -> Conflict:
    return Conflict(N_("Somebody with this address exists already."), fields={"email": N_("This address is taken.")})


async def list_all(rt: "Runtime") -> list[User]:
    return await rt.db.read(users.list_all)


async def find(rt: "Runtime", email: str) -> User:
    """Raises NotFound."""
    user = await rt.db.read(users.find_by_email, email)
    if user is None:
        raise NotFound(N_("There is nobody with the address {email}.", email=email))
    return user


async def disable(rt: "Runtime", user_id: int, by: User | None = None) -> None:
    """No log-in any more, every session over. The last owner stays."""
    await rt.db.write(logged, entry("user.disabled", user_id), _disable, user_id, by)


def _disable(tx: Tx, user_id: int, by: User | None) -> None:
    user = _changeable(tx, user_id, by)
    _keep_an_owner(tx, user)
    tx.run(users.SET_DISABLED, id=user_id, disabled_at=tx.now)
    sessions.end_all(tx, user_id)


async def enable(rt: "Runtime", user_id: int, by: User | None = None) -> None:
    await rt.db.write(logged, entry("user.enabled", user_id), _enable, user_id, by)


def _enable(tx: Tx, user_id: int, by: User | None) -> None:
    _changeable(tx, user_id, by)
    tx.run(users.SET_DISABLED, id=user_id, disabled_at=None)


async def change_role(rt: "Runtime", user_id: int, role: str, by: User) -> None:
    """Ends the person's sessions: what was open with the old role is asked for again with the new one."""
    if not permissions.may_give(by, role):
        raise Forbidden(N_("You cannot give this role."))
    await rt.db.write(logged, entry("user.role", user_id, role), _change_role, user_id, role, by)


def _change_role(tx: Tx, user_id: int, role: str, by: User) -> None:
    user = _changeable(tx, user_id, by)
    if role != "owner":
        _keep_an_owner(tx, user)
    tx.run(users.SET_ROLE, id=user_id, role=role)
    sessions.end_all(tx, user_id)


def _changeable(tx: Tx, user_id: int, by: User | None) -> User:
    tx.lock("app_user", user_id)
    user = tx.one(users.BY_ID, id=user_id)
    if user is None:
        raise NotFound(N_("There is no such person."))
    if by is not None and not permissions.may_change(by, user):
        raise Forbidden(N_("You cannot change this person's account."))
    return user


def _keep_an_owner(tx: Tx, user: User) -> None:
    if user.role == "owner" and user.disabled_at is None and (tx.one(users.COUNT_OWNERS) or 0) <= 1:
        raise Conflict(N_("This is the last owner. Make somebody else owner first."), code="last_owner")


async def reset_password(rt: "Runtime", user_id: int, password: str | None = None, by: User | None = None) -> str:
    """Set a new password (made where none is given), end every session and log-in of programs, forgive failed tries.
    Returns the password."""
    user = await rt.db.reader.one(users.BY_ID, id=user_id)
    if user is None:
        raise NotFound(N_("There is no such person."))
    if by is not None and not permissions.may_change(by, user):
        raise Forbidden(N_("You cannot change this person's account."))
    if password is None:
        password = make_password()
    else:
        passwords.check(password, user.email, user.name)
    line, hashed = entry("password.changed", user.email), await passwords.hash_password(password)
    await rt.db.write(logged, line, _set_password, user, hashed, "")
    return password


async def change_password(rt: "Runtime", user: User, *, current: str, new: str, keep: str) -> None:
    """One's own password; every session but `keep` (the hash of this one's id) ends, and every program's log-in."""
    stored = await rt.db.reader.one(users.PASSWORD, id=user.id)
    if not await passwords.verify(stored, current):
        raise Invalid(
            N_("The current password is not right."), fields={"current": N_("This is not your current password.")}
        )
    passwords.check(new, user.email, user.name)
    line, hashed = entry("password.changed", user.email), await passwords.hash_password(new)
    await rt.db.write(logged, line, _set_password, user, hashed, keep)


def _set_password(tx: Tx, user: User, password_hash: str, keep: str) -> None:
    tx.run(users.SET_PASSWORD, id=user.id, password_hash=password_hash)
    sessions.end_all(tx, user.id, keep)
    tx.run(tokens.DELETE_OF_USER, user_id=user.id)
    throttle.clear(tx, user.email)


async def change_taste(rt: "Runtime", user: User, *, name: str, language: str, zone: str, theme: str) -> None:
    """How the dashboard speaks to and looks for this person; '' = as the installation does."""
    if language not in ("", PSEUDO, *LANGUAGES) or zone not in ("", *zone_names()) or theme not in THEMES:
        raise Invalid(N_("That choice does not exist."))
    values = {"name": check_name(name, user.email), "language": language, "zone": zone, "theme": theme}
    await rt.db.write(_set_taste, user.id, values)


def _set_taste(tx: Tx, user_id: int, values: dict[str, str]) -> None:
    tx.run(users.SET_TASTE, id=user_id, **values)


def check_email(email: str) -> str:
    """Raises Invalid unless it looks like an address; it is a name here, no mail is sent to find out."""
    email = email.strip()
    before, at, after = email.rpartition("@")
    if not (before and at and "." in after.strip(".")) or len(email) > EMAIL or any(c.isspace() for c in email):
        raise Invalid(N_("The e-mail address is not complete."), fields={"email": N_("Write it as name@example.com.")})
    return email


def check_role(role: str, by: User | None) -> None:
    """Raises Invalid for one that does not exist, Forbidden for one that `by` may not give."""
    if role not in permissions.POLICY:
        raise Invalid(
            N_("There is no such role."), fields={"role": N_("One of {names}.", names=", ".join(permissions.ROLES))}
        )
    if by is not None and not permissions.may_give(by, role):
        raise Forbidden(N_("Only an owner can make another owner."))


def check_name(name: str, email: str) -> str:
    """The name to show; without one, what stands before the @."""
    name = " ".join(name.split()) or email.partition("@")[0]
    if len(name) > NAME:
        raise Invalid(N_("The name is too long."), fields={"name": N_("At most {most} characters.", most=NAME)})
    return name


def make_password() -> str:
    """120 random bits in groups that can be read out."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(6)) for _ in range(4))
