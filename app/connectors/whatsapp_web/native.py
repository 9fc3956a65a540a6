"""The calls that are made of the client library, on whichever carrier: bytes and numbers out, its messages back."""

import time
from pathlib import Path
from typing import Any, Final

from app.connectors.whatsapp_web.carriers import Carrier
from app.connectors.whatsapp_web.library import Library

MINUTE_AND_MORE: Final = 80.0  # the library itself gives up on a send after 75 s
QUICK: Final = 20.0


class Client:
    """One linked device, or one to be linked. Every call raises `Stuck` where no answer came in time."""

    def __init__(self, library: Library, carrier: Carrier) -> None:
        self._library = library
        self._carrier = carrier

    async def start(self, store: str, journal: Path, device: str) -> None:
        """Begin to connect; what becomes of it is heard by the carrier's `hear`. Raises `Missing`. `device`: what the
        phone calls it."""
        companion = self._library.companion
        props = companion.DeviceProps(
            os=device,
            platformType=companion.DeviceProps.CHROME,
            requireFullSync=False,
            historySyncConfig=companion.DeviceProps.HistorySyncConfig(
                fullSyncDaysLimit=1, recentSyncDaysLimit=1, storageQuotaMb=10
            ),
        )
        await self._carrier.start(store, journal, props.SerializeToString())

    def kept(self) -> None:
        self._carrier.kept()

    async def stop(self) -> None:
        await self._carrier.stop()

    async def connected(self) -> bool:
        return bool(await self._call("IsConnected"))

    async def log_out(self) -> str:
        """Unlink at the server. Returns what went wrong, '' if nothing."""
        return (await self._call("Logout")).decode(errors="replace")

    async def pair(self, phone: str) -> Any:
        """Ask for a code to be typed on the phone: an answer with Error and Code."""
        told = self._library.told
        wish = told.PairPhoneParams(
            phone=phone, clientDisplayName="Chrome (Linux)", clientType=1, showPushNotification=True
        ).SerializeToString()
        return told.PairPhoneReturnFunction.FromString(await self._call("PairPhone", wish, len(wish)))

    async def send(self, to: Any, message: bytes) -> Any:
        """An answer with Error and SendResponse."""
        jid = to.SerializeToString()
        answer = await self._call("SendMessage", jid, len(jid), message, len(message), limit=MINUTE_AND_MORE)
        return self._library.told.SendMessageReturnFunction.FromString(answer)

    async def upload(self, data: bytes, kind: int) -> Any:
        """An answer with Error and UploadResponse. `kind`: 0 image, 1 video, 2 audio, 3 document."""
        answer = await self._call("Upload", data, len(data), kind, limit=MINUTE_AND_MORE)
        return self._library.told.UploadReturnFunction.FromString(answer)

    async def download(self, message: bytes) -> Any:
        """An answer with Error and Binary: the file of a media message."""
        answer = await self._call("DownloadAny", message, len(message), limit=MINUTE_AND_MORE)
        return self._library.told.DownloadReturnFunction.FromString(answer)

    async def vote(self, message: bytes) -> Any:
        """An answer with Error and PollVoteMessage: what a vote for a poll of ours says."""
        answer = await self._call("DecryptPollVote", message, len(message))
        return self._library.told.ReturnFunctionWithError.FromString(answer)

    async def mark_read(self, id: str, chat: Any, sender: Any) -> None:
        where, who = chat.SerializeToString(), sender.SerializeToString()
        await self._call("MarkRead", id.encode(), int(time.time()), where, len(where), who, len(who), b"read")

    async def typing(self, to: Any, *, on: bool) -> None:
        jid = to.SerializeToString()
        await self._call("SendChatPresence", jid, len(jid), 0 if on else 1, 0)

    async def _call(self, function: str, *args: bytes | int, limit: float = QUICK) -> bytes:
        return await self._carrier.call(function, *args, limit=limit)
