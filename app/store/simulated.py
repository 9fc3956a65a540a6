"""The customers that users play in the simulator: found by their simulated identity."""

from app.db import Query

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
PINNED = Query("select version_id from conversation where id = :id", lambda value: value)
