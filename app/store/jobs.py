"""Jobs: durable work with attempts counted before each run. Done jobs leave; dead ones stay until a person looks.

A job in a lane waits only for others of its lane; those without one ('') share the common slots. What belongs to a
conversation goes with it when it is joined to another or erased.
"""

import msgspec

from app.db import Query, Statement
from app.models import Job


class Lane(msgspec.Struct, frozen=True):
    """`due_at` of its first job that is due, and how many are."""

    name: str
    due_at: int
    waiting: int


INSERT = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now)
    on conflict (kind, subject) do nothing
    """
)
INSERT_OF_CONVERSATION = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at, lane, conversation_id)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now, :lane, :conversation_id)
    on conflict (kind, subject) do nothing
    """
)
_JOB = "select id, kind, subject, payload, attempts, lane, conversation_id from job"
DUE = Query(
    f"{_JOB} where state = 'queued' and lane = :lane and due_at <= :now order by due_at limit :limit",
    Job,
)
EXPIRED = Query(
    f"{_JOB} where state = 'running' and lane = '' and due_at <= :now order by due_at limit :limit",
    Job,
)
NEXT_DUE = Query("select due_at from job where state = 'queued' and lane = '' order by due_at limit 1", int)
LANES = Query(
    """
    select lane, min(due_at) as earliest, count(*) from job
    where state = 'queued' and lane > '' and due_at <= :now group by lane order by earliest limit :limit
    """,
    Lane,
)
EXPIRED_IN_LANES = Query(
    f"{_JOB} where state = 'running' and lane > '' and due_at <= :now order by due_at limit :limit",
    Job,
)
NEXT_IN_LANES = Query(
    "select min(due_at) from job where state = 'queued' and lane > '' and due_at > :now", lambda at: at
)
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
ORPHANS = Query(f"{_JOB} where state = 'running' order by due_at limit 500", Job)
ORPHANED = Statement(
    "update job set state = 'queued', leased_until = null, due_at = :now where id = :id and state = 'running'"
)
REVIVE = Statement(
    """
    update job set state = 'queued', due_at = :now, attempts = 0
    where kind = :kind and subject = :subject and state = 'dead'
    """
)
CONVERSATION = Query("select conversation_id from job where id = :id and attempts = :attempts", int)
MOVE = Statement("update job set conversation_id = :keep where conversation_id = :gone")
DROP_OF_CONVERSATION = Statement("delete from job where conversation_id = :conversation_id")
