"""The dashboard is loaded with the first request that needs it; health is told without it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.dashboard import Dashboard
from app.runtime import Runtime
from app.security.setup import SetupLink

START = """
import asyncio, sys
from pathlib import Path
import app.runtime, app.server, app.control, app.dashboard, app.routes.hooks
from app import connecting
from app.settings import load

async def main(folder):
    rt = await app.runtime.start(load({"data": folder}, {}, Path(folder)))
    values = {"phone_number_id": "1", "access_token": "EAA-test", "app_secret": "secret", "verify_token": "plum"}
    await connecting.add(rt.channels, "whatsapp_cloud", "Shop", values, rate=0)
    await app.runtime.stop(rt)

asyncio.run(main(sys.argv[1]))
print(*sorted(sys.modules))
"""
NOT_AT_START = {
    "app.web", "app.commands", "app.routes.table", "starlette", "jwt", "websockets", "prometheus_client", "psycopg",
    "httpx", "pyreqwest",
}  # fmt: skip


def browser(dashboard: Dashboard) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(dashboard, client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.mark.anyio
async def test_health_is_told_alike_before_and_after_the_dashboard_is_loaded(rt: Runtime) -> None:
    dashboard = Dashboard(rt, SetupLink(rt.clock))
    async with browser(dashboard) as asker:
        before = await asker.get("/healthz")
        head = await asker.head("/healthz")
        assert dashboard._app is None
        assert (await asker.get("/login")).status_code in (200, 303)
        assert dashboard._app is not None
        after = await asker.get("/healthz")
    assert before.status_code == head.status_code == after.status_code == 200
    assert before.json() == after.json() == {"status": "ok"} and head.content == b""
    changing = {"x-request-id"}
    assert {k: v for k, v in before.headers.items() if k not in changing} == {
        k: v for k, v in after.headers.items() if k not in changing
    }
    assert before.headers["x-request-id"] != after.headers["x-request-id"]


@pytest.mark.anyio
async def test_the_first_requests_together_load_one_dashboard_with_the_link_that_was_told(rt: Runtime) -> None:
    link = SetupLink(rt.clock)
    token = link.issue()
    dashboard = Dashboard(rt, link)
    async with browser(dashboard) as asker, browser(dashboard) as other:
        answers = await asyncio.gather(*(each.get(f"/setup?token={token}") for each in (asker, other)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert dashboard._app is not None and dashboard._app.state.setup is link


def test_nothing_is_loaded_at_the_start_that_only_pages_and_replies_need(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert not NOT_AT_START & set(ended.stdout.split())
