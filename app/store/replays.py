"""What a replay reads: past conversations newest first, and the turns of one, both in pages by key."""

import msgspec

from app.db import Query
from app.store.turns import CAPABILITIES, GIVEN


class Chat(msgspec.Struct, frozen=True):
    """A conversation that may be replayed. `tags` is a JSON list; `asked`: 1 if a version of the bot decided in it."""

    id: int
    last_at: int
    name: str
    tags: str
    asked: int


CHATS = Query(
    """
    select v.id, v.last_at, c.name, c.tags,
           coalesce((select 1 from turn t join version w on w.id = t.version_id
                     where t.conversation_id = v.id and w.bot_id = :bot_id limit 1), 0)
    from conversation v
    join contact c on c.id = v.contact_id
    join channel h on h.id = v.channel_id
    where (v.last_at, v.id) < (:before_at, :before_id) and v.last_at >= :since and h.connector <> 'simulator'
    order by v.last_at desc, v.id desc limit :limit
    """,
    Chat,
)
TURNS = Query(
    f"""
    select t.id, t.at, {GIVEN}, t.output
    from turn t {CAPABILITIES}
    join version w on w.id = t.version_id
    where t.conversation_id = :conversation_id and (t.at, t.id) > (:at, :after) and t.at < :until
      and w.bot_id = :bot_id
    order by t.at, t.id limit :limit
    """,
    lambda id, at, given, output: (int(id), int(at), str(given), str(output)),
)
