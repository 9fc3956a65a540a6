"""Errors, one row a group: the same kind of exception at the same place."""

import msgspec

from app.db import Query, Statement


class Group(msgspec.Struct, frozen=True):
    """`trace` is the last one, without secrets; `version` the release that raised it; `state`: open, resolved, ignored.
    Times are ms UTC."""

    id: int
    fingerprint: str
    kind: str
    place: str
    message: str
    trace: str
    count: int
    first_at: int
    last_at: int
    version: str
    state: str


_GROUP = f"select {', '.join(Group.__struct_fields__)} from error_group"
STATE = Query("select state from error_group where fingerprint = :fingerprint", str)
# One that was resolved is open again; one that is ignored stays so.
PUT = Statement(
    """
    insert into error_group
      (id, fingerprint, kind, place, message, trace, count, first_at, last_at, version)
    values (:id, :fingerprint, :kind, :place, :message, :trace, :count, :first_at, :last_at, :version)
    on conflict (fingerprint) do update
    set message = excluded.message, trace = excluded.trace, count = error_group.count + excluded.count,
        last_at = excluded.last_at, version = excluded.version,
        state = case when error_group.state = 'resolved' then 'open' else error_group.state end
    """
)
LIST = Query(f"{_GROUP} where state = :state order by last_at desc, id desc limit :limit", Group)
PAGE = Query(
    f"""
    {_GROUP} where state = :state and (last_at, id) < (:last_at, :last_id)
    order by last_at desc, id desc limit :limit
    """,
    Group,
)
ONE = Query(f"{_GROUP} where id = :id", Group)
COUNT_OPEN = Query("select count(*) from (select id from error_group where state = 'open' limit :many) as few", int)
MARK = Statement("update error_group set state = :state where id = :id")
OLD = Query("select id from error_group where last_at < :before order by last_at limit 200", int)
DROP = Statement("delete from error_group where id = :id")
