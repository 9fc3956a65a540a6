"""The audit log as programs read it."""

import pytest

from tests.api.conftest import Program

pytestmark = pytest.mark.anyio


async def test_S35_programs_and_people_are_named(api: Program) -> None:
    head = await api.key("admin")
    pair = await api.log_in()
    await api.post("/api/v1/auth/token", json={"email": "rosa@luna.example", "password": "wrong wrong wrong!"})
    await api.post("/api/v1/tokens", json={"name": "A", "scopes": ["admin"]}, headers=head)
    await api.post("/api/v1/tokens", json={"name": "B", "scopes": ["read"]}, headers=api.bearing(pair["access_token"]))
    lines = (await api.get("/api/v1/audit?limit=4", headers=head)).json()["items"][::-1]
    assert [(line["action"], line["actor"].split(":")[0], line["ip"]) for line in lines] == [
        ("login", "rosa@luna.example", "127.0.0.1"),
        ("login.failed", "?", "127.0.0.1"),
        ("token.created", "key", "127.0.0.1"),
        ("token.created", "rosa@luna.example", "127.0.0.1"),
    ]
    only = (await api.get("/api/v1/audit?action=login.failed", headers=head)).json()["items"]
    assert [line["subject"] for line in only] == ["rosa@luna.example"]
