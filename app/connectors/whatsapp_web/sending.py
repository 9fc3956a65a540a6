"""One message out: what is refused before, the pause of a person who types, and what the library's answer means."""

import asyncio
import contextlib
import hashlib
import logging
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
from app.content import Buttons, Content, Delete, Edit, Media, Poll, Reaction, encode, text

ReadUrl = Callable[[str], Awaitable[bytes]]
NUMBERS, REAL, POLL = "numbers", "buttons", "poll"  # how a channel shows buttons
NOT_SENT: Final = ("websocket not connected", "client is nil", "not logged in")


log = logging.getLogger(__name__)


class Desk:
    """Sends of one account, one after the other."""

    def __init__(self, pacing: Pacing, known: Remembered, *, strangers: bool, buttons: str = NUMBERS) -> None:
        self._pacing = pacing
        self._known = known
        self._strangers = strangers
        self._buttons = buttons
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
            words = "" if _wrote(message.to) else self._check_opening(message.content)
            try:
                made = writing.lasting(library.e2e, await self._make(library, client, message, to), message.to.lasts)
                await self._type(client, to, text(message.content))
                # Counted before it is known whether it went: the network counts tries.
                self._pacing.sent(to.User, self._now())
                if words:
                    self._pacing.opened(words, self._now())
                answer = await client.send(to, made.SerializeToString())
            except LookupError as missing:
                raise SendFailed(Problem(f"send.{missing.args[0]}"), certain=True, temporary=False) from missing
            except Stuck as stuck:
                raise SendFailed(Problem("send.no_answer"), certain=False, temporary=True) from stuck
        if answer.Error:
            raise refusal(answer.Error)
        content = message.content
        choices = content.choices if isinstance(content, Buttons | Poll) else ()
        self._known.add(answer.SendResponse.ID, Known(to, None, made, choices))
        if isinstance(content, Buttons) and self._buttons == REAL:
            await self._add_buttons(library, client, content, to)
        told = address(answer.SendResponse.Chat)
        return Sent(answer.SendResponse.ID, told if told.aliases() else None, int(message.to.lasts or 0))

    async def _add_buttons(self, library: Library, client: Client, content: Buttons, to: Any) -> None:
        """An addition to the text that arrived: whether phones show it is not known, and it is never repeated."""
        self._pacing.sent(to.User, self._now())
        with contextlib.suppress(Stuck):
            answer = await client.send(to, writing.pressable(library.e2e, content).SerializeToString())
            if answer.Error:
                log.info("buttons were not taken: %s", answer.Error)

    def _refuse_strangers(self, to: Address) -> None:
        if not (self._strangers or _wrote(to)):
            raise SendFailed(Problem("web.stranger"), certain=True, temporary=False)

    def _check_budgets(self, person: str) -> None:
        now = self._now()
        if wait := self._pacing.looping(person, now):
            raise SendFailed(Problem("web.loop"), certain=True, temporary=True, scope=Scope.PAIR, retry_after=wait)
        if wait := self._pacing.full(now):
            raise SendFailed(Problem("web.budget"), certain=True, temporary=True, scope=Scope.CHANNEL, retry_after=wait)

    def _check_opening(self, content: Content) -> str:
        """What somebody who never wrote is to get, as one text. Raises `SendFailed` if it has to wait."""
        words = hashlib.sha256(encode(content).encode()).hexdigest()
        if wait := self._pacing.opening(words, self._now()):
            raise SendFailed(Problem("web.opening"), certain=True, temporary=True, scope=Scope.PAIR, retry_after=wait)
        return words

    async def _type(self, client: Client, to: Any, words: str) -> None:
        if wait := self._pacing.gap(self._now()):
            await asyncio.sleep(wait)
        if wait := self._pacing.typing(len(words)):
            await client.typing(to, on=True)
            await asyncio.sleep(wait)

    async def _make(self, library: Library, client: Client, message: Outbound, to: Any) -> Any:
        content, now = message.content, time.time_ns() // 1_000_000
        if isinstance(content, Edit | Delete):
            return writing.correction(library.e2e, library.common, content, text_of(to), now)
        if isinstance(content, Reaction):
            known = self._known.get(content.target)
            own = known is not None and known.author is None
            author = text_of(known.author) if known and known.author and message.to.chat else ""
            return writing.reaction_to(
                library.e2e, library.common, content, text_of(to), own=own, author=author, at=now
            )
        if isinstance(content, Buttons) and self._buttons == POLL and writing.can_be_poll(content):
            return writing.poll(library.e2e, content.text, content.choices, many=False)
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


def _wrote(to: Address) -> bool:
    """Names that the network told come from people who wrote; a bare number was typed here."""
    return bool(to.lid or to.wa_id or to.chat)


def refusal(error: str) -> SendFailed:
    """What the library's words mean. What is not known for sure counts as unknown, and is never repeated by itself."""
    if any(words in error for words in NOT_SENT):
        return SendFailed(Problem("web.offline"), certain=True, temporary=True, retry_after=5)
    if f"@{PHONE} from server" in error and "no LID" in error:
        return SendFailed(Problem("web.not_there"), certain=True, temporary=False)
    if "server returned error" in error:
        return SendFailed(Problem("web.not_taken", detail=error), certain=True, temporary=False)
    return SendFailed(Problem("send.no_answer", detail=error), certain=False, temporary=True)
