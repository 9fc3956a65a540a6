"""Invitations of people who have no account yet: only the hash of a link's token is kept. Times are ms UTC."""

import msgspec

from app.db import Query, Statement


class Invitation(msgspec.Struct, frozen=True):
    """`invited_by` is a user, `by_name` how they are called; `channels` are all that the person will see, by comma,
    None: every one."""

    id: int
    email: str
    name: str
    role: str
    invited_by: int
    by_name: str
    created_at: int
    expires_at: int
    channels: str | None


_INVITATION = """
    select i.id, i.email, i.name, i.role, i.invited_by, u.name, i.created_at, i.expires_at,
           i.channels
    from invitation i join app_user u on u.id = i.invited_by
"""
OPEN = Query(f"{_INVITATION} where i.expires_at > :now order by i.created_at desc, i.id desc", Invitation)
BY_HASH = Query(f"{_INVITATION} where i.hash = :hash and i.expires_at > :now", Invitation)
BY_ID = Query(f"{_INVITATION} where i.id = :id", Invitation)
# A new one for the same address takes the place of the one before.
INSERT = Statement(
    """
    insert into invitation (id, hash, email, email_folded, name, role, invited_by, created_at, expires_at, channels)
    values (:id, :hash, :email, :email_folded, :name, :role, :invited_by, :now, :expires_at, :channels)
    on conflict (email_folded) do update
    set hash = excluded.hash, email = excluded.email, name = excluded.name, role = excluded.role,
        invited_by = excluded.invited_by, created_at = excluded.created_at, expires_at = excluded.expires_at,
        channels = excluded.channels
    """
)
DELETE = Statement("delete from invitation where id = :id")
DELETE_EXPIRED = Statement("delete from invitation where expires_at <= :now")
