"""A filled installation and somebody who is logged in to its dashboard, without a browser or a socket."""

import atexit
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from starlette.applications import Starlette

from app import runtime, users
from app.db import Query, open_database
from app.runtime import Runtime
from app.web import create_app
from tests.again import again
from tests.browser import filled
from tests.browser.filled import ManualClock
from tests.browser.house import EMAIL, PASSWORD, settings
from tests.databases import put_up, taken_down

NOW = 1_790_000_000_000
CONTACT = "select v.id from conversation v join contact c on c.id = v.contact_id where c.phone = :phone"
ANA, LONG, PRIYA, AHMED = "5511987654321", "34600111222", "919812345678", "966501234567"


class Visit:
    """`get` and `post` as whoever is logged in; `hx=True` as htmx does."""

    def __init__(self, rt: Runtime, app: Starlette, client: httpx.AsyncClient) -> None:
        self.rt, self.app, self.client, self.cookie, self.csrf = rt, app, client, "", ""

    async def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        self.cookie = ""
        answer = await self.client.post("/login", data={"email": email, "password": password}, headers=self.headers())
        assert answer.status_code == 303, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        found = re.search(r'"X-CSRF-Token": "([^"]+)"', (await self.get("/account")).text)
        assert found
        self.csrf = found.group(1)

    def headers(self, hx: bool = False) -> dict[str, str]:
        said = {"Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            said["Cookie"] = self.cookie
        return said | ({"HX-Request": "true"} if hx else {})

    async def get(self, path: str, *, hx: bool = False, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=self.headers(hx) | headers)

    async def post(self, path: str, data: dict[str, Any] | None = None, *, hx: bool = False) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **(data or {})}, headers=self.headers(hx))

    async def one(self, sql: str, **params: Any) -> Any:
        """The first column of the first row."""
        return await self.rt.db.reader.one(Query(sql, lambda value: value), **params)

    async def chat(self, phone: str) -> int:
        return int(await self.one(CONTACT, phone=phone))

    async def become(self, role: str) -> None:
        """Log in as somebody of this role."""
        owner = await users.find(self.rt, EMAIL)
        _id, password = await users.add(self.rt, email=f"{role}@luna.example", name=role.title(), role=role, by=owner)
        await self.log_in(f"{role}@luna.example", password)


class Prepared(NamedTuple):
    """A data folder to copy, with somebody logged in: a password takes as long to check as the rest of a test. `rows`:
    those of the database, where it is not in the folder."""

    folder: Path
    rows: dict[str, bytes]
    cookie: str
    csrf: str


_prepared: dict[tuple[bool, bool], Prepared] = {}


async def prepared(empty: bool, database_url: str) -> Prepared:
    """The bakery, or an installation with nothing but its owner; each written once, on SQLite and on Postgres."""
    kind = empty, bool(database_url)
    if kind not in _prepared:
        folder = Path(tempfile.mkdtemp(prefix="parley-story-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        (folder / "ballast").touch()
        environment = named(database_url)
        if not empty:
            filled.fill(folder, NOW, environment)
        async with opened(folder, environment, empty=empty) as visit:
            await visit.log_in()
            await again.decide(visit.rt)
        rows = taken_down(database_url) if database_url else {}
        _prepared[kind] = Prepared(folder, rows, visit.cookie, visit.csrf)
    return _prepared[kind]


def named(database_url: str) -> dict[str, str]:
    return {"PARLEY_DATABASE_URL": database_url} if database_url else {}


@asynccontextmanager
async def visiting(folder: Path, *, empty: bool = False, database_url: str = "") -> AsyncIterator[Visit]:
    """The bakery at a time that stands still; `empty`: an installation with nothing but its owner."""
    data, source = folder / "data", await prepared(empty, database_url)
    shutil.copytree(source.folder, data)
    if database_url:
        schema = open_database(database_url, clock=ManualClock(NOW))
        await schema.start()  # migrates it, if nobody did yet
        await schema.stop()
        put_up(database_url, source.rows)
    async with opened(data, named(database_url)) as visit:
        visit.cookie, visit.csrf = source.cookie, source.csrf
        yield visit
        await again.decide(visit.rt, since=NOW)  # the story is the same in every test


@asynccontextmanager
async def opened(data: Path, environment: dict[str, str], *, empty: bool = False) -> AsyncIterator[Visit]:
    """What this folder holds, running, with a browser. `empty`: its owner has to be made."""
    rt = await runtime.start(settings(data, environment), ManualClock(NOW))
    try:
        if empty:
            await users.create_owner(rt, email=EMAIL, name="Rosa Martins", password=PASSWORD)
        for live in rt.channels.by_id.values():
            live.sender.open = False  # nothing may try to reach a network
        app = create_app(rt)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield Visit(rt, app, client)
    finally:
        await runtime.stop(rt)
