"""Delivery receipts, each kept once per message and status; those that came before their message was known wait
here."""

from app.db import Query, Statement

INSERT = Statement(
    """
    insert into receipt (channel_id, provider_id, status, message_id, at, problem, created_at)
    values (:channel_id, :provider_id, :status, :message_id, :at, :problem, :now)
    on conflict (channel_id, provider_id, status) do nothing
    """
)
WAITING = Query(
    """
    select status, problem from receipt
    where channel_id = :channel_id and provider_id = :provider_id and message_id is null
    """,
    lambda status, problem: (status, problem),
)
EARLY = Query(
    """
    with asked (channel_id, provider_id) as (values (:channel_id, :provider_id))
    select r.channel_id, r.provider_id from asked a
    cross join receipt r
    where r.channel_id = a.channel_id and r.provider_id = a.provider_id and r.message_id is null
    """,
    lambda channel_id, provider_id: (int(channel_id), str(provider_id)),
)
CLAIM = Statement(
    """
    update receipt set message_id = :message_id
    where channel_id = :channel_id and provider_id = :provider_id and message_id is null
    """
)
OLD_ORPHANS = Query(
    """
    select channel_id, provider_id, status from receipt
    where message_id is null and created_at < :before order by created_at limit 200
    """,
    lambda *row: row,
)
DROP = Statement(
    "delete from receipt where channel_id = :channel_id and provider_id = :provider_id and status = :status"
)
