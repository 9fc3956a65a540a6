"""Users, their logins (one row a session; only the hash of its id is kept) and failed attempts.

Times are ms UTC. `email_folded` is the unique name of a user: case-folded, so that one address is one person.
"""

from typing import Any

import msgspec

from app.db import Query, Reader, Statement, Tx


class User(msgspec.Struct, frozen=True):
    """A person at the dashboard. `language`, `zone` and `theme` are '' where the installation's default holds."""

    id: int
    email: str
    name: str
    role: str
    language: str
    zone: str
    theme: str
    token_version: int = 0
    disabled_at: int | None = None
    created_at: int = 0


class Login(msgspec.Struct, frozen=True):
    """A live session. `csrf` goes into its forms; `confirmed_at` is when the password was last given."""

    id_hash: str
    csrf: str
    agent: str
    ip: str
    created_at: int
    seen_at: int
    expires_at: int
    confirmed_at: int


class Session(msgspec.Struct, frozen=True):
    """Who asks: a login with its user."""

    user: User
    login: Login


class Attempts(msgspec.Struct, frozen=True):
    """Failed log-ins under one name: how many, until when it is refused, when the last one was."""

    failures: int
    blocked_until: int
    last_at: int


class Listener(msgspec.Struct, frozen=True):
    """What an open event stream depends on: the login lives and the role is still the same."""

    id_hash: str
    role: str


def session(*row: Any) -> Session:
    return Session(User(*row[:10]), Login(*row[10:]))


USER_COLUMNS = (
    "u.id, u.email, u.name, u.role, u.language, u.zone, u.theme, u.token_version, u.disabled_at, u.created_at"
)
LOGIN_COLUMNS = "l.id_hash, l.csrf, l.agent, l.ip, l.created_at, l.seen_at, l.expires_at, l.confirmed_at"

COUNT_OWNERS = Query("select count(*) from app_user where role = 'owner' and disabled_at is null", int)
BY_ID = Query(f"select {USER_COLUMNS} from app_user u where u.id = :id", User)
BY_EMAIL = Query(f"select {USER_COLUMNS} from app_user u where u.email_folded = :email", User)
ALL = Query(f"select {USER_COLUMNS} from app_user u order by u.created_at, u.id", User)
PASSWORD = Query("select password_hash from app_user where id = :id", str)
INSERT = Statement(
    """
    insert into app_user (id, email, email_folded, name, role, password_hash, language, zone, created_at)
    values (:id, :email, :email_folded, :name, :role, :password_hash, :language, :zone, :now)
    on conflict (email_folded) do nothing
    """
)
SET_PASSWORD = Statement(
    "update app_user set password_hash = :password_hash, token_version = token_version + 1 where id = :id"
)
REHASH = Statement("update app_user set password_hash = :password_hash where id = :id")
SET_DISABLED = Statement(
    "update app_user set disabled_at = :disabled_at, token_version = token_version + 1 where id = :id"
)
SET_ROLE = Statement("update app_user set role = :role, token_version = token_version + 1 where id = :id")
NEW_TOKENS = Statement("update app_user set token_version = token_version + 1 where id = :id")
SET_TASTE = Statement(
    "update app_user set name = :name, language = :language, zone = :zone, theme = :theme where id = :id"
)

INSERT_LOGIN = Statement(
    """
    insert into login (id_hash, user_id, csrf, agent, ip, created_at, seen_at, expires_at, confirmed_at)
    values (:id_hash, :user_id, :csrf, :agent, :ip, :now, :now, :expires_at, :now)
    """
)
SESSION = Query(
    f"""
    select {USER_COLUMNS}, {LOGIN_COLUMNS}
    from login l join app_user u on u.id = l.user_id
    where l.id_hash = :id_hash and l.expires_at > :now and l.seen_at > :idle_since and u.disabled_at is null
    """,
    session,
)
LISTENERS = Query(
    """
    select l.id_hash, u.role from login l join app_user u on u.id = l.user_id
    where l.expires_at > :now and l.seen_at > :idle_since and u.disabled_at is null
    """,
    Listener,
)
LOGINS = Query(
    f"select {LOGIN_COLUMNS} from login l where l.user_id = :user_id and l.expires_at > :now order by l.seen_at desc",
    Login,
)
EVERYBODYS_LOGINS = Query(
    f"""
    select {USER_COLUMNS}, {LOGIN_COLUMNS}
    from login l join app_user u on u.id = l.user_id
    where l.expires_at > :now and l.seen_at > :idle_since order by l.seen_at desc, l.id_hash limit :limit
    """,
    session,
)
OWNER_OF_LOGIN = Query(
    f"select {USER_COLUMNS} from login l join app_user u on u.id = l.user_id where l.id_hash = :id_hash", User
)
TOUCH = Statement("update login set seen_at = :now where id_hash = :id_hash")
DELETE_LOGIN = Statement("delete from login where id_hash = :id_hash and user_id = :user_id")
DELETE_LOGINS = Statement("delete from login where user_id = :user_id and id_hash <> :keep")
DELETE_EXPIRED = Statement("delete from login where expires_at <= :now")

ATTEMPTS = Query("select failures, blocked_until, last_at from attempt where name = :name", Attempts)
SAVE_ATTEMPTS = Statement(
    """
    insert into attempt (name, failures, blocked_until, last_at) values (:name, :failures, :blocked_until, :last_at)
    on conflict (name) do update
    set failures = excluded.failures, blocked_until = excluded.blocked_until, last_at = excluded.last_at
    """
)
CLEAR_ATTEMPTS = Statement("delete from attempt where name = :name")
CLEAR_ACCOUNT = Statement("delete from attempt where name = :name or name like :pattern")
DELETE_OLD_ATTEMPTS = Statement("delete from attempt where last_at < :before")


def insert(
    tx: Tx, *, email: str, name: str, role: str, password_hash: str, language: str = "", zone: str = ""
) -> int | None:
    """The new id, or None where the address is taken."""
    user_id = tx.new_id()
    values = {"email": email, "email_folded": fold(email), "name": name, "role": role, "language": language}
    added = tx.run(INSERT, id=user_id, password_hash=password_hash, zone=zone, now=tx.now, **values)
    return user_id if added else None


async def find_by_email(db: Reader, email: str) -> User | None:
    return await db.one(BY_EMAIL, email=fold(email))


async def list_all(db: Reader) -> list[User]:
    return await db.all(ALL)


def fold(email: str) -> str:
    return email.strip().casefold()
