"""One POST on the hot path, and the only question that matters when it fails: may the other side have taken it?

pyreqwest's exception classes do not answer that: a connection reset after the request was written is a `ConnectError`,
and a total time-out while waiting for the answer is a `ConnectTimeoutError`. The chain of causes does answer it: the
HTTP library below marks failures before a connection existed with one fixed text. Tests hold it to real sockets.

The library is imported, and a client built, with the first request: together they take 12 MB, which an installation
that has not sent anything does not need.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.exceptions import PyreqwestError

CONNECT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 30.0
# A connection that the other side is about to close would make the next send's outcome unknown: let go of it early.
IDLE_SECONDS: Final = 20.0
_BEFORE_ANY_BYTE: Final = "client error (Connect)"


class NotSent(Exception):
    """No byte of the request left: nothing can have been taken."""


class NoAnswer(Exception):
    """The request may have arrived, but what came back, if anything, does not tell."""


class Poster(Protocol):
    """Posts bytes. Raises `NotSent` or `NoAnswer`."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]: ...

    async def close(self) -> None: ...


class HttpPoster:
    """A pool of connections with fixed time limits; never follows redirects, never repeats a request."""

    def __init__(self, *, connect: float = CONNECT_SECONDS, total: float = TOTAL_SECONDS) -> None:
        self._connect, self._total = timedelta(seconds=connect), timedelta(seconds=total)
        self._client: Client | None = None

    def _build(self) -> "Client":
        from pyreqwest.client import ClientBuilder

        self._client = (
            ClientBuilder()
            .connect_timeout(self._connect)
            .timeout(self._total)
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
            .follow_redirects(False)
            .referer(False)
            .no_proxy()
            .user_agent("Parley")
            .build()
        )
        return self._client

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        client = self._client or self._build()
        try:
            request = client.post(url).headers(headers).body_bytes(body).build()
        except ValueError as problem:
            raise NotSent(f"the address {url} cannot be used: {problem}") from problem
        try:
            response = await request.send()
            return response.status, bytes(await response.bytes())
        except Exception as problem:
            told = _outcome(problem)
            if told is None:
                raise
            raise told from problem

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _outcome(problem: Exception) -> NotSent | NoAnswer | None:
    """None: it is not the library's."""
    from pyreqwest.exceptions import PoolTimeoutError, PyreqwestError

    if not isinstance(problem, PyreqwestError):
        return None
    causes = [cause["message"] for cause in _causes(problem)]
    why = ": ".join(causes[1:]) or problem.message
    if isinstance(problem, PoolTimeoutError) or _BEFORE_ANY_BYTE in causes:
        return NotSent(why)
    return NoAnswer(why)


def _causes(problem: "PyreqwestError") -> list[dict[str, str]]:
    from pyreqwest.exceptions import DetailedPyreqwestError

    if not isinstance(problem, DetailedPyreqwestError):
        return []
    return [{"message": cause["message"]} for cause in problem.details["causes"] or []]
