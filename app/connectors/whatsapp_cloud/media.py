"""Files that customers send: from Meta's id to an address that can be fetched for five minutes. Contract §10."""

from typing import Final
from urllib.parse import quote, urlsplit

from app.connectors.abilities import MediaFile
from app.connectors.base import Problem, SendFailed
from app.connectors.whatsapp_cloud.contents import digest
from app.connectors.whatsapp_cloud.graph import Graph, get
from app.connectors.wire import number, string

# Only these see the token, whatever address an answer names.
HOSTS: Final = ("fbsbx.com", "whatsapp.net", "fbcdn.net", "facebook.com")


async def locate(graph: Graph, phone_number_id: str, media_id: str) -> MediaFile:
    """Where the file is now. The token comes along only for hosts that may see it. Raises `SendFailed`: permanent if
    Meta no longer has the file."""
    told = await get(graph, quote(media_id, safe=""), {"phone_number_id": phone_number_id})
    url = string(told, "url")
    if not url:
        raise SendFailed(Problem("graph.garbled", detail="no address"), certain=True, temporary=True)
    return MediaFile(
        url=url,
        mime=string(told, "mime_type"),
        sha256=digest(string(told, "sha256")),
        size=int(number(told, "file_size") or 0),
        headers=dict(graph.headers) if bearer_allowed(graph, url) else {},
    )


def bearer_allowed(graph: Graph, url: str) -> bool:
    """True if the token may be shown to the host of this address: Meta's file hosts over TLS, or Graph's own server."""
    try:
        parts, own = urlsplit(url), urlsplit(graph.base)
        there, here = (parts.scheme, parts.hostname, parts.port), (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    if parts.username or parts.password or not parts.hostname:
        return False
    if there == here:
        return True
    usual = parts.scheme == "https" and parts.port in (None, 443)
    return usual and any(parts.hostname == name or parts.hostname.endswith(f".{name}") for name in HOSTS)
