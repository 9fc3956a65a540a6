"""Which host names are answered (S9), and where a request really came from.

A page elsewhere whose name was made to point here must not talk to us: only loopback names, the address the connection
arrived at, this machine's name and the configured public host are answered. `X-Forwarded-*` counts only from a trusted
proxy.
"""

import ipaddress
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.settings import Settings

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Origin(msgspec.Struct, frozen=True):
    """How a request came. `ip` as text; `host` as asked, with port; `scheme` http or https; `local`: by a loopback
    name; `loopback`: from this machine, with no proxy in between."""

    ip: str
    host: str
    scheme: str
    local: bool
    loopback: bool

    @property
    def secure(self) -> bool:
        """May a `__Host-` cookie live here: HTTPS, or the browser's own exception for the machine itself."""
        return self.scheme == "https" or self.local


class Hosts:
    """Knows the names of this installation. Built once from the settings."""

    def __init__(self, settings: Settings) -> None:
        own = socket.gethostname().lower()
        names = LOOPBACK_NAMES | {own, own.split(".")[0] + ".local", settings.host.lower()}
        if settings.public_url:
            names |= {(urlsplit(settings.public_url).hostname or "").lower()}
        self.names: Final = frozenset(names) - {"", "0.0.0.0", "::"}
        self.proxies: Final = tuple(ipaddress.ip_network(text, strict=False) for text in settings.trusted_proxies)

    def origin(self, peer: str, scheme: str, headers: Mapping[str, str]) -> Origin:
        """Where the request came from, a trusted proxy's word included."""
        host = headers.get("host", "")
        proxied = self.is_proxy(peer)
        if proxied:
            scheme = headers.get("x-forwarded-proto", scheme).split(",")[-1].strip().lower()
        forwarded = headers.get("x-forwarded-for", "") if proxied else ""
        ip = self.client(peer, forwarded)
        return Origin(
            ip=ip,
            host=host,
            scheme="https" if scheme in ("https", "wss") else "http",
            local=split_host(host) in LOOPBACK_NAMES,
            loopback=not proxied and "x-forwarded-for" not in headers and is_loopback(ip),
        )

    def client(self, peer: str, forwarded: str) -> str:
        """The nearest address of the chain that is not one of our proxies."""
        for text in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            address = parse(text)
            if address is None:
                return peer
            if not any(address in network for network in self.proxies if network.version == address.version):
                return str(address)
        return peer

    def is_proxy(self, peer: str) -> bool:
        address = parse(peer)
        return address is not None and any(
            address in network for network in self.proxies if network.version == address.version
        )

    def is_ours(self, host: str, server: str) -> bool:
        """May this `Host` be answered; `server` is the local address that the connection arrived at."""
        name = split_host(host)
        return name is not None and (name in self.names or (parse(name) is not None and name == server.lower()))


def is_exposed(settings: Settings) -> bool:
    """Can others on the network reach it and read along: open to them, without HTTPS in front (S2)."""
    alone = settings.host == "localhost" or is_loopback(settings.host)
    return not alone and not settings.trusted_proxies and not settings.public_url.startswith("https:")


def split_host(host: str) -> str | None:
    """The name without its port, lower-cased and without brackets; None where it is not a plain host."""
    if not host or any(mark in host for mark in "/\\@?# \t,"):
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return (parts.hostname or "").rstrip(".").lower() or None


@lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_loopback(ip: str) -> bool:
    address = parse(ip)
    return address is not None and address.is_loopback


def network(ip: str) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 an IPv6 address is in."""
    address = parse(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or ip)
