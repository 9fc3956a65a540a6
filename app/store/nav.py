"""The number beside Inbox: conversations that wait for a person."""

from app.db import Query, Reader

COUNT_WAITING = Query("select count(*) from conversation where waiting_since is not null", int)


async def count_waiting(db: Reader) -> int:
    return await db.one(COUNT_WAITING) or 0
