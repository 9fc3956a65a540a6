"""What is deleted when a person is erased."""

from app.db import Query, Statement

CONTACT = Query("select id from contact where id = :id", int)
CONVERSATIONS = Query("select id from conversation where contact_id = :contact_id order by id", int)
NAMES = Query("select value from identity where contact_id = :contact_id", str)
QUARANTINED = Query("select id, body from quarantine where id > :after order by id limit 200", lambda *row: row)
DROP_QUARANTINED = Statement("delete from quarantine where id = :id")
NOTICES = Query(
    """
    select r.id, r.body from channel c
    join raw_update r on r.channel_id = c.id and r.conversation_id is null
    """,
    lambda *row: row,
)
DROP_NOTICE = Statement("delete from raw_update where id = :id")
MESSAGES = Query(
    """
    select m.id, m.channel_id, m.provider_id
    from conversation v join message m on m.conversation_id = v.id
    where v.contact_id = :contact_id limit 100
    """,
    lambda *row: row,
)
EXPIRED = Query(
    """
    select id, channel_id, provider_id, conversation_id from message
    where expires_at is not null and expires_at <= :now order by expires_at limit 100
    """,
    lambda *row: row,
)
DROP_RAW_OF = Statement("delete from raw_update where conversation_id = :conversation_id and message_id = :message_id")
DROP_TURN = Statement("delete from turn where id = :message_id")
DROP_SNIPPET = Statement("update conversation set snippet = '' where id = :conversation_id and last_id = :message_id")
TOMBSTONE = Statement(
    """
    insert into tombstone (channel_id, provider_id, at) values (:channel_id, :provider_id, :now)
    on conflict (channel_id, provider_id) do nothing
    """
)
DROP_RECEIPTS = Statement("delete from receipt where message_id = :message_id")
UNLINK_MEDIA = Statement("update media set message_id = null, filename = '', url = '' where message_id = :message_id")
DROP_DELIVERIES = Statement(
    "delete from delivery where conversation_id = :conversation_id and message_id = :message_id"
)
# They tell how the conversation's last message begins. One that waits still has to be told.
DROP_TOLD = Statement(
    "delete from delivery where conversation_id = :conversation_id and message_id is null and state <> 'waiting'"
)
DROP_ALL_DELIVERIES = Statement(
    "delete from delivery where conversation_id in (select id from conversation where contact_id = :contact_id)"
)
STATE = Query("select state from conversation where id = :conversation_id", str)
KEEP_STATE = Statement("update conversation set state = :state where id = :conversation_id")
TURN = Query("select input, output from turn where id = :message_id and output <> ''", lambda *row: row)
DROP_MESSAGE = Statement("delete from message where id = :id")
DROP_RAW = Statement(
    "delete from raw_update where conversation_id in (select id from conversation where contact_id = :contact_id)"
)
DROP_TURNS = Statement(
    "delete from turn where conversation_id in (select id from conversation where contact_id = :contact_id)"
)
DROP_CONVERSATIONS = Statement("delete from conversation where contact_id = :contact_id")
DROP_MERGED = Statement("delete from contact where merged_into = :contact_id")
DROP_CONTACT = Statement("delete from contact where id = :contact_id")
ORPHAN_FILES = Query(
    """
    select distinct o.sha256 from media o
    where o.message_id is null and o.channel_id <> 0 and o.state = 'stored'
      and not exists (select 1 from media k where k.sha256 = o.sha256 and k.sha256 <> ''
                      and (k.message_id is not null or k.channel_id = 0))
    """,
    str,
)
DROP_ORPHANS = Statement("delete from media where message_id is null and channel_id <> 0")
