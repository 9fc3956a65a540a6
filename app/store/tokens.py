"""API keys, refresh tokens and access tokens taken back: only hashes are kept. Times are ms UTC."""

from typing import Any

import msgspec

from app.db import Query, Statement
from app.store.users import USER_COLUMNS, User


class ApiKey(msgspec.Struct, frozen=True):
    """A program's key. `hint` is its last four characters; `rate` requests a second, None as everybody, 0 unlimited;
    `user` is '' for one that was made on the machine."""

    id: int
    name: str
    hint: str
    scopes: str
    user_id: int | None
    user: str
    rate: float | None
    created_at: int
    expires_at: int | None
    used_at: int | None


class KeyHolder(msgspec.Struct, frozen=True):
    """A live key with its user's role, None where it was made on the machine."""

    id: int
    name: str
    scopes: str
    user_id: int | None
    rate: float | None
    expires_at: int | None
    used_at: int | None
    role: str | None


class Refresh(msgspec.Struct, frozen=True):
    """One refresh token. `used_at`: it was changed for another already."""

    family: int
    user_id: int
    scopes: str
    expires_at: int
    used_at: int | None


def bearer(*row: Any) -> tuple[User, bool]:
    return User(*row[:10]), bool(row[10])


INSERT_KEY = Statement(
    """
    insert into api_key (id, name, hash, hint, scopes, user_id, rate, created_at, expires_at)
    values (:id, :name, :hash, :hint, :scopes, :user_id, :rate, :now, :expires_at)
    """
)
_KEY = """
    select k.id, k.name, k.hint, k.scopes, k.user_id, coalesce(u.name, ''), k.rate, k.created_at, k.expires_at,
           k.used_at
    from api_key k left join app_user u on u.id = k.user_id
"""
KEYS = Query(f"{_KEY} where k.id < :before order by k.id desc limit :limit", ApiKey)
KEY = Query(f"{_KEY} where k.id = :id", ApiKey)
HOLDER = Query(
    """
    select k.id, k.name, k.scopes, k.user_id, k.rate, k.expires_at, k.used_at, u.role
    from api_key k left join app_user u on u.id = k.user_id
    where k.hash = :hash and (k.expires_at is null or k.expires_at > :now) and u.disabled_at is null
    """,
    KeyHolder,
)
KEY_USED = Statement("update api_key set used_at = :now where id = :id")
DELETE_KEY = Statement("delete from api_key where id = :id")

# Whose access token this is, and whether it was taken back.
BEARER = Query(
    f"""
    select {USER_COLUMNS}, (select count(*) from denied_token d where d.jti = :jti)
    from app_user u where u.id = :id and u.disabled_at is null
    """,
    bearer,
)
DENY = Statement("insert into denied_token (jti, expires_at) values (:jti, :expires_at) on conflict (jti) do nothing")
DELETE_DENIED = Statement("delete from denied_token where expires_at <= :now")

INSERT_REFRESH = Statement(
    """
    insert into refresh_token (hash, family, user_id, scopes, created_at, expires_at)
    values (:hash, :family, :user_id, :scopes, :now, :expires_at)
    """
)
REFRESH = Query("select family, user_id, scopes, expires_at, used_at from refresh_token where hash = :hash", Refresh)
# Of two that use the same token at once, one changes the row.
USE_REFRESH = Statement("update refresh_token set used_at = :now where hash = :hash and used_at is null")
DELETE_FAMILY = Statement("delete from refresh_token where family = :family")
DELETE_OF_USER = Statement("delete from refresh_token where user_id = :user_id")
DELETE_REFRESH = Statement("delete from refresh_token where expires_at <= :now")

ANSWER = Query("select digest, answer from answered where caller = :caller and name = :name", lambda *row: row)
ANSWERED = Query(
    """
    with asked (caller, name) as (values (:caller, :name))
    select k.caller, k.name from asked a cross join answered k where k.caller = a.caller and k.name = a.name
    """,
    lambda caller, name: (str(caller), str(name)),
)
KEEP_ANSWER = Statement(
    """
    insert into answered (caller, name, digest, answer, at) values (:caller, :name, :digest, :answer, :now)
    """
)
OLD_ANSWERS = Query("select caller, name from answered where at <= :before order by at limit 200", lambda *row: row)
DROP_ANSWER = Statement("delete from answered where caller = :caller and name = :name")
