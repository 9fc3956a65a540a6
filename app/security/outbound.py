"""The one HTTP client for addresses that users type (SSRF rules: reliability §2.5).

An address is judged as written, then by every IP address its name has; the connection goes to one of exactly those,
with the name kept for TLS and `Host`. No redirects, no proxies, no cookies, no connection is used twice: a connection
is trusted for one name only.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from app.said import N_, Sentence

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
BIGGEST: Final = 64 * 1024  # bytes of an answer
LONGEST: Final = 2048  # characters of an address
PORTS: Final = frozenset({80, 443, 8443})
TRIED: Final = 4  # addresses of one name

T = TypeVar("T")
Code = Literal["timeout", "refused", "unreachable", "too_large", "not_allowed", "bad_request"]
IP = ipaddress.IPv4Address | ipaddress.IPv6Address

SHAPE: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
METHOD: Final = re.compile(r"[A-Z]{1,16}")
# What only the client may say: where the request goes, how long it is, how the connection lives.
OURS: Final = frozenset(
    "host content-length transfer-encoding connection keep-alive upgrade te trailer expect accept-encoding".split()
)
# Beside what `is_global` refuses: ranges it wrongly passes, and IPv6 that carries an IPv4 address inside.
DENIED: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        "100.64.0.0/10 192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4 fec0::/10 fd00:ec2::254/128 "
        "::ffff:0:0/96 ::/96 64:ff9b::/96 64:ff9b:1::/48 2002::/16 2001::/32"
    ).split()
)


class OutboundError(Exception):
    """The call came to nothing. `code` is for programs; `sent` tells whether bytes of the request may have left."""

    def __init__(self, code: Code, said: Sentence, *, sent: bool = False) -> None:
        super().__init__(str(said))
        self.code: Final = code
        self.said: Final = said
        self.sent: Final = sent


class Target(msgspec.Struct, frozen=True):
    """An address taken apart. `host` is ASCII without brackets; `path` begins with / and holds the query;
    `allowed`: the owner listed it."""

    scheme: str
    host: str
    port: int
    path: str
    allowed: bool

    @property
    def name(self) -> str:
        """As it stands in `Host`."""
        host = bracketed(self.host)
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


class Answer(msgspec.Struct, frozen=True):
    """What came back, as much as was allowed (64 KB as a rule). `retry_after` as it was written."""

    status: int
    type: str
    body: bytes
    retry_after: str = ""


@cache
def _authorities() -> ssl.SSLContext:
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
        return self._trust_given or _authorities()

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


# ---- as written ------------------------------------------------------------------------------------------------------


def read_url(url: str, allow: Collection[str] = ()) -> Target:
    """Take an address apart and judge it as written. Raises `OutboundError`."""
    found = SHAPE.fullmatch(url) if len(url) <= LONGEST and not UNSAFE.search(url) else None
    place = AUTHORITY.fullmatch(found[2]) if found else None
    if found is None or place is None:
        raise OutboundError("bad_request", N_("This is not a web address such as https://shop.example.com/orders."))
    if "@" in place[1] or "%" in place[1]:
        raise OutboundError("not_allowed", N_("An address with a user name or % in its host is not called."))
    scheme, host = found[1].lower(), read_host(place[1])
    port = int(place[2]) if place[2] else (443 if scheme == "https" else 80)
    allowed = f"{bracketed(host)}:{port}" in allow
    if not allowed and (scheme != "https" or port not in PORTS):
        raise OutboundError(
            "not_allowed", N_("Only https on port 443, 80 or 8443 is called, or what the owner allowed.")
        )
    if not 0 < port < 65536:
        raise OutboundError("bad_request", N_("There is no such port."))
    path = found[3] if found[3].startswith("/") else f"/{found[3]}"
    return Target(scheme, host, port, path, allowed)


def read_host(written: str) -> str:
    """The host in ASCII: a name, a dotted IPv4 address or an IPv6 address. Raises `OutboundError`."""
    wrong = OutboundError("not_allowed", N_("The host of this address is not a name that can be looked up."))
    if written.startswith("["):
        try:
            return str(ipaddress.IPv6Address(written[1:-1]))
        except ValueError:
            raise wrong from None
    host = to_ascii(written)
    labels = host.split(".")
    if not 0 < len(host) <= 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise wrong
    if NUMBER.fullmatch(labels[-1]):
        # Anything else that ends in a number (an integer, hex, octal, a short form) some resolvers take for an address.
        try:
            plain = str(ipaddress.IPv4Address(host))
        except ValueError:
            raise wrong from None
        if plain != written:
            raise wrong
    return host


def to_ascii(written: str) -> str:
    """By IDNA 2008, one closing dot removed. Raises `OutboundError`."""
    if written.isascii():
        return written.lower().removesuffix(".")
    import idna

    try:
        return idna.encode(written, uts46=True, std3_rules=True).decode().lower().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise OutboundError(
            "not_allowed", N_("The host of this address is not a name that can be looked up.")
        ) from None


def check_headers(method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, if the caller may set them. Raises `OutboundError`."""
    if not METHOD.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise OutboundError("bad_request", N_("There is no such method."))
    for name, value in headers.items():
        if name.lower() in OURS or name.lower().startswith("proxy-") or re.search(r"[\r\n\0]", name + value):
            raise OutboundError("bad_request", N_("The header {name} cannot be set.", name=name[:40]))
    return dict(headers)


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# ---- where it leads --------------------------------------------------------------------------------------------------


async def resolve(target: Target) -> list[IP]:
    """Every address of the host, looked up once; one bad address condemns all. Raises `OutboundError`."""
    try:
        addresses = [ipaddress.ip_address(target.host)]
    except ValueError:
        addresses = await look_up(target)
    judge(target, addresses)
    return addresses


def judge(target: Target, addresses: list[IP]) -> None:
    if any(is_denied(address, target.allowed) for address in addresses):
        raise OutboundError("not_allowed", N_("This address leads into a private network."))
    if not target.allowed and any(is_own(address) for address in addresses):
        raise OutboundError("not_allowed", N_("This address is this machine itself."))


def check_url(url: str, allow: Collection[str] = ()) -> None:
    """What can be said of an address when it is typed; its host is looked up when it is called. Raises
    `OutboundError`."""
    target = read_url(url, allow)
    try:
        judge(target, [ipaddress.ip_address(target.host)])
    except ValueError:
        pass  # a name


async def look_up(target: Target) -> list[IP]:
    try:
        found = await aside(partial(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM))
        addresses = list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
    except (OSError, UnicodeError, ValueError):
        addresses = []
    if not addresses:
        raise OutboundError("unreachable", N_("The name of the host is not known."))
    return addresses


async def aside(work: Callable[[], T]) -> T:
    """In a thread of its own that nobody waits for: a look-up that hangs holds up neither the threads that others share
    nor the end of the program."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = work(), None
        except Exception as error:
            outcome = None, error
        with suppress(RuntimeError):  # the loop ended meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    found: T = await done
    return found


def is_denied(address: IP, allowed: bool = False) -> bool:
    """Whether nothing there may be called. What the owner `allowed` may be private, but never link-local (there a cloud
    keeps its keys), a multicast or no address at all."""
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return True
    if allowed:
        return getattr(address, "ipv4_mapped", None) is not None
    wrong = not address.is_global or address.is_reserved or address.is_loopback or address.is_private
    return wrong or any(address.version == net.version and address in net for net in DENIED)


def is_own(address: IP) -> bool:
    """Whether an interface of this machine has it: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
