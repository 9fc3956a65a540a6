"""Messages that are stored and wait for those after them, to be answered together."""

import msgspec

from app.db import Query, Statement


class Gathered(msgspec.Struct, frozen=True):
    """One of them as it is now. `content` is JSON, `referral` too, or ''; `sent_at` is ms UTC."""

    id: int
    content: str
    provider_id: str
    reply_to: str
    referral: str
    sent_at: int


INSERT = Statement(
    "insert into gathered (message_id, conversation_id, referral) values (:message_id, :conversation_id, :referral)"
)
GATHERED = Query(
    """
    select m.id, m.content, coalesce(m.provider_id, ''), m.reply_to, g.referral, m.sent_at
    from gathered g join message m on m.id = g.message_id
    where g.conversation_id = :conversation_id and m.deleted_at is null
    order by m.at, m.id
    """,
    Gathered,
)
DROP = Statement("delete from gathered where conversation_id = :conversation_id")
