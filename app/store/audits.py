"""The audit log as rows: written once, never changed; the oldest leave after a year. Times are ms UTC."""

import msgspec

from app.db import Query, Statement


class Line(msgspec.Struct, frozen=True):
    """Who did what to what. `before` is the hash of the line before, `hash` that of this one."""

    seq: int
    at: int
    actor: str
    user_id: int | None
    ip: str
    action: str
    subject: str
    detail: str
    before: str
    hash: str


_LINE = "select a.seq, a.at, a.actor, a.user_id, a.ip, a.action, a.subject, a.detail, a.before, a.hash from audit a"
HEAD = Query("select seq, hash from audit_head where id = 1", lambda seq, hash: (int(seq), str(hash)))
# The one row that every writer of a line locks.
BEGIN = Statement("insert into audit_head (id, seq, hash) values (1, 0, '') on conflict (id) do nothing")
SET_HEAD = Statement("update audit_head set seq = :seq, hash = :hash where id = 1")
INSERT = Statement(
    """
    insert into audit (seq, at, actor, user_id, ip, action, subject, detail, before, hash)
    values (:seq, :at, :actor, :user_id, :ip, :action, :subject, :detail, :before, :hash)
    """
)
AFTER = Query(f"{_LINE} where a.seq > :after order by a.seq limit :limit", Line)
NEWEST = Query(f"{_LINE} where a.seq < :before order by a.seq desc limit :limit", Line)
BY_ACTION = Query(f"{_LINE} where a.action = :action and a.seq < :before order by a.seq desc limit :limit", Line)
BY_USER = Query(f"{_LINE} where a.user_id = :user_id and a.seq < :before order by a.seq desc limit :limit", Line)
OLD = Query("select seq from audit where at < :before order by at limit 200", int)
DROP = Statement("delete from audit where seq = :seq")
