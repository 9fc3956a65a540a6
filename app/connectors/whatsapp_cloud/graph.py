"""Where Graph is and how we show ourselves: address, version, token. Set-up calls go through httpx, they are rare."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from app.connectors.base import Channel, Problem, SendFailed
from app.connectors.whatsapp_cloud.errors import refusal
from app.connectors.wire import an_object

GRAPH_URL: Final = "https://graph.facebook.com"
GRAPH_VERSION: Final = "v25.0"
CONNECT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 20.0


class Graph(msgspec.Struct, frozen=True):
    """`base`: address with the version; `headers`: what every call carries."""

    base: str
    headers: dict[str, str]

    @classmethod
    def of(cls, channel: Channel) -> "Graph":
        url = (channel.config.get("graph_url") or GRAPH_URL).rstrip("/")
        version = (channel.config.get("graph_version") or GRAPH_VERSION).strip("/")
        headers = {"authorization": f"Bearer {channel.secrets.get('access_token', '')}"}
        return cls(f"{url}/{version}", headers)


@cache
def _authorities() -> ssl.SSLContext:
    """Once for the process, and in a thread: each file that a customer sends asks Graph where it is, and to read them
    takes 25 ms, in which nobody is answered."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


async def get(graph: Graph, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The object behind `path`. Raises `SendFailed`: certain, temporary if Graph could not be reached."""
    return await call(graph, "GET", path, params=dict(query))


async def call(graph: Graph, method: str, path: str, *, seconds: float = TOTAL_SECONDS, **more: Any) -> dict[str, Any]:
    """What Graph answers to a call that is not a send; `more` is httpx's own (`params`, `json`, `files`, `headers`…).
    Raises `SendFailed`: not certain where a change may have been made that was never confirmed."""
    import httpx  # a tenth of the start and six megabytes, for a call that is rare

    try:
        headers = graph.headers | {"user-agent": "Parley"} | more.pop("headers", {})
        limits = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        trust = await asyncio.to_thread(_authorities)
        async with httpx.AsyncClient(verify=trust, timeout=limits, headers=headers, trust_env=False) as client:
            answer = await client.request(method, f"{graph.base}/{path}", **more)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as why:
        certain = method == "GET" or isinstance(why, httpx.ConnectError | httpx.ConnectTimeout)
        raise SendFailed(Problem("graph.unreachable", detail=str(why)), certain=certain, temporary=True) from why
    if answer.status_code != 200:
        raise refusal(answer.status_code, answer.content)
    try:
        return an_object(answer.content)
    except ValueError as why:
        certain = method == "GET"
        raise SendFailed(Problem("graph.garbled", detail=str(why)), certain=certain, temporary=True) from why
