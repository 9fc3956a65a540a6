"""What forms changed in drafts, newest last, each with what stood there before: for taking it back."""

import msgspec

from app.db import Query, Statement


class Amendment(msgspec.Struct, frozen=True):
    """`digest`: of the draft after it; `length` characters at `place` (from 0) are what stands now, `before` what stood
    there."""

    id: int
    digest: str
    place: int
    length: int
    before: str


NEWEST = Query(
    """
    select id, digest, place, length, before from amendment where bot_id = :bot_id order by id desc limit 1
    """,
    Amendment,
)
INSERT = Statement(
    """
    insert into amendment (id, bot_id, digest, place, length, before, created_at)
    values (:id, :bot_id, :digest, :place, :length, :stood, :now)
    """
)
DELETE = Statement("delete from amendment where id = :id")
PRUNE = Statement(
    """
    delete from amendment where bot_id = :bot_id and id in (
      select id from amendment where bot_id = :bot_id order by id desc limit 100 offset :keep
    )
    """
)
