"""Contacts as lists and pages read them. All times ms UTC; `tags` and `fields` are JSON."""

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


_PERSON = """
    select c.id, c.name, c.phone, c.username, c.language, c.tags, c.fields, c.opted_out_at, c.created_at
    from contact c
"""
PERSON = Query(f"{_PERSON} where c.id = :id and c.merged_into is null", Person)
PEOPLE = Query(f"{_PERSON} where c.id < :before and c.merged_into is null order by c.id desc limit :limit", Person)
NAMED = Query(
    f"""
    {_PERSON}
    where lower(c.name) >= lower(:name) and lower(c.name) < lower(:name_end) and c.merged_into is null
    order by lower(c.name), c.id limit :limit
    """,
    Person,
)
KNOWN_AS = Query(
    f"""
    {_PERSON} where c.id in (
      select i.contact_id from identity i where i.kind in ('phone', 'wa_id') and i.value = :value)
    order by c.id limit :limit
    """,
    Person,
)
CHANGE = Statement(
    "update contact set name = :name, language = :language, tags = :tags, fields = :fields where id = :id"
)
