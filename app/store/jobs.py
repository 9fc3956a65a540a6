"""Jobs: durable work with attempts counted before each run. Done jobs leave; dead ones stay until a person looks.

A job of lane `net` may wait for a network, one of lane `turn` is done in one unit of work. What belongs to a
conversation goes with it.
"""

from app.db import Query, Statement
from app.models import Job

INSERT = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at, conversation_id, lane)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now, :conversation_id, :lane)
    on conflict (kind, subject) do nothing
    """
)
_JOB = "select id, kind, subject, payload, attempts, conversation_id from job"
DUE = Query(f"{_JOB} where lane = :lane and state = 'queued' and due_at <= :now order by due_at, id limit :limit", Job)
EXPIRED = Query(f"{_JOB} where lane = :lane and state = 'running' and due_at <= :now order by due_at limit :limit", Job)
NEXT_DUE = Query("select due_at from job where lane = :lane and state = 'queued' order by due_at limit 1", int)
# A running job is due again when its lease ends: a run that could not tell its end is taken over.
RUNNING = Statement(
    """
    update job set state = 'running', attempts = attempts + 1, leased_until = :until, due_at = :until
    where id = :id and attempts = :attempts
    """
)
DONE = Statement("delete from job where id = :id and attempts = :attempts")
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
REVIVE = Statement(
    """
    update job set state = 'queued', due_at = :now, attempts = 0
    where kind = :kind and subject = :subject and state = 'dead'
    """
)
# What the bot waits for in a conversation: it ends when a person has it, when it is closed, or when its memory is gone.
DROP_WAITING = Statement(
    "delete from job where conversation_id = :conversation_id and kind in ('timer', 'call', 'quiet', 'gather')"
)
