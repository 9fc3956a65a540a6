"""The customers that users play in the simulator: found by their simulated identity."""

from app.db import Query
from app.store.explained import TURN, Turn

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
TURNS = Query(f"{TURN} where t.conversation_id = :id order by t.at desc, t.id desc limit 50", Turn)
