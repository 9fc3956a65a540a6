"""How long events are kept: a week, and never more than a million."""

from app.db import Query, Statement

OLD = Query("select seq from event where at < :before order by at limit 500", int)
NEWEST = Query("select seq from event order by seq desc limit 1", int)
SURPLUS = Query("select seq from event where seq <= :last order by seq limit 500", int)
DROP = Statement("delete from event where seq = :seq")
