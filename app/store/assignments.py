"""Teams, and whose a conversation is. A team's folded name is unique; a conversation belongs to a user, a team, or
both: the team that has it and who of it."""

import msgspec

from app.db import Query, Statement


class Team(msgspec.Struct, frozen=True):
    """`members` counts the users in it."""

    id: int
    name: str
    members: int


USER = Query("select id from app_user where email_folded = :email and disabled_at is null", int)
TEAM = Query("select id from team where name_folded = :name", int)
ASSIGN_USER = Statement("update conversation set assigned_to = :user_id where id = :id")
ASSIGN_TEAM = Statement("update conversation set team_id = :team_id, assigned_to = null where id = :id")
