"""Counting messages into statistics, slice by slice, and reading what was counted. All times ms UTC.

A slice is the hour in which rows were stored: a stretch of ids, so it is found by key. `hour` is when the message was
sent or written, which for history that was brought in lies earlier. Both are hours since 1970.

What is counted, by metric: `in` customers' messages; `bot`, `person` and `program` messages to customers by who wrote
them; `status` the same by how their sending stands; `failed` by reason; `rule` replies by rule; `missed` what no rule
knew; `chat` chats in which a customer wrote, once a day (UTC), in the hour of the first message; `alone` those of them
that the bot answered and no person wrote in that day; `asked` chats in which a question of a flow was asked, once an
hour, by flow and question (`flow order/item`); `answered` the same of those that were answered; `bot_ms`, `bot_n`,
`person_ms`, `person_n` the waits for the first answer and how many there were.
"""

import msgspec

from app.db import Query, Statement

HOUR = 3_600_000
DAY = 24 * HOUR


class Counted(msgspec.Struct, frozen=True):
    """A number of one hour and channel. `label` is a status, a rule, or a reason as JSON."""

    hour: int
    channel_id: int
    metric: str
    label: str
    value: int


_WITHIN = "m.id >= :first and m.id < :last"
MESSAGES = Query(
    f"""
    select m.at / {HOUR}, m.channel_id,
           case when m.direction = 'in' then 'in' when m.author = 'bot' then 'bot'
                when m.author in ('user', 'phone') then 'person' else 'program' end, '', count(*)
    from message m
    where {_WITHIN} and m.status <> 'remark'
      and (m.direction = 'out' or m.kind not in ('reaction', 'system', 'edit', 'delete'))
    group by 1, 2, 3
    """,
    Counted,
)
STATUSES = Query(
    f"""
    select m.at / {HOUR}, m.channel_id, 'status', m.status, count(*) from message m
    where {_WITHIN} and m.direction = 'out' and m.status <> 'remark' group by 1, 2, 4
    """,
    Counted,
)
FAILURES = Query(
    f"""
    select m.at / {HOUR}, m.channel_id, 'failed', m.problem, count(*) from message m
    where {_WITHIN} and m.direction = 'out' and m.status = 'failed' group by 1, 2, 4
    """,
    Counted,
)
RULES = Query(
    f"""
    select m.at / {HOUR}, m.channel_id, 'rule', m.rule, count(distinct m.turn_id) from message m
    where {_WITHIN} and m.author = 'bot' and m.rule <> '' and m.turn_id is not null group by 1, 2, 4
    """,
    Counted,
)
ASKED = Query(
    f"""
    select m.at / {HOUR}, m.channel_id, 'asked', m.rule, count(distinct m.conversation_id) from message m
    where {_WITHIN} and m.author = 'bot' and substr(m.rule, 1, 5) = 'flow ' and m.status <> 'remark' group by 1, 2, 4
    """,
    Counted,
)
MISSES = Query(
    f"""
    select t.at / {HOUR}, v.channel_id, 'missed', '', count(*)
    from turn t join conversation v on v.id = t.conversation_id
    where t.id >= :first and t.id < :last and t.code in ('missed', 'missed_again', 'unanswered') group by 1, 2
    """,
    Counted,
)
# Today's first message of a chat; `of_day` are all that were written in the chat on its day.
_FIRST_OF_DAY = f"""
    from message m
    where {_WITHIN} and m.direction = 'in' and m.kind not in ('reaction', 'system', 'edit', 'delete')
      and not exists (
        select 1 from message p
        where p.conversation_id = m.conversation_id and p.at >= m.at - m.at % {DAY} and (p.at, p.id) < (m.at, m.id)
          and p.direction = 'in' and p.kind not in ('reaction', 'system', 'edit', 'delete'))
"""
_OF_DAY = f"""
    select 1 from message d
    where d.conversation_id = m.conversation_id and d.at >= m.at - m.at % {DAY} and d.at < m.at - m.at % {DAY} + {DAY}
      and d.status <> 'remark'
"""
CHATS = Query(f"select m.at / {HOUR}, m.channel_id, 'chat', '', count(*) {_FIRST_OF_DAY} group by 1, 2", Counted)
ALONE = Query(
    f"""
    select m.at / {HOUR}, m.channel_id, 'alone', '', count(*) {_FIRST_OF_DAY}
      and exists ({_OF_DAY} and d.author = 'bot') and not exists ({_OF_DAY} and d.author in ('user', 'phone'))
    group by 1, 2
    """,
    Counted,
)


class Waits(msgspec.Struct, frozen=True):
    """Waits for a first answer: `ms` altogether, `count` of them."""

    hour: int
    channel_id: int
    ms: int
    count: int


# From receiving a message to the network taking the reply.
BOT_WAITS = Query(
    f"""
    select m.at / {HOUR}, m.channel_id, cast(sum(m.sent_at - i.at) as bigint), count(*)
    from message m join turn t on t.id = m.turn_id join message i on i.id = t.message_id
    where {_WITHIN} and m.author = 'bot' and m.step = 0 and m.sent_at > m.at group by 1, 2
    """,
    Waits,
)
# From the first message that nobody had answered yet to a person's answer.
PERSON_WAITS = Query(
    f"""
    select hour, channel_id, cast(sum(waited) as bigint), count(*) from (
      select m.at / {HOUR} as hour, m.channel_id, m.at - (
          select min(p.at) from message p
          where p.conversation_id = m.conversation_id and p.direction = 'in' and p.at < m.at
            and p.at > coalesce((
              select max(q.at) from message q
              where q.conversation_id = m.conversation_id and q.direction = 'out' and q.status <> 'remark'
                and q.at < m.at), 0)) as waited
      from message m
      where {_WITHIN} and m.author = 'user' and m.status <> 'remark') as answers
    where waited is not null group by 1, 2
    """,
    Waits,
)
COUNTS = (MESSAGES, STATUSES, FAILURES, RULES, ASKED, MISSES, CHATS, ALONE)


class Answer(msgspec.Struct, frozen=True):
    """A turn in which a question was answered. `output`: the decision as JSON, whose trace says which."""

    id: int
    hour: int
    channel_id: int
    conversation_id: int
    output: str


ANSWERS = Query(
    f"""
    select t.id, t.at / {HOUR}, v.channel_id, t.conversation_id, t.output
    from turn t join conversation v on v.id = t.conversation_id
    where t.id >= :first and t.id < :last and t.code = 'answer' order by t.id limit :limit
    """,
    Answer,
)

NEXT_MESSAGE = Query("select id from message where id >= :first order by id limit 1", int)
NEWEST = Query("select slice from statistic_slice where slice > 0 order by slice desc limit 1", int)
CLEAR = Statement("delete from statistic where slice = :slice")
PUT = Statement(
    """
    insert into statistic (slice, hour, channel_id, metric, label, value)
    values (:slice, :hour, :channel_id, :metric, :label, :value)
    on conflict (slice, hour, channel_id, metric, label) do update set value = statistic.value + excluded.value
    """
)
COUNTED = Statement(
    """
    insert into statistic_slice (slice, counted_at) values (:slice, :now)
    on conflict (slice) do update set counted_at = excluded.counted_at
    """
)
COUNTED_AT = Query("select counted_at from statistic_slice where slice = :slice", int)
TOUCH = Statement("update statistic_slice set counted_at = 0 where slice = :slice")
TOUCHED = Query("select slice from statistic_slice where counted_at = 0 order by slice limit 50", int)
RECENT = Query("select slice from statistic_slice where slice >= :since order by slice limit 10", int)
STALEST = Query(
    "select slice from statistic_slice where slice >= :since and counted_at > 0 order by counted_at limit 1", int
)
AS_OF = Query("select counted_at from statistic_slice where slice > 0 order by slice desc limit 1", int)


# ---- read -----------------------------------------------------------------------------------------------------------


class Total(msgspec.Struct, frozen=True):
    metric: str
    label: str
    value: int


class Hourly(msgspec.Struct, frozen=True):
    hour: int
    metric: str
    value: int


class OfChannel(msgspec.Struct, frozen=True):
    channel_id: int
    name: str
    connector: str
    metric: str
    value: int


_PERIOD = """
    from statistic s join channel c on c.id = s.channel_id
    where s.hour >= :since and s.hour < :until and c.connector <> 'simulator'
"""
_CHOSEN = "and (:channel_id = 0 or s.channel_id = :channel_id)"
TOTALS = Query(
    f"select s.metric, s.label, cast(sum(s.value) as bigint) {_PERIOD} {_CHOSEN} group by 1, 2 order by 3 desc, 2",
    Total,
)
HOURLY = Query(
    f"""
    select s.hour, s.metric, cast(sum(s.value) as bigint) {_PERIOD} {_CHOSEN}
      and s.metric in ('in', 'bot', 'person', 'program', 'chat', 'alone') group by 1, 2 order by 1
    """,
    Hourly,
)
CHANNELS = Query(
    f"""
    select c.id, c.name, c.connector, s.metric, cast(sum(s.value) as bigint) {_PERIOD}
      and s.metric in ('in', 'bot', 'person', 'program') group by 1, 2, 3, 4 order by 5 desc, 1
    """,
    OfChannel,
)
