"""Tags of contacts, once more as rows, so that everybody with a tag is found by key.

`contact.tags` (JSON) is what is true; whoever writes it calls `settle` in the same unit.
"""

from typing import Any, Final

import msgspec

from app.db import Query, Statement, Tx

MOST: Final = 100  # tags of one contact; of fields as many
LONGEST: Final = 200  # a longer tag stays on its contact but is no key to find it by

ADD = Statement(
    "insert into contact_tag (tag, contact_id) values (:tag, :contact_id) on conflict (tag, contact_id) do nothing"
)
REMOVE = Statement("delete from contact_tag where tag = :tag and contact_id = :contact_id")
CLEAR = Statement("delete from contact_tag where contact_id = :contact_id")
# From one tag to the next by key: rows with the same tag are not looked at.
IN_USE = Query(
    """
    with recursive used(tag) as (
      select min(tag) from contact_tag
      union all
      select (select min(n.tag) from contact_tag n where n.tag > used.tag) from used where used.tag is not null)
    select tag from used where tag is not null limit :limit
    """,
    str,
)
NOTED = Query("select tags, fields from contact where id = :id", lambda tags, fields: (str(tags), str(fields)))
NOTE = Statement("update contact set tags = :tags, fields = :fields where id = :id")


def settle(tx: Tx, contact_id: int, old: list[str], new: list[str]) -> None:
    """The rows follow what changed."""
    for tag in set(old) - set(new):
        tx.run(REMOVE, tag=tag, contact_id=contact_id)
    for tag in sorted(set(new) - set(old)):
        if len(tag) <= LONGEST:
            tx.run(ADD, tag=tag, contact_id=contact_id)


def unite(tx: Tx, keep: int, gone: int) -> None:
    """Of two contacts that are one person, the one that stays gets the tags of both, and the fields it lacks."""
    kept, other = tx.one(NOTED, id=keep), tx.one(NOTED, id=gone)
    if kept is None or other is None:
        return
    tags: list[str] = msgspec.json.decode(kept[0])
    fields: dict[str, Any] = msgspec.json.decode(kept[1])
    both = list(dict.fromkeys([*tags, *msgspec.json.decode(other[0])]))[:MOST]
    filled = dict([*fields.items(), *((k, v) for k, v in msgspec.json.decode(other[1]).items() if k not in fields)])
    settle(tx, keep, tags, both)
    tx.run(CLEAR, contact_id=gone)
    tx.run(NOTE, id=keep, tags=_text(both), fields=_text(dict(list(filled.items())[:MOST])))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
