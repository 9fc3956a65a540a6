"""Who ran into which limit how often, by the hour (whole hours since 1970, UTC)."""

import msgspec

from app.db import Query, Statement


class Hit(msgspec.Struct, frozen=True):
    """`hour` and `day`: how often in the last hour and the last day; `last_at` ms UTC."""

    what: str
    who: str
    hour: int
    day: int
    last_at: int


PUT = Statement(
    """
    insert into limit_hit (hour, what, who, count, last_at) values (:hour, :what, :who, :count, :last_at)
    on conflict (hour, what, who) do update
    set count = limit_hit.count + excluded.count, last_at = excluded.last_at
    """
)
RECENT = Query(
    """
    select what, who, cast(coalesce(sum(count) filter (where hour >= :hour), 0) as bigint),
           cast(sum(count) as bigint), max(last_at) as last_at
    from limit_hit where hour >= :day
    group by what, who order by last_at desc, what, who limit :limit
    """,
    Hit,
)
OLD = Query("select hour, what, who from limit_hit where hour < :before order by hour limit 200", lambda *row: row)
DROP = Statement("delete from limit_hit where hour = :hour and what = :what and who = :who")
