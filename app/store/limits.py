"""Who sees some channels only: a person, the members of a team, or an API key. Ids name holders over all three."""

from collections.abc import Iterable

from app.db import Query, Statement, Tx

# 0 says that there is a limit; without any row there is none.
OF_USER = Query(
    """
    select 0 from app_user where id = :id and limited = 1
    union select 0 from team_member m join team t on t.id = m.team_id where m.user_id = :id and t.limited = 1
    union select channel_id from channel_limit where holder_id = :id
    union select l.channel_id from channel_limit l join team_member m on m.team_id = l.holder_id
    where m.user_id = :id
    """,
    int,
)
OF_HOLDER = Query(
    """
    select 0 from app_user where id = :id and limited = 1
    union select 0 from team where id = :id and limited = 1
    union select 0 from api_key where id = :id and limited = 1
    union select channel_id from channel_limit where holder_id = :id
    """,
    int,
)
ALL = Query("select holder_id, channel_id from channel_limit", lambda *row: (int(row[0]), int(row[1])))
LIMITED = Query(
    """
    select id from app_user where limited = 1 union select id from team where limited = 1
    union select id from api_key where limited = 1
    """,
    int,
)
DROP = Statement("delete from channel_limit where holder_id = :id")
ADD = Statement(
    """
    insert into channel_limit (holder_id, channel_id) select :id, c.id from channel c where c.id = :channel_id
    on conflict (holder_id, channel_id) do nothing
    """
)
HOLDERS = ("app_user", "team", "api_key")
LIMIT = {table: Statement(f"update {table} set limited = :limited where id = :id") for table in HOLDERS}
# Can it be seen? Read as whoever asks.
VISIBLE = {
    table: Query(f"select id from {table} where id = :id", int)
    for table in ("conversation", "message", "channel", "contact", "media")
}


def put(tx: Tx, table: str, id: int, channels: Iterable[int] | None) -> bool:
    """This holder sees these channels, or (None) every one. False if there is no such holder."""
    found = tx.run(LIMIT[table], id=id, limited=int(channels is not None))
    tx.run(DROP, id=id)
    for channel_id in channels or ():
        tx.run(ADD, id=id, channel_id=channel_id)
    return bool(found)
