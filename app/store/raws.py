"""Updates as they came in, the quarantine for what could not be read, and tombstones of what was erased."""

from app.db import Query, Statement

INSERT = Statement(
    """
    insert into raw_update (id, channel_id, conversation_id, message_id, field, body, at, expires_at)
    values (:id, :channel_id, :conversation_id, :message_id, :field, :body, :at, :expires_at)
    """
)
QUARANTINE = Statement(
    """
    insert into quarantine (id, channel_id, reason, detail, body, at, expires_at)
    values (:id, :channel_id, :reason, :detail, :body, :at, :expires_at)
    """
)
EXPIRED = Query("select id from raw_update where expires_at <= :now order by expires_at limit 200", int)
DROP = Statement("delete from raw_update where id = :id")
KNOWN = Query(
    """
    select 1 from raw_update
    where channel_id = :channel_id and field = :field and at = :at and conversation_id is null and body = :body
    limit 1
    """,
    int,
)
EXPIRED_QUARANTINE = Query("select id from quarantine where expires_at <= :now order by expires_at limit 200", int)
DROP_QUARANTINE = Statement("delete from quarantine where id = :id")
SEEN = Statement("update quarantine set seen_at = :now where id = :id and seen_at is null")
EXPIRED_TOMBSTONES = Query(
    "select channel_id, provider_id from tombstone where at <= :before order by at limit 200", lambda *row: row
)
DROP_TOMBSTONE = Statement("delete from tombstone where channel_id = :channel_id and provider_id = :provider_id")
