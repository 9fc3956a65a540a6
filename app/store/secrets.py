"""Secrets that bots name in calls. Only sealed values are here (`security/secrets.py`)."""

import msgspec

from app.db import Query, Statement


class Listed(msgspec.Struct, frozen=True):
    """A secret without its value. `changed_by` is a user's name, empty for the command line."""

    id: int
    name: str
    changed_at: int
    changed_by: str


class Sealed(msgspec.Struct, frozen=True):
    id: int
    sealed: str


_LISTED = """
    select s.id, s.name, s.changed_at, coalesce(u.name, '') from secret s left join app_user u on u.id = s.changed_by
"""
ALL = Query(f"{_LISTED} order by s.name", Listed)
BY_ID = Query(f"{_LISTED} where s.id = :id", Listed)
BY_NAME = Query("select id, sealed from secret where name = :name", Sealed)
COUNT = Query("select count(*) from secret", int)
INSERT = Statement(
    """
    insert into secret (id, name, sealed, created_at, changed_at, changed_by)
    values (:id, :name, :sealed, :now, :now, :user_id) on conflict (name) do nothing
    """
)
REPLACE = Statement("update secret set sealed = :sealed, changed_at = :now, changed_by = :user_id where id = :id")
DELETE = Statement("delete from secret where id = :id")
