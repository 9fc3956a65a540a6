"""What an account did lately, for its pace and for its health. Times in ms UTC."""

import msgspec

from app.db import Query, Reader, Statement
from app.store.overview import first_id

DAY = 86_400_000
SENT_AT_MOST = 10_000


class Facts(msgspec.Struct, frozen=True):
    """Of the last week: messages that the network did not take, people written to first who have not answered, links;
    of the last 30 days: how often the network closed the account, the last time and until when. `linked_at` 0 if that
    is not known."""

    refused: int
    silent: int
    links: int
    closed: int
    closed_at: int
    closed_until: int
    linked_at: int


INSERT = Statement(
    """
    insert into account_event (id, channel_id, code, at, until) values (:id, :channel_id, :code, :now, :until)
    """
)
EVENTS = Query(
    "select code, at, until from account_event where channel_id = :channel_id and at >= :since order by at",
    lambda code, at, until: (str(code), int(at), int(until)),
)
SENT = Query(
    """
    select sent_at from message
    where id >= :first and channel_id = :channel_id and direction = 'out' and author <> 'phone'
      and status in ('accepted', 'sent', 'delivered', 'read', 'played', 'unknown')
    order by id desc limit :limit
    """,
    int,
)
OPENED = Query(
    """
    select created_at from conversation
    where id >= :first and channel_id = :channel_id and heard_at = 0
      and exists (select 1 from message m where m.conversation_id = conversation.id and m.direction = 'out'
                  and m.status in ('accepted', 'sent', 'delivered', 'read', 'played', 'unknown'))
    order by id desc limit :limit
    """,
    int,
)
REFUSED = Query(
    """
    select count(*) from message
    where status = 'failed' and at >= :since and channel_id = :channel_id and problem like '%"code":"web.not_%'
    """,
    int,
)


async def read_facts(db: Reader, channel_id: int, now: int) -> Facts:
    week = now - 7 * DAY
    found = await db.all(EVENTS, channel_id=channel_id, since=0)
    linked = [at for code, at, _ in found if code == "web.linked"]
    closed = [(at, until) for code, at, until in found if code == "web.banned" and at >= now - 30 * DAY]
    # Who tries meanwhile is told again.
    anew = [at for (at, _), (_, before) in zip(closed, [(0, 0), *closed], strict=False) if at >= before]
    opened = await db.all(OPENED, channel_id=channel_id, first=first_id(week), limit=SENT_AT_MOST)
    return Facts(
        refused=await db.one(REFUSED, channel_id=channel_id, since=week) or 0,
        silent=len(opened),
        links=sum(at >= week for at in linked),
        closed=len(anew),
        closed_at=closed[-1][0] if closed else 0,
        closed_until=closed[-1][1] if closed else 0,
        linked_at=linked[-1] if linked else 0,
    )
