"""One conversation as the inbox shows it: whom it is with, and its messages, paged by (at, id). All times ms UTC."""

from typing import Final

import msgspec

from app.db import Query, Reader

FIRST: Final = (2**62, 2**62)  # before every row, newest first
LAST: Final = (0, 0)
HANDOFF: Final = '%"effect":"handoff"%'  # how a stored decision names it

Key = tuple[int, int]


class Head(msgspec.Struct, frozen=True):
    """A conversation with its contact and channel. `address` and `tags` are JSON."""

    id: int
    contact_id: int
    name: str
    phone: str
    username: str
    contact_language: str
    tags: str
    contact_since: int
    channel_id: int
    channel: str
    connector: str
    channel_removed_at: int | None
    version_id: int | None
    mode: str
    taken_by: int | None
    taken_name: str
    taken_at: int | None
    waiting_since: int | None
    waiting_for: str
    closed_at: int | None
    unread: int
    heard_at: int
    thread: str
    assigned_to: int | None
    assigned_name: str
    team: str
    opted_out_at: int | None


HEAD = Query(
    """
    select v.id, v.contact_id, c.name, c.phone, c.username, c.language, c.tags, c.created_at, h.id, h.name, h.connector,
           h.removed_at, coalesce(v.version_id, h.version_id), v.mode, v.taken_by, coalesce(u.name, ''), v.taken_at,
           v.waiting_since, v.waiting_for, v.closed_at, v.unread, v.heard_at, v.thread, v.assigned_to,
           coalesce(a.name, ''), coalesce(g.name, ''), c.opted_out_at
    from conversation v
    join contact c on c.id = v.contact_id
    join channel h on h.id = v.channel_id
    left join app_user u on u.id = v.taken_by
    left join app_user a on a.id = v.assigned_to
    left join team g on g.id = v.team_id
    where v.id = :id
    """,
    Head,
)


class Entry(msgspec.Struct, frozen=True):
    """One message of a thread with what it quotes and how its sending stands. `content` and `problem` are JSON."""

    id: int
    direction: str
    author: str
    user_name: str
    kind: str
    content: str
    provider_id: str
    status: str
    problem: str
    rule: str
    turn_id: int | None
    at: int
    edited_at: int | None
    deleted_at: int | None
    outbox: str
    due_at: int
    quoted_id: int | None
    quoted_kind: str
    quoted_text: str
    quoted_deleted_at: int | None

    @property
    def key(self) -> Key:
        return self.at, self.id


_ENTRY = """
    select m.id, m.direction, m.author, coalesce(u.name, ''), m.kind, m.content, coalesce(m.provider_id, ''), m.status,
           m.problem, m.rule, m.turn_id, m.at, m.edited_at, m.deleted_at, coalesce(o.state, ''), coalesce(o.due_at, 0),
           q.id, coalesce(q.kind, ''), coalesce(q.text, ''), q.deleted_at
    from message m
    left join app_user u on u.id = m.user_id
    left join outbox o on o.message_id = m.id
    left join message q on q.channel_id = m.channel_id and q.provider_id = m.reply_to and m.reply_to <> ''
    where m.conversation_id = :id
"""
PAGE = Query(f"{_ENTRY} and (m.at, m.id) < (:at, :before) order by m.at desc, m.id desc limit :limit", Entry)
SINCE = Query(f"{_ENTRY} and (m.at, m.id) >= (:at, :from) order by m.at desc, m.id desc limit :limit", Entry)
AFTER = Query(f"{_ENTRY} and (m.at, m.id) > (:at, :after) order by m.at, m.id limit :limit", Entry)
KEY = Query("select at, id from message where id = :id and conversation_id = :conversation_id", lambda at, id: (at, id))


class Reaction(msgspec.Struct, frozen=True):
    """Somebody's reaction as stored: `content` is JSON naming its target."""

    author: str
    content: str


REACTIONS = Query(
    """
    select author, content from message
    where conversation_id = :id and (at, id) >= (:at, :from) and kind = 'reaction'
    order by at, id limit 500
    """,
    Reaction,
)


class File(msgspec.Struct, frozen=True):
    """A message's file. `state`: wanted, stored, failed or expired; `duration` in ms; what is not known is 0."""

    message_id: int
    id: int
    state: str
    mime: str
    filename: str
    size: int
    problem: str
    width: int
    height: int
    duration: int


FILES = Query(
    """
    select d.message_id, d.id, d.state, d.mime, d.filename, d.size, d.problem, d.width, d.height, d.duration
    from message m join media d on d.message_id = m.id
    where m.conversation_id = :id and (m.at, m.id) >= (:at, :from) and (m.at, m.id) <= (:to_at, :to)
    """,
    File,
)


class Handed(msgspec.Struct, frozen=True):
    """A turn that handed the conversation to people; `output` is the decision as JSON."""

    id: int
    at: int
    output: str


HANDED = Query(
    """
    select id, at, output from turn
    where conversation_id = :id and at >= :at and at <= :to_at and output like :pattern
    order by at limit 100
    """,
    Handed,
)


class Thread(msgspec.Struct, frozen=True):
    """A stretch of a conversation, oldest first. `more`: there are older messages."""

    entries: list[Entry]
    reactions: list[Reaction]
    files: dict[int, File]
    handed: list[Handed]
    more: bool


async def get_page(db: Reader, conversation_id: int, *, before: Key = FIRST, limit: int = 40) -> Thread:
    """The newest messages before a key."""
    rows = await db.all(PAGE, id=conversation_id, at=before[0], before=before[1], limit=limit + 1)
    return await _complete(db, conversation_id, rows[:limit][::-1], len(rows) > limit)


async def get_since(db: Reader, conversation_id: int, key: Key, limit: int = 160) -> Thread:
    """From this message on to the newest; the newest `limit` if there are more."""
    rows = await db.all(SINCE, **{"id": conversation_id, "at": key[0], "from": key[1], "limit": limit})
    oldest = rows[-1].key if rows else key
    older = await db.all(PAGE, id=conversation_id, at=oldest[0], before=oldest[1], limit=1)
    return await _complete(db, conversation_id, rows[::-1], bool(older))


async def get_around(db: Reader, conversation_id: int, key: Key, limit: int = 20) -> tuple[Thread, bool]:
    """The messages around one, and whether there are newer ones than these."""
    older = await db.all(PAGE, id=conversation_id, at=key[0], before=key[1] + 1, limit=limit + 1)
    newer = await db.all(AFTER, id=conversation_id, at=key[0], after=key[1], limit=limit + 1)
    entries = older[:limit][::-1] + newer[:limit]
    return await _complete(db, conversation_id, entries, len(older) > limit), len(newer) > limit


async def _complete(db: Reader, conversation_id: int, entries: list[Entry], more: bool) -> Thread:
    if not entries:
        return Thread([], [], {}, [], more)
    first, last = entries[0].key, entries[-1].key
    start = {"id": conversation_id, "at": first[0], "from": first[1]}
    reactions = await db.all(REACTIONS, **start)
    files = await db.all(FILES, **start, to_at=last[0], to=last[1])
    handed = await db.all(HANDED, id=conversation_id, at=first[0], to_at=last[0], pattern=HANDOFF)
    return Thread(entries, reactions, {file.message_id: file for file in files}, handed, more)
