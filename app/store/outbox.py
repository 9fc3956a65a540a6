"""The outbox: what is not settled yet. A row leaves when the network took the message, refused it, or a person gave
it up.

`place` orders a conversation's rows; states: queued, sending, unknown (waiting for a receipt), held (a person decides).
"""

from app.db import Query, Statement
from app.models import Queued

INSERT = Statement(
    """
    insert into outbox (message_id, channel_id, conversation_id, place, state, due_at, attempts, changed_at)
    values (:message_id, :channel_id, :conversation_id, :place, :state, :due_at, :attempts, :now)
    """
)
DUE = Query(
    """
    select o.message_id, o.conversation_id, o.place, o.attempts, m.content, m.reply_to, v.address, v.heard_at
    from outbox o
    join message m on m.id = o.message_id
    join conversation v on v.id = o.conversation_id
    where o.channel_id = :channel_id and o.state = 'queued' and o.due_at <= :now
      and o.place = (
        select min(p.place) from outbox p where p.conversation_id = o.conversation_id and p.state <> 'held')
    order by o.due_at, o.place
    limit :limit
    """,
    Queued,
)
NEXT_DUE = Query(
    """
    select due_at from outbox where channel_id = :channel_id and state = 'queued' and due_at > :now
    order by due_at limit 1
    """,
    int,
)
WAITING = Query(
    "select 1 from outbox where channel_id = :channel_id and state = 'queued' order by due_at limit 1", bool
)
SENDING = Query(
    """
    with v (message_id, now) as (values (:message_id, :now))
    update outbox set state = 'sending', attempts = attempts + 1, changed_at = v.now
    from v where outbox.message_id = v.message_id and state = 'queued'
    returning outbox.message_id
    """,
    int,
)
AGAIN = Statement(
    """
    update outbox set state = 'queued', due_at = :due_at, problem = :problem, changed_at = :now
    where message_id = :message_id and state = 'sending' and attempts = :attempts
    """
)
PUT_BACK = Statement(
    """
    update outbox set state = 'queued', attempts = attempts - 1, changed_at = :now
    where message_id = :message_id and state = 'sending'
    """
)
STATE = Query("select state from outbox where message_id = :message_id", str)
SET_STATE = Statement(
    """
    update outbox set state = :state, due_at = :due_at, problem = :problem, changed_at = :now
    where message_id = :message_id
    """
)
QUEUE_AGAIN = Statement(
    """
    update outbox set state = 'queued', place = :place, due_at = :now, attempts = 0, problem = '', changed_at = :now
    where message_id = :message_id
    """
)
DROP = Statement("delete from outbox where message_id in (values (:message_id))")
ORPHANS = Query("select message_id, conversation_id from outbox where state = 'sending'", lambda *row: row)
OVERDUE = Query(
    """
    select message_id, conversation_id from outbox
    where state = 'unknown' and due_at <= :now order by due_at limit 100
    """,
    lambda *row: row,
)
COUNTS = Query("select state, count(*) from outbox group by state", lambda state, n: (state, n))
DROP_CHANNEL = Statement("delete from outbox where channel_id = :channel_id")
