"""How long events are kept: a week, and never more than a million."""

from app.db import Query, Statement

# Places rise with time, so the oldest stand first; an index by time would be written with every event.
OLD = Query("select seq from (select seq, at from event order by seq limit 500) as oldest where at < :before", int)
OLDEST = Query("select seq from event order by seq limit 1", int)
NEWEST = Query("select seq from event order by seq desc limit 1", int)
SURPLUS = Query("select seq from event where seq <= :last order by seq limit 500", int)
DROP = Statement("delete from event where seq = :seq")
