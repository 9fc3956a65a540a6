"""One-time codes of users and their recovery codes. Seeds are sealed, recovery codes are hashes; times are ms UTC."""

import msgspec

from app.db import Query, Statement


class Totp(msgspec.Struct, frozen=True):
    """`seed` is sealed; `last_step` is of the last code that was taken."""

    seed: str
    last_step: int


class Standing(msgspec.Struct, frozen=True):
    """Since when it is on, and how many recovery codes are left."""

    since: int
    left: int


BY_USER = Query("select seed, last_step from totp where user_id = :user_id", Totp)
STANDING = Query(
    """
    select t.created_at,
           (select count(*) from recovery_code r where r.user_id = t.user_id and r.used_at is null)
    from totp t where t.user_id = :user_id
    """,
    Standing,
)
EVERYBODY = Query("select user_id from totp", int)
INSERT = Statement(
    """
    insert into totp (user_id, seed, last_step, created_at) values (:user_id, :seed, :step, :now)
    on conflict (user_id) do nothing
    """
)
TAKEN = Statement("update totp set last_step = :step where user_id = :user_id")
DELETE = Statement("delete from totp where user_id = :user_id")

ADD_CODE = Statement("insert into recovery_code (user_id, hash) values (:user_id, :hash)")
USE_CODE = Statement(
    "update recovery_code set used_at = :now where user_id = :user_id and hash = :hash and used_at is null"
)
DELETE_CODES = Statement("delete from recovery_code where user_id = :user_id")
