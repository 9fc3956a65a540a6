"""A dashboard under test: the real application over a real database, and a browser that behaves like one."""

from pathlib import Path
from typing import Any, cast

import httpx
from starlette.applications import Starlette

from app import users
from app.bus import Bus
from app.clock import Clock
from app.db import Database
from app.metrics import Metrics
from app.runtime import Runtime
from app.security.secrets import Keyring
from app.settings import Settings, load
from app.troubles import Troubles
from app.web import create_app
from tests.canaries import plant

ORIGIN = "http://127.0.0.1:8080"
PASSWORD = plant("purple kettle walks nine")


class House:
    """What the shell needs of a runtime: everything but channels and jobs."""

    settings: Settings
    clock: Clock
    keys: Keyring
    install: str
    bus: Bus
    metrics: Metrics
    troubles: Troubles
    db: Any
    app: Starlette
    faults: list[dict[str, str]]

    @property
    def rt(self) -> Runtime:
        return cast(Runtime, self)

    async def problems(self) -> list[dict[str, str]]:
        return self.faults

    def browser(self, ip: str = "127.0.0.1", origin: str = ORIGIN, **headers: str) -> "Browser":
        transport = httpx.ASGITransport(self.app, client=(ip, 50_000))
        return Browser(transport=transport, base_url=origin, headers={"origin": origin, **headers})

    async def add_user(self, email: str = "rosa@luna.example", role: str = "owner") -> int:
        if role == "owner":
            return await users.create_owner(self.rt, email=email, name="Rosa Martins", password=PASSWORD)
        return (await users.add(self.rt, email=email, name="Somebody", role=role, password=PASSWORD))[0]

    async def logged_in(self, email: str = "rosa@luna.example", **options: Any) -> "Browser":
        browser = self.browser(**options)
        answer = await browser.log_in(email)
        assert answer.status_code == 303, answer.text
        return browser


class Browser(httpx.AsyncClient):
    """Keeps cookies as a browser does, which sends `Secure` ones to the machine itself without HTTPS."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.jar: dict[str, str] = {}
        self.token = ""

    async def request(self, method: str, url: Any, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", None) or {})
        if self.jar and "cookie" not in {name.lower() for name in headers}:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        answer = await super().request(method, url, headers=headers, **options)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            self.jar.pop(name, None) if "Max-Age=0" in line else self.jar.update({name: value})
        self.cookies.clear()
        return answer

    async def log_in(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.post("/login", data={"email": email, "password": password, **fields})

    async def submit(self, path: str, fields: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        """Send a form of the page at `/account`, which every user may see, with this session's token."""
        page = await self.get("/account")
        token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        return await self.post(path, data={"csrf": token, **(fields or {})}, **options)


async def open_house(database: Database, folder: Path, clock: Clock, **flags: str) -> House:
    """The database is the caller's to close."""
    house = House()
    house.settings, house.clock, house.faults = load({"data": str(folder), **flags}, {}, folder), clock, []
    house.db = database
    house.keys = await Keyring.load(house.settings, database)
    house.install = "test"
    house.bus, house.metrics, house.troubles = Bus(database), Metrics(), Troubles(clock)
    house.app = create_app(house.rt)
    return house
