"""Turns: what the bot was given and what it decided, kept whole."""

import msgspec

from app.db import Query, Statement


class Miss(msgspec.Struct, frozen=True):
    """A message that no rule knew. `id` is the turn's and the message's; `ignored_at` is None unless it was set
    aside."""

    id: int
    conversation_id: int
    text: str
    at: int
    ignored_at: int | None


INSERT = Statement(
    """
    insert into turn (id, conversation_id, message_id, version_id, input, output, code, error, took_us, at)
    values (:id, :conversation_id, :message_id, :version_id, :input, :output, :code, :error, :took_us, :at)
    """
)
LAST_INPUT = Query(
    "select input from turn where conversation_id = :conversation_id order by at desc, id desc limit 1", str
)
CONVERSATION = Query("select conversation_id from turn where id = :id", int)
SUSPECTS = Query("select name, strikes from suspect", lambda name, strikes: (name, strikes))
STRIKE = Statement(
    """
    insert into suspect (name, strikes, at) values (:name, 1, :now)
    on conflict (name) do update set strikes = suspect.strikes + 1, at = excluded.at
    """
)
OF_BOT = Query(
    """
    select t.input, t.output
    from turn t
    join version v on v.id = t.version_id
    where t.conversation_id = :conversation_id and v.bot_id = :bot_id and t.error = ''
    order by t.at desc, t.id desc limit :limit
    """,
    lambda given, output: (given, output),
)

_MISSED = """
    select t.id, t.conversation_id, m.text, t.at, t.ignored_at
    from version v
    join turn t on t.version_id = v.id
    join message m on m.id = t.message_id
    join channel c on c.id = m.channel_id
"""
_ASKED = "m.text <> '' and m.deleted_at is null and c.connector <> 'simulator'"
MISSED = Query(
    f"""
    {_MISSED} where v.bot_id = :bot_id and t.code in ('missed', 'missed_again', 'unanswered') and t.at >= :since
    and t.ignored_at is null and {_ASKED} order by t.at desc, t.id desc limit :limit
    """,
    Miss,
)
IGNORED = Query(
    f"""
    {_MISSED} where v.bot_id = :bot_id and t.ignored_at is not null and {_ASKED}
    order by t.at desc, t.id desc limit :limit
    """,
    Miss,
)
IGNORE = Statement("update turn set ignored_at = :at where id = :id")
