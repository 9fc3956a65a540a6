"""The fake on a thread of its own, for tests of processes that have no event loop."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from .server import WhatsApp

PATIENCE = 60.0


class Threaded:
    """A server with one contact, Alice."""

    def __init__(self) -> None:
        self.server = WhatsApp()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.do(self.server.start())
        self.alice = self.server.add("15557770001", "Alice")

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What it returns, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def say(self, text: str) -> None:
        self.do(self.server.say(self.alice, text))

    def close(self) -> None:
        self.do(self.server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
