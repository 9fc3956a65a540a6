"""What the inbox reads: the list of conversations, one thread, whom it is with, and why a reply was given.

Lists page by key, newest first: by (last_at, id) for conversations, by (at, id) for messages. All times ms UTC.
"""

from typing import Final

import msgspec

from app.db import Query, Reader
from app.store import teams

FIRST: Final = (2**62, 2**62)  # before every row, newest first
LAST: Final = (0, 0)
HANDOFF: Final = '%"effect":"handoff"%'  # how a stored decision names it
MANY: Final = 100  # counts stop here: the tabs say "99+"

Key = tuple[int, int]


class Row(msgspec.Struct, frozen=True):
    """One conversation of the list. The `last_…` fields are of its newest message, empty before the first."""

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
           coalesce(m.kind, ''), coalesce(m.direction, ''), coalesce(m.author, ''), coalesce(m.status, ''),
           coalesce(m.rule, ''), m.user_id, v.assigned_to, coalesce(a.name, ''), coalesce(g.name, '')
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


# ---- one conversation ------------------------------------------------------------------------------------------------


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


async def _complete(db: Reader, conversation_id: int, entries: list[Entry], more: bool) -> Thread:
    if not entries:
        return Thread([], [], {}, [], more)
    first, last = entries[0].key, entries[-1].key
    start = {"id": conversation_id, "at": first[0], "from": first[1]}
    reactions = await db.all(REACTIONS, **start)
    files = await db.all(FILES, **start, to_at=last[0], to=last[1])
    handed = await db.all(HANDED, id=conversation_id, at=first[0], to_at=last[0], pattern=HANDOFF)
    return Thread(entries, reactions, {file.message_id: file for file in files}, handed, more)


# ---- why -------------------------------------------------------------------------------------------------------------


class Turn(msgspec.Struct, frozen=True):
    """A turn with the version that decided. `input` and `output` are JSON; `number` is None for a draft."""

    id: int
    conversation_id: int
    message_id: int | None
    input: str
    output: str
    error: str
    took_us: int
    at: int
    bot_id: int | None
    bot: str
    number: int | None
    live: int


TURN = """
    select t.id, t.conversation_id, t.message_id, t.input, t.output, t.error, t.took_us, t.at, b.id,
           coalesce(b.name, ''), w.number, case when h.version_id = t.version_id then 1 else 0 end
    from turn t
    join conversation v on v.id = t.conversation_id
    join channel h on h.id = v.channel_id
    left join version w on w.id = t.version_id
    left join bot b on b.id = w.bot_id
"""
TURN_BY_ID = Query(f"{TURN} where t.id = :id", Turn)
TURN_OF_MESSAGE = Query(f"{TURN} where t.id = :message_id", Turn)
LATEST_TURN = Query(f"{TURN} where t.conversation_id = :id order by t.at desc limit 1", Turn)


class Step(msgspec.Struct, frozen=True):
    """A turn beside the one that is explained. `input` and `output` are JSON."""

    at: int
    input: str
    output: str


CALLS = Query(
    """
    select at, input, output from turn
    where conversation_id = :id and at >= :since and at <= :until and (output like :called or input like :answered)
    order by at, id limit 100
    """,
    Step,
)


class Asked(msgspec.Struct, frozen=True):
    """The message whose explanation is wanted."""

    id: int
    conversation_id: int
    turn_id: int | None


ASKED = Query("select id, conversation_id, turn_id from message where id = :id", Asked)


class Times(msgspec.Struct, frozen=True):
    """When a turn's message came in and when the network took the first reply; None where that is not known."""

    received_at: int | None
    written_at: int | None
    accepted_at: int | None


TIMES = Query(
    """
    select i.at, o.at, case when o.sent_at > o.at then o.sent_at end
    from turn t
    left join message i on i.id = t.message_id
    left join message o on o.turn_id = t.id and o.step = 0
    where t.id = :id
    """,
    Times,
)


async def find_turn(db: Reader, conversation_id: int, message_id: int | None) -> Turn | None:
    """The turn behind a message of this conversation, or the newest one where no message is named."""
    if message_id is None:
        return await db.one(LATEST_TURN, id=conversation_id)
    asked = await db.one(ASKED, id=message_id)
    if asked is None or asked.conversation_id != conversation_id:
        return None
    if asked.turn_id is not None:
        return await db.one(TURN_BY_ID, id=asked.turn_id)
    return await db.one(TURN_OF_MESSAGE, message_id=asked.id)
