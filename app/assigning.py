"""Whose a conversation is: a user or a team, as the team's own order. It does not silence the bot; a hand-off does."""

from app.db import Tx
from app.store import assignments as store
from app.store.users import fold


def assign(tx: Tx, conversation_id: int, to: str) -> bool:
    """To the user with this e-mail address, else to the team of this name. False if there is neither."""
    user_id = tx.one(store.USER, email=fold(to))
    if user_id is None:
        return assign_team(tx, conversation_id, to)
    tx.run(store.ASSIGN_USER, id=conversation_id, user_id=user_id)
    return True


def assign_team(tx: Tx, conversation_id: int, name: str) -> bool:
    """To the team of this name, case ignored. False if there is none."""
    team_id = tx.one(store.TEAM, name=fold(name))
    if team_id is None:
        return False
    tx.run(store.ASSIGN_TEAM, id=conversation_id, team_id=team_id)
    return True
