"""Bots, their drafts and versions, and the record of what was put live where."""

import msgspec

from app.db import Query, Reader, Statement, Tx


class Bot(msgspec.Struct, frozen=True):
    """A bot with its draft. `draft_revision` counts the saves; `last_number`: the newest version's, or 0."""

    id: int
    name: str
    draft: str
    draft_revision: int
    draft_by: int | None
    draft_at: int
    last_number: int
    created_at: int


class Listed(msgspec.Struct, frozen=True):
    """A bot in a list, without its draft's text."""

    id: int
    name: str
    draft_at: int
    last_number: int
    drafter: str


class Numbered(msgspec.Struct, frozen=True):
    """A published version in a list. `author` is '' where nobody is known."""

    id: int
    number: int
    note: str
    published_at: int
    author: str


class Text(msgspec.Struct, frozen=True):
    """A version with its document. `number` is None for a snapshot that was only tried."""

    id: int
    bot_id: int
    number: int | None
    digest: str
    document: str


class Live(msgspec.Struct, frozen=True):
    """Where a version is live now. `bot_id` and `version_id` are None for a channel without a bot."""

    channel_id: int
    channel: str
    connector: str
    bot_id: int | None
    version_id: int | None
    number: int | None


class Published(msgspec.Struct, frozen=True):
    """One line of the record: this version went live on this channel, after `previous` (of the same bot) or None."""

    id: int
    channel: str
    number: int
    previous: int | None
    author: str
    at: int


_BOT = "b.id, b.name, b.draft, b.draft_revision, b.draft_by, b.draft_at, b.last_number, b.created_at"
_TEXT = "v.id, v.bot_id, v.number, v.digest, v.document"

BY_ID = Query(f"select {_BOT} from bot b where b.id = :id", Bot)
BY_NAME = Query(f"select {_BOT} from bot b where b.name_folded = :name", Bot)
ALL = Query(
    """
    select b.id, b.name, b.draft_at, b.last_number, coalesce(u.name, '')
    from bot b left join app_user u on u.id = b.draft_by order by b.name_folded
    """,
    Listed,
)
INSERT = Statement(
    """
    insert into bot (id, name, name_folded, draft, draft_revision, draft_by, draft_at, created_at)
    values (:id, :name, :name_folded, :draft, 1, :draft_by, :now, :now)
    on conflict (name_folded) do nothing
    """
)
SAVE_DRAFT = Statement(
    """
    update bot set draft = :draft, draft_revision = draft_revision + 1, draft_by = :draft_by, draft_at = :now
    where id = :id and draft_revision = :revision
    """
)
RENAME = Statement("update bot set name = :name, name_folded = :name_folded where id = :id")
SET_NUMBER = Statement("update bot set last_number = :number where id = :id")

VERSION = Query(f"select {_TEXT} from version v where v.id = :id", Text)
BY_NUMBER = Query(f"select {_TEXT} from version v where v.bot_id = :bot_id and v.number = :number", Text)
BY_DIGEST = Query("select id from version where bot_id = :bot_id and digest = :digest order by id limit 1", int)
VERSIONS = Query(
    """
    select v.id, v.number, v.note, v.published_at, coalesce(u.name, '')
    from version v left join app_user u on u.id = v.user_id
    where v.bot_id = :bot_id and v.number is not null order by v.number desc
    """,
    Numbered,
)
INSERT_VERSION = Statement(
    """
    insert into version (id, bot_id, number, digest, document, note, user_id, created_at, published_at)
    values (:id, :bot_id, :number, :digest, :document, :note, :user_id, :now, :published_at)
    """
)

CHANNELS = Query(
    """
    select c.id, c.name, c.connector, v.bot_id, c.version_id, v.number
    from channel c left join version v on v.id = c.version_id
    where c.removed_at is null and c.connector <> 'simulator' order by c.created_at, c.id
    """,
    Live,
)
# What a channel answers with, and what conversations in the middle of a flow began with. A channel without a version is
# the simulator's, which loads what it tries.
LIVE = Query(
    """
    select v.id, v.document from version v
    where v.id in (select c.version_id from channel c where c.removed_at is null)
       or exists (
         select 1 from conversation k join channel c on c.id = k.channel_id
         where k.version_id = v.id and c.version_id is not null and c.removed_at is null
       )
    """,
    lambda id, document: (int(id), str(document)),
)
INSERT_PUBLICATION = Statement(
    """
    insert into publication (id, channel_id, version_id, previous_id, user_id, at)
    values (:id, :channel_id, :version_id, :previous_id, :user_id, :now)
    """
)
PUBLICATIONS = Query(
    """
    select p.id, c.name, v.number, w.number, coalesce(u.name, ''), p.at
    from publication p
    join version v on v.id = p.version_id
    join channel c on c.id = p.channel_id
    left join version w on w.id = p.previous_id and w.bot_id = v.bot_id
    left join app_user u on u.id = p.user_id
    where v.bot_id = :bot_id order by p.at desc, p.id desc limit 50
    """,
    Published,
)


def insert(tx: Tx, name: str, draft: str, user_id: int | None) -> int | None:
    """The new bot's id, or None where the name is taken."""
    bot_id = tx.new_id()
    added = tx.run(
        INSERT, id=bot_id, name=name, name_folded=fold(name), draft=draft, draft_by=user_id, now=tx.now
    )  # fmt: skip
    return bot_id if added else None


def insert_version(
    tx: Tx,
    bot_id: int,
    document: str,
    digest: str,
    *,
    number: int | None = None,
    note: str = "",
    user_id: int | None = None,
) -> int:
    version_id = tx.new_id()
    published_at = None if number is None else tx.now
    tx.run(
        INSERT_VERSION, id=version_id, bot_id=bot_id, number=number, digest=digest, document=document, note=note,
        user_id=user_id, now=tx.now, published_at=published_at,
    )  # fmt: skip
    return version_id


async def list_bots(db: Reader) -> list[Listed]:
    return await db.all(ALL)


async def list_channels(db: Reader) -> list[Live]:
    """Every channel that can have a bot, with the version that is live there."""
    return await db.all(CHANNELS)


def fold(name: str) -> str:
    return " ".join(name.split()).casefold()
