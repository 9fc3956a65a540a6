"""Conversations over the API: the list, one thread, and who has it."""

from typing import Literal

from app import assigning, handoff
from app.errors import Conflict, NotFound
from app.i18n import tell
from app.routes.api.endpoint import FIRST, Body, Call, Page, Paging, key_of, page
from app.said import N_
from app.store import listing
from app.views import Conversation, Id, Message, conversation, message

Mode = Literal["bot", "waiting", "person"]


class Filter(Paging, frozen=True):
    """`mode` or `contact`, not both."""

    mode: Mode | None = None
    contact: Id | None = None


async def index(call: Call, query: Filter) -> Page[Conversation]:
    """Newest first."""
    at, before = key_of(query.cursor, 2) or (FIRST, FIRST)
    bounds = {"at": at, "id": before, "limit": query.limit + 1}
    reader = call.rt.db.reader
    if query.contact is not None and query.mode is not None:
        raise Conflict(N_("Ask by mode or by contact."))
    if query.contact is not None:
        found = await reader.all(listing.CHATS_OF_CONTACT, contact_id=int(query.contact), **bounds)
    elif query.mode is not None:
        found = await reader.all(listing.CHATS_BY_MODE, mode=query.mode, **bounds)
    else:
        found = await reader.all(listing.CHATS, **bounds)
    rows, cursor = page(found, query.limit, lambda row: (row.last_at, row.id))
    return Page([conversation(row) for row in rows], cursor)


async def show(call: Call) -> Conversation:
    row = await call.rt.db.reader.one(listing.CHAT, id=call.id)
    if row is None:
        raise NotFound(N_("There is no such conversation."))
    return conversation(row)


async def thread(call: Call, query: Paging) -> Page[Message]:
    """The messages, newest first."""
    await show(call)
    at, before = key_of(query.cursor, 2) or (FIRST, FIRST)
    found = await call.rt.db.reader.all(
        listing.MESSAGES, conversation_id=call.id, at=at, id=before, limit=query.limit + 1
    )
    rows, cursor = page(found, query.limit, lambda row: (row.at, row.id))
    return Page([message(row) for row in rows], cursor)


async def take(call: Call) -> Conversation:
    """The person whose credential this is has it now; the bot is silent until it is given back."""
    if call.caller.user_id is None:
        raise Conflict(N_("This key belongs to nobody, and a conversation is taken by somebody."), code="nobody")
    await handoff.take(call.rt, call.id, call.caller.user_id)
    return await show(call)


async def give_back(call: Call) -> Conversation:
    """The bot answers again."""
    await handoff.give_back(call.rt, call.id)
    return await show(call)


class Assignment(Body, frozen=True):
    """A user or a team, not both; without either it is nobody's."""

    user_id: Id | None = None
    team_id: Id | None = None


async def assign(call: Call, body: Assignment) -> Conversation:
    """It is theirs from now on; the bot answers on."""
    if body.user_id is not None and body.team_id is not None:
        raise Conflict(N_("Name a user or a team."))
    person = await call.person()
    user_id, team_id = (None if id is None else int(id) for id in (body.user_id, body.team_id))
    to = assigning.To(user_id, team_id)
    await assigning.assign(call.rt, call.id, to, person.name if person else tell(N_("A program")))
    return await show(call)


async def close(call: Call) -> Conversation:
    """Done; the bot answers when the person writes again."""
    await handoff.close(call.rt, call.id)
    return await show(call)
