"""What filling with a demo, and removing it, asks the database."""

from app.db import Query, Statement

OTHERS = Query(
    """
    select count(*) from channel h
    where h.connector not in ('simulator', 'demo') and exists (select 1 from conversation v where v.channel_id = h.id)
    """,
    int,
)
CHANNELS = Query("select id from channel where connector = 'demo' order by created_at, id", int)
CONTACTS = Query(
    "select contact_id from conversation where channel_id = :channel_id order by contact_id limit 100", int
)
QUEUED = Query(
    """
    select message_id from outbox where conversation_id = :conversation_id and state = 'queued' order by place
    """,
    int,
)
NEWEST_OUT = Query(
    """
    select provider_id, content from message
    where conversation_id = :conversation_id and direction = 'out' and provider_id is not null
    order by at desc, id desc limit 1
    """,
    lambda provider_id, content: (str(provider_id), str(content)),
)
MODE = Query("select mode from conversation where id = :id", str)
WANTED_FILE = Query("select id from media where message_id = :message_id and state = 'wanted'", int)
OWNER = Query("select min(id) from app_user where role = 'owner' and disabled_at is null", lambda id: id)
DROP_PUBLICATIONS = Statement("delete from publication where channel_id = :channel_id")
DROP_CHANNEL = Statement("delete from channel where id = :id")
BEGIN = Statement("update conversation set state = :state where id = :id")
CALLS = Query("select payload from job where conversation_id = :conversation_id and kind = 'call' order by id", str)
