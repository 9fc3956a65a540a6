"""Contacts as lists and pages read them. All times ms UTC; `tags` and `fields` are JSON.

Lists page by id, newest first; a search gives its first rows only.
"""

import msgspec

from app.db import Query, Statement


class Person(msgspec.Struct, frozen=True):
    """A contact."""

    id: int
    name: str
    phone: str
    username: str
    language: str
    tags: str
    fields: str
    opted_out_at: int | None
    created_at: int


class Listed(msgspec.Struct, frozen=True):
    """A contact in a list. `heard_at`: when they last wrote, 0 for never; `connector`: of the newest conversation, ''
    without any."""

    id: int
    name: str
    phone: str
    username: str
    language: str
    tags: str
    fields: str
    opted_out_at: int | None
    created_at: int
    heard_at: int
    connector: str


class Alias(msgspec.Struct, frozen=True):
    """A name that a network gave; `retired_at`: another took its place."""

    kind: str
    value: str
    created_at: int
    retired_at: int | None


_COLUMNS = "c.id, c.name, c.phone, c.username, c.language, c.tags, c.fields, c.opted_out_at, c.created_at"
_PERSON = f"select {_COLUMNS} from contact c"
PERSON = Query(f"{_PERSON} where c.id = :id and c.merged_into is null", Person)
PEOPLE = Query(f"{_PERSON} where c.id < :before and c.merged_into is null order by c.id desc limit :limit", Person)

_LISTED = f"""
    select {_COLUMNS},
           coalesce((select max(v.heard_at) from conversation v where v.contact_id = c.id), 0),
           coalesce((select h.connector from conversation v join channel h on h.id = v.channel_id
                     where v.contact_id = c.id order by v.last_at desc limit 1), '')
"""
_TAGGED = """
    from contact_tag t join contact c on c.id = t.contact_id
    where t.tag = :tag and t.contact_id < :before and c.merged_into is null
    order by t.contact_id desc limit :limit
"""
LIST = Query(
    f"{_LISTED} from contact c where c.id < :before and c.merged_into is null order by c.id desc limit :limit", Listed
)
LIST_TAGGED = Query(f"{_LISTED} {_TAGGED}", Listed)
# Whose name, number or user name begins so.
SEARCH = Query(
    f"""
    with hit as (
      select id from (
        select id from contact
        where lower(name) >= lower(:name) and lower(name) < lower(:name_end) and merged_into is null
        order by lower(name), id limit 200) as named
      union
      select contact_id from (
        select contact_id from identity
        where kind in ('phone', 'wa_id') and value >= :phone and value < :phone_end limit 200) as dialled
      union
      select id from (
        select id from contact
        where username <> '' and lower(username) >= lower(:name) and lower(username) < lower(:name_end) limit 200
      ) as called)
    {_LISTED} from hit join contact c on c.id = hit.id
    where c.merged_into is null
      and (:tag = '' or exists (select 1 from contact_tag t where t.tag = :tag and t.contact_id = c.id))
    order by c.id desc limit :limit
    """,
    Listed,
)
# Counting stops at `many`.
COUNT = Query("select count(*) from (select id from contact where id > 0 order by id limit :many) as few", int)
COUNT_TAGGED = Query(
    "select count(*) from (select contact_id from contact_tag where tag = :tag order by contact_id limit :many) as few",
    int,
)
COUNT_MERGED = Query("select count(*) from contact where merged_into is not null", int)
NAMED = Query(
    f"""
    {_PERSON}
    where lower(c.name) >= lower(:name) and lower(c.name) < lower(:name_end) and c.merged_into is null
    order by lower(c.name), c.id limit :limit
    """,
    Person,
)
TAGGED = Query(f"select {_COLUMNS} {_TAGGED}", Person)
KNOWN_AS = Query(
    f"""
    {_PERSON} where c.id in (
      select i.contact_id from identity i where i.kind in ('phone', 'wa_id') and i.value = :value)
    order by c.id limit :limit
    """,
    Person,
)
ALIASES = Query(
    """
    select kind, value, created_at, retired_at from identity where contact_id = :contact_id
    order by created_at, kind, value limit 50
    """,
    Alias,
)
CHANGE = Statement(
    "update contact set name = :name, language = :language, tags = :tags, fields = :fields where id = :id"
)
