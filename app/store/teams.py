"""Teams, and whose a conversation is: a user's, a team's, or both, the team that has it and who of it. A team's folded
name is unique."""

import msgspec

from app.db import Query, Statement


class Member(msgspec.Struct, frozen=True):
    """A user in a team."""

    team_id: int
    id: int
    name: str
    email: str


INSERT = Statement(
    """
    insert into team (id, name, name_folded, created_at) values (:id, :name, :name_folded, :now)
    on conflict (name_folded) do nothing
    """
)
REMOVE = Statement("delete from team where id = :id")
JOIN = Statement(
    """
    insert into team_member (team_id, user_id) values (:team_id, :user_id)
    on conflict (team_id, user_id) do nothing
    """
)
LEAVE = Statement("delete from team_member where team_id = :team_id and user_id = :user_id")
ALL = Query("select id, name from team order by name_folded", lambda id, name: (int(id), str(name)))
MEMBERS = Query(
    """
    select m.team_id, u.id, u.name, u.email from team_member m join app_user u on u.id = m.user_id
    order by lower(u.name), u.id
    """,
    Member,
)
BY_ID = Query("select name from team where id = :id", str)
OF_USER = Query("select team_id from team_member where user_id = :user_id order by team_id", int)
USER = Query("select id from app_user where email_folded = :email and disabled_at is null", int)
TEAM = Query("select id from team where name_folded = :name", int)
ASSIGN_USER = Statement("update conversation set assigned_to = :user_id where id = :id")
ASSIGN_TEAM = Statement("update conversation set team_id = :team_id, assigned_to = null where id = :id")


def fold(name: str) -> str:
    return " ".join(name.split()).casefold()
