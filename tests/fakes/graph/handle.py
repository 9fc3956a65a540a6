"""The fake for tests: `async with FakeGraph(…) as graph`, here or, with `process=True`, in a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec

from . import admin
from .config import FAST, Config, Number, Settings
from .server import Graph

ROOT = Path(__file__).parents[3]


class FakeGraph:
    """A running fake.

    `number` or `numbers` (as in `config.Number`, as objects or dicts), `templates`, `truth` (file), `fast`, `process`,
    `port`, and any member of `config.Settings`. With neither number a default one is used; `webhook`, `app_secret`,
    `verify_token`, `token` and `phone_number_id` set that one.
    """

    def __init__(
        self,
        *,
        numbers: list[Number] | list[dict[str, Any]] | None = None,
        templates: list[dict[str, Any]] | None = None,
        truth: str | Path | None = None,
        fast: bool = False,
        process: bool = False,
        port: int = 0,
        **more: Any,
    ) -> None:
        about_number = {name: more.pop(name) for name in list(more) if name in Number.__struct_fields__}
        listed = [msgspec.to_builtins(number) for number in numbers or []] or [about_number]
        settings = (FAST if fast else {}) | more
        if unknown := set(settings) - set(Settings.__struct_fields__):
            raise TypeError(f"unknown settings: {', '.join(sorted(unknown))}")
        given = {"settings": settings, "numbers": listed, "templates": templates or []}
        self.config = msgspec.convert(given, Config)
        self.number = self.config.numbers[0]
        self.truth = str(truth) if truth else None
        self.process, self.port = process, port
        self.graph: Graph | None = None
        self.child: subprocess.Popen[bytes] | None = None
        self.url = ""

    async def __aenter__(self) -> "FakeGraph":
        if self.process:
            await asyncio.to_thread(self._launch)
        else:
            self.graph = Graph(self.config, self.truth)
            await self.graph.start(port=self.port)
            self.url = self.graph.url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.graph:
            await self.graph.close()
        if self.child:
            await asyncio.to_thread(self.kill, signal.SIGTERM)

    def _launch(self) -> None:
        with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
            file.write(msgspec.json.encode(self.config))
            file.flush()
            command = [sys.executable, "-m", "tests.fakes.graph", "--port", str(self.port), "--config", file.name]
            command += ["--truth", self.truth] if self.truth else []
            self.child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            assert self.child.stdout
            line = self.child.stdout.readline()
        if not line:
            raise RuntimeError("the fake did not start")
        self.url = json.loads(line)["url"]

    def kill(self, sign: int = signal.SIGKILL) -> None:
        """Ends the process of its own."""
        assert self.child and self.child.stdout
        self.child.send_signal(sign)
        self.child.wait(10)
        self.child.stdout.close()

    # --- the side channel

    async def call(self, method: str, verb: str, **given: Any) -> Any:
        """A verb of `admin`. Raises `ValueError`, `LookupError` or `TimeoutError`."""
        if self.graph:
            return await admin.call(self.graph.world, method, verb, given)
        return await asyncio.to_thread(self._ask, method, verb, given)

    def _at_once(self, method: str, verb: str, given: dict[str, Any]) -> Any:
        """A verb that waits for nothing."""
        if self.graph:
            return admin.VERBS[method, verb](self.graph.world, given)
        return self._ask(method, verb, given)

    def _ask(self, method: str, verb: str, given: dict[str, Any]) -> Any:
        url, body = f"{self.url}/_fake/{verb}", None
        if method == "GET":
            url += "?" + urlencode(given)
        else:
            body = json.dumps(given).encode()
        try:
            with urlopen(Request(url, body, method=method), timeout=60) as reply:
                return json.load(reply)
        except HTTPError as error:
            with error:
                kind = {404: LookupError, 408: TimeoutError}.get(error.code, ValueError)
                raise kind(json.load(error)["error"]) from None

    @property
    def total(self) -> int:
        """How many sends were accepted so far."""
        return self.graph.world.total if self.graph else int(self._ask("GET", "state", {})["accepted"])

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """In order: n, at, phone_number_id, wamid, type, to, recipient, opaque, sha256, mode, body."""
        if not self.graph:
            return list(self._ask("GET", "accepted", {}))
        world = self.graph.world
        pairs = zip(world.accepted, world.bodies, strict=True)
        return [msgspec.to_builtins(line) | {"body": msgspec.json.decode(body)} for line, body in pairs]

    async def wait_accepted(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """All accepted sends once there are `count`. Raises `TimeoutError`."""
        return list(await self.call("GET", "accepted", wait=count, timeout=timeout))

    async def settled(self, timeout: float = 10.0) -> None:
        """Waits until every webhook that is due was answered 200."""
        await self.call("GET", "settled", timeout=timeout)

    async def inbound(self, sender: str, text: str | None = None, **more: Any) -> str:
        """A user writes; contents and keys as in `inbound.receive`. Returns the message id."""
        given = {"from": sender} | ({} if text is None else {"text": text}) | more
        return str((await self.call("POST", "inbound", **given))["id"])

    def mode(self, mode: str, *, times: int | None = None, user: str | None = None, share: float | None = None) -> None:
        """Sets a mode (see `faults`) for the next `times` sends, for one user, for a share of sends, or for good."""
        given: dict[str, Any] = {"default": mode}
        if times is not None:
            given = {"next": [mode] * times}
        elif user is not None:
            given = {"users": {user: mode}}
        elif share is not None:
            given = {"rates": {mode: share}}
        self._at_once("POST", "modes", given)

    def modes(self, **rates: float) -> None:
        """Several shares at once; `_` in a name stands for `-`."""
        self._at_once("POST", "modes", {"rates": {name.replace("_", "-"): share for name, share in rates.items()}})

    def settings(self, **changes: Any) -> None:
        self._at_once("POST", "settings", changes)

    def advance(self, seconds: float) -> None:
        """Moves the fake's clock: windows, limits, expiry."""
        self._at_once("POST", "clock", {"advance": int(seconds * 1000)})

    def person(self, who: str, **changes: Any) -> dict[str, Any]:
        """A user by phone, BSUID or @username, with members of `people.Person` to change."""
        return dict(self._at_once("POST", "people", {"who": who, **changes}))

    def change_number(self, **changes: Any) -> None:
        """The first number, or the one named by `phone_number_id`."""
        given = {"phone_number_id": self.number.phone_number_id} | changes
        self._at_once("POST", "numbers", given)
