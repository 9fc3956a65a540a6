"""Commands on people and what they may do: users, teams, API keys, the audit log."""

from typing import TYPE_CHECKING, Any

from app import (
    audit,
    rotation,
    second_factor,
    teams,
    tokens,
    users,
    within,
)

if TYPE_CHECKING:
    from app.runtime import Runtime

Row = dict[str, Any]


# ---- people ---------------------------------------------------------------------------------------------------------


async def set_up(rt: "Runtime", *, email: str, name: str, password: str) -> Row:
    return {"id": str(await users.create_owner(rt, email=email, name=name, password=password)), "email": email}


async def add_user(rt: "Runtime", *, email: str, name: str, role: str, password: str | None) -> Row:
    """Without a password one is made and told this once."""
    user_id, made = await users.add(rt, email=email, name=name, role=role, password=password)
    told = {} if password else {"password": made}
    return {"id": str(user_id), "email": email, "role": role, **told}


async def list_users(rt: "Runtime") -> list[Row]:
    return [
        {
            "id": str(user.id),
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "disabled": user.disabled_at is not None,
        }
        for user in await users.list_all(rt)
    ]


async def disable_user(rt: "Runtime", *, email: str) -> Row:
    user = await users.find(rt, email)
    await users.disable(rt, user.id)
    return {"id": str(user.id), "email": user.email}


async def limit_user(rt: "Runtime", *, email: str, channels: list[str] | None) -> Row:
    user = await users.find(rt, email)
    await within.limit_user(rt, user.id, None if channels is None else await within.named(rt, channels))
    return {"id": str(user.id), "email": user.email, "channels": channels}


async def limit_team(rt: "Runtime", *, name: str, channels: list[str] | None) -> Row:
    team_id = await teams.find(rt, name)
    await within.limit_team(rt, team_id, None if channels is None else await within.named(rt, channels))
    return {"id": str(team_id), "name": name, "channels": channels}


async def reset_password(rt: "Runtime", *, email: str, password: str | None) -> Row:
    user = await users.find(rt, email)
    made = await users.reset_password(rt, user.id, password)
    told = {} if password else {"password": made}
    return {"id": str(user.id), "email": user.email, **told}


async def reset_two_step(rt: "Runtime", *, email: str) -> Row:
    user = await users.find(rt, email)
    await second_factor.reset(rt, user.id)
    return {"id": str(user.id), "email": user.email}


# ---- teams ----------------------------------------------------------------------------------------------------------


async def add_team(rt: "Runtime", *, name: str) -> Row:
    return {"id": str(await teams.add(rt, name)), "name": name}


async def list_teams(rt: "Runtime") -> list[Row]:
    return [
        {"id": str(team.id), "name": team.name, "members": [member.email for member in team.members]}
        for team in await teams.list_all(rt)
    ]


async def remove_team(rt: "Runtime", *, name: str) -> Row:
    team_id = await teams.find(rt, name)
    await teams.remove(rt, team_id)
    return {"id": str(team_id), "name": name}


async def join_team(rt: "Runtime", *, name: str, email: str) -> Row:
    await teams.join(rt, await teams.find(rt, name), (await users.find(rt, email)).id)
    return {"name": name, "email": email}


async def leave_team(rt: "Runtime", *, name: str, email: str) -> Row:
    await teams.leave(rt, await teams.find(rt, name), (await users.find(rt, email)).id)
    return {"name": name, "email": email}


# ---- API keys -------------------------------------------------------------------------------------------------------


async def create_token(
    rt: "Runtime", *, name: str, scopes: list[str], days: int | None, rate: float | None,
    channels: list[str] | None = None,
) -> Row:  # fmt: skip
    """The key itself is told this once."""
    seen = None if channels is None else await within.named(rt, channels)
    made = await tokens.create(rt, name=name, scopes=scopes, days=days, rate=rate, channels=seen)
    return {"id": str(made.id), "key": made.secret, "expires_at": made.expires_at}


# ---- encryption keys ------------------------------------------------------------------------------------------------


async def rotate_keys(rt: "Runtime") -> Row:
    """The new key's name, how many secrets it seals now, and how many open with no key."""
    done = await rotation.rotate(rt)
    return {"key": done.kid, "sealed": done.sealed, "unreadable": done.unreadable}


# ---- the audit log --------------------------------------------------------------------------------------------------


async def verify_audit(rt: "Runtime") -> Row:
    """How many lines there are and the first that does not fit, if any."""
    found = await rt.db.read(audit.verify)
    return {"lines": found.lines, "wrong": found.wrong}
