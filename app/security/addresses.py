"""Addresses that users type: which may be called (SSRF rules: reliability §2.5).

An address is judged as written, then by every IP address its name has.
"""

import asyncio
import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Final, Literal, TypeVar

import msgspec

from app.said import N_, Sentence

LONGEST: Final = 2048  # characters of an address
PORTS: Final = frozenset({80, 443, 8443})

T = TypeVar("T")
Code = Literal["timeout", "refused", "unreachable", "too_large", "not_allowed", "bad_request"]
IP = ipaddress.IPv4Address | ipaddress.IPv6Address

SHAPE: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
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
