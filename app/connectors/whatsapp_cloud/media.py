"""Files that customers send: from Meta's id to an address that can be fetched for five minutes. Contract §10."""

from typing import Final
from urllib.parse import quote, urlsplit

from app.connectors.base import MediaFile, Problem, SendFailed
from app.connectors.whatsapp_cloud.contents import digest
from app.connectors.whatsapp_cloud.graph import Graph, get
from app.connectors.whatsapp_cloud.wire import number, string

# Only these see the token, whatever address an answer names.
HOSTS: Final = ("fbsbx.com", "whatsapp.net", "fbcdn.net", "facebook.com")


async def locate(graph: Graph, phone_number_id: str, media_id: str) -> MediaFile:
    """Where the file is now, with the headers for its host. Raises `SendFailed`: permanent if Meta no longer has it."""
    told = await get(graph, quote(media_id, safe=""), {"phone_number_id": phone_number_id})
    url = string(told, "url")
    if not bearer_allowed(graph, url):
        raise SendFailed(Problem("media.host", detail=urlsplit(url).hostname or ""), certain=True, temporary=False)
    return MediaFile(
        url=url,
        mime=string(told, "mime_type"),
        sha256=digest(string(told, "sha256")),
        size=int(number(told, "file_size") or 0),
        headers=graph.headers | {"user-agent": "Parley"},
    )


def bearer_allowed(graph: Graph, url: str) -> bool:
    """True if the token may be shown to the host of this address: Meta's file hosts over TLS, or Graph's own host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == graph.host and host:
        return parts.scheme == urlsplit(graph.base).scheme
    return parts.scheme == "https" and any(host == name or host.endswith(f".{name}") for name in HOSTS)
