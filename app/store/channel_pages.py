"""What the channel pages read beyond the channel itself: who answers on it, what was said, what the network told."""

import msgspec

from app.db import Query, Reader
from app.store.overview import first_id


class Answerer(msgspec.Struct, frozen=True):
    """A published version that may answer on a channel, newest first within its bot."""

    version_id: int
    bot_id: int
    bot: str
    number: int
    note: str
    published_at: int


_ANSWERER = """
    select w.id, b.id, b.name, w.number, w.note, coalesce(w.published_at, w.created_at)
    from bot b join version w on w.bot_id = b.id
"""
NEWEST_VERSIONS = Query(
    f"{_ANSWERER} where w.number = b.last_number and b.last_number > 0 order by b.name_folded", Answerer
)
VERSION = Query(f"{_ANSWERER} where w.id = :id and w.number is not null", Answerer)


class Published(msgspec.Struct, frozen=True):
    """What was made live on a channel, when and by whom."""

    version_id: int
    bot: str
    number: int | None
    user: str
    at: int


PUBLICATIONS = Query(
    """
    select p.version_id, b.name, w.number, coalesce(u.name, ''), p.at
    from publication p
    join version w on w.id = p.version_id join bot b on b.id = w.bot_id
    left join app_user u on u.id = p.user_id
    where p.channel_id = :id order by p.at desc limit 8
    """,
    Published,
)


class Notice(msgspec.Struct, frozen=True):
    """An update about the account, as the network sent it (JSON bytes)."""

    id: int
    field: str
    body: bytes
    at: int


NOTICES = Query(
    """
    select id, field, body, at from raw_update
    where channel_id = :id and field = :field and conversation_id is null
    order by at desc limit :limit
    """,
    Notice,
)
NOTICE_FIELDS = Query(
    """
    select field, count(*), max(at) from raw_update
    where channel_id = :id and conversation_id is null group by field order by 3 desc
    """,
    lambda field, count, at: (field, count, at),
)


class Stakes(msgspec.Struct, frozen=True):
    """What removing a channel touches: its conversations, messages not sent yet, people in the middle of something."""

    conversations: int
    unsent: int


STAKES = Query(
    """
    select (select count(*) from conversation where channel_id = :id),
           (select count(*) from outbox where channel_id = :id)
    """,
    Stakes,
)
COUNT_TODAY = Query(
    "select channel_id, count(*) from message where id >= :first and at >= :since group by channel_id",
    lambda channel_id, n: (channel_id, n),
)
FORMER_NAMES = Query("select name_folded from channel_name where channel_id = :id order by name_folded", str)


async def list_answerers(db: Reader) -> list[Answerer]:
    """The newest published version of every bot."""
    return await db.all(NEWEST_VERSIONS)


async def find_answerer(db: Reader, version_id: int | None) -> Answerer | None:
    if version_id is None:
        return None
    return await db.one(VERSION, id=version_id)


async def list_publications(db: Reader, channel_id: int) -> list[Published]:
    return await db.all(PUBLICATIONS, id=channel_id)


async def list_notices(db: Reader, channel_id: int, field: str, limit: int = 1) -> list[Notice]:
    return await db.all(NOTICES, id=channel_id, field=field, limit=limit)


async def list_notice_fields(db: Reader, channel_id: int) -> list[tuple[str, int, int]]:
    """(field, how many, newest) of the updates that the network sent about the account."""
    return await db.all(NOTICE_FIELDS, id=channel_id)


async def get_stakes(db: Reader, channel_id: int) -> Stakes:
    return await db.one(STAKES, id=channel_id) or Stakes(0, 0)


async def count_today(db: Reader, since: int) -> dict[int, int]:
    """Messages per channel since a time."""
    return dict(await db.all(COUNT_TODAY, first=first_id(since), since=since))


async def list_names(db: Reader, channel_id: int) -> list[str]:
    """Folded names by which the channel is found, former ones included."""
    return await db.all(FORMER_NAMES, id=channel_id)
