"""What Home shows: numbers of today and yesterday, what needs a person, channels, bots.

Every number is counted from the rows when it is asked for. Ids begin with their time, so a stretch of time is a stretch
of the primary key; `at` then leaves out old messages that were imported today. Times ms UTC.
"""

import msgspec

from app.db import Query, Reader, Statement, Tx
from app.db.ids import EPOCH
from app.store import outbox


def first_id(at: int) -> int:
    """The smallest id that can have been given at this time."""
    return max(0, at - EPOCH) << 22


class Hour(msgspec.Struct, frozen=True):
    """One hour of one channel, counted from `since`. `asked`: customers' messages a bot could answer; `answered`: those
    that it did. What a bot says by itself answers nobody."""

    hour: int
    channel_id: int
    messages: int
    asked: int
    answered: int


HOURS = Query(
    """
    select (at - :since) / 3600000, channel_id, count(*),
           count(*) filter (where direction = 'in' and kind not in ('reaction', 'system', 'edit', 'delete')),
           count(distinct case when author = 'bot' and status <> 'remark' and exists (
             select 1 from message a where a.id = message.turn_id) then turn_id end)
    from message
    where id >= :first and at >= :since and at < :until
    group by 1, 2
    """,
    Hour,
)


async def count_hours(db: Reader, since: int, until: int) -> list[Hour]:
    """Counts per hour and channel; hours without a message are missing."""
    return await db.all(HOURS, first=first_id(since), since=since, until=until)


class FirstReply(msgspec.Struct, frozen=True):
    """How long customers waited for the first answer (ms, mean) and how many answers that is."""

    ms: int
    answers: int


BOT_REPLY = Query(
    """
    select cast(coalesce(avg(o.sent_at - i.at), 0) as bigint), count(*)
    from message o
    join turn t on t.id = o.turn_id
    join message i on i.id = t.message_id
    where o.id >= :first and o.at >= :since and o.author = 'bot' and o.step = 0 and o.sent_at > o.at
      and o.channel_id <> :besides
    """,
    FirstReply,
)
PERSON_REPLY = Query(
    """
    select cast(coalesce(avg(waited), 0) as bigint), count(*) from (
      select m.at - (
          select min(p.at) from message p
          where p.conversation_id = m.conversation_id and p.direction = 'in' and p.at < m.at
            and p.at > coalesce((
              select max(q.at) from message q
              where q.conversation_id = m.conversation_id and q.direction = 'out' and q.status <> 'remark'
                and q.at < m.at), 0)) as waited
      from message m
      where m.id >= :first and m.at >= :since and m.author = 'user' and m.channel_id <> :besides) as answers
    where waited is not null
    """,
    FirstReply,
)
WAITING = Query("select count(*) from conversation where waiting_since is not null", int)
WAITING_SINCE = Query("select min(waiting_since) from conversation where waiting_since is not null", lambda at: at)


async def get_first_replies(db: Reader, since: int, besides: int) -> tuple[FirstReply, FirstReply]:
    """By the bot (from receiving a message to the network taking the reply), and by people; `besides` is a channel."""
    none, values = FirstReply(0, 0), {"first": first_id(since), "since": since, "besides": besides}
    return await db.one(BOT_REPLY, **values) or none, await db.one(PERSON_REPLY, **values) or none


async def get_waiting(db: Reader) -> tuple[int, int | None]:
    """How many wait for a person, and since when the longest."""
    return await db.one(WAITING) or 0, await db.one(WAITING_SINCE)


# ---- needs attention -------------------------------------------------------------------------------------------------


class Stuck(msgspec.Struct, frozen=True):
    """A message whose sending needs a person: held, or failed. `problem` is JSON."""

    id: int
    conversation_id: int
    name: str
    phone: str
    channel: str
    text: str
    kind: str
    problem: str
    at: int


_STUCK = """
    select m.id, m.conversation_id, c.name, c.phone, h.name, m.text, m.kind, m.problem, m.at
    from {source}
    join conversation v on v.id = m.conversation_id
    join contact c on c.id = v.contact_id
    join channel h on h.id = m.channel_id
"""
HELD = Query(
    _STUCK.format(source="outbox o join message m on m.id = o.message_id")
    + "where o.state = 'held' order by o.due_at, o.message_id limit :limit",
    Stuck,
)
FAILED = Query(
    _STUCK.format(source="message m")
    + "where m.status = 'failed' and m.at >= :since order by m.at desc, m.id desc limit :limit",
    Stuck,
)
COUNT_HELD = Query("select count(*) from outbox where state = 'held'", int)
COUNT_FAILED = Query("select count(*) from message where status = 'failed' and at >= :since", int)


class Waiter(msgspec.Struct, frozen=True):
    """A person who waits for a person."""

    conversation_id: int
    name: str
    phone: str
    waiting_since: int
    waiting_for: str
    channel: str


WAITERS = Query(
    """
    select v.id, c.name, c.phone, v.waiting_since, v.waiting_for, h.name
    from conversation v join contact c on c.id = v.contact_id join channel h on h.id = v.channel_id
    where v.waiting_since is not null
    order by v.waiting_since limit :limit
    """,
    Waiter,
)


class Kept(msgspec.Struct, frozen=True):
    """Updates in quarantine for one reason: how many, the newest one's detail, id and time."""

    reason: str
    channel: str
    count: int
    newest_id: int
    newest_at: int


QUARANTINED = Query(
    """
    select q.reason, coalesce(h.name, ''), count(*), max(q.id), max(q.at)
    from quarantine q left join channel h on h.id = q.channel_id
    where q.seen_at is null
    group by 1, 2 order by 5 desc limit 20
    """,
    Kept,
)
SEE_QUARANTINED = Statement("update quarantine set seen_at = :now where seen_at is null and reason = :reason")
QUARANTINE_DETAIL = Query("select detail from quarantine where id = :id", str)


def see_quarantined(tx: Tx, reason: str) -> None:
    """Somebody looked at everything that was put there for this reason."""
    tx.run(SEE_QUARANTINED, reason=reason, now=tx.now)


class Crashed(msgspec.Struct, frozen=True):
    """Turns of one conversation that the bot could not finish."""

    conversation_id: int
    name: str
    phone: str
    count: int
    at: int


FAILED_TURNS = Query(
    """
    select t.conversation_id, c.name, c.phone, count(*), max(t.at)
    from turn t join conversation v on v.id = t.conversation_id join contact c on c.id = v.contact_id
    where t.error <> '' and t.at >= :since
    group by 1, 2, 3 order by 5 desc limit :limit
    """,
    Crashed,
)


class Attention(msgspec.Struct, frozen=True):
    """All that waits for somebody. Lists are short; the counts say how many there are."""

    held: list[Stuck]
    held_count: int
    waiters: list[Waiter]
    waiting_count: int
    failed: list[Stuck]
    failed_count: int
    quarantined: list[Kept]
    crashed: list[Crashed]


async def get_attention(db: Reader, since: int, limit: int = 5) -> Attention:
    """Failures count from `since` on; what is held, waits or is in quarantine counts until it is settled."""
    return Attention(
        held=await db.all(HELD, limit=limit),
        held_count=await db.one(COUNT_HELD) or 0,
        waiters=await db.all(WAITERS, limit=limit),
        waiting_count=await db.one(WAITING) or 0,
        failed=await db.all(FAILED, since=since, limit=limit),
        failed_count=await db.one(COUNT_FAILED, since=since) or 0,
        quarantined=await db.all(QUARANTINED),
        crashed=await db.all(FAILED_TURNS, since=since, limit=limit),
    )


# ---- channels, bots, the machine -------------------------------------------------------------------------------------


class ChannelState(msgspec.Struct, frozen=True):
    id: int
    name: str
    connector: str
    state: str
    code: str
    detail: str
    halted_at: int | None
    version_id: int | None
    verified_at: int | None
    heard_at: int | None


CHANNELS = Query(
    """
    select id, name, connector, state, state_code, state_detail, halted_at, version_id, verified_at, heard_at
    from channel where removed_at is null order by created_at, id
    """,
    ChannelState,
)


class BotState(msgspec.Struct, frozen=True):
    """A bot and its newest published version. `live` counts the channels that it answers on; `draft` is its text."""

    id: int
    name: str
    number: int | None
    published_at: int | None
    live: int
    changed: int
    draft_at: int
    draft_by: str


BOTS = Query(
    """
    select b.id, b.name, w.number, w.published_at,
           (select count(*) from channel h join version l on l.id = h.version_id
            where l.bot_id = b.id and h.removed_at is null),
           case when w.document = b.draft then 0 else 1 end, b.draft_at, coalesce(u.name, '')
    from bot b
    left join version w on w.bot_id = b.id and w.number = b.last_number and b.last_number > 0
    left join app_user u on u.id = b.draft_by
    order by 5 desc, b.created_at limit 6
    """,
    BotState,
)


async def list_channels(db: Reader) -> list[ChannelState]:
    return await db.all(CHANNELS)


async def list_bots(db: Reader) -> list[BotState]:
    return await db.all(BOTS)


async def count_queue(db: Reader) -> dict[str, int]:
    """Messages in the outbox by state: queued, sending, unknown, held."""
    return dict(await db.all(outbox.COUNTS))
