"""Versions that go live at a time: a row until then, with its job of the same name."""

import msgspec

from app.db import Query, Reader, Statement


class Planned(msgspec.Struct, frozen=True):
    """`channels`: ids as a JSON list; `at`: when, ms; `author`: who asked, '' for the command line; `problem`: why it
    did not go live, '' while it waits."""

    id: int
    bot_id: int
    version_id: int
    number: int
    channels: str
    user_id: int | None
    author: str
    at: int
    problem: str

    @property
    def channel_ids(self) -> tuple[int, ...]:
        return msgspec.json.decode(self.channels, type=tuple[int, ...])


_PLANNED = """
    select p.id, p.bot_id, p.version_id, v.number, p.channels, p.user_id, coalesce(u.name, ''), p.at, p.problem
    from planned p join version v on v.id = p.version_id left join app_user u on u.id = p.user_id
"""
BY_ID = Query(f"{_PLANNED} where p.id = :id", Planned)
OF_BOT = Query(f"{_PLANNED} where p.bot_id = :bot_id order by p.at, p.id", Planned)
FAILED_ONES = Query(f"{_PLANNED} where p.problem <> '' order by p.at desc, p.id desc limit 5", Planned)
INSERT = Statement(
    """
    insert into planned (id, bot_id, version_id, channels, user_id, at, created_at)
    values (:id, :bot_id, :version_id, :channels, :user_id, :at, :now)
    """
)
DELETE = Statement("delete from planned where id = :id")
FAILED = Statement("update planned set problem = :problem where id = :id")


async def list_failed(db: Reader) -> list[Planned]:
    """The newest of those that did not go live and were not dismissed."""
    return await db.all(FAILED_ONES)
