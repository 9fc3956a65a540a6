"""Turns: what the bot was given and what it decided, kept whole."""

from app.db import Query, Statement

INSERT = Statement(
    """
    insert into turn (id, conversation_id, message_id, version_id, input, output, error, took_us, at)
    values (:id, :conversation_id, :message_id, :version_id, :input, :output, :error, :took_us, :at)
    """
)
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
