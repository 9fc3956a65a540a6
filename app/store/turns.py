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
    insert into turn
      (id, conversation_id, message_id, version_id, input, capabilities, output, code, error, took_us, at)
    values
      (:id, :conversation_id, :message_id, :version_id, :input, :capabilities, :output, :code, :error, :took_us, :at)
    """
)
# What the channel could show is a third of what the bot is given, and nearly always the same: a turn has its digest
# there, and whoever reads the turn `t` as `GIVEN` has it in its place again.
INSERT_CAPABILITIES = Statement(
    "insert into capability (digest, body) values (:digest, :body) on conflict (digest) do nothing"
)
GIVEN = "coalesce(replace(t.input, '\"' || k.digest || '\"', k.body), t.input)"
CAPABILITIES = "left join capability k on k.digest = t.capabilities"
LAST_INPUT = Query(
    f"""
    select {GIVEN} from turn t {CAPABILITIES}
    where t.conversation_id = :conversation_id order by t.at desc, t.id desc limit 1
    """,
    str,
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
    f"""
    select {GIVEN}, t.output
    from turn t {CAPABILITIES}
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
