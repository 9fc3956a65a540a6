"""Files on their way out: their bytes go to Meta first, which gives an id to send. Contract §10.

Meta keeps a file for 30 days, so a file that was sent before is not sent up again in that time.
"""

import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from app.connectors.base import Channel, Outbound, Problem, SendFailed
from app.connectors.whatsapp_cloud.graph import Graph, call
from app.connectors.wire import string
from app.content import AnyMedia, Content, Document, Media, Template

KEPT: Final = 25 * 86_400.0  # seconds
REMEMBERED: Final = 1_000
SECONDS: Final = 120.0


class Uploads:
    """Which stored files Meta has, by their place on disk, which is made of their hash."""

    def __init__(self, graph: Graph, channel: Channel) -> None:
        self._graph, self._url = graph, f"{quote(channel.account, safe='')}/media"
        self._known: dict[tuple[Path, str], tuple[str, float]] = {}

    async def along(self, message: Outbound) -> Outbound:
        """The message with Meta's id in place of the file. Raises `SendFailed`: nothing was sent to anybody yet."""
        media = message.content.file if isinstance(message.content, Template) else message.content
        if message.file is None or not isinstance(media, Media):
            return message
        found = msgspec.structs.replace(media, provider_id=await self._id(message.file, media), url="")
        return msgspec.structs.replace(message, content=_with(message.content, found), file=None)

    async def _id(self, path: Path, media: Media) -> str:
        key = path, media.mime
        known = self._known.get(key)
        if known and time.monotonic() - known[1] < KEPT:
            return known[0]
        provider_id = await self._upload(path, media)
        while len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[key] = provider_id, time.monotonic()
        return provider_id

    async def _upload(self, path: Path, media: Media) -> str:
        name = media.filename if isinstance(media, Document) and media.filename else "file"
        mime = media.mime.split(";")[0].strip()
        try:
            with path.open("rb") as file:
                told = await call(
                    self._graph, "POST", self._url, data={"messaging_product": "whatsapp", "type": mime},
                    files={"file": (name, file, mime)}, seconds=SECONDS,
                )  # fmt: skip
        except OSError as why:
            raise SendFailed(Problem("send.file_gone"), certain=True, temporary=False) from why
        except SendFailed as failure:
            failure.certain = True  # an upload that may have arrived is seen by nobody
            raise
        if not string(told, "id"):
            raise SendFailed(Problem("graph.garbled", detail="no id"), certain=True, temporary=True)
        return string(told, "id")


def _with(content: Content, media: AnyMedia) -> Content:
    if not isinstance(content, Template):
        return media
    kind = str(media.__struct_config__.tag)
    file = {"id": media.provider_id} | ({"filename": media.filename} if isinstance(media, Document) else {})
    header = {"type": "header", "parameters": [{"type": kind, kind: file}]}
    others = tuple(one for one in content.components if one.get("type") != "header")
    return msgspec.structs.replace(content, components=(header, *others), file=None)
