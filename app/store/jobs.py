"""Jobs: durable work with attempts counted before each run. Done jobs leave; dead ones stay until a person looks."""

from app.db import Query, Statement
from app.models import Job

INSERT = Statement(
    """
    insert into job (id, kind, subject, payload, state, due_at, created_at)
    values (:id, :kind, :subject, :payload, 'queued', :due_at, :now)
    on conflict (kind, subject) do nothing
    """
)
DUE = Query(
    """
    select id, kind, subject, payload, attempts from job
    where state = 'queued' and due_at <= :now order by due_at limit :limit
    """,
    Job,
)
EXPIRED = Query(
    """
    select id, kind, subject, payload, attempts from job
    where state = 'running' and due_at <= :now order by due_at limit :limit
    """,
    Job,
)
NEXT_DUE = Query("select due_at from job where state = 'queued' order by due_at limit 1", int)
# A running job is due again when its lease ends: a run that could not tell its end is taken over.
RUNNING = Statement(
    """
    update job set state = 'running', attempts = attempts + 1, leased_until = :until, due_at = :until
    where id = :id and attempts = :attempts
    """
)
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
ORPHANS = Query(
    "select id, kind, subject, payload, attempts from job where state = 'running' order by due_at limit 500", Job
)
ORPHANED = Statement(
    "update job set state = 'queued', leased_until = null, due_at = :now where id = :id and state = 'running'"
)
REVIVE = Statement(
    """
    update job set state = 'queued', due_at = :now, attempts = 0
    where kind = :kind and subject = :subject and state = 'dead'
    """
)
