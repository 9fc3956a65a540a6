"""The customers that users play in the simulator: found by their simulated identity."""

from app.db import Query
from app.store.explained import Turn

CONTACT = Query("select contact_id from identity where kind = 'simulated' and value = :value", int)
CONVERSATION = Query(
    """
    select v.id
    from identity i
    join conversation v on v.contact_id = i.contact_id
    join channel c on c.id = v.channel_id and c.connector = 'simulator'
    where i.kind = 'simulated' and i.value = :value and v.thread = ''
    """,
    int,
)
ANSWERED = Query(
    """
    select provider_id from message
    where conversation_id = :id and direction = 'out' and provider_id is not null
    order by at desc, id desc limit 1
    """,
    str,
)
PINNED = Query("select version_id from conversation where id = :id", lambda value: value)
TURNS = Query(
    """
    select t.id, t.conversation_id, t.message_id, t.input, t.output, t.error, t.took_us, t.at, b.id,
           coalesce(b.name, ''), w.number, case when h.version_id = t.version_id then 1 else 0 end
    from turn t
    join conversation v on v.id = t.conversation_id
    join channel h on h.id = v.channel_id
    left join version w on w.id = t.version_id
    left join bot b on b.id = w.bot_id
    where t.conversation_id = :id
    order by t.at desc, t.id desc limit 50
    """,
    Turn,
)
