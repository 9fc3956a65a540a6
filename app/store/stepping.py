"""What stepping through a conversation reads: its turns on both sides of one, and how many stand before it."""

from app.db import Query
from app.store.explained import TURN, Turn

MANY = 2_000  # counting stops here

UP_TO = Query(
    f"""
    {TURN} where t.conversation_id = :id and (t.at, t.id) <= (:at, :turn_id)
    order by t.at desc, t.id desc limit :limit
    """,
    Turn,
)
AFTER = Query(
    f"{TURN} where t.conversation_id = :id and (t.at, t.id) > (:at, :turn_id) order by t.at, t.id limit :limit", Turn
)
COUNT_UP_TO = Query(
    """
    select count(*) from (
      select 1 as one from turn where conversation_id = :id and (at, id) <= (:at, :turn_id) limit :many) as few
    """,
    int,
)
COUNT = Query("select count(*) from (select 1 as one from turn where conversation_id = :id limit :many) as few", int)
