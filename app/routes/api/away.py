"""What came while a channel was away, over the API: the list, and what becomes of it."""

from typing import Annotated

import msgspec

from app import away
from app.routes.api.endpoint import Body, Call, Page, Paging, key_of, page
from app.store import away as store
from app.views import Id, Time


class Chat(msgspec.Struct, frozen=True):
    """A conversation that the bot has not answered: how many messages, the newest one's id, words and time."""

    conversation_id: Id
    name: str
    phone: str
    count: int
    message_id: Id
    text: str
    at: Time


class Decided(Body, frozen=True):
    """Without `conversation_id` for all of the channel. `answer`: the bot does; `hand_over`: it waits for a person."""

    decision: away.Decision
    conversation_id: Annotated[Id | None, msgspec.Meta(description="One of them.")] = None


class Count(msgspec.Struct, frozen=True):
    """For how many conversations it was decided."""

    conversations: int


async def index(call: Call, query: Paging) -> Page[Chat]:
    """Those that wait longest first."""
    call.rt.channels.get(call.id)
    after = key_of(query.cursor, 1) or (0,)
    found = await call.rt.db.reader.all(store.CHATS, channel_id=call.id, after=after[0], limit=query.limit + 1)
    rows, cursor = page(found, query.limit, lambda row: (row.newest_id,))
    return Page([_shown(row) for row in rows], cursor)


async def decide(call: Call, body: Decided) -> Count:
    chosen = None if body.conversation_id is None else int(body.conversation_id)
    return Count(await away.decide(call.rt, call.id, body.decision, chosen))


def _shown(row: store.Chat) -> Chat:
    return Chat(str(row.conversation_id), row.name, row.phone, row.count, str(row.newest_id), row.text, row.at)
