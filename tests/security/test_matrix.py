"""S13: every address of the dashboard and every operation of the API, asked by everybody: a stranger, each role, and a
key with each scope. What is expected is worked out from the line's action; what is answered comes from real requests.
"""

import re
from pathlib import Path
from typing import Final

import pytest

from app import tokens, users
from app.routes.api import ENDPOINTS
from app.routes.api.endpoint import Endpoint
from app.routes.api.openapi import PREFIX
from app.routes.site import Entry
from app.routes.table import ROUTES
from app.security import access
from app.security.limits import Limits
from tests.routes.visiting import Visit, visiting

pytestmark = pytest.mark.anyio

# Written down once more, so that a change of the product's own table is seen here.
ROLES: Final = {
    "viewer": {"self", "read"},
    "agent": {"self", "read", "answer"},
    "admin": {"self", "read", "answer", "build", "connect", "administer"},
    "owner": {"self", "read", "answer", "build", "connect", "administer", "own"},
}
SCOPES: Final = {
    "read": {"read"},
    "send": {"answer"},
    "manage": {"build", "connect"},
    "admin": {"administer", "own"},
}
# Not in either table: what is open for long and what is the same for everybody.
OTHERS: Final = {"/events", "/api/v1/events", "/api/v1/socket", "/mcp", "/static"}
NOBODY: Final = "9100000000000000000"


def place(path: str) -> str:
    """An address with the id of what is not there, so that whoever may ask changes nothing."""
    return re.sub(r"\{\w+:id\}", NOBODY, path).replace("{kind}", "whatsapp_cloud")


async def asked(visit: Visit, method: str, path: str, head: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and where it leads."""
    visit.app.state.limits = Limits(visit.rt.clock)  # how often is another test's business
    if head is not None:
        answer = await visit.client.request(method, path, headers=head, json={} if method != "GET" else None)
    elif method == "GET":
        answer = await visit.get(path)
    else:
        answer = await visit.post(path, {"role": "viewer"})  # another role may not be given by everybody who may ask
    return answer.status_code, answer.headers.get("location", "")


def expected(may: str | None, allowed: set[str] | None) -> str:
    """`in`, `out` (403) or `who` (401, or on to the log-in). `allowed` None: a stranger."""
    if may is None:
        return "in"
    if allowed is None:
        return "who"
    return "in" if may in allowed else "out"


def told(status: int, leads: str) -> str:
    if status == 401 or leads.startswith("/login"):
        return "who"
    return "out" if status == 403 else "in"


async def test_S13_the_dashboard(tmp_path: Path) -> None:
    lines = [line for line in ROUTES if line.name != "logout"]  # it ends the session that asks
    wrong: list[str] = []
    async with visiting(tmp_path, empty=True) as visit:
        for role, who in (await people(visit)).items():
            for line in lines:
                status, leads = await asked(who, line.method, place(line.path))
                wanted = expected(line.may, ROLES.get(role))
                # The pages for strangers send away whoever is in; a form without an origin of ours is refused as such.
                if told(status, leads) != wanted and line.may is not None:
                    wrong.append(f"{role} {line.method} {line.path}: {status} {leads}, not {wanted}")
                assert status < 500, f"{role} {line.method} {line.path}: {status}"
    assert not wrong, "\n".join(wrong)


async def people(visit: Visit) -> dict[str, Visit]:
    """Everybody at their own browser, logged in before anybody asks for anything."""
    found = {"stranger": Visit(visit.rt, visit.app, visit.client), "owner": visit}
    for role in ("viewer", "agent", "admin"):
        found[role] = Visit(visit.rt, visit.app, visit.client)
        await found[role].become(role)
    return found


async def test_S13_the_API(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with visiting(tmp_path, empty=True) as visit:
        for who, allowed, head in await programs(visit):
            for line in (line for line in ENDPOINTS if line.tag != "auth"):  # its log-out would end the token
                status, leads = await asked(visit, line.method, PREFIX + place(line.path), head)
                if line.may is not None and told(status, leads) != expected(line.may, allowed):
                    wrong.append(f"{who} {line.method} {line.path}: {status}, not {expected(line.may, allowed)}")
                assert status < 500, f"{who} {line.method} {line.path}: {status}"
    assert not wrong, "\n".join(wrong)


async def programs(visit: Visit) -> list[tuple[str, set[str] | None, dict[str, str]]]:
    """Who asks, what they may, and the header that shows it."""
    found: list[tuple[str, set[str] | None, dict[str, str]]] = [("stranger", None, {})]
    rt, signer = visit.rt, visit.app.state.signer
    for role, actions in ROLES.items():
        user_id, _password = await users.add(rt, email=f"{role}2@luna.example", name=role, role=role)
        given = signer.give(user_id, 0, access.scopes_for(role), rt.clock.now())
        found.append((f"token of {role}", actions, {"Authorization": f"Bearer {given}"}))
        # A key of somebody can do no more than they, whatever stands in it.
        made = await tokens.create(rt, name=role, scopes=list(SCOPES), user_id=user_id)
        found.append((f"key of {role}", actions, {"Authorization": f"Bearer {made.secret}"}))
    for scope, actions in SCOPES.items():
        made = await tokens.create(rt, name=scope, scopes=[scope])
        found.append((f"key with {scope}", actions, {"Authorization": f"Bearer {made.secret}"}))
    return found


async def test_S13_no_address_is_outside_the_tables(tmp_path: Path) -> None:
    lines: list[Entry | Endpoint] = [*ROUTES, *ENDPOINTS]
    known = {line.path if isinstance(line, Entry) else PREFIX + line.path for line in lines}
    async with visiting(tmp_path, empty=True) as visit:
        assert {route.path for route in visit.app.routes} - known == OTHERS
        assert (await visit.client.get("/events")).status_code == 401
        assert (await visit.client.get("/api/v1/events")).status_code == 401


async def test_S13_an_id_elsewhere_than_in_the_address_counts_for_nothing(tmp_path: Path) -> None:
    async with visiting(tmp_path, empty=True) as visit:
        made = await tokens.create(visit.rt, name="all", scopes=list(SCOPES))
        head = {"Authorization": f"Bearer {made.secret}"}
        there = f"{PREFIX}/tokens/{made.id}"
        assert (await asked(visit, "GET", there, head))[0] == 200
        assert (await asked(visit, "GET", f"{PREFIX}/tokens/{NOBODY}?id={made.id}", head))[0] == 400
        answer = await visit.client.patch(f"{PREFIX}/webhooks/{NOBODY}", json={"id": str(made.id)}, headers=head)
        assert answer.status_code == 422
