"""Messages in both directions. The pair (channel, provider id) is unique as long as the message or its tombstone
lives."""

from app.db import Query, Statement
from app.models import Message

INSERT_IN = Statement(
    """
    insert into message
      (id, conversation_id, channel_id, direction, author, kind, text, content, provider_id, reply_to, status, at,
      sent_at)
    values
      (:id, :conversation_id, :channel_id, :direction, :author, :kind, :text, :content, :provider_id, :reply_to,
      :status, :at, :sent_at)
    on conflict (channel_id, provider_id) where provider_id is not null do nothing
    """
)
INSERT_OUT = Statement(
    """
    insert into message
      (id, conversation_id, channel_id, direction, author, user_id, kind, text, content, reply_to, status, rule,
       turn_id, step, at, sent_at)
    values
      (:id, :conversation_id, :channel_id, 'out', :author, :user_id, :kind, :text, :content, :reply_to, :status, :rule,
       :turn_id, :step, :at, :at)
    """
)
MESSAGE = Query(
    "select id, conversation_id, channel_id, direction, status, provider_id from message where id = :id", Message
)
BY_PROVIDER = Query(
    """
    select id, conversation_id, channel_id, direction, status, provider_id
    from message where channel_id = :channel_id and provider_id = :provider_id
    """,
    Message,
)
# Stored before, or erased.
STORED = Query(
    """
    with asked (channel_id, provider_id) as (values (:channel_id, :provider_id))
    select a.channel_id, a.provider_id from asked a
    where exists (select 1 from message m where m.channel_id = a.channel_id and m.provider_id = a.provider_id)
       or exists (select 1 from tombstone t where t.channel_id = a.channel_id and t.provider_id = a.provider_id)
    """,
    lambda channel_id, provider_id: (int(channel_id), str(provider_id)),
)
# Stored before, or erased, or changed already by what came first.
KNOWN = Query(
    """
    with asked (channel_id, provider_id) as (values (:channel_id, :provider_id))
    select a.channel_id, a.provider_id from asked a
    where exists (select 1 from message m where m.channel_id = a.channel_id and m.provider_id = a.provider_id)
       or exists (select 1 from tombstone t where t.channel_id = a.channel_id and t.provider_id = a.provider_id)
       or exists (select 1 from early_change e where e.channel_id = a.channel_id and e.provider_id = a.provider_id)
    """,
    lambda channel_id, provider_id: (int(channel_id), str(provider_id)),
)
LAST_HEARD = Query(
    """
    select provider_id from message
    where conversation_id = :conversation_id and direction = 'in' and provider_id is not null
    order by at desc, id desc limit 1
    """,
    str,
)
ACCEPTED = Statement(
    """
    with v (id, provider_id, now) as (values (:id, :provider_id, :now))
    update message set status = 'accepted', provider_id = v.provider_id, problem = '', sent_at = v.now
    from v where message.id = v.id and message.status in ('queued', 'sending', 'unknown')
    """,
    """
    update message set status = 'accepted', provider_id = :provider_id, problem = '', sent_at = :now
    where id = :id and status in ('queued', 'sending', 'unknown')
    """,
)
ACCEPTED_UNNAMED = Statement(
    """
    update message set status = 'accepted', problem = :problem, sent_at = :now
    where id = :id and status in ('queued', 'sending', 'unknown')
    """
)
OURS = Query(
    """
    select conversation_id, channel_id, coalesce(provider_id, ''), kind, status, at, deleted_at is not null
    from message where id = :id and direction = 'out'
    """,
    lambda *row: row,
)
SAID = Query(
    "select content from message where channel_id = :channel_id and provider_id = :provider_id and deleted_at is null",
    str,
)
EXPIRE = Statement("update message set expires_at = :at where id = :id")
SET_STATUS = Statement("update message set status = :status, problem = :problem where id = :id")
SET_PROVIDER = Statement("update message set provider_id = :provider_id where id = :id and provider_id is null")
EDIT = Statement(
    """
    update message set content = :content, text = :text, edited_at = :at
    where channel_id = :channel_id and provider_id = :provider_id and conversation_id = :conversation_id
      and direction = :direction
    """
)
REVOKE = Statement(
    """
    update message set deleted_at = :at
    where channel_id = :channel_id and provider_id = :provider_id and conversation_id = :conversation_id
      and direction = :direction
    """
)
