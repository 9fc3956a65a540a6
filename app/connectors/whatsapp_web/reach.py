"""Whether the server answers at all. The library dials without a limit: where a connection is taken and nothing ever
answers, it would hang, and every later call with it."""

import asyncio
import ssl
from urllib.parse import urlsplit

LIMIT = 10.0


APART = 5.0  # seconds between the starts of two accounts


class Starts:
    """Accounts of one process begin one after the other: after an outage not all of them knock at once."""

    def __init__(self) -> None:
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Seconds until this one may begin. `now`: seconds that never go back."""
        begin = max(now, self._next)
        self._next = begin + APART
        return begin - now


class Unreachable(Exception):
    """The server of WhatsApp does not answer."""


async def reach(url: str) -> None:
    """Open a connection (TLS for `wss:`) and close it again. Raises `Unreachable`."""
    parts = urlsplit(url)
    secure = parts.scheme in ("wss", "https")
    context = ssl.create_default_context() if secure else None
    try:
        async with asyncio.timeout(LIMIT):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if secure else 80), ssl=context
            )
        writer.transport.abort()
    except (OSError, TimeoutError, ValueError) as error:
        raise Unreachable(f"{parts.hostname}: {error or 'no answer'}") from error
