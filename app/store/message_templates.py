"""Templates as stored: those of the network, and drafts that it does not have yet."""

import msgspec

from app.db import Query, Statement


class Row(msgspec.Struct, frozen=True):
    """A template of a channel. `components` is JSON; `provider_id` is '' for a draft; `coming` is the category that it
    will have, '' as a rule. Times ms UTC."""

    id: int
    channel_id: int
    provider_id: str
    name: str
    language: str
    category: str
    coming: str
    status: str
    quality: str
    reason: str
    named: int
    components: str
    created_at: int
    changed_at: int


_ROW = """
    select id, channel_id, provider_id, name, language, category, coming, status, quality, reason, named, components,
           created_at, changed_at
    from template
"""
BY_ID = Query(f"{_ROW} where id = :id", Row)
BY_NAME = Query(f"{_ROW} where channel_id = :channel_id and name = :name and language = :language", Row)
BY_PROVIDER = Query(f"{_ROW} where provider_id = :provider_id and provider_id <> ''", Row)
# By name: pages after the key (name, language), '' before the first.
LIST = Query(
    f"""
    {_ROW} where channel_id = :channel_id and (name, language) > (:name, :language)
    order by name, language limit :limit
    """,
    Row,
)
ALL = Query(f"{_ROW} where id > :after order by id limit :limit", Row)
USABLE = Query(
    f"{_ROW} where channel_id = :channel_id and status = 'APPROVED' order by name, language limit :limit", Row
)
COUNT = Query(
    "select status, count(*) from template where channel_id = :channel_id group by status",
    lambda status, n: (str(status), int(n)),
)
FETCHED_AT = Query("select templates_at from channel where id = :channel_id", lambda at: at)
TOLD_AT = Query("select told_at from template where id = :id", int)
INSERT = Statement(
    """
    insert into template
      (id, channel_id, provider_id, name, language, category, status, quality, reason, named, components, fetched_at,
       created_at, changed_at)
    values
      (:id, :channel_id, :provider_id, :name, :language, :category, :status, :quality, :reason, :named, :components,
       :fetched_at, :now, :now)
    """
)
# What the network's list says; a status that a notification told since the list was asked for stays.
FETCHED = Statement(
    """
    update template
    set provider_id = :provider_id, category = :category, named = :named, components = :components,
        fetched_at = :fetched_at,
        status = case when told_at > :fetched_at then status else :status end,
        quality = case when told_at > :fetched_at then quality else :quality end,
        reason = case when told_at > :fetched_at then reason else :reason end,
        coming = case when category = :category then coming else '' end,
        changed_at = case when status = :status and components = :components then changed_at else :now end
    where id = :id
    """
)
CHANGE = Statement(
    """
    update template
    set name = :name, language = :language, category = :category, named = :named, components = :components,
        status = :status, reason = '', changed_at = :now
    where id = :id
    """
)
# The answer to a submission; a notification may have told the outcome already.
SUBMITTED = Statement(
    """
    update template
    set provider_id = :provider_id, status = :status, category = :category, reason = '', changed_at = :now
    where id = :id and provider_id = ''
    """
)
NEWS = Statement(
    """
    update template
    set provider_id = :provider_id, status = :status, category = :category, coming = :coming, quality = :quality,
        reason = :reason, components = :components, told_at = :at, changed_at = :now
    where id = :id
    """
)
DELETE = Statement("delete from template where id = :id")
# What the network's list did not hold any more.
GONE = Statement(
    "delete from template where channel_id = :channel_id and provider_id <> '' and fetched_at < :before"
    " and created_at < :before"
)
FETCHED_ALL = Statement("update channel set templates_at = :now where id = :channel_id")
