"""Edits and deletions that came before the message they are about. `message_id` is the edit's own."""

from app.db import Query, Statement

INSERT = Statement(
    """
    insert into early_change (channel_id, provider_id, message_id, created_at)
    values (:channel_id, :provider_id, :message_id, :now)
    """
)
# Of the same side of the same conversation, for nobody else changes a message; a deletion before all edits.
OF = Query(
    """
    select m.content from early_change e join message m on m.id = e.message_id
    where e.channel_id = :channel_id and e.provider_id = :provider_id
      and m.conversation_id = :conversation_id and m.direction = :direction
    order by m.kind <> 'delete', m.sent_at, m.id
    """,
    str,
)
DROP = Statement("delete from early_change where channel_id = :channel_id and provider_id = :provider_id")
OLD = Query(
    "select channel_id, provider_id from early_change where created_at < :before order by created_at limit 200",
    lambda channel_id, provider_id: {"channel_id": channel_id, "provider_id": provider_id},
)
