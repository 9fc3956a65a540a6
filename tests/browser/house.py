"""A whole Parley for a browser to visit: its own data folder, a real server on loopback, in a thread of its own."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette

from app import runtime, server
from app.clock import Clock
from app.routes.hooks import Hooks
from app.runtime import Runtime
from app.settings import load
from app.web import create_app

T = TypeVar("T")
EMAIL = "rosa@luna.example"
PASSWORD = "a cake with nine candles"


class House:
    """`url` is where it answers; `run` runs a coroutine where it lives; `setup_url` makes the first owner, once."""

    def __init__(self, data: Path | None = None, environment: dict[str, str] | None = None) -> None:
        self._folder = None if data else tempfile.TemporaryDirectory(prefix="parley-")
        self.data = data or Path(self._folder.name if self._folder else "")
        self._environment = environment or {}
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self.rt: Runtime
        self.app: Starlette
        self.sessions: dict[str, list[Any]] = {}  # cookies of who logged in here, by e-mail
        self.url = self.setup_url = ""

    def __enter__(self) -> "House":
        self._thread.start()
        self._ready.result(30)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(server.stop, self._server, self.rt.bus.close)
        self._thread.join(30)
        if self._folder:
            self._folder.cleanup()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _live(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.rt = await runtime.start(settings(self.data, self._environment))
        self.app = app = create_app(self.rt)
        listening = server.listen("127.0.0.1", 0)
        self.url = server.address(listening)
        self.setup_url = f"{self.url}/setup?token={app.state.setup.issue()}"
        self._server = server.make(Hooks(self.rt, app))
        self._loop.call_soon(self._ready.set_result, None)
        try:
            await self._server.serve([listening])
        finally:
            await runtime.stop(self.rt)


def settings(data: Path, environment: dict[str, str]) -> Any:
    return load({"data": str(data), "host": "127.0.0.1"}, environ=environment, folder=data)


def before(
    data: Path,
    clock: Clock,
    work: Callable[[Runtime], Coroutine[Any, Any, None]],
    environment: dict[str, str] | None = None,
) -> None:
    """Run this in a Parley that nobody visits, at times of its own clock."""

    async def alone() -> None:
        rt = await runtime.start(settings(data, environment or {}), clock)
        try:
            await work(rt)
        finally:
            await runtime.stop(rt)

    thread = ThreadPoolExecutor(1)  # a loop of its own, wherever this is called from
    thread.submit(asyncio.run, alone()).result()
    thread.shutdown()
