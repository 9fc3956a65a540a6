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
