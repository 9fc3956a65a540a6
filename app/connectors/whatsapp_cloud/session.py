"""The live connection of one number: sends, marks as read, finds files, and can be examined. Contract §7, §10, §12.

Nothing is kept open for receiving: Meta calls us, so `run` says that the channel is ready and waits to be closed.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from app.connectors.abilities import MediaFile
from app.connectors.account import Draft, Fact, Listed, Submitted
from app.connectors.base import (
    Address,
    Channel,
    Check,
    OnEvent,
    Outbound,
    Problem,
    Scope,
    SendFailed,
    Sent,
    State,
    StatusChange,
)
from app.connectors.posting import HttpPoster, NoAnswer, NotSent, Poster
from app.connectors.whatsapp_cloud import examination, facts, media, templates
from app.connectors.whatsapp_cloud.errors import refusal
from app.connectors.whatsapp_cloud.graph import Graph
from app.connectors.whatsapp_cloud.outbound import body_of, read_mark
from app.connectors.whatsapp_cloud.upload import Uploads
from app.connectors.wire import digits


class CloudSession:
    """One client and constant headers for the session's life."""

    def __init__(self, channel: Channel, poster: Poster | None = None) -> None:
        self._graph = Graph.of(channel)
        self._channel = channel
        self._url = f"{self._graph.base}/{channel.account}/messages"
        self._headers = self._graph.headers | {"content-type": "application/json"}
        self._poster = poster or HttpPoster()
        self._uploads = Uploads(self._graph, channel)
        self._closed = asyncio.Event()

    async def run(self, on_event: OnEvent) -> None:
        await on_event(StatusChange(State.CONNECTED, "connected"))
        await self._closed.wait()

    async def close(self) -> None:
        self._closed.set()
        await self._poster.close()

    async def send(self, message: Outbound) -> Sent:
        message = await self._uploads.along(message) if message.file else message
        try:
            body = body_of(message)
        except LookupError as missing:
            raise SendFailed(Problem(f"send.{missing.args[0]}"), certain=True, temporary=False) from missing
        status, answer = await self._post(body)
        if status >= 300:
            raise refusal(status, answer)
        return taken(status, answer)

    async def mark_read(self, provider_id: str, *, typing: bool) -> None:
        status, answer = await self._post(read_mark(provider_id, typing=typing))
        if status >= 300:
            raise refusal(status, answer)

    async def locate_media(self, provider_id: str) -> MediaFile:
        return await media.locate(self._graph, self._channel.account, provider_id)

    async def examine(self) -> list[Check]:
        return await examination.examine(self._graph, self._channel)

    async def facts(self) -> list[Fact]:
        return await facts.facts(self._graph, self._channel)

    def templates(self) -> AsyncIterator[list[Listed]]:
        return templates.listed(self._graph, self._channel)

    async def submit_template(self, draft: Draft) -> Submitted:
        return await templates.submit(self._graph, self._channel, draft)

    async def edit_template(self, provider_id: str, draft: Draft, *, category: bool) -> None:
        await templates.edit(self._graph, provider_id, draft, category=category)

    async def delete_template(self, provider_id: str, name: str) -> None:
        await templates.delete(self._graph, self._channel, provider_id, name)

    async def sample(self, file: Path, mime: str, filename: str) -> str:
        return await templates.sample(self._graph, self._channel, file, mime, filename)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        if self._closed.is_set():
            raise SendFailed(Problem("send.closed"), certain=True, temporary=True)
        try:
            return await self._poster.post(self._url, body, self._headers)
        except NotSent as why:
            problem = Problem("send.unreachable", detail=str(why))
            raise SendFailed(problem, certain=True, temporary=True, scope=Scope.CHANNEL) from why
        except NoAnswer as why:
            raise SendFailed(Problem("send.no_answer", detail=str(why)), certain=False, temporary=True) from why


class _Id(msgspec.Struct):
    id: str


class _Recipient(msgspec.Struct):
    wa_id: str = ""
    user_id: str = ""


class _Taken(msgspec.Struct):
    messages: list[_Id]
    contacts: list[_Recipient] = []


_taken = msgspec.json.Decoder(_Taken)


def taken(status: int, answer: bytes) -> Sent:
    """The id in a success, with the names of the recipient that it tells; a success without an id settles nothing."""
    try:
        told = _taken.decode(answer)
        provider_id = told.messages[0].id
    except (ValueError, IndexError):
        provider_id = ""
    if not provider_id:
        problem = Problem("send.no_id", detail=f"HTTP {status}: {answer[:200].decode(errors='replace')}")
        raise SendFailed(problem, certain=False, temporary=True)
    if not told.contacts:
        return Sent(provider_id)
    learned = Address(wa_id=digits(told.contacts[0].wa_id), user_id=told.contacts[0].user_id)
    return Sent(provider_id, learned if learned.aliases() else None)
