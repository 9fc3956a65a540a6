"""The one HTTP client for addresses that users type.

The connection goes to one of exactly those IP addresses that were judged (`addresses`), with the name kept for TLS and
`Host`. No redirects, no proxies, no cookies, no connection is used twice: a connection is trusted for one name only.
"""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.said import N_
from app.security.addresses import IP, OutboundError, Target, bracketed, read_url, resolve

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
BIGGEST: Final = 64 * 1024  # bytes of an answer
TRIED: Final = 4  # addresses of one name

METHOD: Final = re.compile(r"[A-Z]{1,16}")
# What only the client may say: where the request goes, how long it is, how the connection lives.
OURS: Final = frozenset(
    "host content-length transfer-encoding connection keep-alive upgrade te trailer expect accept-encoding".split()
)


class Answer(msgspec.Struct, frozen=True):
    """What came back, as much as was allowed (64 KB as a rule). `retry_after` as it was written."""

    status: int
    type: str
    body: bytes
    retry_after: str = ""


@cache
def authorities() -> ssl.SSLContext:
    """One for the process. Takes a tenth of a second: asked in a thread, so that the loop goes on meanwhile."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class Outbound:
    """Makes calls. `allow`: "host:port" that may be called though private, and by plain http."""

    def __init__(self, allow: Collection[str] = (), trust: ssl.SSLContext | None = None) -> None:
        self._allow: Final = frozenset(allow)
        self._trust_given: Final = trust

    @property
    def _trust(self) -> ssl.SSLContext:
        return self._trust_given or authorities()

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"",
        timeout: float = TOTAL_SECONDS, most: int = BIGGEST,
    ) -> Answer:  # fmt: skip
        """One request. `timeout`: seconds for everything, look-up included; `most`: bytes of the answer. Raises
        `OutboundError`."""
        target = read_url(url, self._allow)
        checked = check_headers(method, headers or {})
        progress = Progress()
        try:
            async with asyncio.timeout(timeout):
                await asyncio.to_thread(lambda: self._trust)
                addresses = await resolve(target)
                return await self._first(method, target, addresses, checked, body, progress, most)
        except TimeoutError:
            raise OutboundError("timeout", N_("It did not answer in time."), sent=progress.sent) from None

    async def _first(
        self, method: str, target: Target, addresses: list[IP], headers: dict[str, str], body: bytes,
        progress: "Progress", most: int,
    ) -> Answer:  # fmt: skip
        """The next address is tried only where no connection came about."""
        import httpx

        failure = OutboundError("unreachable", N_("It cannot be reached."))
        for address in addresses[:TRIED]:
            progress.address = address
            try:
                return await self._one(method, target, address, headers, body, progress, most)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = connect_failure(error)
            except httpx.TimeoutException:
                raise OutboundError("timeout", N_("It did not answer in time."), sent=progress.sent) from None
            except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError):
                raise OutboundError("bad_request", N_("The request cannot be sent as it is.")) from None
            except httpx.HTTPError:
                raise OutboundError("unreachable", N_("The connection broke off."), sent=progress.sent) from None
        raise failure

    async def _one(
        self, method: str, target: Target, address: IP, headers: dict[str, str], body: bytes, progress: "Progress",
        most: int,
    ) -> Answer:  # fmt: skip
        import httpx

        limits = httpx.Timeout(None, connect=CONNECT_SECONDS)
        async with httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=limits) as client:
            request = client.build_request(
                method, f"{target.scheme}://{bracketed(str(address))}:{target.port}{target.path}", content=body or None,
                headers={"User-Agent": "Parley", "Accept": "*/*", **headers, "Host": target.name,
                         "Accept-Encoding": "identity"},
                extensions={"sni_hostname": target.host, "trace": progress.trace},
            )  # fmt: skip
            answer = await client.send(request, stream=True, follow_redirects=False)
            try:
                kind, again = (answer.headers.get(name, "") for name in ("content-type", "retry-after"))
                return Answer(answer.status_code, kind, await read_body(answer, most), again)
            finally:
                await answer.aclose()


class Progress:
    """How far a request came. A connection that reached another address than the checked one ends before a byte."""

    def __init__(self) -> None:
        self.sent = False
        self.address: IP | None = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.complete"):
            stream = info["return_value"]
            peer = stream.get_extra_info("server_addr")
            if peer is None or ipaddress.ip_address(peer[0]) != self.address:
                await stream.aclose()
                raise OutboundError("not_allowed", N_("The connection reached another address than the checked one."))
        elif event.endswith("send_request_headers.started"):
            self.sent = True


async def read_body(answer: "httpx.Response", most: int) -> bytes:
    """The bytes as they came (we ask for no compression, and unpack none)."""
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > most:
            raise OutboundError("too_large", N_("The answer is over {n} KB.", n=most // 1024), sent=True)
    return bytes(body)


def connect_failure(error: BaseException) -> OutboundError:
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return OutboundError("timeout", N_("It did not take the connection in time."))
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ConnectionRefusedError):
            return OutboundError("refused", N_("It refused the connection."))
        seen = seen.__cause__ or seen.__context__
    return OutboundError("unreachable", N_("It cannot be reached."))


def check_headers(method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, if the caller may set them. Raises `OutboundError`."""
    if not METHOD.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise OutboundError("bad_request", N_("There is no such method."))
    for name, value in headers.items():
        if name.lower() in OURS or name.lower().startswith("proxy-") or re.search(r"[\r\n\0]", name + value):
            raise OutboundError("bad_request", N_("The header {name} cannot be set.", name=name[:40]))
    return dict(headers)
