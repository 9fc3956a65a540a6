"""The webhook: where Telegram may call us, and the word by which we know that it is Telegram. Contract §2.2."""

import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from app.connectors.base import Channel

HEADER: Final = b"x-telegram-bot-api-secret-token"
PORTS: Final = (None, 443, 80, 88, 8443)


def address_of(channel: Channel) -> str:
    """Where Telegram is to call; empty where it is to be asked instead: no public address, or none that it takes."""
    public = channel.config.get("public_url", "").rstrip("/")
    try:
        parts = urlsplit(public)
        reachable = parts.scheme == "https" and bool(parts.hostname) and parts.port in PORTS
    except ValueError:
        reachable = False
    if not reachable or not channel.key or channel.config.get("receive") == "polling":
        return ""
    return f"{public}/hooks/telegram/{channel.key}"


def secret_of(channel: Channel) -> str:
    """64 characters that only the holder of the token can make; another channel's differ."""
    return hmac.digest(channel.secrets.get("token", "").encode(), f"webhook {channel.key}".encode(), "sha256").hex()


def is_from_telegram(channel: Channel, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """True if exactly one header carries the secret."""
    given = [value for name, value in headers if name == HEADER]
    return len(given) == 1 and hmac.compare_digest(given[0], secret_of(channel).encode())
