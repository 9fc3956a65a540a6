"""Conversations in the middle of a flow that finish it on a version which their channel no longer answers with."""

import msgspec

from app.db import Query, Reader, Statement


class Older(msgspec.Struct, frozen=True):
    """`count` conversations of a channel are on version `number` of the bot; `now` is what the channel answers with,
    None where that is another bot's."""

    channel_id: int
    channel: str
    version_id: int
    number: int
    now: int | None
    count: int


OF_BOT = Query(
    """
    select c.id, c.name, v.id, v.number, w.number, k.many
    from version v
    join (
      select version_id, channel_id, count(*) as many from conversation
      where version_id in (select id from version where bot_id = :bot_id) group by version_id, channel_id
    ) k on k.version_id = v.id
    join channel c on c.id = k.channel_id and c.removed_at is null and c.version_id <> v.id
    left join version w on w.id = c.version_id and w.bot_id = v.bot_id
    where v.bot_id = :bot_id and v.number is not null
    order by v.number desc, c.name, c.id
    """,
    Older,
)
BEHIND = Query(
    """
    select k.id from conversation k join channel c on c.id = k.channel_id
    where k.version_id = :version_id and k.channel_id = :channel_id and c.version_id <> :version_id limit :limit
    """,
    int,
)
# Without a version of its own, the bot leaves the flow at the next message, as after a person's take-over; with it goes
# what the flow waited for. Messages that are being gathered are still answered.
LEAVE = Statement("update conversation set version_id = null where id = :id and version_id = :version_id")
DROP_WAITING = Statement(
    "delete from job where conversation_id = :conversation_id and kind in ('timer', 'call', 'quiet')"
)


async def list_older(db: Reader, bot_id: int) -> list[Older]:
    return await db.all(OF_BOT, bot_id=bot_id)
