"""One POST on the hot path, and the only question that matters when it fails: may the other side have taken it?

pyreqwest's exception classes do not answer that: a connection reset after the request was written is a `ConnectError`,
and a total time-out while waiting for the answer is a `ConnectTimeoutError`. The chain of causes does answer it: the
HTTP library below marks failures before a connection existed with one fixed text. Tests hold it to real sockets.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Protocol

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PoolTimeoutError, PyreqwestError

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
        self._client = (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=connect))
            .timeout(timedelta(seconds=total))
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
            .follow_redirects(False)
            .referer(False)
            .no_proxy()
            .user_agent("Parley")
            .build()
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            request = self._client.post(url).headers(headers).body_bytes(body).build()
        except ValueError as problem:
            raise NotSent(f"the address {url} cannot be used: {problem}") from problem
        try:
            response = await request.send()
            return response.status, bytes(await response.bytes())
        except PyreqwestError as problem:
            raise _outcome(problem) from problem

    async def close(self) -> None:
        await self._client.close()


def _outcome(problem: PyreqwestError) -> NotSent | NoAnswer:
    causes = [cause["message"] for cause in _causes(problem)]
    why = ": ".join(causes[1:]) or problem.message
    if isinstance(problem, PoolTimeoutError) or _BEFORE_ANY_BYTE in causes:
        return NotSent(why)
    return NoAnswer(why)


def _causes(problem: PyreqwestError) -> list[dict[str, str]]:
    if not isinstance(problem, DetailedPyreqwestError):
        return []
    return [{"message": cause["message"]} for cause in problem.details["causes"] or []]
