"""Whose a conversation is, as a person or a program says: a user's, a team's, or nobody's. The bot answers on; it is
silent only where somebody has taken the conversation (`app/handoff.py`)."""

from typing import TYPE_CHECKING

import msgspec

from app import content, events, saying, within
from app.db import Reader, Tx
from app.errors import Conflict, NotFound
from app.said import N_
from app.store import conversations, users
from app.store import teams as store
from app.store.users import User

if TYPE_CHECKING:
    from app.runtime import Runtime

NO_PERSON = N_("There is no such person, or they cannot log in any more.")


class To(msgspec.Struct, frozen=True):
    """A user, or a team, or nobody."""

    user_id: int | None = None
    team_id: int | None = None


async def assign(rt: "Runtime", conversation_id: int, to: To, by: str) -> None:
    """`by` is who says so, as the note in the thread has it. Raises `NotFound`, and `Conflict` for a person who does
    not see the channel."""
    channel = await rt.db.reader.one(conversations.CHANNEL, id=conversation_id)
    if channel is None:
        raise NotFound(N_("There is no such conversation."))
    if to.user_id is not None:
        await check_person(rt.db.reader, to.user_id, channel[0])
    await rt.db.write(_assign, conversation_id, channel[0], to, by, key=conversation_id)


async def check_person(db: Reader, user_id: int, channel_id: int) -> None:
    user = await db.one(users.BY_ID, id=user_id)
    if user is None or user.disabled_at is not None:
        raise NotFound(NO_PERSON)
    seen = await within.of_user(db, user)
    if seen is not None and channel_id not in seen:
        raise Conflict(N_("{name} does not see this channel.", name=user.name), code="not_seen")


def _assign(tx: Tx, conversation_id: int, channel_id: int, to: To, by: str) -> None:
    tx.lock("conversation", conversation_id)
    name = _name(tx, to)
    tx.run(store.ASSIGN_TEAM, id=conversation_id, team_id=to.team_id)
    if to.user_id is not None:
        tx.run(store.ASSIGN_USER, id=conversation_id, user_id=to.user_id)
    what = "assigned" if name else "assigned.nobody"
    saying.remark(tx, conversation_id, channel_id, content.System(what, data={"name": name, "by": by}))
    saying.tell(tx, conversation_id, events.CONVERSATION_UPDATED)


def _name(tx: Tx, to: To) -> str:
    """Of whom it is for; '' for nobody. Raises `NotFound`."""
    user: User | None = tx.one(users.BY_ID, id=to.user_id) if to.user_id is not None else None
    if to.user_id is not None and user is None:
        raise NotFound(NO_PERSON)
    team = tx.one(store.BY_ID, id=to.team_id) if to.team_id is not None else None
    if to.team_id is not None and team is None:
        raise NotFound(N_("There is no such team. It may have been removed."))
    return user.name if user else team or ""
