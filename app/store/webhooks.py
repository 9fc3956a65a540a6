"""Webhooks and their deliveries. All times ms UTC.

A delivery is `waiting` (for its next try), `delivered` or `failed`. `position` is the last event that a webhook's
deliveries were made of.
"""

import msgspec

from app.db import Query, Statement


class Webhook(msgspec.Struct, frozen=True):
    """Where events go. `types` by spaces, empty for all; the secrets are sealed."""

    id: int
    url: str
    types: str
    channel_id: int | None
    secret: str
    former_secret: str
    rotated_at: int | None
    position: int
    disabled_at: int | None
    disabled_why: str
    created_at: int


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one webhook. `status` is the last HTTP status, 0 where none came."""

    id: int
    webhook_id: int
    seq: int
    type: str
    body: str
    state: str
    attempts: int
    due_at: int
    status: int
    problem: str
    took_ms: int
    created_at: int
    tried_at: int | None


_WEBHOOK = """
    select w.id, w.url, w.types, w.channel_id, w.secret, w.former_secret, w.rotated_at, w.position, w.disabled_at,
           w.disabled_why, w.created_at
    from webhook w
"""
ALL = Query(f"{_WEBHOOK} order by w.id", Webhook)
BY_ID = Query(f"{_WEBHOOK} where w.id = :id", Webhook)
INSERT = Statement(
    """
    insert into webhook (id, url, types, channel_id, secret, position, user_id, created_at)
    values (:id, :url, :types, :channel_id, :secret, :position, :user_id, :now)
    """
)
CHANGE = Statement("update webhook set url = :url, types = :types, channel_id = :channel_id where id = :id")
ROTATE = Statement("update webhook set former_secret = secret, secret = :secret, rotated_at = :now where id = :id")
ENABLE = Statement("update webhook set disabled_at = null, disabled_why = '', position = :position where id = :id")
DISABLE = Statement("update webhook set disabled_at = :now, disabled_why = :why where id = :id and disabled_at is null")
DELETE = Statement("delete from webhook where id = :id")
# Two that look at the same time: one of them changes the row.
ADVANCE = Statement(
    "update webhook set position = :position where id = :id and position = :from and disabled_at is null"
)

_DELIVERY = """
    select d.id, d.webhook_id, d.seq, d.type, d.body, d.state, d.attempts, d.due_at, d.status, d.problem, d.took_ms,
           d.created_at, d.tried_at
    from delivery d
"""
INSERT_DELIVERY = Statement(
    """
    insert into delivery (id, webhook_id, seq, type, body, conversation_id, message_id, state, due_at, created_at)
    values (:id, :webhook_id, :seq, :type, :body, :conversation_id, :message_id, 'waiting', :now, :now)
    """
)
DUE = Query(
    f"""
    {_DELIVERY} where d.webhook_id = :webhook_id and d.state = 'waiting' and d.due_at <= :now
    order by d.due_at limit :limit
    """,
    Delivery,
)
NEXT_DUE = Query(
    "select due_at from delivery where webhook_id = :webhook_id and state = 'waiting' order by due_at limit 1", int
)
LIST = Query(
    f"{_DELIVERY} where d.webhook_id = :webhook_id and d.id < :before order by d.id desc limit :limit", Delivery
)
ONE = Query(f"{_DELIVERY} where d.id = :id", Delivery)
TRYING = Statement(
    """
    update delivery set attempts = attempts + 1, due_at = :until, tried_at = :now
    where id = :id and attempts = :attempts and state = 'waiting'
    """
)
# Of a webhook that was switched off meanwhile, only a success still counts.
OUTCOME = Statement(
    """
    update delivery set state = :state, due_at = :due_at, status = :status, problem = :problem, took_ms = :took_ms
    where id = :id and attempts = :attempts and (state = 'waiting' or :state = 'delivered')
    """
)
AGAIN = Statement("update delivery set state = 'waiting', attempts = 0, due_at = :now where id = :id")
FAIL_WAITING = Statement(
    "update delivery set state = 'failed', problem = :problem where webhook_id = :webhook_id and state = 'waiting'"
)
OLD = Query("select id from delivery where created_at < :before order by created_at limit 200", int)
DROP = Statement("delete from delivery where id = :id")
