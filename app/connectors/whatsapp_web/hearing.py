"""What the library tells of messages, as arrivals. Contract §2.3."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from app.connectors.base import Address, Arrival, Channel, Inbound, Malformed
from app.connectors.whatsapp_web import engine, groups, reading
from app.connectors.whatsapp_web.carriers import Stuck
from app.connectors.whatsapp_web.contents import vote
from app.connectors.whatsapp_web.library import Library
from app.connectors.whatsapp_web.native import Client
from app.connectors.whatsapp_web.remembered import Known, Remembered
from app.content import Buttons, Choice, Content, Poll, Unsupported

LATE: Final = 10  # minutes after which what came while away is not answered without being asked

Find = Callable[[str], Awaitable[Content | None]]

log = logging.getLogger(__name__)


class Ear:
    """Of one account. `me`: as which the others address it; `find`: what was said under an id, however long ago."""

    def __init__(self, channel: Channel, known: Remembered) -> None:
        self._account, self._name, self._known = channel.account, channel.name, known
        self._answers_for = int(channel.config.get("away") or LATE) * 60_000
        self._groups = channel.config.get("groups") or groups.OFF
        self.me = Address(wa_id=channel.account)
        self.find: Find | None = None

    def read(self, library: Library, number: int, data: bytes) -> list[Arrival]:
        """Nothing that was told is lost: what cannot be read is quarantined."""
        account, told = self._account, library.told
        try:
            if number == engine.RECEIPT:
                return reading.read_receipts(account, told.Receipt.FromString(data))
            if number == engine.UNREADABLE:
                arrival = reading.read_unreadable(account, told.UndecryptableMessage.FromString(data))
            else:
                message = told.Message.FromString(data)
                arrival = reading.read_message(reading.Reader(account, self.me, self._groups), message)
                if isinstance(arrival, Inbound):
                    arrival = msgspec.structs.replace(arrival, away=self._is_late(arrival))
                    source = message.Info.MessageSource
                    author = None if arrival.echo else source.Sender
                    self._known.add(arrival.provider_id, Known(source.Chat, author, message.Message))
            return [arrival] if arrival else []
        except Exception as error:
            log.exception("a message of channel %s could not be read", self._name)
            return [Malformed(account, f"{type(error).__name__}: {error}", data)]

    async def with_vote(self, library: Library, client: Client | None, arrival: Arrival, data: bytes) -> Arrival:
        """A vote is written for the poll's sender alone, and names the answers by hashes. One that cannot be read stays
        as it came."""
        if not (isinstance(arrival, Inbound) and arrival.content == Unsupported("pollUpdateMessage")):
            return arrival
        poll_id = library.told.Message.FromString(data).Message.pollUpdateMessage.pollCreationMessageKey.ID
        try:
            assert client is not None
            answer = await client.vote(data)
        except (Stuck, RuntimeError) as error:
            log.warning("a vote of channel %s could not be read: %r", self._name, error)
            return arrival
        if answer.Error:
            log.info("a vote of channel %s could not be read: %s", self._name, answer.Error)
            return arrival
        said = vote(poll_id, answer.PollVoteMessage.selectedOptions, await self._choices_of(poll_id))
        return msgspec.structs.replace(arrival, content=said, reply_to=poll_id)

    async def _choices_of(self, id: str) -> tuple[Choice, ...]:
        """What could be chosen in a message of ours, however long ago that was."""
        known = self._known.get(id)
        if known is None or not known.choices:
            said = await self.find(id) if self.find else None
            return said.choices if isinstance(said, Buttons | Poll) else ()
        return known.choices

    def _is_late(self, arrival: Inbound) -> bool:
        """Written while this device was away, and too long ago for a bot to answer by itself."""
        return time.time() * 1000 - arrival.at > self._answers_for
