"""S13: every address, page and call, asked by everybody. What is expected is written down here, not read from the
tables of addresses; an address that fits no line of it fails."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import httpx
import pytest

from app import users
from app.routes.api import ENDPOINTS
from app.routes.table import ROUTES
from app.security import access
from tests.api.conftest import Program
from tests.routes.visiting import opened

pytestmark = pytest.mark.anyio
PASSWORD = "purple kettle walks nine"
ROLES = ("viewer", "agent", "admin", "owner")
SAID = "Your role does not allow this."

# The first line that fits counts. A * stands for anything.
PAGES = """
anybody GET /login*
anybody POST /login*
anybody * /invitation
anybody * /setup
anybody GET /api/*
anybody GET /healthz
anybody GET /readyz
anybody GET /metrics
owner   * /setup/business
viewer  * /account*
viewer  * /confirm
viewer  POST /logout
viewer  GET /
viewer  GET /home/*
admin   POST /home/*
viewer  GET /nav/*
viewer  GET /media/*
viewer  GET /inbox*
agent   POST /inbox*
admin   * /contacts/*/merge
admin   * /contacts/*/unmerge
admin   * /contacts/*/erase
viewer  GET /analytics*
admin   GET /contacts/export
agent   GET /contacts/new
agent   GET /contacts/import*
viewer  GET /contacts*
agent   POST /contacts*
admin   GET /channels/new*
admin   GET /channels/*/templates/new
viewer  GET /channels*
admin   POST /channels*
admin   GET /bots/*/rules
admin   GET /bots/*/texts
admin   GET /bots/*/hours
admin   GET /bots/*/publish
admin   GET /bots/*/replay*
viewer  GET /bots*
admin   POST /bots*
admin   * /simulator*
viewer  GET /settings
owner   POST /settings/people/*/two-step
admin   * /settings*
"""
CALLS = """
anybody POST /auth/*
viewer  GET /messages*
agent   POST /messages*
viewer  GET /conversations*
agent   POST /conversations*
agent   POST /triggers
admin   POST /contacts/*/merge
admin   POST /contacts/*/unmerge
viewer  GET /analytics/*
admin   DELETE /contacts/*
admin   GET /contacts/export
viewer  GET /contacts*
agent   POST /contacts*
agent   PATCH /contacts*
viewer  POST /bots/*/lint
viewer  POST /bots/*/test
viewer  GET /bots*
admin   * /bots*
viewer  GET /channels*
admin   * /channels*
viewer  GET /templates*
admin   * /templates*
admin   * /webhooks*
admin   * /users*
admin   * /invitations*
admin   * /teams*
admin   * /audit*
admin   * /tokens*
"""


def expected(table: str, method: str, path: str) -> frozenset[str]:
    """Who may."""
    lines = (line.split() for line in table.strip().splitlines())
    for least, methods, pattern in lines:
        if methods in ("*", method) and fnmatchcase(path, pattern):
            return frozenset(("stranger", *ROLES)) if least == "anybody" else frozenset(ROLES[ROLES.index(least) :])
    raise AssertionError(f"{method} {path} is in no line of the matrix: say who may")


def filled(path: str, id: str) -> str:
    return re.sub(r"\{\w+\}", "whatsapp_cloud", re.sub(r"\{\w+:id\}", id, path))


async def test_S13_every_page_for_everybody(tmp_path: Path) -> None:
    wrong = []
    (tmp_path / "ballast").touch()
    async with opened(tmp_path, {}, empty=True) as visit:
        for who in ("stranger", *ROLES):
            if who == "stranger":
                visit.cookie = ""
            elif who == "owner":
                await visit.log_in()
            else:
                await visit.become(who)
            visit.app.state.throttle.limits.buckets.clear()
            for entry in ROUTES:
                visit.app.state.limits.buckets.clear()
                # A form without its token goes no further than the role, so that nothing is changed on the way.
                answer = await visit.client.request(entry.method, filled(entry.path, "7"), headers=visit.headers())
                away = answer.headers.get("location", "").startswith("/login") and not entry.path.startswith("/login")
                refused = SAID in answer.text or (away and who == "stranger")
                if refused == (who in expected(PAGES, entry.method, filled(entry.path, "7"))):
                    wrong.append(f"{who}: {entry.method} {entry.path} {answer.status_code}")
                if answer.status_code == 500:
                    wrong.append(f"{who}: {entry.method} {entry.path} failed")
    assert not wrong, "\n".join(wrong)


async def test_S13_every_call_for_everybody(api: Program) -> None:
    wrong = []
    for who in ("stranger", *ROLES):
        for line in ENDPOINTS:
            head = await bearing(api, who)
            path = "/api/v1" + filled(line.path, "7")
            answer = await api.request(
                line.method, path, headers=head, **({} if line.method == "GET" else {"json": {}})
            )
            refused = answer.status_code in (401, 403) and code_of(answer) in ("unauthenticated", "forbidden")
            if refused == (who in expected(CALLS, line.method, filled(line.path, "7"))):
                wrong.append(f"{who}: {line.method} {line.path} {answer.status_code}")
            assert answer.status_code < 500, answer.text
    assert not wrong, "\n".join(wrong)


async def test_S13_a_scope_lets_in_no_further_than_its_actions(api: Program) -> None:
    """A key of one scope reaches exactly what that scope is for."""
    wrong = []
    for scope, actions in access.SCOPES.items():
        head = await api.key(scope, rate=0)
        for line in ENDPOINTS:
            body = {} if line.method == "GET" else {"json": {}}
            answer = await api.request(line.method, "/api/v1" + filled(line.path, "7"), headers=head, **body)
            refused = answer.status_code == 403 and code_of(answer) == "forbidden"
            if line.may is not None and refused == (line.may in actions):
                wrong.append(f"{scope}: {line.method} {line.path} {answer.status_code}")
    assert not wrong, "\n".join(wrong)


async def bearing(api: Program, who: str) -> dict[str, str]:
    """The header of an access token with every scope that this role has; nothing for a stranger."""
    api.app.state.limits.buckets.clear()
    if who == "stranger":
        return {}
    email = "rosa@luna.example" if who == "owner" else f"{who}@luna.example"
    if who != "owner" and who not in [user.role for user in await users.list_all(api.rt)]:
        await users.add(api.rt, email=email, name=who, role=who, password=PASSWORD)
    user = await users.find(api.rt, email)
    signer: access.Signer = api.app.state.signer
    token = signer.give(user.id, user.token_version, frozenset(access.SCOPES), api.rt.clock.now())
    return api.bearing(token)


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"]) if answer.headers["content-type"] == "application/json" else ""
