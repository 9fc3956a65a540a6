"""Channels: configured accounts, their names (former ones too) and their state."""

from app.db import Query, Statement
from app.models import ChannelRow

_COLUMNS = """
    c.id, c.key, c.name, c.connector, c.account, c.config, c.secrets, c.rate, c.version_id, c.state, c.state_code,
    c.state_detail, c.state_at, c.halted_at, c.verified_at, c.heard_at, c.created_at
"""
ALL = Query(f"select {_COLUMNS} from channel c where c.removed_at is null order by c.created_at, c.id", ChannelRow)
BY_ID = Query(f"select {_COLUMNS} from channel c where c.id = :id and c.removed_at is null", ChannelRow)
BY_NAME = Query(
    f"""
    select {_COLUMNS} from channel_name n join channel c on c.id = n.channel_id
    where n.name_folded = :name and c.removed_at is null
    """,
    ChannelRow,
)
BY_ACCOUNT = Query(
    f"""
    select {_COLUMNS} from channel c
    where c.connector = :connector and c.account = :account and c.removed_at is null
    """,
    ChannelRow,
)
NAME_OWNER = Query("select channel_id from channel_name where name_folded = :name", int)
INSERT = Statement(
    """
    insert into channel
      (id, key, name, connector, account, config, secrets, rate, version_id, state, state_code, state_at, created_at)
    values
      (:id, :key, :name, :connector, :account, :config, :secrets, :rate, :version_id, 'starting', 'starting', :now,
      :now)
    """
)
INSERT_NAME = Statement(
    """
    insert into channel_name (name_folded, channel_id) values (:name, :channel_id)
    on conflict (name_folded) do nothing
    """
)
DROP_NAMES = Statement("delete from channel_name where channel_id = :channel_id")
UPDATE = Statement(
    """
    update channel
    set name = :name, account = :account, config = :config, secrets = :secrets, rate = :rate, halted_at = null
    where id = :id
    """
)
SET_VERSION = Statement("update channel set version_id = :version_id where id = :id")
SET_STATE = Statement(
    """
    update channel set state = :state, state_code = :code, state_detail = :detail, state_at = :now
    where id = :id and removed_at is null
    """
)
HALT = Statement(
    """
    update channel
    set state = 'broken', state_code = :code, state_detail = :detail, state_at = :now, halted_at = :now
    where id = :id
    """
)
VERIFIED = Statement("update channel set verified_at = :now where id = :id")
HEARD = Statement("update channel set heard_at = :now where id = :id and heard_at is null")
REMOVE = Statement("update channel set removed_at = :now, version_id = null, secrets = '{}' where id = :id")
FAIL_QUEUED = Statement(
    """
    update message set status = 'failed'
    where id in (select message_id from outbox where channel_id = :channel_id) and status in ('queued', 'unknown')
    """
)
