"""One message out: what is refused before, the pause of a person who types, and what the library's answer means."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from app.connectors.base import Address, Outbound, Problem, Scope, SendFailed, Sent
from app.connectors.whatsapp_web import files, writing
from app.connectors.whatsapp_web.carriers import Stuck
from app.connectors.whatsapp_web.library import Library
from app.connectors.whatsapp_web.native import Client
from app.connectors.whatsapp_web.pacing import Pacing
from app.connectors.whatsapp_web.places import PHONE, address, jid_of, text_of
from app.connectors.whatsapp_web.remembered import Known, Remembered
from app.content import Media, Reaction, text

ReadUrl = Callable[[str], Awaitable[bytes]]
NOT_SENT: Final = ("websocket not connected", "client is nil", "not logged in")


class Desk:
    """Sends of one account, one after the other."""

    def __init__(self, pacing: Pacing, known: Remembered, *, strangers: bool) -> None:
        self._pacing = pacing
        self._known = known
        self._strangers = strangers
        self._turn = asyncio.Lock()
        self.read_url: ReadUrl | None = None

    async def send(self, library: Library, client: Client, message: Outbound) -> Sent:
        """Raises `SendFailed`."""
        self._refuse_strangers(message.to)
        try:
            to = jid_of(library.told, message.to)
        except LookupError as missing:
            raise SendFailed(Problem("send.recipient"), certain=True, temporary=False) from missing
        async with self._turn:
            self._check_budgets(to.User)
            try:
                made = await self._make(library, client, message, to)
                await self._type(client, to, text(message.content))
                # Counted before it is known whether it went: the network counts tries.
                self._pacing.sent(to.User, self._now())
                answer = await client.send(to, made.SerializeToString())
            except LookupError as missing:
                raise SendFailed(Problem(f"send.{missing.args[0]}"), certain=True, temporary=False) from missing
            except Stuck as stuck:
                raise SendFailed(Problem("send.no_answer"), certain=False, temporary=True) from stuck
        if answer.Error:
            raise refusal(answer.Error)
        self._known.add(answer.SendResponse.ID, Known(to, None, made))
        told = address(answer.SendResponse.Chat)
        return Sent(answer.SendResponse.ID, told if told.aliases() else None)

    def _refuse_strangers(self, to: Address) -> None:
        """Names that the network told come from people who wrote; a bare number was typed here."""
        if not (self._strangers or to.lid or to.wa_id):
            raise SendFailed(Problem("web.stranger"), certain=True, temporary=False)

    def _check_budgets(self, person: str) -> None:
        now = self._now()
        if wait := self._pacing.looping(person, now):
            raise SendFailed(Problem("web.loop"), certain=True, temporary=True, scope=Scope.PAIR, retry_after=wait)
        if wait := self._pacing.full(now):
            raise SendFailed(Problem("web.budget"), certain=True, temporary=True, scope=Scope.CHANNEL, retry_after=wait)

    async def _type(self, client: Client, to: Any, words: str) -> None:
        if wait := self._pacing.gap(self._now()):
            await asyncio.sleep(wait)
        if wait := self._pacing.typing(len(words)):
            await client.typing(to, on=True)
            await asyncio.sleep(wait)

    async def _make(self, library: Library, client: Client, message: Outbound, to: Any) -> Any:
        content = message.content
        if isinstance(content, Reaction):
            known = self._known.get(content.target)
            own = known is not None and known.author is None
            now = time.time_ns() // 1_000_000
            return writing.reaction_to(library.e2e, library.common, content, text_of(to), own=own, at=now)
        if isinstance(content, Media):
            made = await files.message_of(library.e2e, client, content, await self._bytes_of(message))
        else:
            made = writing.message_of(library.e2e, content)
        return self._answering(library, made, message.reply_to, to) if message.reply_to else made

    async def _bytes_of(self, message: Outbound) -> bytes:
        """The file that goes along. Raises `SendFailed`, and `LookupError` where there is no way to read it."""
        if message.file is not None:
            return await asyncio.to_thread(message.file.read_bytes)
        url = message.content.url if isinstance(message.content, Media) else ""
        if not url or self.read_url is None:
            raise LookupError("content")
        return await self.read_url(url)

    def _answering(self, library: Library, made: Any, id: str, to: Any) -> Any:
        known = self._known.get(id)
        author = text_of(known.author) if known and known.author else text_of(to)
        return writing.answering(library.e2e, made, id, author, known.message if known else None)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def refusal(error: str) -> SendFailed:
    """What the library's words mean. What is not known for sure counts as unknown, and is never repeated by itself."""
    if any(words in error for words in NOT_SENT):
        return SendFailed(Problem("web.offline"), certain=True, temporary=True, retry_after=5)
    if f"@{PHONE} from server" in error and "no LID" in error:
        return SendFailed(Problem("web.not_there"), certain=True, temporary=False)
    if "server returned error" in error:
        return SendFailed(Problem("web.not_taken", detail=error), certain=True, temporary=False)
    return SendFailed(Problem("send.no_answer", detail=error), certain=False, temporary=True)
