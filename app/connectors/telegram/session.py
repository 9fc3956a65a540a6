"""The live connection of one bot: receives by polling or waits for the webhook, sends, finds files. Contract §2 to §4.

Polling confirms updates with the next request, and that is made only when everything of the last answer is on disk
(P7). Where it stood is not kept: after a kill Telegram tells again what was not confirmed, and messages are known by
their names.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from mimetypes import guess_extension
from typing import Any, Final

import msgspec

from app.connectors.abilities import MediaFile
from app.connectors.base import (
    Arrival,
    Channel,
    Check,
    Inbound,
    OnEvent,
    Outbound,
    Problem,
    Scope,
    SendFailed,
    Sent,
    State,
    StatusChange,
)
from app.connectors.posting import HttpPoster, Poster
from app.connectors.telegram import examination, hook, polling
from app.connectors.telegram.api import Api, Part, Refused
from app.connectors.telegram.errors import failure
from app.connectors.telegram.outbound import call_of
from app.connectors.telegram.place import Me, message_name
from app.connectors.telegram.update import NOBODY, WANTED, parse_update
from app.connectors.wire import an_object, number, string
from app.content import Media, Picked, Pressed, Unsupported

ASKED_SECONDS: Final = 45.0  # above the time that a poll is held


class TelegramSession:
    """Two pools of connections: a poll that is held never stands before a send."""

    def __init__(self, channel: Channel, poster: Poster | None = None, poll: Poster | None = None) -> None:
        self._channel = channel
        self._poster, self._poll = poster or HttpPoster(), poll or HttpPoster(total=ASKED_SECONDS)
        self._api, self._polls = Api(channel, self._poster), Api(channel, self._poll)
        self._me = NOBODY
        self._offset = polling.Offset()
        self._closed = asyncio.Event()
        self._limited_until = 0.0
        self._moved: dict[int, int] = {}  # groups that became supergroups
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- receiving --------------------------------------------------------------------------------------------------

    async def run(self, on_event: OnEvent) -> None:
        """Raises `SessionFailed` when it cannot go on."""
        if self._closed.is_set():
            return
        work = asyncio.ensure_future(self._receive(on_event))
        closed = asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({work, closed}, return_when=asyncio.FIRST_COMPLETED)
            if not self._closed.is_set():
                await work
        finally:
            for task in (work, closed):
                task.cancel()
            await asyncio.gather(work, closed, return_exceptions=True)

    async def _receive(self, on_event: OnEvent) -> None:
        with polling.explained():
            if not self._me.id:
                await on_event(StatusChange(State.STARTING, "starting"))
            told = an_object(await self._api.ask("getMe", {}))
            self._me = Me(string(told, "id"), string(told, "username"))
            name = f"@{self._me.username}"
            address = hook.address_of(self._channel)
            if address:
                values = {"url": address, "secret_token": hook.secret_of(self._channel), "allowed_updates": WANTED}
                await self._api.ask("setWebhook", values)
                await on_event(StatusChange(State.CONNECTED, "connected", name))
                await self._closed.wait()
                return
            if not self._offset.conflicts:
                await self._api.ask("deleteWebhook", {})
            await polling.poll(self._polls, self._offset, name, self._take(on_event))

    def _take(self, on_event: OnEvent) -> polling.Take:
        async def take(change: StatusChange | None, updates: Iterable[bytes]) -> None:
            """All of it is handed over before any of it is waited for; returns when all is on disk."""
            if change:
                await on_event(change)
            arrivals = [arrival for update in updates for arrival in polling.readable(update, self._me)]
            done = await asyncio.gather(*map(on_event, arrivals), return_exceptions=True)
            for error in done:
                if error is not None:
                    raise error
            self.acknowledge(arrivals)

        return take

    def parse(self, body: bytes) -> list[Arrival]:
        return parse_update(body, self._me)

    def acknowledge(self, arrivals: Iterable[Arrival]) -> None:
        """A pressed button turns until it is answered. Too late, or not at all, does no harm."""
        for arrival in arrivals:
            if isinstance(arrival, Inbound) and ".callback." in arrival.provider_id:
                if isinstance(arrival.content, Pressed | Picked | Unsupported):
                    query = arrival.provider_id.rpartition(".")[2]
                    self._spawn(self._api.ask("answerCallbackQuery", {"callback_query_id": query}))

    def _spawn(self, work: Any) -> None:
        async def quietly() -> None:
            with contextlib.suppress(Refused, SendFailed):
                await work

        task = asyncio.get_running_loop().create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self._closed.set()
        for task in list(self._tasks):
            task.cancel()
        await self._poster.close()
        await self._poll.close()

    # ---- sending ----------------------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Sent:
        if self._closed.is_set():
            raise SendFailed(Problem("send.closed"), certain=True, temporary=True)
        try:
            method, values = call_of(message)
        except LookupError as missing:
            raise SendFailed(Problem(f"send.{missing.args[0]}"), certain=True, temporary=False) from missing
        values["chat_id"] = self._moved.get(values["chat_id"], values["chat_id"])
        return taken(method, message, await self._send(method, values, await parts_of(message, values)))

    async def _send(self, method: str, values: dict[str, Any], along: Part | None) -> bytes:
        try:
            return await self._api.ask(method, values, along)
        except Refused as refused:
            moved = refused.refusal.moved
            if moved and values["chat_id"] not in self._moved and moved.lstrip("-").isdigit():
                self._moved[values["chat_id"]] = int(moved)
                return await self._send(method, values | {"chat_id": int(moved)}, along)
            raise self._widened(failure(refused.refusal, self._api.token)) from None

    def _widened(self, failed: SendFailed) -> SendFailed:
        """A limit that is met while an earlier one still holds is of the whole bot, not of one chat. Contract §5."""
        now = asyncio.get_running_loop().time()
        if failed.scope is Scope.PAIR:
            if now < self._limited_until:
                failed.scope = Scope.CHANNEL
            self._limited_until = max(self._limited_until, now + (failed.retry_after or 0))
        return failed

    async def mark_read(self, provider_id: str, *, typing: bool) -> None:
        """Bots cannot mark as read; "typing" can be shown in the chat of that message."""
        chat = provider_id.partition(".")[0]
        if typing and chat.lstrip("-").isdigit():
            await self._api.call("sendChatAction", {"chat_id": int(chat), "action": "typing"})

    # ---- files and set-up -------------------------------------------------------------------------------------------

    async def locate_media(self, provider_id: str) -> MediaFile:
        told = an_object(await self._api.call("getFile", {"file_id": provider_id}))
        path = string(told, "file_path")
        if not path or path.startswith("/") or ".." in path:
            raise SendFailed(Problem("telegram.file", detail="no path"), certain=True, temporary=True)
        return MediaFile(url=self._api.file(path), size=int(number(told, "file_size") or 0))

    async def examine(self) -> list[Check]:
        return await examination.examine(self._api, hook.address_of(self._channel))


async def parts_of(message: Outbound, values: dict[str, Any]) -> Part | None:
    """The file that goes along, taken out of the values, where its field is empty. Up to 50 MB are read at once."""
    field = next((name for name, value in values.items() if value == ""), "")
    if message.file is None or not field or not isinstance(message.content, Media):
        return None
    del values[field]
    mime = message.content.mime or "application/octet-stream"
    name = getattr(message.content, "filename", "") or f"file{guess_extension(mime.split(';')[0]) or ''}"
    return Part(field, name, mime, await asyncio.to_thread(message.file.read_bytes))


def taken(method: str, message: Outbound, result: bytes) -> Sent:
    """The name of the message that was sent. A reaction is none, so it goes by our own."""
    if method == "setMessageReaction":
        return Sent(f"reaction.{message.opaque}")
    try:
        name = message_name(an_object(result))
    except (ValueError, msgspec.DecodeError):
        name = ""
    if not name:
        raise SendFailed(
            Problem("send.no_id", detail=result[:200].decode(errors="replace")), certain=False, temporary=True
        )
    return Sent(name)
