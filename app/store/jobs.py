"""Jobs: durable work with attempts counted before each run. Done jobs leave; dead ones stay until a person looks.

A job of lane `net` may wait for a network, one of lane `turn` is done in one unit of work, one of lane `call` waits for
its host, one of lane `ask` for a program. What belongs to a conversation goes with it.
"""

import msgspec

from app.db import Query, Statement
from app.models import Job


class Host(msgspec.Struct, frozen=True):
    """Somebody who is called. `due_at` is the time of its first job that is due, `waiting` how many are."""

    name: str
    due_at: int
    waiting: int


INSERT = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at, conversation_id, lane)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now, :conversation_id, :lane)
    on conflict (kind, subject) do nothing
    """
)
# In the place of one of the same kind and subject. A new id: a run of the old one that has begun ends without effect.
REPLACE = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at, conversation_id, lane)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now, :conversation_id, :lane)
    on conflict (kind, subject) do update
    set id = excluded.id, payload = excluded.payload, state = 'queued', due_at = excluded.due_at, attempts = 0,
        leased_until = null, problem = '', created_at = excluded.created_at
    """
)
# The same work later, at most `longest` ms after it was first wanted; likewise under a new id.
POSTPONE = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at, conversation_id, lane)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now, :conversation_id, :lane)
    on conflict (kind, subject) do update
    set id = excluded.id, state = 'queued', attempts = 0, leased_until = null, problem = '',
        due_at = case when excluded.due_at < job.created_at + :longest then excluded.due_at
                      else job.created_at + :longest end
    """
)
END_GATHERING = Query("delete from job where kind = 'gather' and subject = :subject returning payload", str)
COUNT_PROMISED = Query(
    "select count(*) from job where conversation_id = :conversation_id and kind in ('later', 'send')", int
)
INSERT_CALL = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at, conversation_id, lane, host)
    values (:id, :kind, :subject, :payload, 'queued', :now, :now, :conversation_id, :lane, :host)
    on conflict (kind, subject) do nothing
    """
)
_JOB = "select id, kind, subject, payload, attempts, conversation_id, host from job"
DUE = Query(f"{_JOB} where lane = :lane and state = 'queued' and due_at <= :now order by due_at, id limit :limit", Job)
EXPIRED = Query(f"{_JOB} where lane = :lane and state = 'running' and due_at <= :now order by due_at limit :limit", Job)
NEXT_DUE = Query("select due_at from job where lane = :lane and state = 'queued' order by due_at limit 1", int)
HOSTS = Query(
    """
    select host, min(due_at) as earliest, count(*) from job
    where host is not null and state = 'queued' and due_at <= :now and lane = :lane
    group by host order by earliest limit :limit
    """,
    Host,
)
DUE_OF_HOST = Query(
    f"{_JOB} where state = 'queued' and host = :host and due_at <= :now order by due_at, id limit :limit", Job
)
NEXT_CALL = Query(
    "select due_at from job where lane = :lane and state = 'queued' and due_at > :now order by due_at limit 1", int
)
# A running job is due again when its lease ends: a run that could not tell its end is taken over.
RUNNING = Statement(
    """
    update job set state = 'running', attempts = attempts + 1, leased_until = :until, due_at = :until
    where id = :id and attempts = :attempts
    """
)
# A program is told to begin with what it was asked.
BEGIN = Statement("update job set begun_at = :now where id = :id and attempts = :attempts")
BEGUN = Query("select created_at, begun_at from job where id = :id", lambda *row: row)
DONE = Statement("delete from job where id = :id and attempts = :attempts")
CANCEL = Statement("delete from job where kind = :kind and subject = :subject")
AGAIN = Statement(
    """
    update job
    set state = 'queued', due_at = :due_at, problem = :problem, leased_until = null, attempts = :counted
    where id = :id and attempts = :attempts
    """
)
DEAD = Statement(
    "update job set state = 'dead', problem = :problem, leased_until = null where id = :id and attempts = :attempts"
)
ORPHANS = Query(f"{_JOB} where lane = :lane and state = 'running' order by due_at limit 500", Job)
# What was under way was due before all else.
ORPHANED = Statement(
    "update job set state = 'queued', leased_until = null, due_at = 0 where id = :id and state = 'running'"
)
# What the bot waits for in a conversation: it ends when a person has it, when it is closed, or when its memory is gone.
DROP_WAITING = Statement(
    "delete from job where conversation_id = :conversation_id and kind in ('timer', 'call', 'quiet', 'gather')"
)
