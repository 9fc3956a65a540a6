"""How the accounts of channels stand, as the network tells it: one row for each respect."""

import msgspec

from app.db import Query, Statement


class Fact(msgspec.Struct, frozen=True):
    """`value` in the network's word; `concern`: 1 if people should look at it; `seen_at`: somebody did."""

    name: str
    value: str
    detail: str
    rank: int
    concern: int
    at: int
    seen_at: int | None


class Concern(msgspec.Struct, frozen=True):
    """A fact that nobody looked at yet, with its channel."""

    channel_id: int
    channel: str
    name: str
    value: str
    detail: str
    at: int


_FACT = "select name, value, detail, rank, concern, at, seen_at from account_fact"
FACT = Query(f"{_FACT} where channel_id = :channel_id and name = :name", Fact)
OF_CHANNEL = Query(f"{_FACT} where channel_id = :channel_id order by name", Fact)
CONCERNS = Query(
    """
    select f.channel_id, h.name, f.name, f.value, f.detail, f.at
    from channel h join account_fact f on f.channel_id = h.id
    where h.removed_at is null and f.concern = 1 and f.seen_at is null
    order by f.at desc limit :limit
    """,
    Concern,
)
# Some notifications name the number alone.
BY_NUMBER = Query(
    """
    select h.id from channel h join account_fact f on f.channel_id = h.id and f.name = 'number'
    where h.removed_at is null and h.connector = :connector and f.value = :digits
    """,
    int,
)
PUT = Statement(
    """
    insert into account_fact (channel_id, name, value, detail, rank, concern, at, seen_at)
    values (:channel_id, :name, :value, :detail, :rank, :concern, :at, :seen_at)
    on conflict (channel_id, name) do update
    set value = excluded.value, detail = excluded.detail, rank = excluded.rank, concern = excluded.concern,
        at = excluded.at, seen_at = excluded.seen_at
    """
)
DROP = Statement("delete from account_fact where channel_id = :channel_id and name = :name")
SEEN = Statement(
    "update account_fact set seen_at = :now where channel_id = :channel_id and concern = 1 and seen_at is null"
)
