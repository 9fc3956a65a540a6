"""Why a reply was given: the turn behind it, what was called around it, and when. All times ms UTC."""

import msgspec

from app.db import Query, Reader
from app.store.turns import CAPABILITIES, GIVEN


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


TURN = f"""
    select t.id, t.conversation_id, t.message_id, {GIVEN}, t.output, t.error, t.took_us, t.at, b.id,
           coalesce(b.name, ''), w.number, case when h.version_id = t.version_id then 1 else 0 end
    from turn t {CAPABILITIES}
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
    f"""
    select t.at, {GIVEN}, t.output from turn t {CAPABILITIES}
    where t.conversation_id = :id and t.at >= :since and t.at <= :until
      and (t.output like :called or t.input like :answered)
    order by t.at, t.id limit 100
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
