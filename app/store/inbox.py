"""The list of the inbox: conversations in its views, found by name or number, and counted. All times ms UTC.

The list pages by (last_at, id), newest first.
"""

from typing import Final

import msgspec

from app.db import Query, Reader
from app.store import teams
from app.store.threads import FIRST, LAST, Key

MANY: Final = 100  # counts stop here: the tabs say "99+"


class Row(msgspec.Struct, frozen=True):
    """One conversation of the list. The `last_…` fields are of its newest message, empty before the first;
    its kind is `delete` if it was deleted, and `last_system` its content, if it is the network's own."""

    id: int
    contact_id: int
    name: str
    phone: str
    username: str
    connector: str
    channel: str
    mode: str
    taken_by: int | None
    taken_name: str
    waiting_since: int | None
    waiting_for: str
    closed_at: int | None
    unread: int
    last_at: int
    snippet: str
    last_kind: str
    last_system: str
    last_direction: str
    last_author: str
    last_status: str
    last_rule: str
    last_user_id: int | None
    assigned_to: int | None
    assigned_name: str
    team: str

    @property
    def key(self) -> Key:
        return self.last_at, self.id


_ROW = """
    select v.id, v.contact_id, c.name, c.phone, c.username, h.connector, h.name, v.mode, v.taken_by,
           coalesce(u.name, ''), v.waiting_since, v.waiting_for, v.closed_at, v.unread, v.last_at, v.snippet,
           coalesce(case when m.deleted_at is null then m.kind else 'delete' end, ''),
           case when m.kind = 'system' then m.content else '' end, coalesce(m.direction, ''), coalesce(m.author, ''),
           coalesce(m.status, ''), coalesce(m.rule, ''), m.user_id, v.assigned_to, coalesce(a.name, ''),
           coalesce(g.name, '')
    from conversation v
    join contact c on c.id = v.contact_id
    join channel h on h.id = v.channel_id
    left join app_user u on u.id = v.taken_by
    left join message m on m.id = v.last_id
    left join app_user a on a.id = v.assigned_to
    left join team g on g.id = v.team_id
"""
_WITHIN = """
    (v.last_at, v.id) < (:before_at, :before_id) and (v.last_at, v.id) >= (:down_at, :down_id)
    order by v.last_at desc, v.id desc limit :limit
"""
ALL = Query(f"{_ROW} where {_WITHIN}", Row)
BY_MODE = Query(f"{_ROW} where v.mode = :mode and {_WITHIN}", Row)
TAKEN_BY = Query(f"{_ROW} where v.taken_by = :user_id and {_WITHIN}", Row)
ASSIGNED_TO = Query(f"{_ROW} where v.assigned_to = :user_id and v.closed_at is null and {_WITHIN}", Row)
# What a team has until somebody of it does. Each condition is one of the index, which is read in the order of the list.
OF_TEAM = Query(
    f"""
    {_ROW} where v.team_id = :team_id and v.assigned_to is null and v.taken_by is null and v.closed_at is null
    and {_WITHIN}
    """,
    Row,
)
ROW = Query(f"{_ROW} where v.id = :id", Row)
OF_CONTACT = Query(f"{_ROW} where v.contact_id = :contact_id order by v.last_at desc, v.id desc limit :limit", Row)
SEARCH = Query(
    f"""
    with hit as (
      select contact_id from (
        select id as contact_id from contact
        where lower(name) >= lower(:name) and lower(name) < lower(:name_end) and merged_into is null
        order by lower(name), id limit 100) as named
      union
      select contact_id from (
        select contact_id from identity
        where kind in ('phone', 'wa_id') and value >= :phone and value < :phone_end limit 100) as dialled)
    {_ROW}
    where v.contact_id in (select contact_id from hit)
    order by v.last_at desc, v.id desc limit :limit
    """,
    Row,
)
COUNT_MODE = Query(
    "select count(*) from (select 1 as one from conversation where mode = :mode limit :many) as few", int
)
COUNT_MINE = Query(
    """
    select count(*) from (
      select id from (select id from conversation where taken_by = :user_id limit :many) as taken
      union
      select id from (
        select id from conversation where assigned_to = :user_id and closed_at is null limit :many) as assigned
      union
      select id from (
        select v.id from team_member m join conversation v on v.team_id = m.team_id
        where m.user_id = :user_id and v.assigned_to is null and v.taken_by is null and v.closed_at is null
        limit :many) as teams
    ) as mine
    """,
    int,
)


class Counts(msgspec.Struct, frozen=True):
    """How many conversations each view holds, at most `MANY`."""

    waiting: int
    mine: int
    bot: int


async def list_rows(
    db: Reader, view: str, user_id: int, *, before: Key = FIRST, down_to: Key = LAST, limit: int = 50
) -> list[Row]:
    """Newest first, strictly before `before`, down to and with `down_to`. `view`: waiting, mine, bot or all."""
    within = {
        "before_at": before[0],
        "before_id": before[1],
        "down_at": down_to[0],
        "down_id": down_to[1],
        "limit": limit,
    }
    if view == "mine":
        return await _list_mine(db, user_id, within, limit)
    if view in ("waiting", "bot"):
        return await db.all(BY_MODE, mode=view, **within)
    return await db.all(ALL, **within)


async def _list_mine(db: Reader, user_id: int, within: dict[str, int], limit: int) -> list[Row]:
    """What this user took, what is assigned to them, and what their teams have. Each is read by its own index, so that
    a long list costs no more than a short one."""
    found = await db.all(TAKEN_BY, user_id=user_id, **within)
    found += await db.all(ASSIGNED_TO, user_id=user_id, **within)
    for team_id in await db.all(teams.OF_USER, user_id=user_id):
        found += await db.all(OF_TEAM, team_id=team_id, **within)
    rows = {row.id: row for row in found}.values()
    return sorted(rows, key=lambda row: row.key, reverse=True)[:limit]


async def search_rows(db: Reader, text: str, limit: int = 50) -> list[Row]:
    """Conversations of contacts whose name or number begins with this text; case is ignored."""
    phone = dialled(text)
    return await db.all(SEARCH, name=text, name_end=after(text), phone=phone, phone_end=after(phone), limit=limit)


def dialled(text: str) -> str:
    """The digits of what looks like the beginning of a number, else a text that no number begins with."""
    digits = "".join(character for character in text if character.isdigit())
    return digits if len(digits) > 2 and not any(character.isalpha() for character in text) else "\uffff"


def after(prefix: str) -> str:
    """The first text behind all that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix and ord(prefix[-1]) < 0xD7FF else prefix + "\uffff"


async def count_views(db: Reader, user_id: int) -> Counts:
    return Counts(
        await db.one(COUNT_MODE, mode="waiting", many=MANY) or 0,
        min(await db.one(COUNT_MINE, user_id=user_id, many=MANY) or 0, MANY),
        await db.one(COUNT_MODE, mode="bot", many=MANY) or 0,
    )
